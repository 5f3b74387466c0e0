"""Moving what is seen of a page: by pages of it or of a part of it, to an element, to where it says something."""

from pathlib import Path

import msgspec
from playwright.async_api import Error, Frame

from runner.browser.resolve import Handle, Scene
from runner.browser.selectors import NAMES
from runner.browser.targets import passing, until
from runner.browser.wishes import describe
from runner.browser.words import word
from runner.masking import Mask
from runner.vocabulary import ActFailed, FindText, Scroll

SCRIPT = NAMES + (Path(__file__).parent / "find.js").read_text(encoding="utf-8")
FIND_SECONDS = 1.0
DIRECTIONS = ("down", "up", "top", "bottom")
MOST_PAGES = 100.0
AROUND = 60
"""Characters told before and after what was found."""


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Where scrolling led: whether it moved, and how many pages lie above and below."""

    moved: bool
    above: float
    below: float


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a frame says the text: how often for all to see, how often hidden, and what stands around the first."""

    seen: int = 0
    hidden: int = 0
    around: str = ""
    role: str = ""
    tag: str = ""


async def scroll(scene: Scene, action: Scroll, handle: Handle) -> str:
    """Raises ActFailed: bad_action."""
    if handle.found is not None and not action.pages and action.direction == "down":
        await handle.found.locator.scroll_into_view_if_needed(timeout=scene.milliseconds)
        return f"scrolled to {describe(handle.found.seen)}"
    if action.direction not in DIRECTIONS:
        raise ActFailed("bad_action", f"There is no scrolling {action.direction}; there is {', '.join(DIRECTIONS)}.")
    if not 0 <= action.pages <= MOST_PAGES:
        raise ActFailed("bad_action", f"One scrolls by up to {MOST_PAGES:g} pages, not by {action.pages:g}.")
    asked = [action.direction, action.pages or 1.0]
    if handle.found is None:
        raw = await scene.page.evaluate(f"([to, by]) => {{ {SCRIPT} return scrollBy(mainOf(), to, by); }}", asked)
        moved, where = msgspec.convert(raw, Moved | None), ""
    else:
        script = f"(e, [to, by]) => {{ {SCRIPT} return scrollBy(containerOf(e), to, by); }}"
        raw = await handle.found.locator.evaluate(script, asked, timeout=scene.milliseconds)
        moved, where = msgspec.convert(raw, Moved), f" in {describe(handle.found.seen)}"
    if moved is None or not moved.moved:
        return f"there is nothing more to scroll{where}"
    if not where and not action.pages:
        return f"scrolled {action.direction}"
    by = f" {action.pages or 1:g} pages" if action.direction in {"down", "up"} else ""
    return f"scrolled {action.direction}{by}{where}; {moved.above:.1f} pages are above and {moved.below:.1f} below"


async def find_text(scene: Scene, action: FindText, _handle: Handle) -> str:
    """Raises ActFailed: no_text, bad_action."""
    if not action.text.strip():
        raise ActFailed("bad_action", "There is no text to be found.")
    hidden = 0

    async def there() -> str | None:
        nonlocal hidden
        for frame in scene.page.frames:
            place = await _asked(scene, frame, action.text)
            if place.seen:
                return _said(action.text, place, frame, scene.wallet.mask)
            hidden = max(hidden, place.hidden)
        return None

    said = await until(there, min(FIND_SECONDS, scene.seconds))
    if said is None and hidden:
        raise ActFailed("no_text", f'"{action.text}" is on the page, but hidden: something has to be opened first.')
    if said is None:
        raise ActFailed("no_text", f'"{action.text}" is not on the page, as far as it is loaded.')
    return said


async def _asked(scene: Scene, frame: Frame, text: str) -> Place:
    """A frame that is navigating, or has gone, says nothing this time."""
    try:
        if frame is not scene.page.main_frame and not await (await frame.frame_element()).is_visible():
            return Place()
        return msgspec.convert(await frame.evaluate(f"(text) => {{ {SCRIPT} return find(text); }}", text), Place)
    except Error as error:
        if scene.page.is_closed() or not passing(error):
            raise
        return Place()


def _said(text: str, place: Place, frame: Frame, mask: Mask) -> str:
    others = f"; {place.seen - 1} more places say it" if place.seen > 1 else ""
    inside = f" in the frame {frame.name or frame.url}" if frame.parent_frame else ""
    kind = word(place.role, place.tag)
    return f'scrolled to "{text}"{inside}, in {kind} "{_cut(mask.text(place.around), text)}"{others}'


def _cut(around: str, text: str) -> str:
    """What stands right around the text. It is masked before: half a secret is none that could be known."""
    at = max(around.lower().find(" ".join(text.split()).lower()), 0)
    start, end = max(at - AROUND, 0), at + len(text) + AROUND
    return f"{'…' if start else ''}{around[start:end]}{'…' if end < len(around) else ''}"
