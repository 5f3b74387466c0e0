"""Reads an instruction as sentences, one action each; all of it is read before anything runs. Pure and deterministic.

A sentence ends at a full stop, a question mark, a semicolon, a line end, `then`, and at a comma or `and` before the
next verb. What stands in quotes is literal; a backslash before a quote makes it part of the text. Verbs may be written
in any case.
An element is named by an optional ordinal, an optional kind and a name, then by where it is, in any order:
`the 2nd "Edit" button in the row of "Bob" within "Team"`, `the "Amount" field near "Total"`.
`FORMS` lists what can be said. A sentence that fits no form raises ActFailed `unreadable`, quoted, with what is right.
"""

import difflib
import re
from collections.abc import Iterator

import msgspec

from runner.keyless.adjusting import ADJUSTING, DATED
from runner.keyless.checking import CHECKING
from runner.keyless.clauses import FILLER, Clause, Unclear, clauses, separators
from runner.keyless.conditions import HANGING, HINT, Condition, condition, joined, leading, parted
from runner.keyless.course import Sentence
from runner.keyless.questions import ASKING
from runner.keyless.readings import LOOKING
from runner.keyless.repeating import REPEATING
from runner.keyless.sentences import ACTING, OPENING
from runner.vocabulary import ActFailed, AnyAction

TABLE = (*DATED, *REPEATING, *ACTING, *ADJUSTING, *CHECKING, *LOOKING, *ASKING, *OPENING)
FORMS: tuple[tuple[str, str], ...] = (
    tuple(
        (row.shape, row.example)
        for row in (*OPENING, *ACTING, *REPEATING, *DATED, *ADJUSTING, *LOOKING, *CHECKING, *ASKING)
        if row.shape
    )
    + HANGING
)

# These open a sentence too, so that it is refused alone and not with the one before it.
UNKNOWN = r"submit|search for|log in|sign in|close|find|download|do not|don['\u2019]t"
BETWEEN = separators("|".join(dict.fromkeys((*(row.verbs for row in TABLE), UNKNOWN))))
# The vendor's n8n node ends a task with this where it asks for a structured output; the schema says the same.
SCHEMA_NOTE = "IMPORTANT: Extract and return data in the exact JSON structure specified. Follow the schema strictly."
REACH = "it is not clear whether the condition before it holds for it too; end that sentence with a full stop"
POLITE = re.compile(rf"(?:{FILLER}(?:,? |,?\Z))+", re.IGNORECASE)

ELSE = 'write a second sentence with unless, as in click "Log in" unless "Log out" is visible'
INSTEAD = re.compile(r"[^,],? (?:and |or )?(?:otherwise|else)\b", re.IGNORECASE)

HINTS = tuple(
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (r"(?:if|unless|when|while|until|repeat|for each|for every|loop)\b.*", HINT),
        (r"(?:otherwise|else)\b.*", ELSE),
        (
            r"wait (?:for|until) (?:the )?(?:page|site|it|everything)\b.*",
            'pages are waited for anyway; leave this out, or write wait for "text"',
        ),
        (r"(?:log|sign) ?(?:in|out|on|up)\b.*", "spell out the steps: what to type into which field, what to click"),
        (r"(?:search|look)(?: up| for)?\b.*", 'write type "shoes" into "Search" and press Enter'),
        (r"(?:do not|don['\u2019]t|never)\b.*", "say what to do; what to leave alone need not be said"),
        (r"submit\b.*", "write press Enter, or click the button by its name"),
        (r"close\b.*\btabs?", "a tab cannot be closed; leave it open and switch to another one"),
        (
            r"close\b.*",
            'name what closes it, as in click "Close", click "Accept" if it is there, or close the "Details" section',
        ),
        (r"(?:delete|remove)\b.*", 'name what deletes it, as in click the "Delete" button in the row of "Bob"'),
        (
            r"(?:type|enter|write|input|put|fill) [^\"]*(?: (?:into|in|to|with) .*)?",
            'put the text in quotes, as in type "Ann" into "Name"',
        ),
    )
)


def parse(instruction: str) -> list[Sentence]:
    """The sentences in order, at least one. Raises ActFailed `unreadable` for the first that cannot be read."""
    source = instruction.rstrip().removesuffix(SCHEMA_NOTE)
    sentences = [sentence for clause in _whole(source) for sentence in _sentences(clause)]
    if not sentences:
        raise ActFailed("unreadable", f"The instruction has no sentence. Write one such as: {FORMS[0][1]}.")
    return sentences


def _whole(source: str) -> Iterator[Clause]:
    """The clauses, each after the condition that stands before it. Raises ActFailed."""
    waiting: Clause | None = None
    governed: Clause | None = None
    for clause in clauses(source, BETWEEN):
        plain = _without_politeness(clause)
        if not plain.words:
            continue
        if governed and re.fullmatch(r"\s*(?:,|and|,\s*and)\s*", source[governed.end : clause.start], re.IGNORECASE):
            raise _unreadable(clause, REACH)
        governed = None
        if waiting is None and plain.closed and leading(plain):
            waiting = plain
            continue
        if waiting is not None:
            try:
                between = source[waiting.end : clause.start]
                clause = governed = joined(waiting, plain, between, source[waiting.start : clause.end])
            except Unclear as why:
                raise _unreadable(waiting, str(why)) from None
            waiting = None
        yield clause
    if waiting is not None:
        raise _unreadable(waiting, f"it says when but not what to do; {HINT}")


def _sentences(clause: Clause) -> list[Sentence]:
    """One, or one for each thing that it lists. Raises ActFailed."""
    if not clause.closed:
        raise _unreadable(clause, "a quote is opened and never closed")
    plain = _without_politeness(clause)
    try:
        actions, when = _read(plain)
    except Unclear as why:
        hint = f"there is no otherwise; {ELSE}" if INSTEAD.search(plain.words) else str(why)
        raise _unreadable(clause, hint) from None
    if not actions:
        raise _unreadable(clause, _hint(plain.words))
    return [Sentence(clause.text, action, when) for action in actions]


def _read(clause: Clause) -> tuple[list[AnyAction], Condition | None]:
    """The actions and what they hang on. What reads without a condition has none. Raises Unclear."""
    whole: Unclear | None = None
    try:
        if actions := _actions(clause):
            return actions, None
    except Unclear as why:
        whole = why
    act, hangs_on = parted(clause)
    if hangs_on and (actions := _actions(act)):
        return actions, condition(hangs_on, clause.literals, actions)
    if whole:
        raise whole
    return [], None


def _actions(clause: Clause) -> list[AnyAction]:
    """What a clause asks for: the first form that fits decides. Raises Unclear."""
    return list(next(filter(None, (row.read(clause) for row in TABLE)), ()))


def _without_politeness(clause: Clause) -> Clause:
    polite = POLITE.match(clause.words)
    words = clause.words[polite.end() if polite else 0 :]
    for ending in (" please", ","):
        words = words.removesuffix(ending)
    return msgspec.structs.replace(clause, words=words)


def _unreadable(clause: Clause, hint: str) -> ActFailed:
    return ActFailed("unreadable", f"Cannot read the sentence “{clause.text}”: {hint}.")


def _hint(words: str) -> str:
    """What would be right for a sentence that fits no form."""
    for pattern, hint in HINTS:
        if pattern.fullmatch(words):
            return hint
    shapes = [row.shape for row in TABLE if row.shape and re.match(rf"(?:{row.verbs})(?!\w)", words, re.IGNORECASE)]
    if shapes:
        return f"write it as {' or '.join(shapes[:3])}"
    first = re.match(r"[\w-]{1,20}", words)
    openings = {re.split(r"[ -]", example)[0]: (shape, example) for shape, example in reversed(FORMS)}
    close = difflib.get_close_matches(first[0].lower(), openings, n=1) if first else []
    if close:
        return f"did you mean {openings[close[0]][1]}"
    return (
        'start with a verb, as in go to example.com, click "Save", type "Ann" into "Name" or extract the main heading'
    )
