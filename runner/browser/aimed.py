"""The very element that an earlier act was about, by its selector on the tape: exactly one, called the same, or none.

Never the first match. A selector that has to count tells nothing by itself once the page has changed: then the words of
its row, and how many look the same, must be as they were too.
"""

import asyncio

import msgspec
from playwright.async_api import Error, Page

from eventstore.events import Target
from runner.browser.refusals import candidates
from runner.browser.selectors import at, look_alikes
from runner.browser.targets import HUNG_SECONDS, passing, ready, until
from runner.browser.wishes import FIND, Found, Seen, Wish, describe
from runner.browser.words import listing, word
from runner.masking import Mask
from runner.vocabulary import ActFailed, Query

LISTED = 5

ASKED = f"(es) => {{ {FIND} return {{ total: es.length, seen: es.slice(0, {LISTED}).map(describe) }}; }}"


class Matches(msgspec.Struct, frozen=True, kw_only=True):
    """What a selector finds: how many, and the first of them."""

    total: int = 0
    seen: list[Seen] = []


async def aimed(page: Page, wish: Wish, *, seconds: float, mask: Mask) -> Found:
    """Wait until the selector finds that one element, ready to be acted on. Raises ActFailed: differs, timeout."""
    try:
        async with asyncio.timeout(seconds + HUNG_SECONDS):
            return await _wait(page, wish, seconds, mask)
    except TimeoutError:
        raise ActFailed("timeout", f"The page did not answer within {seconds:g} s.") from None


async def _wait(page: Page, wish: Wish, seconds: float, mask: Mask) -> Found:
    query, last, differs = wish.query, Matches(), ""

    async def one() -> Seen | None:
        nonlocal last, differs
        last = await matches(page, query.selector)
        differs = await difference(page, query, last, mask)
        return last.seen[0] if not differs and ready(last.seen[0], wish) else None

    seen = await until(one, seconds)
    if seen is not None:
        return await found(page, query, seen)
    if not differs:
        state = (
            "kept moving"
            if last.seen[0].moving
            else "cannot be typed into"
            if last.seen[0].enabled
            else "stayed disabled"
        )
        raise ActFailed("timeout", f"{describe(last.seen[0])} {state} for {seconds:g} s.")
    if not last.total and (closest := await candidates(page, Wish(query=Query(text=query.text), purpose=wish.purpose))):
        differs += f" Closest: {listing(closest)}."
    raise ActFailed("differs", differs)


async def matches(page: Page, selector: str) -> Matches:
    """What is there now; nothing while its frame is not there."""
    try:
        return msgspec.convert(await page.locator(selector).evaluate_all(ASKED), Matches)
    except Error as error:
        if page.is_closed() or not (passing(error) or "Failed to find frame" in error.message):
            raise
        return Matches()


async def difference(page: Page, query: Query, now: Matches, mask: Mask) -> str:
    """In which way what is there is not what the act was about then, as a sentence; empty where it is."""
    was = f'{word(query.kind, "")} "{query.text}"' if query.text else word(query.kind, "") or "element"
    if not now.total:
        return f"No {was} is where it was ({query.selector})."
    if now.total > 1:
        named = listing([f"{number}. {describe(seen, row=True)}" for number, seen in enumerate(now.seen, 1)])
        more = f", and {now.total - LISTED} more" if now.total > LISTED else ""
        return f"{now.total} elements are what {was} alone was: {named}{more}."
    seen = now.seen[0]
    if (seen.role, mask.text(seen.name)) != (query.kind, query.text):
        return f"In the place of {was} there is {describe(seen, row=True)}."
    if query.row and mask.text(seen.row) != query.row:
        return f'In the place of {was} in the row "{query.row}" there is {describe(seen, row=True)}.'
    if query.among and (others := await look_alikes(page, query.selector)) != query.among:
        return f"{others} elements look like {was} now, and {query.among} did then."
    return ""


async def found(page: Page, query: Query, seen: Seen) -> Found:
    """The element under the selector that the tape had for it. Raises ActFailed."""
    locator = page.locator(query.selector)
    frame = page.main_frame
    if len(page.frames) > 1:
        handle = await locator.element_handle()
        frame = await handle.owner_frame() or frame
        await handle.dispose()
    target = Target(
        selector=query.selector,
        role=seen.role,
        name=seen.name,
        frame="" if frame is page.main_frame else frame.name or frame.url,
        box=seen.box,
        row=query.row and seen.row,
        among=query.among,
    )
    return Found(seen=seen, target=target, locator=locator, via=at(frame, seen.via) if seen.via else None)
