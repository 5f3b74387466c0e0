"""Reading a page as text for people and programs: deterministic, and never the value of a password field."""

import json
from pathlib import Path

from playwright.async_api import Page

from runner.browser.observe import title
from runner.browser.selectors import NAMES
from runner.browser.wishes import Found
from runner.browser.words import listing
from runner.browser.worlds import Worlds
from runner.vocabulary import ActFailed, Extract

SCRIPT = NAMES + (Path(__file__).parent / "extract.js").read_text(encoding="utf-8")
MOST_CHARACTERS = 100_000
MOST_LINKS = 1_000


async def extract(page: Page, worlds: Worlds, action: Extract, found: Found | None, milliseconds: float) -> str:
    """What was asked for, as text. Raises ActFailed: nothing_there, secret, bad_action."""
    match action.what:
        case "text" if found is None:
            return await page_text(page, worlds)
        case "text" | "attribute" if found is not None:
            return await of_element(action, found, milliseconds)
        case "heading":
            text = await worlds.ask(page.main_frame, f"() => {{ {SCRIPT} return mainHeading(); }}")
            if text is None:
                raise ActFailed("nothing_there", "The page has no heading.")
            return str(text)
        case "title":
            return await title(page)
        case "url":
            return page.url
        case "page":
            return await page_text(page, worlds)
        case "links":
            script = f"(most) => {{ {SCRIPT} return links(most); }}"
            return compact(await worlds.ask(page.main_frame, script, MOST_LINKS))
        case "table" if found is not None:
            return await table_of(found, milliseconds)
        case "table":
            return await table(page, worlds, action.target.text if action.target else "")
    raise ActFailed("bad_action", f"There is no way to extract {action.what!r} here.")


async def page_text(page: Page, worlds: Worlds) -> str:
    """The visible text of the main page, with a note when it is cut."""
    text = str(await worlds.ask(page.main_frame, f"() => {{ {SCRIPT} return pageText(); }}"))
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\n(cut: {len(text) - MOST_CHARACTERS} more characters)"


async def of_element(action: Extract, found: Found, milliseconds: float) -> str:
    """The text, the value or an attribute of the target."""
    if action.what == "text":
        if found.seen.secret:
            raise ActFailed("secret", "The values of password and card fields are never read.")
        return str(await found.locator.evaluate(f"(e) => {{ {SCRIPT} return valueOf(e); }}", timeout=milliseconds))
    script = f"(e, name) => {{ {SCRIPT} return attribute(e, name); }}"
    value = await found.locator.evaluate(script, action.attribute, timeout=milliseconds)
    if value is None:
        raise ActFailed("nothing_there", f"The target has no attribute {action.attribute}.")
    return str(value)


async def table_of(found: Found, milliseconds: float) -> str:
    """The rows of the table that the element is in, or holds."""
    rows = await found.locator.evaluate(f"(e) => {{ {SCRIPT} return tableOf(e); }}", timeout=milliseconds)
    if rows is None:
        raise ActFailed("nothing_there", "The target is in no table, and holds none.")
    return compact(rows)


async def table(page: Page, worlds: Worlds, name: str) -> str:
    """The rows of the only table, or of the one of that name, as JSON objects keyed by header."""
    answer = await worlds.ask(page.main_frame, f"(name) => {{ {SCRIPT} return table(name); }}", name)
    if answer["count"] == 1:
        return compact(answer["rows"])
    names = listing([f'"{each}"' for each in answer["names"][:5]])
    if not answer["names"]:
        raise ActFailed("nothing_there", "The page has no table.")
    if answer["count"] == 0:
        raise ActFailed("no_target", f'No table is called "{name}". There are: {names}.')
    raise ActFailed(
        "ambiguous_target", f"{answer['count']} tables are meant; say which by caption or heading: {names}."
    )


def compact(value: object) -> str:
    """JSON text without needless spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
