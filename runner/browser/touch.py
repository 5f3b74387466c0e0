"""Which element a person's hand is about to touch, as the page tells it. Where it does not say, it may be a secret."""

import asyncio
from pathlib import Path

import msgspec
from playwright.async_api import Error, Frame, Page

from eventstore.events import Target
from runner.browser.selectors import NAMES
from runner.vocabulary import ActFailed

SCRIPT = NAMES + (Path(__file__).parent / "human.js").read_text(encoding="utf-8")
ASK_SECONDS = 5.0
DEEPEST = 5


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """An element in a few words; `secret` tells that what is typed there is for nobody's eyes."""

    role: str = ""
    name: str = ""
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    secret: bool = False


def target(brief: Brief | None, frame: Frame) -> Target | None:
    """What the tape says of the element. Nobody has to find it again, so it has no selector."""
    if brief is None:
        return None
    where = "" if frame is frame.page.main_frame else frame.name or frame.url
    return Target(selector="", role=brief.role, name=brief.name, frame=where, box=brief.box)


def within(page: Page, x: float, y: float) -> None:
    """Raises ActFailed for a place that the viewport does not have: nothing is there to be touched."""
    size = page.viewport_size
    if size is not None and not (0 <= x < size["width"] and 0 <= y < size["height"]):
        view = f"{size['width']} x {size['height']} pixels large"
        raise ActFailed("outside", f"The place {x:g}, {y:g} lies outside of the page's view, which is {view}.")


async def at_point(page: Page, x: float, y: float) -> Target | None:
    """The element at the point of the viewport, through frames; None where the page does not say in time."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            return await _at_point(page.main_frame, x, y, DEEPEST)
    except (Error, TimeoutError):
        return None


async def focused(page: Page) -> tuple[Target | None, bool]:
    """The field that has the focus, and whether what is typed now must not be shown: also where no field is seen."""
    try:
        async with asyncio.timeout(ASK_SECONDS):
            for frame in page.frames:
                raw = await frame.evaluate(f"() => {{ {SCRIPT} return focus(); }}")
                if raw is not None:
                    brief = msgspec.convert(raw, Brief)
                    return target(brief, frame), brief.secret
    except (Error, TimeoutError):
        return None, True
    return None, True


async def _at_point(frame: Frame, x: float, y: float, deep: int) -> Target | None:
    raw = await frame.evaluate(f"([x, y]) => {{ {SCRIPT} return hit(x, y); }}", [x, y])
    if raw is not None or not deep:
        return target(msgspec.convert(raw, Brief), frame) if raw is not None else None
    found = await frame.evaluate_handle(f"([x, y]) => {{ {SCRIPT} return frameAt(x, y); }}", [x, y])
    try:
        element = found.as_element()
        inner = await element.content_frame() if element else None
        if element is None or inner is None:
            return None
        left, top = await element.evaluate(f"(e) => {{ {SCRIPT} return inside(e); }}")
        return await _at_point(inner, x - left, y - top, deep - 1)
    finally:
        await found.dispose()
