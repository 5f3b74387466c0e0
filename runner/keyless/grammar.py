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

import msgspec

from runner.keyless.clauses import FILLER, Clause, Unclear, clauses, separators
from runner.keyless.questions import ASKING
from runner.keyless.readings import LOOKING
from runner.keyless.sentences import ACTING, OPENING
from runner.vocabulary import ActFailed, AnyAction

TABLE = (*ACTING, *LOOKING, *ASKING, *OPENING)
FORMS: tuple[tuple[str, str], ...] = tuple(
    (row.shape, row.example) for row in (*OPENING, *ACTING, *LOOKING, *ASKING) if row.shape
)

# These open a sentence too, so that it is refused alone and not with the one before it.
UNKNOWN = r"submit|search for|log in|sign in|close|find|download|do not|don['\u2019]t"
BETWEEN = separators("|".join(dict.fromkeys((*(row.verbs for row in TABLE), UNKNOWN))))
# The vendor's n8n node ends a task with this where it asks for a structured output; the schema says the same.
SCHEMA_NOTE = "IMPORTANT: Extract and return data in the exact JSON structure specified. Follow the schema strictly."
POLITE = re.compile(rf"(?:{FILLER}(?:,? |,?\Z))+", re.IGNORECASE)

HINTS = tuple(
    (re.compile(pattern, re.IGNORECASE), hint)
    for pattern, hint in (
        (r"(?:if|unless|when|while|until|repeat|for each|for every|loop)\b.*", "conditions and loops cannot be read"),
        (
            r"wait (?:for|until) (?:the )?(?:page|site|it|everything)\b.*",
            'pages are waited for anyway; leave this out, or write wait for "text"',
        ),
        (r"(?:log|sign) ?(?:in|out|on|up)\b.*", "spell out the steps: what to type into which field, what to click"),
        (r"(?:search|look)(?: up| for)?\b.*", 'write type "shoes" into "Search" and press Enter'),
        (r"(?:do not|don['\u2019]t|never)\b.*", "say what to do; what to leave alone need not be said"),
        (r"submit\b.*", "write press Enter, or click the button by its name"),
        (r"close\b.*", 'a tab cannot be closed; to close a dialog click its button, as in click "Close"'),
        (
            r"(?:type|enter|write|input|put|fill) [^\"]*(?: (?:into|in|to|with) .*)?",
            'put the text in quotes, as in type "Ann" into "Name"',
        ),
    )
)


class Sentence(msgspec.Struct, frozen=True):
    """A sentence as it was written, without what separates it from its neighbours, and the action that it asks for."""

    text: str
    action: AnyAction


def parse(instruction: str) -> list[Sentence]:
    """The sentences in order, at least one. Raises ActFailed `unreadable` for the first that cannot be read."""
    sentences = [
        Sentence(clause.text, _action(clause))
        for clause in clauses(instruction.rstrip().removesuffix(SCHEMA_NOTE), BETWEEN)
        if not POLITE.fullmatch(clause.words)
    ]
    if not sentences:
        raise ActFailed("unreadable", f"The instruction has no sentence. Write one such as: {FORMS[0][1]}.")
    return sentences


def _action(clause: Clause) -> AnyAction:
    """What one clause asks for: the first form that fits decides."""
    if not clause.closed:
        raise _unreadable(clause, "a quote is opened and never closed")
    plain = _without_politeness(clause)
    try:
        for row in TABLE:
            action = row.read(plain)
            if action is not None:
                return action
    except Unclear as why:
        raise _unreadable(clause, str(why)) from None
    raise _unreadable(clause, _hint(plain.words))


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
