"""What a model may see: the outline of all frames with short references, secrets masked. Changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import msgspec
from playwright.async_api import Error, Frame, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from runner.browser.ears import listeners
from runner.browser.outline import Box, Line, Marks, capped, cut, distance, line, quoted, sign, whole
from runner.browser.sights import Part, Sight, Sights
from runner.browser.tabs import Tab, Tabs
from runner.browser.targets import passing
from runner.browser.wishes import Seen
from runner.masking import Mask
from runner.model import Observation
from runner.vocabulary import ActFailed

TITLE_SECONDS = 2.0
ASIDE_SECONDS = 0.5
TREE_SECONDS = 10.0
WORDS = 300
"""Characters of a title or an address in what a model is told of a tab or a frame."""

BUSY = f"(The page did not answer within {TREE_SECONDS:g} s; it is busy. Waiting may help.)"
PDF = (
    "(This is a PDF document in the browser's viewer: nothing in it can be clicked or typed into. Where downloads are "
    "accepted it has become a file of the task, and read_file reads its text.)"
)


class View(msgspec.Struct, kw_only=True):
    """What the references of the last look at one page stand for; `boxes` are seen from the viewport."""

    document: int = 0
    marks: Marks = msgspec.field(default_factory=Marks)
    elements: dict[int, tuple[Frame, int, int]] = {}
    boxes: dict[int, Box] = {}


class Memory:
    """Of one session. A number stays with its element while the page's document lives."""

    def __init__(self) -> None:
        self._sights = Sights()
        self._views: WeakKeyDictionary[Page, View] = WeakKeyDictionary()

    async def look(self, tab: Tab, mask: Mask) -> tuple[str, Part]:
        """The outline, and what the main frame says of itself. `*` marks what was not there at the last look."""
        sight = await self._sights.of(tab, mask.longest)
        view = self._views.setdefault(tab.page, View())
        if view.document != sight.document:
            view = self._views[tab.page] = View(document=sight.document)
        outline = Outline(view.marks, sight.part.height, mask)
        outline.add(sight)
        view.elements, view.boxes = outline.elements, outline.boxes
        view.marks.looked(outline.shown, {(document, key) for _, document, key in outline.elements.values()})
        return capped(outline.lines), sight.part

    async def describe(self, page: Page, index: int) -> tuple[Frame, Seen] | None:
        """The element that `[index]` stood for in the last look, as it is now; None: it has gone. Raises ActFailed."""
        view = self._views.get(page)
        if view is None or index not in view.elements:
            raise ActFailed("no_target", f"There is no [{index}] in the last look at this page.")
        frame, document, key = view.elements[index]
        seen = await self._sights.describe(frame, document, key)
        return (frame, seen) if seen is not None else None

    def boxes(self, page: Page) -> dict[int, Box]:
        """Where the references of the last look were, in CSS pixels of the viewport."""
        view = self._views.get(page)
        return view.boxes if view is not None else {}


class Outline:
    """The lines of a page and of the frames in it, in their order."""

    def __init__(self, marks: Marks, height: int, mask: Mask) -> None:
        self.lines: list[Line] = []
        self.elements: dict[int, tuple[Frame, int, int]] = {}
        self.boxes: dict[int, Box] = {}
        self.shown: set[object] = set()
        self._marks = marks
        self._height = height
        self._mask = mask

    def add(self, sight: Sight, depth: int = 0, at: tuple[int, int] = (0, 0)) -> None:
        """The lines of a frame whose corner is there, so deep."""
        part = sight.part
        self._note(depth, PDF if part.pdf else "")
        self._note(depth, far(part.away[0], "above"), away=self._height)
        for row in part.rows:
            x, y, width, height = row.box
            box = (x + at[0], y + at[1], width, height)
            number = self._marks.number(sight.document, row.key) if row.acts else 0
            text = line(row, self._mask, number=number, new=self._marks.new(sight.document, row))
            self.shown.add(sign(sight.document, row))
            inner = sight.inner.get(row.key) if row.frame else None
            if row.frame:
                text += f" ({cut(inner.frame.url, WORDS, self._mask)})" if inner else " (not looked at)"
            self.lines.append(Line(depth=depth + row.depth, text=text, away=distance(box, self._height)))
            if number:
                self.elements[number] = (sight.frame, sight.document, row.key)
                self.boxes[number] = box
            if inner is not None:
                self.add(inner, depth + row.depth + 1, (box[0], box[1]))
        self._note(depth, far(part.away[1], "below"), away=self._height)
        self._note(depth, NOTES.get(part.cut, ""))

    def _note(self, depth: int, text: str, away: float = 0.0) -> None:
        if text:
            self.lines.append(Line(depth=depth, text=text, away=away))


NOTES = {
    "large": "(The page is too large to be looked through: more follows here that is not listed.)",
    "long": "(Some text of the page is too long to be listed; find_text or extract read it.)",
    "deep": "(Some of the page is nested too deeply, or does not let itself be looked at.)",
    "broken": "(The page does not let itself be looked at.)",
}


def far(elements: int, where: str) -> str:
    """A note about what lies too far away, or nothing."""
    return f"({elements:,} elements further {where} are not listed; scroll there to see them)" if elements else ""


async def observe(tabs: Tabs, tab: Tab, memory: Memory, mask: Mask, *, tree: bool) -> Observation:
    """The place, and with `tree` the outline. A page that is too busy to answer is said to be."""
    page, text, part = tab.page, "", Part()
    if tree:
        try:
            async with asyncio.timeout(TREE_SECONDS):
                text, part = await memory.look(tab, mask)
        except TimeoutError:
            text = BUSY
    others = [each for each in tabs.open if each is not tab] if tree else []
    own, *rest = await asyncio.gather(title(page), *[_quietly(each.page) for each in others])
    titles = {tab: own, **dict(zip(others, rest, strict=True))} if tree else {}
    return Observation(
        url=page.url,
        title=own,
        tabs=named(tabs, tab, titles, mask),
        tree=text,
        above=part.above,
        below=part.below,
    )


async def title(page: Page) -> str:
    """The page's title; empty when the page is too busy to say. A page that is just being left is asked again."""
    try:
        async with asyncio.timeout(TITLE_SECONDS):
            while True:
                try:
                    return whole(await page.title())
                except Error as error:
                    if page.is_closed() or not passing(error):
                        raise
                    await page.wait_for_load_state("domcontentloaded", timeout=TITLE_SECONDS * 1000)
    except (TimeoutError, PlaywrightTimeout):
        return ""


async def _quietly(page: Page) -> str:
    """The title of a page that nobody looks at now: it may go away, or be too busy to say."""
    try:
        async with asyncio.timeout(ASIDE_SECONDS):
            return whole(await page.title())
    except (Error, TimeoutError):
        return ""


def named(tabs: Tabs, current: Tab, titles: Mapping[Tab, str], mask: Mask) -> tuple[str, ...]:
    """Such as `1. "Shop" http://shop.test/ (current)`; without the titles where they are not known."""
    return tuple(
        f"{n}. "
        + (f"{quoted(cut(titles[tab], WORDS, mask))} " if titles.get(tab) else "")
        + f"{cut(tab.page.url, WORDS, mask)}{' (current)' if tab is current else ''}"
        for n, tab in enumerate(tabs.open, 1)
    )


async def clickable(tab: Tab) -> Sequence[Sequence[int]]:
    """Paths of the elements of the main frame that listen for clicks; only the console's API knows them."""
    return await listeners(tab.cdp, twice=False)
