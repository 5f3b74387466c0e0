"""Acts that only look: waiting, expecting, reading."""

import asyncio

from playwright.async_api import Error

from runner.browser.extract import SCRIPT, extract
from runner.browser.resolve import Handle, Scene
from runner.browser.targets import passing, until
from runner.vocabulary import ActFailed, Expect, Extract, Wait, WaitFor


async def wait(_scene: Scene, action: Wait, _handle: Handle) -> str:
    await asyncio.sleep(action.seconds)
    return f"waited {action.seconds:g} s"


async def seen(scene: Scene, text: str, *, absent: bool) -> bool:
    """Wait until some frame shows the text, or none does any more. False when it does not come to that in time."""

    async def says(frame_says: str = f"(text) => {{ {SCRIPT} return says(text); }}") -> bool | None:
        anywhere = False
        for frame in scene.page.frames:
            try:
                anywhere = anywhere or bool(await scene.finder.worlds.ask(frame, frame_says, text))
            except Error as error:
                if scene.page.is_closed() or not passing(error):
                    raise
                return None  # a frame is navigating: ask again
        return (anywhere is not absent) or None

    return bool(await until(says, scene.seconds))


async def wait_for(scene: Scene, action: WaitFor, _handle: Handle) -> str:
    if await seen(scene, action.text, absent=False):
        return f'"{action.text}" is visible'
    raise ActFailed("timeout", f'"{action.text}" did not become visible within {scene.seconds:g} s.')


async def expect(scene: Scene, action: Expect, _handle: Handle) -> str:
    if await seen(scene, action.text, absent=action.absent):
        return f'"{action.text}" is {"not " if action.absent else ""}visible'
    still = "is still visible after" if action.absent else "is not visible after"
    raise ActFailed("expectation", f'"{action.text}" {still} {scene.seconds:g} s.')


async def read(scene: Scene, action: Extract, handle: Handle) -> str:
    async def there() -> str | None:
        try:
            return await extract(scene.page, scene.finder.worlds, action, handle.found, scene.milliseconds)
        except ActFailed as error:
            if error.code not in {"nothing_there", "no_target"}:
                raise
            return None  # it may be on its way

    result = await until(there, scene.seconds)
    return (
        result
        if result is not None
        else await extract(scene.page, scene.finder.worlds, action, handle.found, scene.milliseconds)
    )
