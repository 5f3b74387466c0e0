"""Which closed section, accordion or tab hides what is not to be seen, where that can be told for certain."""

import asyncio
from typing import Any

from playwright.async_api import Error, Page

from runner.browser.selectors import HERE
from runner.browser.wishes import FIND, Wish
from runner.browser.words import listing

SCRIPT = FIND + (HERE / "disclosures.js").read_text(encoding="utf-8")
SECONDS = 2.0


async def hidden_in(page: Page, wish: Wish) -> str:
    """Such as ` It is in what "Details" opens; write open the "Details" section.`; empty where nobody can tell."""
    if not wish.query.text:
        return ""
    try:
        async with asyncio.timeout(SECONDS):
            openers: list[dict[str, Any]] = await page.evaluate(
                f"(q) => {{ {SCRIPT} return hiddenIn(q); }}", wish.asked(None)
            )
    except (Error, TimeoutError):
        return ""
    named = [opener for opener in openers if opener["name"]]
    if len(named) != 1:
        return f" It is hidden in {listing([str(opener['name']) for opener in named])}." if named else ""
    name, kind = named[0]["name"], "tab" if named[0]["role"] == "tab" else "section"
    return f' It is hidden in the {kind} "{name}", which is closed; first write open the "{name}" {kind}.'
