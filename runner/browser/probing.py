"""Acts that look for something, count, or see whether it is so. They wait a little, and change nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from playwright.async_api import Error, Frame

from runner.browser import looks
from runner.browser.asking import Asking
from runner.browser.extract import SCRIPT, compact
from runner.browser.observe import title
from runner.browser.outline import cut
from runner.browser.resolve import Handle, Scene
from runner.browser.targets import best, look, passing, tiered, until
from runner.browser.wishes import Found, Seen, Wish, describe
from runner.vocabulary import ActFailed, Extract, LookFor, Query, Verify

THERE, NOT_THERE = "there", "not there"
SHORT_SECONDS = 2.0
"""How long something that may not be there is looked for."""

SETTLED_SECONDS = 0.5
ASKING_SECONDS = 5.0
"""How long a page may go on asking the network for what it will show, before it is read as it is."""

PAUSE_SECONDS = 0.1
MOST_TOLD = 200
"""Characters of a value, a title or an address that is not the expected one."""

STATES = {
    "checked": "(e) => e.matches(':checked') || ['aria-checked', 'aria-pressed', 'aria-selected']"
    ".some((name) => e.getAttribute(name) === 'true')",
    "enabled": "(e) => !e.matches(':disabled') && !e.closest('[aria-disabled=true]')",
}
OPPOSITES = {"unchecked": "checked", "disabled": "enabled"}


async def look_for(scene: Scene, action: LookFor, _handle: Handle) -> str:
    """Says that it is there, and can be used; or that it is not, after a short time."""
    seconds = min(SHORT_SECONDS, scene.seconds)
    if action.target is None:
        hurried = msgspec.structs.replace(scene, seconds=seconds)
        return THERE if await looks.seen(hurried, action.text, absent=False) else NOT_THERE
    wish = Wish(query=action.target)
    found: list[tuple[Frame, Seen]] = []

    async def there() -> bool | None:
        nonlocal found
        found = best(await look(scene.page, wish, await scene.scan(), scene.finder))
        return any(seen.enabled for _, seen in found) or None

    if await until(there, seconds):
        return THERE
    return f"{NOT_THERE} to be used: {describe(found[0][1])} is disabled" if found else NOT_THERE


async def counted(scene: Scene, query: Query) -> int:
    """How many match, as far as the best match goes; header rows are no rows."""
    found = await look(scene.page, Wish(query=query, counted=True), await scene.scan(), scene.finder)
    return sum(each.total for _, each in tiered(found))


async def verify(scene: Scene, action: Verify, handle: Handle) -> str:
    """Raises ActFailed with code expectation, saying what is so instead."""
    found = handle.found
    if action.what == "count" and action.target:
        return await _counted(scene, action, action.target)
    if action.what in ("url", "title"):
        return await _reads(scene, action, f"the {action.what}", lambda: _of_page(scene, action.what))
    if found is None:
        raise ActFailed("no_target", "The action has no target.")
    if action.what == "value":
        if found.seen.secret:
            raise ActFailed("secret", "The values of password and card fields are never read.")
        return await _reads(scene, action, describe(found.seen), lambda: _value(scene, found))
    return await _state(scene, action, found)


async def _counted(scene: Scene, action: Verify, query: Query) -> str:
    last = -1

    async def so() -> bool | None:
        nonlocal last
        last = await counted(scene, query)
        return last == action.count or None

    what = Wish(query=query).what
    if not await until(so, scene.seconds):
        raise ActFailed("expectation", f"{action.count} of {what} are expected, and there are {last}.")
    return f"there are {action.count} of {what}"


async def _reads(scene: Scene, action: Verify, what: str, read: Callable[[], Awaitable[str]]) -> str:
    last = ""

    async def so() -> bool | None:
        nonlocal last
        last = await read()
        return (
            " ".join(last.split()) == " ".join(action.text.split()) if action.exact else action.text in last
        ) or None

    verb = "is" if action.exact else "contains"
    if not await until(so, scene.seconds):
        wanted = f'"{action.text}"' if action.exact else f'something with "{action.text}"'
        has = cut(last, MOST_TOLD, scene.wallet.mask)
        raise ActFailed("expectation", f'{what} is "{has}", and {wanted} is expected.')
    return f'{what} {verb} "{action.text}"'


async def _of_page(scene: Scene, what: str) -> str:
    return scene.page.url if what == "url" else await title(scene.page)


async def _value(scene: Scene, found: Found) -> str:
    return str(await found.locator.evaluate(f"(e) => {{ {SCRIPT} return valueOf(e); }}", timeout=scene.milliseconds))


async def _state(scene: Scene, action: Verify, found: Found) -> str:
    state = OPPOSITES.get(action.what, action.what)
    if state not in STATES:
        raise ActFailed("bad_action", f"Nothing can be {action.what}.")

    async def so() -> bool | None:
        answer = bool(await found.locator.evaluate(STATES[state], timeout=scene.milliseconds))
        return answer is (state == action.what) or None

    if not await until(so, scene.seconds):
        raise ActFailed("expectation", f"{describe(found.seen)} is not {action.what} after {scene.seconds:g} s.")
    return f"{describe(found.seen)} is {action.what}"


async def read(scene: Scene, action: Extract, handle: Handle) -> str:
    """Whatever is extracted."""
    if action.what in ("count", "number", "beside"):
        return await gather(scene, action)
    return await looks.read(scene, action, handle)


async def gather(scene: Scene, action: Extract) -> str:
    """The number of elements, a number that the page says, or what a label is the label of. Raises ActFailed.

    It is believed once it has stayed the same for a while: a page may still be counting what was done last.
    """
    query = action.target or Query()
    if action.what == "count":
        return (await _settled(scene, lambda: _count_of(scene, query)))[0]
    name = "numbered" if action.what == "number" else "beside"
    found = await _settled(scene, lambda: _said(scene, name, query.text))
    what = f'{"number" if name == "numbered" else "text"} beside "{query.text}"'
    if not found:
        raise ActFailed("nothing_there", f"There is no {what} on the page.")
    if len(found) > 1:
        raise ActFailed("ambiguous_target", f"{len(found)} stand there as {what}: {compact(found[:5])}.")
    return found[0]


async def _count_of(scene: Scene, query: Query) -> list[str]:
    return [str(await counted(scene, query))]


async def _said(scene: Scene, name: str, words: str) -> list[str]:
    """What all frames say."""
    found: list[str] = []
    for frame in scene.page.frames:
        try:
            found += await scene.finder.worlds.ask(frame, f"(words) => {{ {SCRIPT} return {name}(words); }}", words)
        except Error as error:
            if scene.page.is_closed() or not passing(error):
                raise
    return list(dict.fromkeys(found))


async def _settled(scene: Scene, read: Callable[[], Awaitable[list[str]]]) -> list[str]:
    """What is read the same for `SETTLED_SECONDS` without anything asked for; one thing if possible, and not none."""
    clock, asking = asyncio.get_running_loop().time, Asking(scene.page)
    end = clock() + scene.seconds
    asked = clock() + min(ASKING_SECONDS, scene.seconds)
    await asking.answered(asked - clock())
    patience = clock() + min(SHORT_SECONDS, scene.seconds)
    last, since = await read(), clock()
    while clock() < end:
        one = len(last) == 1 and last != ["0"]
        if clock() - since >= SETTLED_SECONDS and (one or clock() >= patience):
            break
        await asyncio.sleep(PAUSE_SECONDS)
        waited = clock() < asked and await asking.answered(asked - clock())
        now = await read()
        if now != last or waited:
            last, since = now, clock()
    return last
