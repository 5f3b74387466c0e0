"""The table of sentences that set a value or open what is closed: dates, numbers, colours, sections. Pure."""

import re

from runner.keyless.clauses import Unclear
from runner.keyless.dates import when
from runner.keyless.filling import INTO, TYPE, field
from runner.keyless.forms import Found, form
from runner.vocabulary import Expand, Query, SetValue

NUMBER = re.compile(r"(?P<number>[-\u2212]?[0-9]{1,15}(?:\.[0-9]{1,9})?) ?(?:%|percent)?", re.IGNORECASE)
COLOUR = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)
VALUE = r'(?P<value>[^"]{1,60})'
# A value that stands before the field shows by its beginning that it is one.
NUMERIC = r'(?P<value>[-#0-9][^"]{0,40}?)'
MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
DATE = (
    rf"(?P<value>(?:the )?(?:[0-9]{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}|{MONTH} [0-9]|week [0-9]|[0-9]{{4}}-[0-9W]"
    r"|[0-9]{1,2}:[0-9]|[0-9]{1,2}[./-][0-9]{1,2}[./-])[^\"]{0,40}?)"
)
HINT = (
    "it is no value; write a number, a date as in 24 December 2026, a time as in 9:30, a colour as in #ff0000, "
    "or put a text in quotes"
)
OPENED = r"(?P<kind>section|accordion|panel|tab|menu|details|group|drawer|drop-?down)"
CLOSED = (rf'(?:the )?"name" {OPENED}', rf'(?:the )?{OPENED} "name"')


def set_value(found: Found) -> SetValue:
    what, value = _value(found.word("value"))
    return SetValue(value=value, what=what, target=field(found))


def expand(found: Found, *, opened: bool = True) -> Expand:
    """Of what is named by what it is: whatever its kind, a tab is one, and all others are sections to open."""
    kind = found.word("kind").lower()
    return Expand(target=Query(text=found.name("name"), kind="tab" if kind == "tab" else "section"), opened=opened)


def _value(text: str) -> tuple[str, str]:
    if match := NUMBER.fullmatch(text):
        return "number", match["number"].replace("\u2212", "-")
    if COLOUR.fullmatch(text):
        digits = text[1:].lower()
        return "colour", "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))
    dated = when(text)
    if dated is None:
        raise Unclear(HINT)
    return dated


# Tried first: what begins like a date is no name.
DATED = (
    form(
        'pick a date in "field"', 'pick 24 December 2026 in "Arrival"', "pick|choose|select",
        (rf"{DATE} (?:in|for|from|as|on) {{target}}",),
        set_value,
    ),
)  # fmt: skip

ADJUSTING = (
    form(
        'set "field" to a number, a date, a time, a colour', 'set "Arrival" to 24 December 2026', "set",
        (rf"{{target}} to {VALUE}",),
        set_value,
    ),
    form(
        "", 'enter 2026-12-24 into "Arrival"', TYPE,
        (rf"{DATE} {INTO} {{target}}", rf"{NUMERIC} {INTO} {{target}}"),
        set_value,
    ),
    form(
        "", 'fill in "Arrival" with 24 December 2026', "fill in|fill out|fill",
        (rf"{{target}} with (?!(?:the |my )?(?:answer|secret)\b){VALUE}",),
        set_value,
    ),
    form(
        'expand "name", open the "name" section, tab or menu', 'open the "Details" section', "expand|unfold|open",
        CLOSED, expand,
    ),
    form("", 'expand "Details"', "expand|unfold", "{target}", lambda found: Expand(target=found.query())),
    form(
        'collapse "name"', 'collapse "Details"', "collapse|fold", "{target}",
        lambda found: Expand(target=found.query(), opened=False),
    ),
    form(
        "", 'close the "Details" section', "close", CLOSED,
        lambda found: expand(found, opened=False),
    ),
)  # fmt: skip
