"""Asks frames which elements are meant. A document is given the script once, so that asking it again costs little."""

from collections.abc import Callable, Coroutine
from weakref import WeakKeyDictionary

from playwright.async_api import Error, Frame, JSHandle

from runner.browser.wishes import FIND
from runner.browser.worlds import Worlds


class Finder:
    """Of one session. `spawn` starts work that the session owns; `worlds` are where other scripts ask."""

    def __init__(self, spawn: Callable[[Coroutine[None, None, None]], object]) -> None:
        self._spawn = spawn
        self._scripts: WeakKeyDictionary[Frame, JSHandle] = WeakKeyDictionary()
        self.worlds = Worlds()

    async def find(self, frame: Frame, asked: dict[str, object]) -> object:
        """What `find` of targets.js answers in this frame. Raises Playwright's Error."""
        script = self._scripts.get(frame)
        if script is not None:
            try:
                return await script.evaluate("(script, q) => script(q)", asked)
            except Error:
                # The document of that script is gone; what is there now is asked below.
                self._scripts.pop(frame, None)
        answer: object = await self.worlds.ask(frame, f"(q) => {{ {FIND} return find(q); }}", asked)
        self._spawn(self._leave(frame))
        return answer

    async def _leave(self, frame: Frame) -> None:
        """Leave the script in the document, out of the page's sight; beside the act, which mostly waits."""
        try:
            self._scripts[frame] = await frame.evaluate_handle(f"() => {{ {FIND} return findAnew; }}")
        except Error:
            return  # the document is gone
