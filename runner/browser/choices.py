"""Choosing an option: in a native drop-down by label, then value; in a built one by opening it and clicking."""

import msgspec
from playwright.async_api import Error

from runner.browser.refusals import candidates
from runner.browser.resolve import Scene
from runner.browser.targets import locate, until
from runner.browser.wishes import Found, Option, Wish, describe
from runner.browser.words import listing
from runner.vocabulary import ActFailed, Query, Select

MOST_NAMED = 10
OPEN_SECONDS = 2.0
OPTIONS = (
    "(e) => [...e.options].map((o) => ({ label: o.label.replace(/\\s+/g, ' ').trim(),"
    " value: o.value, enabled: !o.disabled && !o.closest('optgroup:disabled') }))"
)
DOES = (
    "(e) => e.matches('a[href], button, input:is([type=submit], [type=reset], [type=button], [type=image],"
    " [type=checkbox], [type=radio]), [role=button], [role=link], [role=checkbox], [role=radio], [role=menuitem]')"
    " && !e.matches('[aria-haspopup], [aria-expanded], [aria-controls], [role=combobox]')"
)
"""Whether a click may do something, where nothing says that it only opens a list."""

MOST_OPTIONS = 200
SUGGESTED = (
    "(e) => e.list ? [...e.list.options]"
    ".map((o) => ({ label: o.label || o.value, value: o.value, enabled: true })) : []"
)
CHOSEN = "(e) => [...e.selectedOptions].map((o) => o.index)"


async def options(scene: Scene, found: Found) -> str:
    """What can be chosen, in words; a list that is opened for it is closed again.

    Raises ActFailed: no_option, bad_action for what is no list and would do something.
    """
    if found.seen.tag == "select":
        return await _native_options(scene, found)
    listed = await _suggested(scene, found) if found.seen.tag == "input" else []
    if listed:
        return _told(found, [f'"{option.label}"' for option in listed])
    opened = found.seen.role != "listbox"
    if opened:
        if await found.locator.evaluate(DOES, timeout=scene.milliseconds):
            raise ActFailed("bad_action", f"{describe(found.seen)} is no drop-down; click it to see what it does.")
        await found.locator.click(timeout=scene.milliseconds, no_wait_after=True)

    async def there() -> list[str] | None:
        return await _shown(scene, MOST_OPTIONS + 1) or None

    names = await until(there, min(OPEN_SECONDS, scene.seconds)) or []
    if opened:
        await scene.page.keyboard.press("Escape")
    if not names:
        raise ActFailed("no_option", f"{describe(found.seen)} shows no options.")
    return _told(found, names)


async def _native_options(scene: Scene, found: Found) -> str:
    raw = await found.locator.evaluate(OPTIONS, timeout=scene.milliseconds)
    chosen = set(await found.locator.evaluate(CHOSEN, timeout=scene.milliseconds))
    names = [
        f'"{option.label}"{" (chosen)" if index in chosen else "" if option.enabled else " (disabled)"}'
        for index, option in enumerate(msgspec.convert(raw, list[Option]))
    ]
    if not names:
        raise ActFailed("no_option", f"{describe(found.seen)} has no options.")
    return _told(found, names)


async def _suggested(scene: Scene, found: Found) -> list[Option]:
    """What a native field suggests."""
    return msgspec.convert(await found.locator.evaluate(SUGGESTED, timeout=scene.milliseconds), list[Option])


def _told(found: Found, names: list[str]) -> str:
    many = f"more than {MOST_OPTIONS}" if len(names) > MOST_OPTIONS else str(len(names))
    more = ", and more" if len(names) > MOST_OPTIONS else ""
    return f"{describe(found.seen)} has {many} options: {listing(names[:MOST_OPTIONS])}{more}"


async def select(scene: Scene, action: Select, found: Found) -> str:
    """Choose it. Raises ActFailed with code no_option, naming what there is."""
    index = pick(found.seen.options or [], action.option)
    if index is not None:
        await found.locator.select_option(index=index, timeout=scene.milliseconds)
    elif found.seen.tag == "select":
        await _native(scene, action.option, found)
    else:
        await _built(scene, action.option, found)
    return f'selected "{action.option}" in {describe(found.seen)}'


async def _native(scene: Scene, wanted: str, found: Found) -> None:
    options: list[Option] = []

    async def chosen() -> int | None:
        nonlocal options
        options = msgspec.convert(await found.locator.evaluate(OPTIONS, timeout=scene.milliseconds), list[Option])
        return pick(options, wanted)

    index = await until(chosen, min(OPEN_SECONDS, scene.seconds))  # options may still be loading
    if index is None:
        raise missing(wanted, found, [f'"{option.label}"' for option in options if option.enabled])
    await found.locator.select_option(index=index, timeout=scene.milliseconds)


def pick(options: list[Option], wanted: str) -> int | None:
    """The index of the enabled option of that label, or else value; case matters less than a match."""
    usable = [(index, option) for index, option in enumerate(options) if option.enabled]
    ranked = [
        *[index for index, option in usable if option.label == wanted],
        *[index for index, option in usable if option.value == wanted],
        *[index for index, option in usable if option.label.lower() == wanted.lower()],
    ]
    return ranked[0] if ranked else None


async def _built(scene: Scene, wanted: str, found: Found) -> None:
    wish = Wish(query=Query(text=wanted, kind="choice"))
    if found.seen.role != "listbox":
        await found.locator.click(timeout=scene.milliseconds, no_wait_after=True)
    seconds = min(OPEN_SECONDS, scene.seconds)
    try:
        option = await locate(scene.page, wish, seconds=seconds, scan=scene.scan, finder=scene.finder)
    except ActFailed as error:
        if error.code != "no_target" or not found.seen.editable:
            raise missing(wanted, found, await _shown(scene)) if error.code == "no_target" else error from None
        await found.locator.fill(wanted, timeout=scene.milliseconds)
        option = await locate(scene.page, wish, seconds=seconds, scan=scene.scan, finder=scene.finder)
    await option.locator.click(timeout=scene.milliseconds, no_wait_after=True)


async def _shown(scene: Scene, most: int = MOST_NAMED) -> list[str]:
    try:
        return await candidates(scene.page, Wish(query=Query(kind="choice")), most)
    except Error:
        return []


def missing(wanted: str, found: Found, names: list[str]) -> ActFailed:
    """Say what can be chosen instead."""
    more = f", and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    there = f" It has: {listing(names[:MOST_NAMED])}{more}." if names else " It shows no options."
    return ActFailed("no_option", f'{describe(found.seen)} has no option "{wanted}".{there}')
