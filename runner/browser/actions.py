"""One small function per action, and the table from action to function. What is acted on has been resolved before."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Error

from runner.browser import keyboard, looks, moves, paper, scrolling
from runner.browser.choices import options
from runner.browser.chores import CHORES
from runner.browser.resolve import Handle, Scene, resolve
from runner.browser.targets import passing, until
from runner.browser.wishes import Found, describe
from runner.ports import Resolved
from runner.vocabulary import (
    ActFailed,
    Action,
    Check,
    Clear,
    Click,
    CloseTab,
    Drag,
    Expect,
    FindText,
    GoBack,
    GoForward,
    Hover,
    Input,
    Navigate,
    Options,
    Press,
    Reload,
    SavePdf,
    Screenshot,
    Scroll,
    Search,
    SwitchTab,
    Upload,
    Wait,
    WaitFor,
)

__all__ = ["Scene", "asks_for_file", "perform", "resolve"]

CHECKED = (
    "(e) => e.matches(':checked') || ['aria-checked', 'aria-pressed'].some((name) => e.getAttribute(name) === 'true')"
)
CHECK_SECONDS = 1.0
OFFERED = ("option",)
DRAG_STEPS = 8
LINKS = {"a": "link", "area": "link"}
DOWNLOADS = "(e) => e.closest('a[download], area[download]') !== null"


async def perform(scene: Scene, resolved: Resolved) -> str:
    """Do the act and say what it brought. Raises ActFailed, and Playwright's errors for the session to translate."""
    handle = resolved.handle if isinstance(resolved.handle, Handle) else Handle()
    return await TABLE[type(resolved.action)](scene, resolved.action, handle)


def of(handle: Handle) -> Found:
    """The element that the action is about."""
    if handle.found is None:
        raise ActFailed("no_target", "The action has no target.")
    return handle.found


async def asks_for_file(scene: Scene, resolved: Resolved) -> bool:
    """Whether the act clicks a link that says of itself that it leads to a file: no navigation will tell of it."""
    handle = resolved.handle
    if scene.inbox is None or not isinstance(resolved.action, Click) or not isinstance(handle, Handle):
        return False
    if handle.found is None or "link" not in (handle.found.seen.role, LINKS.get(handle.found.seen.tag)):
        return False
    return bool(await handle.found.locator.evaluate(DOWNLOADS, timeout=scene.milliseconds))


async def click(scene: Scene, action: Click, handle: Handle) -> str:
    found = of(handle)
    scene.tab.assent = action.answer if action.accept else None
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


async def clear(scene: Scene, _action: Clear, handle: Handle) -> str:
    await of(handle).locator.fill("", timeout=scene.milliseconds)
    return f"cleared {describe(of(handle).seen)}"


async def check(scene: Scene, action: Check, handle: Handle) -> str:
    found, word = of(handle), "checked" if action.checked else "unchecked"

    async def state() -> bool:
        return bool(await found.locator.evaluate(CHECKED, timeout=scene.milliseconds))

    async def so() -> bool | None:
        return await state() == action.checked or None

    if found.seen.role in OFFERED and found.seen.tag != "option":
        await found.locator.click(timeout=scene.milliseconds, no_wait_after=True)
        return f"chose {describe(found.seen)}"  # with it its list goes, and with that whatever could be seen of it
    if (await state() if found.seen.checked is None else found.seen.checked) == action.checked:
        return f"{describe(found.seen)} is {word} already"
    if not action.checked and found.seen.role == "radio":
        raise ActFailed("bad_action", f"{describe(found.seen)} can only be unchecked by choosing another.")
    if found.seen.checked is not None and found.via is None:
        return await _check_native(scene, action, found)
    await (found.via or found.locator).click(timeout=scene.milliseconds, no_wait_after=True)
    if not scene.tab.arrived.is_set() or await until(so, CHECK_SECONDS):
        return f"{word} {describe(found.seen)}"
    raise ActFailed("failed", f"{describe(found.seen)} was clicked but is not {word}.")


async def _check_native(scene: Scene, action: Check, found: Found) -> str:
    """Playwright clicks and sees that it took effect, in one call."""
    try:
        await found.locator.set_checked(action.checked, timeout=scene.milliseconds, no_wait_after=True)
    except Error as error:
        if "did not change its state" in error.message:
            raise ActFailed("failed", f"{describe(found.seen)} was clicked but did not change.") from error
        if not passing(error):
            raise
    return f"{'checked' if action.checked else 'unchecked'} {describe(found.seen)}"


async def name_options(scene: Scene, _action: Options, handle: Handle) -> str:
    return await options(scene, of(handle))


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


async def drag(scene: Scene, _action: Drag, handle: Handle) -> str:
    """With the mouse, by way of several places: what listens to the pointer wants to see it move."""
    source, onto = of(handle), handle.onto
    if onto is None:
        raise ActFailed("no_target", "The action has no target.")
    await source.locator.drag_to(onto.locator, timeout=scene.milliseconds, steps=DRAG_STEPS)
    return f"dragged {describe(source.seen)} to {describe(onto.seen)}"


# Each function takes the action that stands beside it here; the table is the one place that says so.
TABLE: dict[type[Action], Callable[[Scene, Any, Handle], Awaitable[str]]] = {
    Navigate: moves.navigate,
    Search: moves.search,
    Click: click,
    Hover: hover,
    Input: keyboard.fill,
    Clear: clear,
    Check: check,
    Press: keyboard.press,
    Upload: upload,
    Scroll: scrolling.scroll,
    FindText: scrolling.find_text,
    Options: name_options,
    Wait: looks.wait,
    WaitFor: looks.wait_for,
    GoBack: moves.go_back,
    GoForward: moves.go_forward,
    Reload: moves.reload,
    SwitchTab: moves.switch_tab,
    CloseTab: moves.close_tab,
    Drag: drag,
    Expect: looks.expect,
    Screenshot: paper.screenshot,
    SavePdf: paper.save_pdf,
    **CHORES,
}
