"""Typing: into a field in place of what it holds or at its end, and keys one after the other."""

import msgspec
from playwright.async_api import Error

from runner.browser import secrets
from runner.browser.resolve import Handle, Scene
from runner.browser.wishes import Found, describe
from runner.placeholders import names
from runner.vocabulary import ActFailed, Input, Press

MOST_KEYS = 20
WRITTEN = {
    "date": "a date as 2026-12-24",
    "time": "a time as 09:30",
    "datetime-local": "a date and time as 2026-12-24T09:30",
    "month": "a month as 2026-12",
    "week": "a week as 2026-W52",
    "color": "a colour as #ff0000",
    "number": "a number as 12.5",
    "range": "a number between its limits",
}
"""What fields of a type take, as HTML writes it."""

HAS = """(e) => e.tagName === 'INPUT' ? { type: e.type, value: e.value,
  limits: e.type === 'range' ? `${e.min || 0} to ${e.max || 100} in steps of ${e.step || 1}` : '' } : {}"""
PLAIN = "(e) => e.tagName === 'INPUT' || e.tagName === 'TEXTAREA'"


class Has(msgspec.Struct, frozen=True, kw_only=True):
    """What a field is and holds; nothing is known of one that is no native input."""

    type: str = ""
    value: str = ""
    limits: str = ""


async def fill(scene: Scene, action: Input, handle: Handle) -> str:
    """Raises ActFailed: no_target, bad_value, and what secrets raise."""
    found = handle.found
    if found is None:
        raise ActFailed("no_target", "The action has no target.")
    try:
        if names(action.text):
            return await secrets.fill(scene, action, found)
        if action.target is None:
            await scene.page.keyboard.insert_text(action.text)
        elif action.clear:
            await found.locator.fill(action.text, timeout=scene.milliseconds)
            await _must_have(scene, action.text, found)
        else:
            await _add(scene, action.text, found)
    except Error as error:
        if "Malformed value" in error.message or "Cannot type text into" in error.message:
            raise _not_taken(found, await _has(scene, found)) from error
        raise
    return f"typed into {describe(found.seen)}"


async def _add(scene: Scene, text: str, found: Found) -> None:
    """At the end of what the field holds."""
    if await found.locator.evaluate(PLAIN, timeout=scene.milliseconds):
        before = await found.locator.input_value(timeout=scene.milliseconds)
        await found.locator.fill(before + text, timeout=scene.milliseconds)
        return
    await found.locator.focus(timeout=scene.milliseconds)
    await scene.page.keyboard.press("ControlOrMeta+End")
    await scene.page.keyboard.insert_text(text)


async def _must_have(scene: Scene, text: str, found: Found) -> None:
    """Fields of some types are empty after what they do not take, and a slider stops at its limits."""
    has = await _has(scene, found)
    if has.type in WRITTEN and has.value.lower() != text.strip().lower():
        raise _not_taken(found, has)


async def _has(scene: Scene, found: Found) -> Has:
    return msgspec.convert(await found.locator.evaluate(HAS, timeout=scene.milliseconds), Has)


def _not_taken(found: Found, has: Has) -> ActFailed:
    takes = f" It takes {WRITTEN[has.type]}{f', {has.limits}' if has.limits else ''}." if has.type in WRITTEN else ""
    return ActFailed("bad_value", f"{describe(found.seen)} does not take this value.{takes}")


async def press(scene: Scene, action: Press, handle: Handle) -> str:
    """Raises ActFailed: bad_key. Keys after one that closed or left the page are not pressed."""
    keys = action.keys.split() or ["Space"] * bool(action.keys)
    if not 0 < len(keys) <= MOST_KEYS:
        raise ActFailed("bad_key", f"One act presses 1 to {MOST_KEYS} keys, and not {len(keys)}.")
    scene.tab.assent = action.answer if action.accept else None
    for number, key in enumerate(keys):
        if number and (scene.page.is_closed() or not scene.tab.arrived.is_set()):
            return f"pressed {' '.join(keys[:number])}; {' '.join(keys[number:])} was not, as the page was left"
        try:
            if handle.found is not None and not number:
                await handle.found.locator.press(key, timeout=scene.milliseconds, no_wait_after=True)
            else:
                await scene.page.keyboard.press(key)
        except Error as error:
            if "Unknown key" in error.message:
                done = f" {' '.join(keys[:number])} was pressed before it." if number else ""
                raise ActFailed("bad_key", f"There is no key {key}.{done}") from error
            if not scene.page.is_closed():
                raise
    return f"pressed {' '.join(keys)}"
