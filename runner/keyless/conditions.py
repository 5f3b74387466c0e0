"""Reads what an act hangs on, as in `click "Yes" if it is there` and `click "Next" until "Done" is visible`. Pure.

One condition governs one act. A leading one reaches to the next comma or full stop, and no further.
"""

import re

import msgspec

from runner.keyless.clauses import Clause, Unclear
from runner.keyless.phrases import element
from runner.keyless.readings import GONE, IS, IS_NOT, SEEN, TEXT
from runner.vocabulary import AnyAction, Check, LookFor, Query

MOST_TIMES = 20
MOST_ASKED = 50
WORD = r"(?P<word>if|when|unless|until)"
BE = r"(?:is|are|['\u2019]s|isn['\u2019]t|is not|is no longer)"
THERE = rf"(?:{IS}|appears|exists) ?(?:{SEEN}|available)?"
TIMES = r"(?:,? (?:but )?(?:at most|no more than|up to) (?P<times>[0-9]{1,3}) times)?"
TAIL = re.compile(rf"(?P<act>.+?),? {WORD} (?P<what>[^,]{{1,200}}?){TIMES}", re.IGNORECASE)
LEAD = re.compile(rf"{WORD} (?P<what>.+)", re.IGNORECASE)
OWN = re.compile(
    rf"(?:it|there)(?: {BE} (?P<state>{SEEN}|{GONE}|available|one|disabled)| (?P<is>exists|appears|disappears))",
    re.IGNORECASE,
)
NEGATED = re.compile(
    r"(?:isn['\u2019]t|is not|is no longer|are not|are no longer|does not|doesn['\u2019]t"
    r"|there is no|there are no|there isn['\u2019]t)\b",
    re.IGNORECASE,
)
LOST = re.compile(rf"(?:{GONE}|disappears|disabled)\Z", re.IGNORECASE)
HINT = (
    'write it as click "Accept" if it is there, click "Next" until "Done" is visible, '
    'or if there is a "Yes" button, click it'
)
ON_PAGE = (
    r"(?:the )?page (?:shows|says|contains|has) |there (?:is no|is not|isn['\u2019]t|are no|is|are) (?:an?y? |the )?"
)
SAYS = re.compile(
    rf"(?:{ON_PAGE})?(?P<thing>{TEXT}|(?:an? |the )?.+?)"
    rf"(?: (?:appears|disappears|exists|(?:{IS}|{IS_NOT}) (?:{SEEN}|{GONE}|disabled)))?",
    re.IGNORECASE,
)


HANGING = (
    ('.. if it is there, if "text" is visible, unless ..', 'click "Accept" if it is there'),
    ('.. until "text" is visible, at most N times', 'click "Next" until "Done" is visible'),
)


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """The act is done where looking for it answers `there`; with `most`, again and again while it does, so often."""

    look: LookFor
    there: bool = True
    most: int = 0


def leading(clause: Clause) -> bool:
    """Whether the clause is a condition for the one after it."""
    return bool(LEAD.fullmatch(clause.words)) and not re.match(r"until", clause.words, re.IGNORECASE)


def joined(first: Clause, second: Clause, between: str, text: str) -> Clause:
    """A condition and its act as one clause with the condition last. Raises Unclear."""
    if not re.fullmatch(r"\s*,?\s*(?:then\s*,?\s*)?", between, re.IGNORECASE):
        raise Unclear('a condition and its act are one sentence, as in if there is a "Yes" button, click it')
    shift = len(first.literals)
    act = re.sub(r'"([0-9]+)"', lambda quoted: f'"{int(quoted[1]) + shift}"', second.words)
    for lead in LEAD.finditer(first.words):
        act = re.sub(r"(?<= )it(?![\w'\u2019])(?! is)", _thing(lead["what"]), act)
    return Clause(
        text=text,
        words=f"{act} {first.words}",
        literals=first.literals + second.literals,
        closed=first.closed and second.closed,
        start=first.start,
        end=second.end,
    )


def parted(clause: Clause) -> tuple[Clause, re.Match[str] | None]:
    """The act alone, and its condition if it has one."""
    match = TAIL.fullmatch(clause.words)
    return (msgspec.structs.replace(clause, words=match["act"]), match) if match else (clause, None)


def condition(match: re.Match[str], literals: tuple[str, ...], actions: list[AnyAction]) -> Condition:
    """What the act hangs on. Raises Unclear."""
    if len(actions) != 1:
        raise Unclear("one condition governs one act; write a sentence for each")
    word, what = match["word"].lower(), match["what"]
    if match["times"] and word != "until":
        raise Unclear("only what is done until something is so can be done several times")
    most = _times(match["times"]) if word == "until" else 0
    lost = bool(NEGATED.match(what) or LOST.search(what) or re.search(rf" {IS_NOT} ", what, re.IGNORECASE))
    look = _looked_for(what, literals, actions[0])
    # Until it is there is: while it is not.
    return Condition(look=look, there=lost is (word in ("unless", "until")), most=most)


def _looked_for(what: str, literals: tuple[str, ...], action: AnyAction) -> LookFor:
    """A target of its own, or a text."""
    if OWN.fullmatch(what):
        target = getattr(action, "target", None)
        if not isinstance(target, Query):
            raise Unclear("it is not clear what “it” is; name it")
        return LookFor(target=_shown(target, action))
    thing = _thing(what)
    if not thing:
        raise Unclear(HINT)
    if quoted := re.fullmatch(rf"{TEXT}".replace('"text"', '"(?P<text>[0-9]+)"'), thing, re.IGNORECASE):
        if not literals[int(quoted["text"])].strip():
            raise Unclear("the quotes are empty")
        return LookFor(text=literals[int(quoted["text"])])
    if '"' not in thing:
        raise Unclear(HINT)
    return LookFor(target=element(thing, literals))


def _shown(target: Query, action: AnyAction) -> Query:
    """What is ticked is a box, so that the words beside it are not taken for it."""
    return msgspec.structs.replace(target, kind="checkbox") if isinstance(action, Check) and not target.kind else target


def _thing(what: str) -> str:
    says = SAYS.fullmatch(what)
    return re.sub(r"\A(?:an?|any) ", "the ", says["thing"], flags=re.IGNORECASE) if says else ""


def _times(said: str | None) -> int:
    most = int(said) if said else MOST_TIMES
    if not 1 <= most <= MOST_ASKED:
        raise Unclear(f"it may be done 1 to {MOST_ASKED} times")
    return most
