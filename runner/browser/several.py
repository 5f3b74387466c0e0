"""Choosing several options of a list at once: what is chosen one by one takes the place of what was chosen before."""

import msgspec

from runner.browser.choices import OPTIONS, missing, pick, select
from runner.browser.resolve import Handle, Scene
from runner.browser.setting import set_value
from runner.browser.wishes import Found, Option, describe
from runner.vocabulary import ActFailed, Select, SetValue

MANY = "(e) => e.tagName !== 'SELECT' || e.multiple"


async def choose(scene: Scene, action: Select, handle: Handle) -> str:
    """Choose one or several, or the value of a slider.

    Raises ActFailed: no_option, naming what there is; bad_action where only one can be.
    """
    found = handle.found
    if found is None:
        raise ActFailed("no_target", "The action has no target.")
    if found.seen.role == "slider":
        return await set_value(scene, SetValue(value=action.option, what="number", target=action.target), handle)
    if not action.more:
        return await select(scene, action, found)
    if not await found.locator.evaluate(MANY, timeout=scene.milliseconds):
        raise ActFailed("bad_action", f"Of {describe(found.seen)} only one option can be chosen.")
    if found.seen.tag == "select":
        await _native(scene, (action.option, *action.more), found)
    else:
        for option in (action.option, *action.more):
            await select(scene, Select(option=option, target=action.target), found)
    named = ", ".join(f'"{option}"' for option in (action.option, *action.more))
    return f"selected {named} in {describe(found.seen)}"


async def _native(scene: Scene, wanted: tuple[str, ...], found: Found) -> None:
    raw = await found.locator.evaluate(OPTIONS, timeout=scene.milliseconds)
    options = msgspec.convert(raw, list[Option])
    chosen: list[int] = []
    for each in wanted:
        index = pick(options, each)
        if index is None:
            raise missing(each, found, [f'"{option.label}"' for option in options if option.enabled])
        chosen.append(index)
    await found.locator.select_option(index=chosen, timeout=scene.milliseconds)
