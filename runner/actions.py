"""One small function per action, and the table from action to function. What is acted on has been resolved before."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Error

from runner.choices import select
from runner.extract import SCRIPT, extract
from runner.navigation import goto, move
from runner.observe import title
from runner.resolve import Handle, Scene, resolve
from runner.tabs import Tab
from runner.targets import Found, describe, passing, until
from runner.vocabulary import (
    ActFailed,
    Action,
    Check,
    Clear,
    Click,
    Drag,
    Expect,
    Extract,
    GoBack,
    GoForward,
    Hover,
    Input,
    Navigate,
    Press,
    Reload,
    Resolved,
    Screenshot,
    Scroll,
    Select,
    SwitchTab,
    Upload,
    Wait,
    WaitFor,
)
from runner.words import listing

__all__ = ["Scene", "perform", "resolve"]

CHECKED = (
    "(e) => e.matches(':checked') || ['aria-checked', 'aria-pressed'].some((name) => e.getAttribute(name) === 'true')"
)
CHECK_SECONDS = 1.0


async def perform(scene: Scene, resolved: Resolved) -> str:
    """Do the act and say what it brought. Raises ActFailed, and Playwright's errors for the session to translate."""
    handle = resolved.handle if isinstance(resolved.handle, Handle) else Handle()
    return await TABLE[type(resolved.action)](scene, resolved.action, handle)


def of(handle: Handle) -> Found:
    """The element that the action is about."""
    if handle.found is None:
        raise ActFailed("no_target", "The action has no target.")
    return handle.found


async def navigate(scene: Scene, action: Navigate, _handle: Handle) -> str:
    return await goto(scene.tab, action.url, scene.allowed_domains, scene.navigation_seconds)


async def click(scene: Scene, action: Click, handle: Handle) -> str:
    found = of(handle)
    try:
        await found.locator.click(
            button="right" if action.button == "right" else "left",
            click_count=action.count,
            timeout=scene.milliseconds,
            no_wait_after=True,  # a navigation is waited for afterwards, with its own limit
        )
    except Error:
        if not scene.page.is_closed():
            raise
        return f"clicked {describe(found.seen)}, which closed the tab"
    return f"clicked {describe(found.seen)}"


async def hover(scene: Scene, _action: Hover, handle: Handle) -> str:
    await of(handle).locator.hover(timeout=scene.milliseconds)
    return f"hovered over {describe(of(handle).seen)}"


async def fill(scene: Scene, action: Input, handle: Handle) -> str:
    found = of(handle)
    try:
        if action.target is None:
            await scene.page.keyboard.insert_text(action.text)
        else:
            await found.locator.fill(action.text, timeout=scene.milliseconds)
    except Error as error:
        if "Malformed value" in error.message or "Cannot type text into" in error.message:
            raise ActFailed("bad_value", f"{describe(found.seen)} does not take this value.") from error
        raise
    return f"typed into {describe(found.seen)}"


async def clear(scene: Scene, _action: Clear, handle: Handle) -> str:
    await of(handle).locator.fill("", timeout=scene.milliseconds)
    return f"cleared {describe(of(handle).seen)}"


async def check(scene: Scene, action: Check, handle: Handle) -> str:
    found, word = of(handle), "checked" if action.checked else "unchecked"

    async def state() -> bool:
        return bool(await found.locator.evaluate(CHECKED, timeout=scene.milliseconds))

    async def so() -> bool | None:
        return await state() == action.checked or None

    if await state() == action.checked:
        return f"{describe(found.seen)} is {word} already"
    if not action.checked and found.seen.role == "radio":
        raise ActFailed("bad_action", f"{describe(found.seen)} can only be unchecked by choosing another.")
    await (found.via or found.locator).click(timeout=scene.milliseconds, no_wait_after=True)
    if not scene.tab.arrived.is_set() or await until(so, CHECK_SECONDS):
        return f"{word} {describe(found.seen)}"
    raise ActFailed("failed", f"{describe(found.seen)} was clicked but is not {word}.")


async def choose(scene: Scene, action: Select, handle: Handle) -> str:
    return await select(scene, action, of(handle))


async def press(scene: Scene, action: Press, handle: Handle) -> str:
    try:
        if handle.found is not None:
            await handle.found.locator.press(action.keys, timeout=scene.milliseconds, no_wait_after=True)
        else:
            await scene.page.keyboard.press(action.keys)
    except Error as error:
        if "Unknown key" in error.message:
            raise ActFailed("bad_key", f"There is no key {action.keys}.") from error
        if not scene.page.is_closed():
            raise
    return f"pressed {action.keys}"


async def upload(scene: Scene, action: Upload, handle: Handle) -> str:
    path, found = inside(scene.uploads, action.path), of(handle)
    if found.seen.role == "file":
        await found.locator.set_input_files(path, timeout=scene.milliseconds)
    else:
        async with scene.page.expect_file_chooser(timeout=scene.milliseconds) as chooser:
            await found.locator.click(timeout=scene.milliseconds, no_wait_after=True)
        await (await chooser.value).set_files(path, timeout=scene.milliseconds)
    return f"uploaded {path.name}"


def inside(uploads: Path | None, name: str) -> Path:
    """The file of that name in the upload folder, links followed. Raises ActFailed with code bad_path."""
    if uploads is None:
        raise ActFailed("bad_path", "This task has no files to upload.")
    root = uploads.resolve()
    try:
        path = (root / name).resolve()
    except (OSError, ValueError):
        path = root
    if not path.is_relative_to(root):
        raise ActFailed("bad_path", f"{name} is not among the files of this task.")
    if not path.is_file():
        raise ActFailed("bad_path", f"There is no file {name}.")
    return path


async def scroll(scene: Scene, action: Scroll, handle: Handle) -> str:
    if handle.found is not None:
        await handle.found.locator.scroll_into_view_if_needed(timeout=scene.milliseconds)
        return f"scrolled to {describe(handle.found.seen)}"
    if action.direction not in {"down", "up", "top", "bottom"}:
        raise ActFailed("bad_action", f"There is no scrolling {action.direction}.")
    moved = await scene.page.evaluate(f"(to) => {{ {SCRIPT} return scroll(to); }}", action.direction)
    return f"scrolled {action.direction}" if moved else "there is nothing more to scroll"


async def wait(_scene: Scene, action: Wait, _handle: Handle) -> str:
    await asyncio.sleep(action.seconds)
    return f"waited {action.seconds:g} s"


async def seen(scene: Scene, text: str, *, absent: bool) -> bool:
    """Wait until some frame shows the text, or none does any more. False when it does not come to that in time."""

    async def says(frame_says: str = f"(text) => {{ {SCRIPT} return says(text); }}") -> bool | None:
        anywhere = False
        for frame in scene.page.frames:
            try:
                anywhere = anywhere or bool(await frame.evaluate(frame_says, text))
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


async def go_back(scene: Scene, _action: GoBack, _handle: Handle) -> str:
    return await move(scene.tab, "back", scene.navigation_seconds)


async def go_forward(scene: Scene, _action: GoForward, _handle: Handle) -> str:
    return await move(scene.tab, "forward", scene.navigation_seconds)


async def reload(scene: Scene, _action: Reload, _handle: Handle) -> str:
    return await move(scene.tab, "reload", scene.navigation_seconds)


async def switch_tab(scene: Scene, action: SwitchTab, _handle: Handle) -> str:
    tabs = list(scene.tabs.open)
    titles = [await title(tab.page) for tab in tabs]
    matches: list[Tab] = []
    if action.number and abs(action.number) <= len(tabs):
        matches = [tabs[action.number - 1 if action.number > 0 else action.number]]
    elif not action.number:
        wanted = action.text.lower()
        matches = [tab for tab, name in zip(tabs, titles, strict=True) if wanted in f"{name} {tab.page.url}".lower()]
    if len(matches) != 1:
        named = listing(
            [f'{n}. "{name}" {tab.page.url}' for n, (tab, name) in enumerate(zip(tabs, titles, strict=True), 1)]
        )
        which = f"number {action.number}" if action.number else f'"{action.text}"'
        raise ActFailed("no_tab", f"{len(matches) or 'No'} tabs match {which}. Open tabs: {named}.")
    scene.tabs.switch(matches[0])
    await matches[0].page.bring_to_front()
    return f"switched to {matches[0].page.url}"


async def drag(scene: Scene, _action: Drag, handle: Handle) -> str:
    source, onto = of(handle), handle.onto
    if onto is None:
        raise ActFailed("no_target", "The action has no target.")
    await source.locator.drag_to(onto.locator, timeout=scene.milliseconds)
    return f"dragged {describe(source.seen)} to {describe(onto.seen)}"


async def screenshot(_scene: Scene, _action: Screenshot, _handle: Handle) -> str:
    return "screenshot taken"


async def read(scene: Scene, action: Extract, handle: Handle) -> str:
    async def there() -> str | None:
        try:
            return await extract(scene.page, action, handle.found, scene.milliseconds)
        except ActFailed as error:
            if error.code not in {"nothing_there", "no_target"}:
                raise
            return None  # it may be on its way

    result = await until(there, scene.seconds)
    return result if result is not None else await extract(scene.page, action, handle.found, scene.milliseconds)


# Each function takes the action that stands beside it here; the table is the one place that says so.
TABLE: dict[type[Action], Callable[[Scene, Any, Handle], Awaitable[str]]] = {
    Navigate: navigate,
    Click: click,
    Hover: hover,
    Input: fill,
    Clear: clear,
    Select: choose,
    Check: check,
    Press: press,
    Upload: upload,
    Scroll: scroll,
    Wait: wait,
    WaitFor: wait_for,
    GoBack: go_back,
    GoForward: go_forward,
    Reload: reload,
    SwitchTab: switch_tab,
    Drag: drag,
    Expect: expect,
    Screenshot: screenshot,
    Extract: read,
}
