"""Asks a frame by a script of ours, in the page's world; in one of our own where the page has altered its elements."""

from typing import Any
from weakref import WeakKeyDictionary

from playwright.async_api import CDPSession, Error, Frame

NAME = "tapewright"
"""Of the world that shares the document with the page, and none of what the page has made of `Element` and its like."""


class Worlds:
    """Of one session."""

    def __init__(self) -> None:
        self._reached: WeakKeyDictionary[Frame, CDPSession] = WeakKeyDictionary()

    async def ask(self, frame: Frame, script: str, asked: object = None) -> Any:
        """What the function answers, given what is asked. Raises Playwright's Error."""
        try:
            return await frame.evaluate(script, asked)
        except Error as error:
            if "TypeError" not in error.message or frame.is_detached():
                raise
            return await self._apart(frame, script, asked, error)

    async def _apart(self, frame: Frame, script: str, asked: object, error: Error) -> Any:
        """Raises what the page's world raised where this frame has no other, or the script fails there as well."""
        try:
            cdp = self._reached.get(frame) or await frame.page.context.new_cdp_session(
                frame.page if frame is frame.page.main_frame else frame
            )
        except Error:
            raise error from None  # it is in the process of its parent
        self._reached[frame] = cdp
        tree = await cdp.send("Page.getFrameTree")
        # A world of that name is made once for each document.
        world = await cdp.send(
            "Page.createIsolatedWorld", {"frameId": tree["frameTree"]["frame"]["id"], "worldName": NAME}
        )
        answer = await cdp.send(
            "Runtime.callFunctionOn",
            {
                "functionDeclaration": script,
                "executionContextId": world["executionContextId"],
                "arguments": [{"value": asked}],
                "returnByValue": True,
            },
        )
        if "exceptionDetails" in answer:
            raise error
        return answer["result"].get("value")
