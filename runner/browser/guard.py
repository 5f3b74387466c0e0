"""Asks of every document before it leaves whether the rules allow it: refused here, the page stays where it was.

The proxy alone decides what reaches the network. This only tells an act of its refusal, and spares the page.
"""

from playwright.async_api import CDPSession, Error

from runner.browser.devtools import Event, Frame
from runner.browser.navigation import leave
from runner.browser.tabs import Tab
from runner.browser.urls import refusal
from runner.egress.proxy import Egress

PATTERNS = [{"resourceType": "Document", "requestStage": "Request"}]


class Guard:
    """The guard of one session's tabs."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress

    async def watch(self, tab: Tab, cdp: CDPSession) -> None:
        """Guard a tab from now on; what happened to a popup before is looked at too. Raises Error."""
        cdp.on("Fetch.requestPaused", lambda event: tab.spawn(self._asked(tab, cdp, event)))
        cdp.on("Page.frameNavigated", lambda event: self._landed(tab, event["frame"]))
        await cdp.send("Fetch.enable", {"patterns": PATTERNS})
        tree = await cdp.send("Page.getFrameTree")
        self._landed(tab, tree["frameTree"]["frame"])

    async def _asked(self, tab: Tab, cdp: CDPSession, event: Event) -> None:
        url = event["request"]["url"]
        main = event["frameId"] == tab.main_frame
        if main:
            tab.asked = url
        reason = refusal(url, self._egress.rules)
        if reason:
            self._egress.tell(url, reason)
        try:
            if not reason:
                await cdp.send("Fetch.continueRequest", {"requestId": event["requestId"]})
                return
            await cdp.send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "Aborted"})
        except Error:
            return  # the page went away with its request
        finally:
            if reason and main:
                tab.refuse(f"{url} is refused: {reason}.")

    def _landed(self, tab: Tab, frame: Frame) -> None:
        """On an error page because the proxy refused what only it could know, such as where a name leads: leave it."""
        url = frame.get("unreachableUrl", "")
        trouble = self._egress.trouble(url) if url and frame["id"] == tab.main_frame else None
        if trouble is not None and trouble.refused:
            tab.refuse(f"{url} is refused: {trouble.reason}.")
            tab.leaving = tab.spawn(leave(tab))
