"""A query means exactly one element, or it fails with the candidates named. Looking changes nothing."""

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import msgspec
from playwright.async_api import Error, Frame, Locator, Page

from eventstore.events import Target
from runner.selectors import HERE, NAMES, at, selector_of
from runner.vocabulary import ActFailed, Query
from runner.words import ROLES, listing, word

T = TypeVar("T")
FIND = NAMES + (HERE / "targets.js").read_text(encoding="utf-8") + (HERE / "scopes.js").read_text(encoding="utf-8")
GRACE_SECONDS = 0.5
FIRST_POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 0.25
WEAK_TIER = 20

Scan = Callable[[], Awaitable[Sequence[Sequence[int]]]]
"""Paths of the elements of the main frame that listen for clicks."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One element as the page's script describes it; `box` is x, y, width, height in CSS pixels of its frame."""

    path: list[int]
    via: list[int] | None = None
    role: str = ""
    name: str = ""
    tag: str = ""
    classes: str = ""
    secret: bool = False
    row: str = ""
    box: tuple[int, int, int, int] = (0, 0, 0, 0)
    enabled: bool = True
    editable: bool = False
    moving: bool = False


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one frame answers: the matches of its best tier. `settled` tells a page that has been loaded for a while."""

    tier: int | None = None
    matches: list[Seen] = []
    total: int = 0
    settled: bool = True


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One element: `target` for the tape, `locator` to act on, `via` its visible label when it is hidden itself."""

    seen: Seen
    target: Target
    locator: Locator
    via: Locator | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A query and what it is for: any, fill, select, check or upload."""

    query: Query
    purpose: str = "any"

    def asked(self, listeners: Sequence[Sequence[int]] | None) -> dict[str, object]:
        """The argument of the page's script."""
        kind = self.query.kind.lower().strip()
        roles = ROLES.get(kind, ())
        return {
            **{name: getattr(self.query, name) for name in ("text", "row", "within", "near", "ordinal")},
            "purpose": self.purpose,
            "roles": list(roles) or None,
            "loose": kind in {"button", "link", "icon", "tab", "option", "choice", "menu item"},
            "scanned": listeners is not None,
            "listeners": list(listeners or ()),
        }

    @property
    def alone(self) -> bool:
        """Whether the name suffices: nothing narrows it."""
        return not (self.query.row or self.query.within or self.query.near or self.query.ordinal)

    @property
    def what(self) -> str:
        """Such as `button "Save" in the row of "Beta"`."""
        query, kind = self.query, self.query.kind or {"fill": "field", "check": "checkbox"}.get(self.purpose, "")
        text = f'{kind or "element"} "{query.text}"' if query.text else kind or "element"
        for phrase, value in (("in the row of", query.row), ("within", query.within), ("near", query.near)):
            text += f' {phrase} "{value}"' if value else ""
        return text


async def locate(page: Page, wish: Wish, *, seconds: float, scan: Scan) -> Found:
    """Wait until the wish means exactly one element that is ready to be acted on. Raises ActFailed."""
    try:
        async with asyncio.timeout(seconds + GRACE_SECONDS):
            frame, seen = await _wait(page, wish, seconds, scan)
            return await reach(page, frame, seen, alone=wish.alone)
    except TimeoutError:
        raise ActFailed("timeout", f"The page did not answer within {seconds:g} s.") from None


async def _wait(page: Page, wish: Wish, seconds: float, scan: Scan) -> tuple[Frame, Seen]:
    clock = asyncio.get_running_loop().time
    start, pause = clock(), FIRST_POLL_SECONDS
    listeners: Sequence[Sequence[int]] | None = None
    while True:
        looks = await look(page, wish, listeners)
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


async def look(page: Page, wish: Wish, listeners: Sequence[Sequence[int]] | None) -> list[tuple[Frame, Look]]:
    """Ask every frame at once; a frame that is gone or navigating says nothing this time."""

    async def ask(frame: Frame) -> tuple[Frame, Look]:
        asked = wish.asked(listeners if frame is page.main_frame or listeners is None else ())
        try:
            async with asyncio.timeout(None if frame is page.main_frame else 2.0):
                return frame, msgspec.convert(await frame.evaluate(f"(q) => {{ {FIND} return find(q); }}", asked), Look)
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
    target = Target(
        selector=selector,
        role=seen.role,
        name=seen.name,
        frame="" if frame is page.main_frame else frame.name or frame.url,
        box=seen.box,
    )
    return Found(
        seen=seen, target=target, locator=page.locator(selector), via=at(frame, seen.via) if seen.via else None
    )


async def refusal(
    page: Page, wish: Wish, matches: list[tuple[Frame, Seen]], one: tuple[Frame, Seen] | None, seconds: float
) -> ActFailed:
    """Why nothing can be acted on, in a sentence that names the candidates."""
    if one is not None:
        state = "kept moving" if one[1].moving else "cannot be typed into" if one[1].enabled else "stayed disabled"
        return ActFailed("timeout", f"{describe(one[1])} {state} for {seconds:g} s.")
    if wish.query.ordinal and matches:
        return ActFailed(
            "no_target", f"Only {len(matches)} match {wish.what}, number {wish.query.ordinal} is asked for."
        )
    if matches:
        named = listing([f"{number}. {describe(seen, row=True)}" for number, (_, seen) in enumerate(matches[:5], 1)])
        more = f", and {len(matches) - 5} more" if len(matches) > 5 else ""
        hint = next((seen.row for _, seen in matches if seen.row), "")
        row = f'in the row of "{hint.split(" ")[0]}", or ' if hint else ""
        return ActFailed(
            "ambiguous_target",
            f"{len(matches)} elements match {wish.what}: {named}{more}; say which, for example: {row}the first.",
        )
    closest = await candidates(page, wish)
    names = f" Closest: {listing(closest)}." if closest else ""
    return ActFailed("no_target", f"No {wish.what} is on the page.{names}")


async def candidates(page: Page, wish: Wish, most: int = 5) -> list[str]:
    """What is there instead, closest first."""
    asked = wish.asked(None)
    listed: list[Seen] = []
    for frame in page.frames:
        try:
            async with asyncio.timeout(2.0):
                found = await frame.evaluate(f"(q) => {{ {FIND} return listed(q); }}", asked)
        except (Error, TimeoutError):
            continue  # the message is only poorer by what this frame holds
        listed += msgspec.convert([{**entry, "path": []} for entry in found], list[Seen])
    text = wish.query.text.lower()

    def closeness(seen: Seen) -> float:
        name = seen.name.lower()
        return difflib.SequenceMatcher(None, text, name).ratio() + (text in name or (name in text and bool(name)))

    return list(dict.fromkeys(describe(seen) for seen in sorted(listed, key=closeness, reverse=True) if seen.name))[
        :most
    ]


def describe(seen: Seen, *, row: bool = False) -> str:
    """Such as `button "Delete" in the row "Beta Delete"`."""
    name = f' "{seen.name}"' if seen.name else f" .{seen.classes.replace(' ', '.')}" if seen.classes else ""
    return f"{word(seen.role, seen.tag)}{name}" + (f' in the row "{seen.row}"' if row and seen.row else "")
