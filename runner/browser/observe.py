"""What a model may see of a page: the accessibility snapshot with short references; secrets masked. Changes nothing."""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from playwright.async_api import Error, Locator, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from runner.browser.selectors import NAMES, at
from runner.browser.tabs import Tab, Tabs
from runner.browser.targets import passing
from runner.browser.wishes import Seen, describe
from runner.model import Observation
from runner.vocabulary import ActFailed

SCRIPT = NAMES + (Path(__file__).parent / "observe.js").read_text(encoding="utf-8")
TITLE_SECONDS = 2.0
TREE_SECONDS = 10.0
MOST_CHARACTERS = 40_000
MOST_LISTED = 10_000
MASK = "********"
REFERENCE = re.compile(r" \[ref=(\w+)\]( \[cursor=pointer\])?")
EMPTY = re.compile(r" *(- generic( \[active\])?)?")
LINE = re.compile(r"( *)- '?(\w+)")
INTERACTIVE = frozenset(
    {
        "button",
        "link",
        "checkbox",
        "radio",
        "switch",
        "textbox",
        "searchbox",
        "combobox",
        "listbox",
        "option",
        "spinbutton",
        "slider",
        "tab",
        "menuitem",
        "menuitemcheckbox",
        "menuitemradio",
        "treeitem",
    }
)
TYPED = frozenset({"textbox", "searchbox", "combobox", "spinbutton"})


class Memory:
    """What the references of the last look stand for. A number stays with its element while the document lives."""

    def __init__(self) -> None:
        self.page: Page | None = None
        self.document = 0.0
        self.numbers: dict[str, int] = {}
        self.shown: frozenset[str] = frozenset()

    def begin(self, page: Page, document: float) -> bool:
        """Start a look; true when the document is the one of the last look."""
        same = self.page is page and self.document == document
        if not same:
            self.page, self.document, self.numbers, self.shown = page, document, {}, frozenset()
        return same

    def number(self, reference: str) -> int:
        """The short reference of an element."""
        return self.numbers.setdefault(reference, len(self.numbers) + 1)

    def locator(self, page: Page, index: int) -> Locator:
        """The element that `[index]` stood for in the last look. Raises ActFailed."""
        reference = next((ref for ref, number in self.numbers.items() if number == index), None)
        if reference is None or reference not in self.shown or page is not self.page:
            raise ActFailed("no_target", f"There is no [{index}] in the last look at this page.")
        return (
            at(page.main_frame, [int(k) for k in reference.split(".")])
            if "." in reference
            else page.get_by_ref(reference)
        )


async def observe(tabs: Tabs, tab: Tab, memory: Memory, *, tree: bool) -> Observation:
    """The place, and with `tree` the snapshot."""
    page = tab.page
    text = ""
    if tree:
        async with asyncio.timeout(TREE_SECONDS):
            text = await snapshot(tab, memory)
    return Observation(url=page.url, title=await title(page), tabs=named(tabs, tab), tree=text)


async def title(page: Page) -> str:
    """The page's title; empty when the page is too busy to say. A page that is just being left is asked again."""
    try:
        async with asyncio.timeout(TITLE_SECONDS):
            while True:
                try:
                    return await page.title()
                except Error as error:
                    if page.is_closed() or not passing(error):
                        raise
                    await page.wait_for_load_state("domcontentloaded", timeout=TITLE_SECONDS * 1000)
    except (TimeoutError, PlaywrightTimeout):
        return ""


def named(tabs: Tabs, current: Tab) -> tuple[str, ...]:
    """Such as `1. http://shop.test/ (current)`."""
    return tuple(f"{n}. {tab.page.url}{' (current)' if tab is current else ''}" for n, tab in enumerate(tabs.open, 1))


async def clickable(tab: Tab) -> Sequence[Sequence[int]]:
    """Paths of the elements of the main frame that listen for clicks; only the console's API knows them."""
    if tab.cdp is None:
        return ()
    answer = await tab.cdp.send(
        "Runtime.evaluate",
        {
            "expression": f"(() => {{ {SCRIPT} return listening({MOST_LISTED}, getEventListeners); }})()",
            "includeCommandLineAPI": True,
            "returnByValue": True,
        },
    )
    return msgspec.convert(answer["result"].get("value") or [], list[list[int]])


async def snapshot(tab: Tab, memory: Memory) -> str:
    """The tree as text. `*` marks what was not there at the last look at the same document."""
    page = tab.page
    paths = await clickable(tab)
    asked = await page.evaluate(f"(paths) => {{ {SCRIPT} return extras(paths); }}", list(paths))
    text = await page.aria_snapshot(mode="ai")
    same = memory.begin(page, float(asked["document"]))
    lines = await masked(page, text.splitlines())
    shown: set[str] = set()
    out = [numbered(line, memory, shown, same) for line in lines]
    for seen in msgspec.convert(asked["extras"], list[Seen]):
        reference = ".".join(map(str, seen.path))
        shown.add(reference)
        star = "*" if same and reference not in memory.shown else ""
        out.append(f"- {star}[{memory.number(reference)}] {describe(seen)} at ({seen.box[0]}, {seen.box[1]})")
    memory.shown = frozenset(shown)
    return capped([line for line in out if not EMPTY.fullmatch(line)])


def numbered(line: str, memory: Memory, shown: set[str], same: bool) -> str:
    """The line with `[7]` before what can be acted on, and without Playwright's own references."""
    found, start = REFERENCE.search(line), LINE.match(line)
    if found is None or start is None:
        return line
    plain = line[: found.start()] + line[found.end() :]
    named = '"' in plain or not plain.rstrip().endswith(start[2])
    if start[2] not in INTERACTIVE and not (found[2] and named):
        return plain
    reference = found[1]
    shown.add(reference)
    star = "*" if same and reference not in memory.shown else ""
    after = start.start(2)
    return f"{plain[:after]}{star}[{memory.number(reference)}] {plain[after:]}"


async def masked(page: Page, lines: list[str]) -> list[str]:
    """The lines with the values of password and card fields hidden, also where they are printed below their field."""
    secrets = await secret_references(page, lines)
    out: list[str] = []
    within: int | None = None
    for line in lines:
        depth = len(line) - len(line.lstrip())
        if within is not None and depth > within:
            if line.lstrip().startswith("- text:"):
                line = f"{' ' * depth}- text: {MASK}"
            out.append(line)
            continue
        within = None
        found = REFERENCE.search(line)
        if found is not None and found[1] in secrets:
            within = depth
            head, _, value = line[found.end() :].partition(":")
            line = line[: found.end()] + head + (f": {MASK}" if value.strip() else ":" if line.endswith(":") else "")
        out.append(line)
    return out


async def secret_references(page: Page, lines: list[str]) -> set[str]:
    """The references of fields whose value must not be shown. Costs little when no frame has one that is filled."""
    anywhere = False
    for frame in page.frames:
        try:
            async with asyncio.timeout(TITLE_SECONDS):
                anywhere = anywhere or bool(await frame.evaluate(f"() => {{ {SCRIPT} return secrets(); }}"))
        except (Error, TimeoutError):
            anywhere = True  # a frame that does not say is looked at field by field
    if not anywhere:
        return set()
    found: set[str] = set()
    for line in lines:
        reference, start = REFERENCE.search(line), LINE.match(line)
        if reference is None or start is None or start[2] not in TYPED:
            continue
        try:
            secret = await page.get_by_ref(reference[1]).evaluate(
                f"(e) => {{ {SCRIPT} return secret(e); }}", timeout=1000
            )
        except Error:
            secret = True
        if secret:
            found.add(reference[1])
    return found


def capped(lines: list[str]) -> str:
    """At most 40,000 characters, whole lines."""
    size = 0
    for at_line, line in enumerate(lines):
        size += len(line) + 1
        if size > MOST_CHARACTERS:
            return "\n".join([*lines[:at_line], f"(and {len(lines) - at_line} more lines)"])
    return "\n".join(lines)
