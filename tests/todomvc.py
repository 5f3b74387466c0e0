"""The to-do lists of TodoMVC, one app built in many ways, each with a witness that tells what its list really shows.

The builds come from the npm package `todomvc`, which `.ci/setup tests` installs where there is npm.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiohttp import web

PACKAGE = Path(__file__).parents[1] / ".venv" / "node" / "node_modules" / "todomvc" / "examples"

CHORE = """Go to {url}.
Type "Buy milk" into "What needs to be done?" and press Enter.
Type "Call Ann" into "What needs to be done?" and press Enter.
Check the checkbox in the row of "Buy milk".
Extract the number of items left."""
"""Add two, complete one, count."""


class Todo(msgspec.Struct, frozen=True):
    """One line of the list, as a person sees it."""

    text: str
    completed: bool


DONE = (Todo("Buy milk", completed=True), Todo("Call Ann", completed=False))
"""What the list shows once the chore is done."""

LEFT = "1"

ELSEWHERE = {"angular-dart": "web", "chaplin-brunch": "public", "duel": "www", "thorax_lumbar": "public"}
"""The folders of builds whose page is not at their top."""

UNSERVED = frozenset(
    {
        "componentjs",
        "emberjs_require",
        "firebase-angular",
        "gwt",
        "jquery",
        "montage",
        "mozart",
        "polymer",
        "sapui5",
        "stapes",
        "stapes_require",
        "yui",
    }
)
"""Builds whose list takes no to-do, or miscounts (polymer), for want of a network, of parts that the package lacks, or
of a browser of their time: found by hand."""

WITNESS = """<script>(() => {
  const shown = (line) => line.getClientRects().length > 0;
  const said = (line) => ({
    text: (line.querySelector('label') || line).textContent.trim(),
    completed: Boolean((line.querySelector('input[type=checkbox]') || {}).checked),
  });
  let before = '';
  const look = () => {
    const list = document.querySelector('#todo-list, .todo-list');
    const now = JSON.stringify(list ? [...list.querySelectorAll('li')].filter(shown).map(said) : []);
    if (now !== before) fetch(`/${location.pathname.split('/')[1]}/witness`, {method: 'POST', body: now});
    before = now;
  };
  addEventListener('load', look);
  for (const kind of ['change', 'click', 'keyup']) addEventListener(kind, () => setTimeout(look), true);
  new MutationObserver(look).observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
})();</script>"""


class TodoSite:
    """The served builds. `lists` holds what each one's witness told last."""

    def __init__(self, root: Path = PACKAGE) -> None:
        self.root = root
        self.url = ""
        self.lists: dict[str, tuple[Todo, ...]] = {}

    @property
    def builds(self) -> list[str]:
        """Those that run without a network, by name."""
        found = {page.parent.name for page in self.root.glob("*/index.html")} - UNSERVED
        return sorted(found | {build for build, folder in ELSEWHERE.items() if (self.root / build / folder).is_dir()})

    def address(self, build: str) -> str:
        """Where that build's list is."""
        return f"{self.url}/{build}/{ELSEWHERE[build]}/" if build in ELSEWHERE else f"{self.url}/{build}/"

    async def file(self, request: web.Request) -> web.StreamResponse:
        """A file of the package; the page of a build with its witness."""
        path = (self.root / request.match_info["path"]).resolve()
        if path.is_dir():
            path /= "index.html"
        if not path.is_relative_to(self.root.resolve()) or not path.is_file():
            raise web.HTTPNotFound
        if path.name != "index.html":
            return web.FileResponse(path)
        return web.Response(text=path.read_text(encoding="utf-8") + WITNESS, content_type="text/html")

    async def witness(self, request: web.Request) -> web.Response:
        """What a build's list shows now."""
        self.lists[request.match_info["build"]] = msgspec.json.decode(await request.read(), type=tuple[Todo, ...])
        return web.Response()


@asynccontextmanager
async def todo_site() -> AsyncIterator[TodoSite]:
    """The builds on a port of the loopback."""
    site = TodoSite()
    app = web.Application()
    app.router.add_post("/{build}/witness", site.witness)
    app.router.add_get("/{path:.*}", site.file)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        listener = web.TCPSite(runner, "127.0.0.1", 0)
        await listener.start()
        site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield site
    finally:
        await runner.cleanup()
