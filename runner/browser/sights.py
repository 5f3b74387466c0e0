"""Asks every frame of a page what there is to see, each by a script of its own that stays as long as its document.

What it cannot know: what is in closed shadow roots; and whether elements listen for clicks in a frame that lies in a
shadow root and shares the page's process.
"""

import asyncio
from itertools import count
from weakref import WeakKeyDictionary

import msgspec
from playwright.async_api import CDPSession, Error, Frame, JSHandle, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

from runner.browser.ears import MOST_FRAMES, Paths, contexts, listeners, scripts
from runner.browser.outline import Row
from runner.browser.selectors import NAMES
from runner.browser.tabs import Tab
from runner.browser.targets import passing
from runner.browser.wishes import Seen, describe
from runner.vocabulary import ActFailed

OWN = scripts("chain.js", "json.js", "controls.js", "standing.js", "tree.js")
EYES = f"() => {{ {NAMES} {{ {OWN} return {{ look, owner, again, chain }}; }} }}"
FRAME_SECONDS = 2.0
LOAD_SECONDS = 5.0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame shows. `away` are how many elements lie too far above and below to be listed.

    `cut` tells why not all was looked at: large, long, deep or broken. `above` and `below`
    are viewports of it that are out of sight.
    """

    rows: list[Row] = []
    cut: str = ""
    away: tuple[int, int] = (0, 0)
    pdf: bool = False
    height: int = 0
    above: float = 0.0
    below: float = 0.0


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """One frame as it was seen. `document` numbers its document; `inner` are its frames, by their elements' keys."""

    frame: Frame
    document: int
    part: Part
    inner: dict[int, "Sight"] = {}


class _Eyes(msgspec.Struct, kw_only=True, weakref=True):
    """The script in a frame's document. `ears` are DevTools that reach it, in that `context`, once `sought`."""

    script: JSHandle
    document: int
    ears: CDPSession | None = None
    context: int = 0
    sought: bool = False


class Sights:
    """Of one session."""

    def __init__(self) -> None:
        self._eyes: WeakKeyDictionary[Frame, _Eyes] = WeakKeyDictionary()
        self._owners: WeakKeyDictionary[Frame, tuple[int, int]] = WeakKeyDictionary()
        self._documents = count(1)
        self._more = 0
        self._contexts: dict[str, int] | None = None
        self._seeking = asyncio.Lock()

    async def of(self, tab: Tab, more: int = 0) -> Sight:
        """The page and its frames; of long texts so many characters `more` than are shown. Raises Playwright's Error.

        It wants a limit around it.
        """
        self._more, self._contexts = more, None
        while True:
            try:
                heard = await listeners(tab.cdp)
                eyes, part = await self._ask(tab.page.main_frame, heard)
                return await self._within(tab, tab.page.main_frame, eyes, part, [MOST_FRAMES])
            except PlaywrightTimeout:
                raise
            except msgspec.DecodeError:
                return _broken(tab.page)
            except Error as error:
                if _unwilling(tab.page, error):
                    return _broken(tab.page)
                if tab.page.is_closed() or not passing(error):
                    raise
                await tab.page.wait_for_load_state("domcontentloaded", timeout=LOAD_SECONDS * 1000)

    async def describe(self, frame: Frame, document: int, key: int) -> Seen | None:
        """The element of this key as it is now; None when it or its document has gone.

        Raises ActFailed: target_changed, when it stands for something else than at the last look.
        """
        eyes = self._eyes.get(frame)
        if eyes is None or eyes.document != document:
            return None
        try:
            raw = await eyes.script.evaluate("(eyes, key) => eyes.again(key)", key)
        except Error as error:
            if frame.page.is_closed():
                raise
            if not passing(error) and "disposed" not in error.message:
                raise
            return None
        if raw is None:
            return None
        seen = msgspec.convert(raw, Seen)
        if raw["changed"]:
            raise ActFailed(
                "target_changed",
                f"This reference leads to {describe(seen)} now, which is called otherwise than at the last look or "
                "stands in another row; look again.",
            )
        return seen

    async def _within(self, tab: Tab, frame: Frame, eyes: _Eyes, part: Part, left: list[int]) -> Sight:
        """The frame as it was seen, with those in it; `left` is how many more may be asked."""
        owners = {row.key for row in part.rows if row.frame}
        if not owners or not frame.child_frames:
            return Sight(frame=frame, document=eyes.document, part=part)

        async def inner(child: Frame) -> tuple[int, Sight] | None:
            try:
                async with asyncio.timeout(FRAME_SECONDS):
                    key = await self._owner(eyes, child)
                    if key not in owners or left[0] <= 0:
                        return None
                    left[0] -= 1
                    own, seen = await self._ask(child, await self._listeners(tab, child))
                return key, await self._within(tab, child, own, seen, left)
            except (Error, TimeoutError, msgspec.DecodeError):
                return None

        found = await asyncio.gather(*[inner(child) for child in frame.child_frames[: MOST_FRAMES * 4]])
        return Sight(
            frame=frame, document=eyes.document, part=part, inner=dict(each for each in found if each is not None)
        )

    async def _ask(self, frame: Frame, paths: Paths) -> tuple[_Eyes, Part]:
        asked = msgspec.json.encode({"paths": paths, "more": self._more}).decode()
        known = self._eyes.get(frame)
        if known is not None:
            try:
                return known, await _look(known, asked)
            except Error:
                # The document of that script is gone; what is there now is asked below.
                self._eyes.pop(frame, None)
        eyes = await self._open(frame)
        return eyes, await _look(eyes, asked)

    async def _open(self, frame: Frame) -> _Eyes:
        script = await frame.evaluate_handle(EYES)
        eyes = self._eyes[frame] = _Eyes(script=script, document=next(self._documents))
        return eyes

    async def _owner(self, eyes: _Eyes, child: Frame) -> int:
        """The key of the element that holds the frame."""
        document, key = self._owners.get(child, (0, 0))
        if document != eyes.document:
            element = await child.frame_element()
            key = int(await eyes.script.evaluate("(eyes, e) => eyes.owner(e)", element))
            await element.dispose()
            self._owners[child] = (eyes.document, key)
        return key

    async def _listeners(self, tab: Tab, frame: Frame) -> Paths:
        """What listens for clicks in a frame below the main one."""
        eyes = self._eyes.get(frame) or await self._open(frame)
        if not eyes.sought:
            eyes.sought = True
            try:
                eyes.ears = await frame.page.context.new_cdp_session(frame)
            except Error:  # it is in the page's process: its document is one of those that the page's DevTools know
                async with self._seeking:
                    if self._contexts is None:
                        self._contexts = await contexts(tab.cdp)
                chain = str(await eyes.script.evaluate("(eyes) => eyes.chain()"))
                eyes.ears, eyes.context = tab.cdp, self._contexts.get(chain, 0)
                if not eyes.context:
                    eyes.ears = None
        try:
            return await listeners(eyes.ears, eyes.context)
        except Error:
            eyes.ears = None
            return ()


def _broken(page: Page) -> Sight:
    return Sight(frame=page.main_frame, document=0, part=Part(cut="broken"))


def _unwilling(page: Page, error: Error) -> bool:
    """Whether the page has put its own in the place of what scripts need: nothing else is amiss."""
    return not (passing(error) or page.is_closed() or "crashed" in error.message or "closed" in error.message)


async def _look(eyes: _Eyes, asked: str) -> Part:
    told = str(await eyes.script.evaluate("(eyes, paths) => eyes.look(paths)", asked))
    return msgspec.json.decode(told.encode(errors="replace"), type=Part)
