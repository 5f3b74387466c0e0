"""The table of sentences that count, and that say what must be so. Pure."""

import re

from runner.keyless.clauses import Unclear
from runner.keyless.forms import Found, form
from runner.keyless.lists import AND as LIST_AND
from runner.keyless.readings import AS, AS_READ, IS, READ, extract
from runner.keyless.values import NUMBERS
from runner.vocabulary import Extract, Query, Verify

EXPECT = r"(?:expect|verify|make sure|ensure|assert|confirm|check)(?: that)?(?: to see)?"
AMOUNT = rf"(?:exactly )?(?P<amount>[0-9]{{1,6}}|no|{'|'.join(NUMBERS)})"
CHECKED = r"(?:checked|ticked|selected|(?:turned |switched )?on)"
UNCHECKED = r"(?:unchecked|unticked|(?:turned |switched )?off)"
STATE = rf"(?P<state>{CHECKED}|{UNCHECKED}|enabled|disabled)"
NOT = r"(?P<not>not )?"
TO_BE = rf"(?:(?:{IS}) {NOT}|isn['\u2019]t (?P<isnt>)|not to be (?P<isnot>))"
HOLDS = r"(?P<how>to contain|contains|contain|to be|is|to have the value|has the value|equals|to equal)"
NEXT_TO = r"(?:beside|next to|for|right of|after)"
WHAT_IS = r"(?:(?:what|the value|the entry)(?: is| stands)? )?"
BESIDE = re.compile(rf'{WHAT_IS}{NEXT_TO} "(?P<name>[0-9]+)"{AS_READ}(?:{LIST_AND}|\Z)', re.IGNORECASE)
ONE_BESIDE = rf'{WHAT_IS}{NEXT_TO} "[0-9]+"{re.sub(r"[(][?]P<[a-z]+>", "(?:", AS_READ)}'
OPPOSITE = {"checked": "unchecked", "unchecked": "checked", "enabled": "disabled", "disabled": "enabled"}


def count(found: Found) -> Extract:
    """How many there are; and of what is no kind of element, the number that the page itself says."""
    phrase = found.word("target")
    try:
        if target := found.things():
            return extract("count", found, target)
    except Unclear:
        if '"' in phrase:
            raise  # without quotes it may be the page's own words: items in cart
    quoted = re.fullmatch(r'(?:the )?"[0-9]+"', phrase)
    if (not quoted and '"' in phrase) or len(phrase.split()) > 6:
        raise Unclear('say of what, as in extract the number of list items in "Todos", or of "items left"')
    return extract("number", found, Query(text=re.sub(r"\Athe ", "", found.said("target")).strip('"')))


def counted(found: Found) -> Verify | tuple[()]:
    """So many of a kind of element. `no "Error"` is none of them: other forms read that."""
    amount = found.word("amount").lower()
    target = found.things(single=amount in ("1", "one", "no"))
    if target is None:
        return ()
    return Verify(what="count", target=target, count=int(amount) if amount.isdigit() else {**NUMBERS, "no": 0}[amount])


def state(found: Found) -> Verify:
    word = found.word("state").lower()
    what = word if word in OPPOSITE else "checked" if re.fullmatch(CHECKED, word) else "unchecked"
    return Verify(what=OPPOSITE[what] if found.has("not", "isnt", "isnot") else what, target=found.query())


def value(found: Found) -> Verify:
    return Verify(what="value", target=found.query(), text=found.text("text"), exact="contain" not in found.word("how"))


def place(found: Found) -> Verify:
    what = "title" if found.word("place").lower() == "title" else "url"
    return Verify(what=what, text=found.name("text"), exact="contain" not in found.word("how"))


def beside(found: Found) -> tuple[Extract, ...]:
    """What one label is the label of, or several, each for a field of the output."""
    each = found.pairs("all", BESIDE) or [found]
    return tuple(extract("beside", part, Query(text=part.name("name"))) for part in each)


CHECKING = (
    form("count things", 'count the items in "Todos"', "count", rf"{{target}}{AS}", count),
    form(
        "extract the number of things", "extract the number of items left", READ,
        (rf"(?:the )?(?:number|count|amount) of {{target}}{AS}", rf"how many {{target}}(?: there are)?{AS}"),
        count,
    ),
    form(
        'extract what is beside "label"', 'extract what is beside "Status"', READ,
        (
            rf'(?:what|the value|the entry)(?: is| stands)? (?P<all>{NEXT_TO} "name"{AS})',
            rf"(?P<all>{ONE_BESIDE}(?:{LIST_AND}{ONE_BESIDE})+)",
        ),
        beside,
    ),
    form(
        "expect N things", "expect 3 rows", EXPECT, rf"(?:there (?:is|are) )?{AMOUNT} (?P<target>[^\d].*)", counted,
    ),
    form(
        'expect the URL, the title to contain, to be "text"', 'expect the URL to contain "/done"', EXPECT,
        rf'(?:the )?(?:page )?(?P<place>url|address|title)(?: of the page)? {HOLDS} "text"',
        place,
    ),
    form(
        'expect "name" to be checked, unchecked, enabled, disabled', 'expect "I agree" to be checked', EXPECT,
        (rf"(?!the page ){{target}} {TO_BE}{STATE}",),
        state,
    ),
    form(
        'expect "field" to contain, to be "text"', 'expect the field "Name" to contain "Ann"', EXPECT,
        rf'(?!(?:the )?page )(?:the value of )?{{target}} {HOLDS} "text"',
        value,
    ),
)  # fmt: skip
