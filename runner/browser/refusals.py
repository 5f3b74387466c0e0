"""Why a wish means no element or several, in sentences that name the candidates."""

import asyncio
import difflib

import msgspec
from playwright.async_api import Error, Frame, Page

from runner.browser.hidden import hidden_in
from runner.browser.wishes import FIND, Seen, Wish, describe
from runner.browser.words import listing
from runner.vocabulary import ActFailed


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
    return ActFailed("no_target", f"No {wish.what} is on the page.{await hidden_in(page, wish)}{names}")


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
