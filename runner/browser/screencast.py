"""The pictures of a session for people who watch: those of its current tab, whichever that is, until cancelled.

While there are secrets every picture is a covered screenshot, and they come slowly: a moving picture cannot be covered.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from playwright.async_api import Error, ScreencastFrame, ScreencastSize

from runner.browser.covering import covered
from runner.browser.tabs import Tab, Tabs
from runner.masking import Mask
from runner.reel import Put
from runner.vocabulary import ActFailed

QUALITY = 60
FRAMES_A_SECOND = 8
LARGEST = 1280
"""Neither side of a picture has more pixels."""

LOOK_SECONDS = 0.2
"""How long another tab may be the current one before it is the one that is shown."""

STILL_SECONDS = 1.0
"""From one covered screenshot to the next."""

PICTURE_SECONDS = 5.0
CALL_SECONDS = 5.0

Masking = Callable[[], Mask]


async def show(tabs: Tabs, masking: Masking, put: Put) -> None:
    """Put pictures until cancelled. `masking` gives what must not be seen at this moment."""
    while True:
        tab = tabs.current_now
        if tab is None or tab.crashed or tab.page.is_closed():
            await asyncio.sleep(LOOK_SECONDS)
        elif masking() or not await _moving(tabs, tab, masking, put):
            await _still(tab, masking(), put)
            await asyncio.sleep(STILL_SECONDS)


async def _moving(tabs: Tabs, tab: Tab, masking: Masking, put: Put) -> bool:
    """Frames of this tab for as long as it is the current one and nothing is secret; False where there are none."""

    def take(frame: ScreencastFrame) -> None:
        if not masking():  # it may have come to be while the frame was on its way
            put(frame["data"], frame["viewportWidth"], frame["viewportHeight"])

    cast = tab.page.screencast
    try:
        async with asyncio.timeout(CALL_SECONDS):
            await cast.start(on_frame=take, quality=QUALITY, fps=FRAMES_A_SECOND, size=_size(tab))
        while tabs.current_now is tab and not (masking() or tab.crashed or tab.page.is_closed()):  # noqa: ASYNC110 - four places could change it
            await asyncio.sleep(LOOK_SECONDS)
    except (Error, TimeoutError):
        return False
    finally:
        with suppress(Error, TimeoutError):  # it went away with its page, or hangs with it
            async with asyncio.timeout(CALL_SECONDS):
                await cast.stop()
    return True


async def _still(tab: Tab, mask: Mask, put: Put) -> None:
    """One screenshot, with what shows a secret covered; none where that cannot be sure."""
    try:
        if mask:
            picture = await covered(tab, mask, PICTURE_SECONDS)
        else:
            picture = await tab.page.screenshot(
                timeout=PICTURE_SECONDS * 1000, scale="css", type="jpeg", quality=QUALITY
            )
    except (ActFailed, Error, TimeoutError):
        return  # the page may be on its way to another one; the next try is a moment away
    size = tab.page.viewport_size
    if size is not None:
        put(picture, size["width"], size["height"])


def _size(tab: Tab) -> ScreencastSize | None:
    """As the viewport, but not larger than is of use."""
    size = tab.page.viewport_size
    if size is None:
        return None
    scale = min(1.0, LARGEST / max(size["width"], size["height"]))
    return {"width": int(size["width"] * scale), "height": int(size["height"] * scale)}
