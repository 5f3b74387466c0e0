"""Bringing a field, a slider or a calendar to a value, and seeing that it has it. Bounded in keys and clicks."""

import re

import msgspec
from playwright.async_api import Error

from runner.browser import keyboard
from runner.browser.calendars import pick_day
from runner.browser.choices import select
from runner.browser.resolve import Handle, Scene
from runner.browser.wishes import Found, describe
from runner.vocabulary import ActFailed, Input, Select, SetValue

MOST_KEYS = 400
"""From one end of a slider to the other, step by step."""

KEYS_UP, KEYS_DOWN = ("ArrowUp", "ArrowRight"), ("ArrowDown", "ArrowLeft")
"""Some sliders hear only the keys along their own way."""

NATIVE = {
    "date": ("date", "datetime-local"),
    "datetime": ("datetime-local",),
    "time": ("time",),
    "month": ("month",),
    "week": ("week",),
    "colour": ("color",),
    "number": ("range", "number"),
}
"""The types of input that take a value of that kind as it is written."""

TAKES = (
    "(e) => ({ type: e.tagName === 'INPUT' ? e.type : '', value: e.value ?? '', min: e.min || '', max: e.max || '' })"
)
SLIDER = (
    "(e) => ({ now: e.getAttribute('aria-valuenow'), min: e.getAttribute('aria-valuemin'),"
    " max: e.getAttribute('aria-valuemax'), upright: e.getAttribute('aria-orientation') === 'vertical' })"
)


class Slider(msgspec.Struct, frozen=True, kw_only=True):
    """What a slider of ARIA says of itself, as text."""

    now: str | None
    min: str | None
    max: str | None
    upright: bool


async def set_value(scene: Scene, action: SetValue, handle: Handle) -> str:
    """Raises ActFailed: secret, bad_value where it does not take it, failed where it has another one afterwards."""
    found = handle.found
    if found is None:
        raise ActFailed("no_target", "The action has no target.")
    if action.what == "text":
        return await _text(scene, action, handle, found)
    if found.seen.secret:
        raise ActFailed(
            "secret", f"{describe(found.seen)} holds a secret, which is typed and never read; type into it."
        )
    if found.seen.tag == "select" or found.seen.role == "listbox":
        return await select(scene, Select(option=action.value, target=action.target), found)
    takes = await found.locator.evaluate(TAKES, timeout=scene.milliseconds)
    if takes["type"] in NATIVE[action.what]:
        return await _native(scene, action, found, takes)
    if found.seen.role in ("slider", "spinbutton") and not found.seen.editable:
        return await _slide(scene, action, found)
    if takes["type"] in {each for types in NATIVE.values() for each in types}:
        raise ActFailed("bad_value", f"{describe(found.seen)} takes a {takes['type']}, which {action.value} is not.")
    if action.what in ("date", "datetime"):
        return await pick_day(scene, action.value, found)
    if not found.seen.editable:
        raise ActFailed("bad_value", f"{describe(found.seen)} cannot be set to {action.value}.")
    await found.locator.fill(action.value, timeout=scene.milliseconds)
    return await _must_have(scene, action.value, found)


async def _text(scene: Scene, action: SetValue, handle: Handle, found: Found) -> str:
    """Typed where one types, else chosen from what there is; a slider takes it for a number."""
    if found.seen.editable:
        return await keyboard.fill(scene, Input(text=action.value, target=action.target), handle)
    if found.seen.role in ("slider", "spinbutton"):
        return await _slide(scene, msgspec.structs.replace(action, what="number"), found)
    return await select(scene, Select(option=action.value, target=action.target), found)


async def _native(scene: Scene, action: SetValue, found: Found, takes: dict[str, str]) -> str:
    value = action.value
    if takes["type"] == "datetime-local" and action.what == "date":
        raise ActFailed("bad_value", f"{describe(found.seen)} wants a time too, as in {value} at 9:30.")
    try:
        await found.locator.fill(value, timeout=scene.milliseconds)
    except Error as error:
        if "Malformed value" not in error.message and "Cannot type text into" not in error.message:
            raise
        bounds = " from {min} to {max}".format(**takes) if takes["min"] and takes["max"] else ""
        raise ActFailed("bad_value", f"{describe(found.seen)} takes a {takes['type']}{bounds}, not {value}.") from None
    return await _must_have(scene, value, found)


async def _must_have(scene: Scene, value: str, found: Found) -> str:
    has = str(await found.locator.input_value(timeout=scene.milliseconds))
    if not _same(has, value):
        raise ActFailed("failed", f'{describe(found.seen)} was set to {value} but has "{has}".')
    return f"set {describe(found.seen)} to {value}"


async def _slide(scene: Scene, action: SetValue, found: Found) -> str:
    """By keys, as people without a mouse do: as far as it goes, then step by step."""
    start = await _slider(scene, found)
    wanted, now = _number(action.value), _number(start.now or "")
    if action.what != "number" or wanted is None or now is None:
        raise ActFailed("bad_value", f"{describe(found.seen)} cannot be set to {action.value}.")
    low, high = _number(start.min or ""), _number(start.max or "")
    if (low is not None and wanted < low) or (high is not None and wanted > high):
        raise ActFailed("bad_value", f"{describe(found.seen)} goes from {start.min} to {start.max}, not to {wanted:g}.")
    up = now < wanted
    for key in KEYS_UP if up else KEYS_DOWN:
        for _ in range(MOST_KEYS):
            before = now
            if now == wanted:
                return f"set {describe(found.seen)} to {action.value}"
            await found.locator.press(key, timeout=scene.milliseconds, no_wait_after=True)
            now = _number((await _slider(scene, found)).now or "")
            if now is None or now == before or (now > before) is not up or (now != wanted and (now > wanted) is up):
                break
        if now is None or now != before:
            break  # the key does something, and this is how far it goes
    told = "nothing" if now is None else f"{now:g}"
    raise ActFailed("failed", f"{describe(found.seen)} could not be brought to {action.value}: it is at {told}.")


async def _slider(scene: Scene, found: Found) -> Slider:
    return msgspec.convert(await found.locator.evaluate(SLIDER, timeout=scene.milliseconds), Slider)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", text.strip()) else None


def _same(has: str, value: str) -> bool:
    """`09:30:00` is 09:30, and 70.0 is 70."""
    numbers = _number(has), _number(value)
    return has == value or has.removesuffix(":00") == value or (None not in numbers and numbers[0] == numbers[1])
