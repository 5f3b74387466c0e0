"""A query means exactly one element, or it fails with the candidates named. Looking changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec
from playwright.async_api import Error, Frame, Page

from eventstore.events import Target
from runner.browser.finder import Finder
from runner.browser.refusals import refusal
from runner.browser.selectors import at, look_alikes, selector_of
from runner.browser.wishes import Found, Look, Seen, Wish, describe
from runner.vocabulary import ActFailed

T = TypeVar("T")
GRACE_SECONDS = 0.5
HUNG_SECONDS = 2.0
FIRST_POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 0.25
WEAK_TIER = 20

Scan = Callable[[], Awaitable[Sequence[Sequence[int]]]]
"""Paths of the elements of the main frame that listen for clicks."""


async def locate(page: Page, wish: Wish, *, seconds: float, scan: Scan, finder: Finder) -> Found:
    """Wait until the wish means exactly one element that is ready to be acted on. Raises ActFailed."""
    try:
        async with asyncio.timeout(seconds + HUNG_SECONDS):
            frame, seen = await _wait(page, wish, seconds, scan, finder)
            return await reach(page, frame, seen, alone=wish.alone)
    except TimeoutError:
        raise ActFailed("timeout", f"The page did not answer within {seconds:g} s.") from None


async def _wait(page: Page, wish: Wish, seconds: float, scan: Scan, finder: Finder) -> tuple[Frame, Seen]:
    clock = asyncio.get_running_loop().time
    start, pause = clock(), FIRST_POLL_SECONDS
    listeners: Sequence[Sequence[int]] | None = None
    while True:
        looks = await look(page, wish, listeners, finder)
        matches = best(looks)
        waited = clock() - start
        one = pick(matches, wish.query.ordinal, total=sum(found.total for _, found in tiered(looks)))
        if one is not None and (settled(looks) or waited >= GRACE_SECONDS) and ready(one[1], wish):
            return one
        if one is None and listeners is None and wish.purpose == "any":
            listeners = await scan()
            continue
        if waited >= (seconds if one is not None or not ambiguous(matches, wish) else min(GRACE_SECONDS, seconds)):
            raise await refusal(page, wish, matches, one, seconds)
        await asyncio.sleep(min(pause, max(seconds - waited, 0.001)))
        pause = min(pause * 1.5, LONGEST_POLL_SECONDS)
        listeners = await scan() if listeners is not None else None


async def look(
    page: Page, wish: Wish, listeners: Sequence[Sequence[int]] | None, finder: Finder
) -> list[tuple[Frame, Look]]:
    """Ask every frame at once; a frame that is gone or navigating says nothing this time."""

    async def ask(frame: Frame) -> tuple[Frame, Look]:
        asked = wish.asked(listeners if frame is page.main_frame or listeners is None else ())
        try:
            async with asyncio.timeout(None if frame is page.main_frame else 2.0):
                return frame, msgspec.convert(await finder.find(frame, asked), Look)
        except TimeoutError:
            return frame, Look()
        except Error as error:
            if page.is_closed() or not passing(error):
                raise
            return frame, Look(settled=False)

    if len(page.frames) == 1:
        return [await ask(page.main_frame)]
    return await asyncio.gather(*[ask(frame) for frame in page.frames])


async def until(ask: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
    """Ask until there is an answer; None when there is none in time."""
    clock = asyncio.get_running_loop().time
    end, pause = clock() + seconds, FIRST_POLL_SECONDS
    while True:
        answer = await ask()
        left = end - clock()
        if answer is not None or left <= 0:
            return answer
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_POLL_SECONDS)


def passing(error: Error) -> bool:
    """Whether the error only says that a frame is navigating or has gone."""
    return any(
        part in error.message
        for part in ("context was destroyed", "Frame was detached", "frame got detached", "navigat")
    )


def tiered(looks: list[tuple[Frame, Look]]) -> list[tuple[Frame, Look]]:
    """The looks of the best tier."""
    tiers = [found.tier for _, found in looks if found.tier is not None]
    return [(frame, found) for frame, found in looks if tiers and found.tier == min(tiers)]


def best(looks: list[tuple[Frame, Look]]) -> list[tuple[Frame, Seen]]:
    """The matches of the best tier over all frames."""
    return [(frame, seen) for frame, found in tiered(looks) for seen in found.matches]


def settled(looks: list[tuple[Frame, Look]]) -> bool:
    """Whether the best tier may be believed at once: it is an exact one, or the pages have been loaded for a while."""
    return all((found.tier or 0) < WEAK_TIER or found.settled for _, found in tiered(looks))


def pick(matches: list[tuple[Frame, Seen]], ordinal: int, *, total: int) -> tuple[Frame, Seen] | None:
    """The one that is meant, or None when there are none, several, or not so many."""
    if ordinal == 0:
        return matches[0] if total == 1 else None
    return matches[ordinal - 1 if ordinal > 0 else ordinal] if abs(ordinal) <= len(matches) else None


def ambiguous(matches: list[tuple[Frame, Seen]], wish: Wish) -> bool:
    """Whether there are several and the query does not say which."""
    return len(matches) > 1 and wish.query.ordinal == 0


def ready(seen: Seen, wish: Wish) -> bool:
    """Whether it can be acted on now. Playwright checks again, closely, in the act itself."""
    return seen.enabled and not seen.moving and (seen.editable or wish.purpose != "fill")


async def reach(page: Page, frame: Frame, seen: Seen, *, alone: bool) -> Found:
    """The selector for the tape, which works from the page through frames and shadow roots, and locators."""
    try:
        selector = await selector_of(frame, seen, inner=frame is not page.main_frame, alone=alone)
    except Error as error:
        if page.is_closed() or "No element matching" not in error.message:
            raise
        raise ActFailed("no_target", f"{describe(seen)} went away.") from None
    among = await look_alikes(page, selector)
    target = Target(
        selector=selector,
        role=seen.role,
        name=seen.name,
        frame="" if frame is page.main_frame else frame.name or frame.url,
        box=seen.box,
        row=seen.row if among else "",
        among=among,
    )
    return Found(
        seen=seen, target=target, locator=page.locator(selector), via=at(frame, seen.via) if seen.via else None
    )
