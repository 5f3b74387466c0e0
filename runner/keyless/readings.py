"""The table of sentences that look: wait, expect, take a screenshot, extract; and `check`, which may be both. Pure."""

import re

from runner.keyless import values
from runner.keyless.clauses import Unclear
from runner.keyless.forms import Found, form
from runner.keyless.lists import AND as LIST_AND
from runner.keyless.lists import NAMES
from runner.vocabulary import Check, Expect, Extract, Query, Screenshot, Wait, WaitFor

NUMBER = rf"(?P<number>[0-9]{{1,9}}(?:\.[0-9]{{1,6}})?|half an?|{'|'.join(values.NUMBERS)})"
UNIT = r"(?P<unit>milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)"
PLACE = r"(?: (?:on|in) the page)?"
SEEN = rf"(?:visible|shown|displayed|present|there|on the page|on screen|on the screen){PLACE}"
GONE = r"(?:absent|hidden|gone|missing|invisible)"
IS = r"(?:is|are|to be)"
IS_NOT = r"(?:is not|isn['\u2019]t|is no longer|are not|not to be|to not be|to no longer be)"
APPEARS_NOT = r"(?:does not appear|doesn['\u2019]t appear|not to appear|to not appear|disappears|to disappear)"
TEXT = r'(?:the )?(?:text |message |words? |phrase )?"text"(?: text| message)?'
PAGE_HAS = r"(?:the )?page (?:to )?(?:show|contain|say|ha)(?:s|ve)?"
PAGE_HAS_NOT = r"(?:the )?page (?:does not|doesn['\u2019]t|not to|to not) (?:show|contain|say|have)"
AS = r'(?: (?:and (?:save|store|return) it )?as (?:"field"|(?P<plain>[\w.-]+)))?'
AS_READ = AS.replace('"field"', '"(?P<field>[0-9]+)"')
OF = re.compile(
    rf"(?:the )?(?:text )?(?:of|from) (?P<target>.+?){AS_READ}(?:{LIST_AND}(?=(?:the )?(?:text )?(?:of|from) )|\Z)",
    re.IGNORECASE,
)
SAY_WHAT = (
    'say what to extract, as in extract the text of "Total", the text of the cell in the row of "Lamp" under "Price", '
    'what is beside "Status", the number of rows, the main heading, the links or the table'
)
THE_PAGE = r"(?:the |this )?(?:whole |entire |full )?page"


def extract(what: str, found: Found, target: Query | None = None, attribute: str = "") -> Extract:
    field = found.name("field") if found.word("field") else found.word("plain")
    return Extract(what=what, target=target, attribute=attribute, field=field)


def attribute(found: Found) -> Extract:
    name = found.name("attribute") if found.word("attribute") else found.word("bare")
    return extract("attribute", found, found.query(), name)


def table_rows(found: Found) -> Extract:
    target = found.query()
    if target != Query(kind="table", text=target.text):
        raise Unclear('name the table by its caption or heading, as in extract the "Prices" table')
    return extract("table", found, target if target.text else None)


def text_of(found: Found) -> tuple[Extract, ...]:
    targets = found.queries()
    if any(target.kind == "section" for target in targets):
        raise Unclear(
            "a section has no text of its own; name a heading, a paragraph or a cell, or extract the page text"
        )
    if len(targets) > 1 and (found.word("field") or found.word("plain")):
        raise Unclear("one field of the output holds one text; write a sentence for each")
    return tuple(extract("text", found, target) for target in targets)


def texts_of(found: Found) -> tuple[Extract, ...]:
    """A text for each field of the output."""
    return tuple(one for part in found.pairs("all", OF) or [found] for one in text_of(part))


def thing(found: Found) -> Extract | tuple[Extract, ...]:
    """`extract "Total"` is its text; a table is its rows. Without quotes too much could be meant."""
    quoted = '"' in found.word("target")
    try:
        target, *more = found.queries()
    except Unclear:
        if quoted:
            raise
        raise Unclear(SAY_WHAT) from None
    if target.kind == "table" and not more:
        return table_rows(found)
    if target.text and not quoted:
        raise Unclear(SAY_WHAT)
    return text_of(found)


def check(found: Found) -> tuple[Check, ...]:
    return tuple(Check(target=target) for target in found.queries())


EXPECT = r"(?:expect|verify|make sure|ensure|assert|confirm|check)(?: that)?(?: to see)?"
READ = "extract|get|read|return"

LOOKING = (
    form(
        "wait N seconds", "wait 2 seconds", "wait",
        rf"(?:for )?{NUMBER}(?: ?{UNIT})?",
        lambda found: Wait(seconds=values.seconds(found.word("number"), found.word("unit") or "s")),
    ),
    form(
        'wait for "text"', 'wait for "Welcome"', "wait",
        rf"(?:for|until) {TEXT}(?: (?:to appear|appears|{IS} {SEEN}))?",
        lambda found: WaitFor(text=found.name("text")),
    ),
    form(
        "", 'wait until "Loading" is gone', "wait",
        (rf"(?:for|until) {TEXT} (?:{IS} {GONE}|{IS_NOT} {SEEN}|{APPEARS_NOT})",),
        lambda found: Expect(text=found.name("text"), absent=True),
    ),
    form(
        'expect no "text"', 'expect no "Error"', EXPECT,
        (
            rf'(?:there (?:is|are) |{PAGE_HAS} )?no (?:text |message )?"text"(?: {IS} {SEEN})?',
            rf"{TEXT} (?:{IS} {GONE}|{IS_NOT} {SEEN}|{APPEARS_NOT})",
            rf"(?:not to see|to not see|{PAGE_HAS_NOT}) {TEXT}",
        ),
        lambda found: Expect(text=found.name("text"), absent=True),
    ),
    form(
        'expect "text"', 'expect "Thank you"',
        r"(?:expect|verify|make sure|ensure|assert|confirm)(?: that)?(?: to see)?",
        rf"(?:{PAGE_HAS} )?{TEXT}(?: (?:appears|to appear|{IS} {SEEN}))?",
        lambda found: Expect(text=found.name("text")),
    ),
    form(
        "", 'expect "Thank you" and "Order 7"',
        r"(?:expect|verify|make sure|ensure|assert|confirm)(?: that)?(?: to see)?",
        rf"(?P<names>{NAMES})(?: {IS} {SEEN})?",
        lambda found: tuple(Expect(text=text) for text in found.names("names")),
    ),
    form(
        "", 'check that "Thank you" is visible', "check",
        (rf"that (?:{PAGE_HAS} )?{TEXT}(?: (?:appears|{IS} {SEEN}))?", rf"{TEXT} {IS} {SEEN}"),
        lambda found: Expect(text=found.name("text")),
    ),
    form('check "name"', 'check "I agree"', "check|tick|turn on|switch on", "{target}", check),
    form(
        "take a screenshot", "take a screenshot", "(?:take|make|capture) (?:a |the )?screenshot|screenshot",
        ("", f"of {THE_PAGE}"),
        lambda _: Screenshot(),
    ),
    form(
        "extract the main heading", "extract the main heading", READ,
        rf"(?:the )?(?:text of )?(?:the )?(?:main |page |page['\u2019]s )?heading(?: (?:of|on) {THE_PAGE})?{AS}",
        lambda found: extract("heading", found),
    ),
    form(
        "extract the page title, the URL", "extract the page title", READ,
        (
            rf"(?:the )?(?:page |page['\u2019]s )?(?P<title>title)(?: (?:of|from) {THE_PAGE})?{AS}",
            rf"(?:the )?(?:current |page )?(?:url|address)(?: of {THE_PAGE})?{AS}",
        ),
        lambda found: extract("title" if found.has("title") else "url", found),
    ),
    form(
        "extract the page text", "extract the page text", READ,
        (
            rf"(?:all )?{THE_PAGE}(?:['\u2019]s)?(?: text| contents?)?{AS}",
            rf"(?:all )?(?:the )?(?:whole |full )?(?:text|contents?) (?:of|on|from) {THE_PAGE}{AS}",
        ),
        lambda found: extract("page", found),
    ),
    form(
        "extract the links", "extract the links", READ,
        rf"(?:all )?(?:of )?(?:the )?links(?: (?:of|on|from) {THE_PAGE})?{AS}",
        lambda found: extract("links", found),
    ),
    form(
        'extract the "href" attribute of "name"', 'extract the "href" attribute of the "Terms" link', READ,
        (
            rf'(?:the )?"attribute" attribute (?:of|from|on) {{target}}{AS}',
            rf'(?:the )?attribute "attribute" (?:of|from|on) {{target}}{AS}',
            rf"(?:the )?(?P<bare>[\w:-]+) attribute (?:of|from|on) {{target}}{AS}",
            rf"(?:the )?attribute (?P<bare>[\w:-]+) (?:of|from|on) {{target}}{AS}",
            rf"(?:the )?(?P<bare>href|src|alt|placeholder|(?:data|aria)-[\w-]+) (?:of|from|on) {{target}}{AS}",
        ),
        attribute,
    ),
    form(
        "extract the table", 'extract the "Prices" table', READ,
        rf"(?:all )?(?:the )?(?:data|rows) (?:of|in|from) {{target}}{AS}",
        table_rows,
    ),
    form(
        'extract the text of "name"', 'extract the text of "Total" as total', READ,
        rf"(?:the )?(?:text|contents?|value|label) (?P<all>(?:of|from|in|inside|on) {{target}}{AS})",
        texts_of,
    ),
    form("", 'extract "Total"', READ, f"{{target}}{AS}", thing),
)  # fmt: skip
