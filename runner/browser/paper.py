"""What a page looks like as a file of the task: a PDF, or a picture, on which no secret can be read."""

import asyncio

from playwright.async_api import Error

from runner.browser.covering import covered, shows
from runner.browser.resolve import Handle, Scene
from runner.ports import Made
from runner.vocabulary import ActFailed, SavePdf, Screenshot

PICTURE_SECONDS = 5.0


async def screenshot(scene: Scene, action: Screenshot, _handle: Handle) -> str:
    """Of the viewport. Raises ActFailed: uncovered."""
    if not action.file:
        return "screenshot taken"
    if mask := scene.wallet.mask:
        picture = await covered(scene.tab, mask, PICTURE_SECONDS)
    else:
        picture = await scene.page.screenshot(timeout=PICTURE_SECONDS * 1000, scale="css")
    return _kept(scene, action.file, ".png", picture)


async def save_pdf(scene: Scene, action: SavePdf, _handle: Handle) -> str:
    """All of the page, on paper. Raises ActFailed: uncovered, timeout, not_possible."""
    mask = scene.wallet.mask
    hidden = not mask or not await shows(scene.tab, mask, PICTURE_SECONDS)
    try:
        async with asyncio.timeout(scene.navigation_seconds):
            data = await scene.page.pdf(print_background=True) if hidden else b""
    except TimeoutError:
        raise ActFailed("timeout", f"The page was not printed within {scene.navigation_seconds:g} s.") from None
    except Error as error:
        if "printToPDF" not in error.message and "PrintToPDF" not in error.message:
            raise
        raise ActFailed("not_possible", "This browser cannot print pages; only one without a window can.") from error
    if not hidden or (mask and await shows(scene.tab, mask, PICTURE_SECONDS)):
        raise ActFailed("uncovered", "The page shows a secret, so it is not printed.")
    return _kept(scene, action.file, ".pdf", data)


def _kept(scene: Scene, name: str, ending: str, data: bytes) -> str:
    name = name if name.lower().endswith(ending) else f"{name}{ending}"
    scene.made.append(Made(name=name, data=data))
    return f"saved the page as {name}, {len(data):,} bytes"
