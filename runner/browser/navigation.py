"""Going somewhere: what a failed navigation is called, and when a new page counts as there."""

import asyncio
import re
from http import HTTPStatus

from playwright.async_api import Error, Page, Response
from playwright.async_api import TimeoutError as PlaywrightTimeout

from runner.browser.tabs import Tab, Tabs
from runner.browser.urls import absolute, refusal
from runner.egress.proxy import Egress
from runner.vocabulary import ActFailed

SETTLE_SECONDS = 5.0
POPUP_SECONDS = 2.0
BREATH_SECONDS = 0.5
TURN = "new Promise((done) => setTimeout(done))"  # timers of the page that are due run before it
REASONS = {
    "CONNECTION_REFUSED": "connection refused",
    "CONNECTION_RESET": "the connection was reset",
    "CONNECTION_CLOSED": "the connection was closed",
    "CONNECTION_TIMED_OUT": "the connection timed out",
    "TIMED_OUT": "the connection timed out",
    "NAME_NOT_RESOLVED": "the name does not resolve",
    "ADDRESS_UNREACHABLE": "the address cannot be reached",
    "INTERNET_DISCONNECTED": "there is no network",
    "EMPTY_RESPONSE": "the answer was empty",
    "UNSAFE_PORT": "browsers refuse this port",
    "TOO_MANY_REDIRECTS": "too many redirects",
    "INVALID_RESPONSE": "the answer was not HTTP",
    "INVALID_HTTP_RESPONSE": "the answer was not HTTP",
    "SSL_PROTOCOL_ERROR": "it does not speak TLS properly",
    "CERT_AUTHORITY_INVALID": "its certificate is not trusted",
    "CERT_COMMON_NAME_INVALID": "its certificate is for another name",
    "CERT_DATE_INVALID": "its certificate has expired",
    "TUNNEL_CONNECTION_FAILED": "the proxy refused",
    "PROXY_CONNECTION_FAILED": "the proxy did not answer",
}


class NoPage(ActFailed):
    """What was asked for is a file to download."""


async def goto(tab: Tab, url: str, egress: Egress, seconds: float) -> str:
    """Open the URL and say what came. Raises ActFailed: blocked, navigation_failed, page_too_large."""
    try:
        url = absolute(url)
    except ValueError as error:
        raise ActFailed("blocked", str(error)) from None
    if reason := refusal(url, egress.rules):
        egress.tell(url, reason)
        raise ActFailed("blocked", f"{url} is refused: {reason}.")
    tab.clear()
    await tab.listen(on=True)
    try:
        response = await _unless_trouble(tab, url, seconds)
    except PlaywrightTimeout:
        await tab.stop_loading()
        await verdict(tab)
        raise ActFailed("navigation_failed", f"{url} did not answer within {seconds:g} s.") from None
    except Error as error:
        await verdict(tab)
        if "interrupted by another navigation" not in error.message:
            raise await _failure(tab, url, error, egress) from None
        await tab.page.wait_for_load_state("domcontentloaded", timeout=seconds * 1000)
        response = None
    await verdict(tab)
    await settle(tab.page)
    await verdict(tab)
    return f"opened {tab.page.url}{status(response)}"


async def _unless_trouble(tab: Tab, url: str, seconds: float) -> Response | None:
    """Open the URL, or give up as soon as the page's events say that it must not be."""
    going = asyncio.ensure_future(tab.page.goto(url, wait_until="domcontentloaded", timeout=seconds * 1000))
    trouble = asyncio.ensure_future(tab.trouble.wait())
    try:
        await asyncio.wait({going, trouble}, return_when=asyncio.FIRST_COMPLETED)
        return going.result() if going.done() else None
    finally:
        for task in (going, trouble):
            task.cancel()
        await asyncio.gather(going, trouble, return_exceptions=True)


async def move(tab: Tab, step: str, egress: Egress, seconds: float) -> str:
    """`back`, `forward` or `reload`. Raises ActFailed: no_history, navigation_failed."""
    page = tab.page
    try:
        if step == "reload":
            response = await page.reload(wait_until="domcontentloaded", timeout=seconds * 1000)
        else:
            await _history(tab, step)
            go = page.go_back if step == "back" else page.go_forward
            response = await go(wait_until="domcontentloaded", timeout=seconds * 1000)
    except PlaywrightTimeout:
        await tab.stop_loading()
        raise ActFailed("navigation_failed", f"The page did not answer within {seconds:g} s.") from None
    except Error as error:
        await verdict(tab)
        raise await _failure(tab, page.url, error, egress) from None
    await verdict(tab)
    await settle(page)
    return f"{'reloaded' if step == 'reload' else 'went ' + step + ' to'} {page.url}{status(response)}"


async def _history(tab: Tab, step: str) -> None:
    """Refuse when there is no page in that direction. The first about:blank of a tab is none."""
    if tab.cdp is None:
        return
    history = await tab.cdp.send("Page.getNavigationHistory")
    at = int(history["currentIndex"]) + (-1 if step == "back" else 1)
    entries = history["entries"]
    if not 0 <= at < len(entries) or (at == 0 and step == "back" and entries[0]["url"] == "about:blank"):
        raise ActFailed("no_history", f"There is no page to go {step} to.")


async def settle(page: Page) -> None:
    """Wait a little for images and scripts; a page that never finishes is used as it is."""
    try:
        await page.wait_for_load_state("load", timeout=SETTLE_SECONDS * 1000)
    except PlaywrightTimeout:
        return


async def arrive(tabs: Tabs, tab: Tab, seconds: float, *, acted: bool) -> None:
    """After an act: if it opened a tab or began a navigation, wait until the new page can be looked at."""
    if acted and not tab.page.is_closed():
        await breathe(tab)
    if tab.opening:
        tab.opening = 0
        try:
            async with asyncio.timeout(POPUP_SECONDS):
                await tabs.adopted.wait()
        except TimeoutError:
            return  # the popup was blocked
    now = tabs.current_now
    if now is not None and now is not tab and now.cdp is None:
        await now.watch()
        try:
            await now.page.wait_for_load_state("domcontentloaded", timeout=seconds * 1000)
        except Error:
            if not now.page.is_closed():  # as the tab of a download does, by itself
                raise
            now = None
    try:
        async with asyncio.timeout(seconds):
            await tab.arrived.wait()
    except TimeoutError:
        await tab.stop_loading()
        raise ActFailed(
            "navigation_failed", f"The page that was asked for did not answer within {seconds:g} s."
        ) from None
    for seen in {tab, now} - {None}:
        if seen is not None:
            await verdict(seen)


async def breathe(tab: Tab) -> None:
    """Give the page a turn: what the act has put in its queue is likely done then, such as to begin a navigation.

    It goes the way that the page's events come, so that they have been heard when it is back.
    """
    try:
        async with asyncio.timeout(BREATH_SECONDS):
            if tab.cdp is not None:
                await tab.cdp.send("Runtime.evaluate", {"expression": TURN, "awaitPromise": True})
    except (Error, TimeoutError):
        return  # it is navigating already, or busy


async def settled(tab: Tab, seconds: float) -> None:
    """Wait a little for a navigation under way, so that a look sees the new page; then look at what is there."""
    try:
        async with asyncio.timeout(seconds):
            await tab.arrived.wait()
            if tab.leaving is not None:
                await asyncio.wait({tab.leaving})
    except TimeoutError:
        return


async def leave(tab: Tab) -> None:
    """Go to an empty page."""
    try:
        await tab.page.goto("about:blank")
    except Error:
        return  # the page went away, or elsewhere


async def verdict(tab: Tab) -> None:
    """Raise what the page's events have said meanwhile: refused or too large. Says it once."""
    if tab.leaving is not None:
        await asyncio.wait({tab.leaving}, timeout=SETTLE_SECONDS)
    if tab.refused:
        reason, tab.refused = tab.refused, ""
        raise ActFailed("blocked", reason)
    if tab.oversized:
        reason, tab.oversized = tab.oversized, ""
        tab.trouble.clear()
        if not tab.page.is_closed():
            await tab.stop_loading()
            await leave(tab)
        raise ActFailed("page_too_large", reason)


def status(response: Response | None) -> str:
    """Such as ` (404 Not Found)`; nothing for what went well."""
    if response is None or response.status < HTTPStatus.BAD_REQUEST:
        return ""
    return f" ({response.status} {response.status_text})".replace(" )", ")")


async def _failure(tab: Tab, url: str, error: Error, egress: Egress) -> ActFailed:
    """`failure`, but what the browser knows only of its proxy is said as the proxy knows it."""
    trouble = egress.trouble(tab.asked or url)
    if trouble is None or not re.search(
        r"net::ERR_(TUNNEL_CONNECTION_FAILED|EMPTY_RESPONSE|CONNECTION_)", error.message
    ):
        return failure(url, error)
    if not trouble.refused:
        return ActFailed("navigation_failed", f"{url} did not answer: {trouble.reason}")
    await leave(tab)
    if tab.leaving is not None:
        await asyncio.wait({tab.leaving}, timeout=SETTLE_SECONDS)
    tab.clear()
    return ActFailed("blocked", f"{tab.asked or url} is refused: {trouble.reason}.")


def failure(url: str, error: Error) -> ActFailed:
    """A sentence for one of Chromium's network errors."""
    if "Download is starting" in error.message:
        return NoPage("navigation_failed", f"{url} is a file to download, and not a page.")
    code = re.search(r"net::ERR_(\w+)", error.message)
    if code is None:
        return ActFailed("navigation_failed", f"{url} could not be opened: {error.message.splitlines()[0]}")
    if code[1] == "ABORTED":
        return ActFailed("navigation_failed", f"{url} did not bring a page.")
    return ActFailed(
        "navigation_failed", f"{url} did not answer: {REASONS.get(code[1], code[1].lower().replace('_', ' '))}"
    )
