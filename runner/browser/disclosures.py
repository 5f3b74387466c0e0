"""Opening and closing sections, accordions and tabs, each of which tells whether it is open."""

from runner.browser.hidden import SCRIPT
from runner.browser.resolve import Handle, Scene
from runner.browser.targets import until
from runner.browser.wishes import describe
from runner.vocabulary import ActFailed, Expand

SECONDS = 2.0
IS_OPEN = f"(e) => {{ {SCRIPT} return isOpen(e); }}"


async def expand(scene: Scene, action: Expand, handle: Handle) -> str:
    """Click what opens it, unless it is so already, and see that it took effect. Raises ActFailed."""
    found = handle.found
    if found is None:
        raise ActFailed("no_target", "The action has no target.")
    word = "open" if action.opened else "closed"

    async def so() -> bool | None:
        return bool(await found.locator.evaluate(IS_OPEN, timeout=scene.milliseconds)) is action.opened or None

    if await so():
        return f"{describe(found.seen)} is {word} already"
    if found.seen.role == "tab" and not action.opened:
        raise ActFailed("bad_action", f"{describe(found.seen)} can only be closed by opening another.")
    await found.locator.click(timeout=scene.milliseconds, no_wait_after=True)
    if not await until(so, min(SECONDS, scene.seconds)):
        raise ActFailed("failed", f"{describe(found.seen)} was clicked but is not {word}.")
    return f"{'opened' if action.opened else 'closed'} {describe(found.seen)}"
