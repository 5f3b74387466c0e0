"""Which elements listen for clicks, as DevTools tell of a document: pages themselves do not know."""

from collections.abc import Sequence

import msgspec
from playwright.async_api import CDPSession

from runner.browser.devtools import Event
from runner.browser.selectors import HERE


def scripts(*names: str) -> str:
    """The texts of these files, one after the other."""
    return "".join((HERE / name).read_text(encoding="utf-8") for name in names)


EARS = scripts("json.js", "listeners.js")
CHAIN = scripts("chain.js")
MOST_FRAMES = 30
MOST_LISTED = 10_000
"""Elements of a process in which listeners are looked for."""

Paths = Sequence[Sequence[int]]
"""Of elements, each as child indexes from the document."""


async def contexts(cdp: CDPSession | None) -> dict[str, int]:
    """The main worlds of the frames in the page's process, by where each frame is. Raises Error."""
    if cdp is None:
        return {}
    found: list[int] = []

    def created(event: Event) -> None:
        if event["context"]["auxData"].get("isDefault"):
            found.append(int(event["context"]["id"]))

    cdp.on("Runtime.executionContextCreated", created)
    try:
        await cdp.send("Runtime.enable")
        await cdp.send("Runtime.disable")  # else every word on the page's console would be told
    finally:
        cdp.remove_listener("Runtime.executionContextCreated", created)
    asked = {"expression": f"(() => {{ {CHAIN} return chain(); }})()", "returnByValue": True}
    answers = [(one, await cdp.send("Runtime.evaluate", {**asked, "contextId": one})) for one in found[:MOST_FRAMES]]
    places = {str(answer["result"].get("value")): one for one, answer in answers}
    return {chain: one for chain, one in places.items() if "-1" not in chain.split(",")}


async def listeners(cdp: CDPSession | None, context: int = 0, *, twice: bool = True) -> Paths:
    """What listens for clicks in the document of this context, or else of the main frame of these. Raises Error.

    With `twice` also what listens for double clicks alone.
    """
    if cdp is None:
        return ()
    expression = f"(() => {{ {EARS} return plainly(heard({MOST_LISTED}, getEventListeners, {int(twice)})); }})()"
    asked = {"expression": expression, "includeCommandLineAPI": True, "returnByValue": True}
    within = {"contextId": context} if context else {}
    answer = (await cdp.send("Runtime.evaluate", {**asked, **within}))["result"].get("value")
    try:
        return msgspec.json.decode(answer, type=list[list[int]]) if isinstance(answer, str) else ()
    except msgspec.DecodeError:
        return ()  # the page has put its own in the place of what scripts need
