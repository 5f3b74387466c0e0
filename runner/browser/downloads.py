"""Has a browser context put what its pages download into a folder, and tells an inbox of it.

Beside Playwright's own way: that has no limit, and none of it is there for a browser that was started by others.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, Page

from runner.browser.devtools import Event
from runner.inbox import Inbox

UNFINISHED = ".crdownload"
PAPER_SECONDS = 2.0
PAPER = """() => {
  if (document.contentType !== 'application/pdf') return false;
  const link = document.createElement('a');
  Object.assign(link, { href: location.href, download: '' }).click();
  return true;
}"""
MOST_KNOWN = 1_000

Spawn = Callable[[Coroutine[None, None, None]], object]


@asynccontextmanager
async def downloading(
    browser: Browser, context: BrowserContext | None, inbox: Callable[[], Inbox | None], root: Path | None, spawn: Spawn
) -> AsyncIterator[None]:
    """For the length of the block, `inbox` hears of the downloads of this context; without it or `root` they fail.

    The context has a page already; None is the one that the browser came with. Raises Error.
    """
    whose = {"browserContextId": await _name(context)} if context is not None else {}
    cdp = await browser.new_browser_cdp_session()
    folder = Path(tempfile.mkdtemp(dir=root)) if root is not None else None
    try:
        if folder is None:
            await cdp.send("Browser.setDownloadBehavior", {"behavior": "deny", **whose})
        else:
            waiter = _Waiter(cdp, folder, whose, inbox, spawn)
            cdp.on("Browser.downloadWillBegin", waiter.begins)
            cdp.on("Browser.downloadProgress", waiter.goes_on)
            behaviour = {"behavior": "allowAndName", "downloadPath": str(folder), "eventsEnabled": True}
            await cdp.send("Browser.setDownloadBehavior", {**behaviour, **whose})
        yield
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        with suppress(Error):  # the browser has ended
            await cdp.detach()


async def asked_for_paper(page: Page) -> bool:
    """Have the PDF that the page shows downloaded too: nobody can read it there. False where it shows none."""
    try:
        async with asyncio.timeout(PAPER_SECONDS):
            return bool(await page.evaluate(PAPER))
    except (Error, TimeoutError):
        return False  # it is being left, or busy, which a PDF is not


async def _name(context: BrowserContext) -> str:
    """What DevTools calls the context."""
    page = await context.new_cdp_session(context.pages[0])
    target = await page.send("Target.getTargetInfo")
    await page.detach()
    return str(target["targetInfo"]["browserContextId"])


class _Waiter:
    """Passes on what DevTools says of downloads, which it says of all in the browser.

    The file of each lies under its key in the folder of its context; only that tells whose it is.
    """

    def __init__(
        self,
        cdp: CDPSession,
        folder: Path,
        whose: dict[str, str],
        inbox: Callable[[], Inbox | None],
        spawn: Spawn,
    ) -> None:
        self._cdp = cdp
        self._folder = folder
        self._whose = whose
        self._inbox = inbox
        self._spawn = spawn
        self._names: dict[str, str] = {}
        self._ours: set[str] = set()

    def begins(self, event: Event) -> None:
        if len(self._names) < MOST_KNOWN:
            self._names[str(event["guid"])] = str(event["suggestedFilename"])

    def goes_on(self, event: Event) -> None:
        key, ended = str(event["guid"]), event["state"] != "inProgress"
        path = self._folder / Path(key).name
        if self._is_ours(key, path):
            self._tell(key, path, event)
        if ended:
            self._names.pop(key, None)
            self._ours.discard(key)

    def _is_ours(self, key: str, path: Path) -> bool:
        if key in self._names and (path.exists() or path.with_name(f"{path.name}{UNFINISHED}").exists()):
            inbox, name = self._inbox(), self._names.pop(key)
            self._ours.add(key)
            if inbox is None or not inbox.begin(key, name):
                self._spawn(self._cancel(key))
        return key in self._ours

    def _tell(self, key: str, path: Path, event: Event) -> None:
        inbox = self._inbox()
        wanted = inbox is not None and inbox.grow(key, int(event["receivedBytes"]), int(event["totalBytes"]))
        whole = event["state"] == "completed"
        if inbox is not None and event["state"] != "inProgress":
            inbox.end(key, path if whole and wanted else None)
        if whole and not wanted:
            path.unlink(missing_ok=True)
        elif not wanted and event["state"] == "inProgress":
            self._spawn(self._cancel(key))

    async def _cancel(self, key: str) -> None:
        with suppress(Error):  # it has ended already
            await self._cdp.send("Browser.cancelDownload", {"guid": key, **self._whose})
