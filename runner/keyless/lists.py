"""Reads what is said of several things at once: `"A", "B" and "C"`, `the "A" and "B" buttons`. Pure and linear.

A place at the end holds for all of them, unless each has its own; anything between is refused.
"""

import re

import msgspec

from runner.keyless.clauses import Unclear
from runner.keyless.phrases import KIND, KINDS, element
from runner.keyless.values import ORDINAL
from runner.vocabulary import Query

PLURALS = {
    **{
        f"{word}es" if word.endswith("x") else f"{word}s": kind
        for kind, words in KINDS.items()
        for word in words
        if kind not in {"menu", "text"}
    },
    "entries": "list item",
    "items": "list item",
}
SINGULARS = {
    **{word: kind for kind, words in KINDS.items() for word in words if kind not in {"menu", "text"}},
    "entry": "list item",
    "item": "list item",
}
PLURAL = rf"(?:{'|'.join(re.escape(word) for word in sorted(PLURALS, key=len, reverse=True))})(?![\w-])"
AND = r"(?:, and |, | and )"
NAMES = rf'"[0-9]+"(?:{AND}"[0-9]+")+'
NEXT = re.compile(rf'{AND}(?=(?:the )?(?:{ORDINAL} )?(?:{KIND} )?"[0-9]+")', re.IGNORECASE)
PLURAL_KIND = re.compile(rf'(?P<name>"[0-9]+") (?P<kind>{PLURAL})', re.IGNORECASE)
COUNTED = re.compile(rf'(?:all )?(?:the )?(?P<name>"[0-9]+" )?(?P<kind>{PLURAL})', re.IGNORECASE)
SINGULAR = rf"(?:{'|'.join(re.escape(word) for word in sorted(SINGULARS, key=len, reverse=True))})(?![\w-])"
ONE = re.compile(rf'(?P<name>"[0-9]+" )?(?P<kind>{SINGULAR})', re.IGNORECASE)
PLACES = ("row", "within", "near", "above", "below", "left_of", "right_of", "column")


def elements(words: str, literals: tuple[str, ...]) -> tuple[Query, ...]:
    """The elements that the phrase names, in order; mostly it is one. Raises Unclear."""
    parts = NEXT.split(words)
    if len(parts) == 1:
        return (element(words, literals),)
    plural = PLURAL_KIND.search(parts[-1])
    kind = PLURALS[plural["kind"].lower()] if plural else ""
    if plural:
        parts[-1] = f"{parts[-1][: plural.start()]}{plural['name']} {kind}{parts[-1][plural.end() :]}"
    found = [element(part, literals) for part in parts]
    *before, last = [_places(query) for query in found]
    if not all(before) if last and any(before) else any(before):
        raise Unclear("it is not clear which place holds for which; give each its own, or one to all of them")
    return tuple(msgspec.structs.replace(query, kind=query.kind or kind, **(_places(query) or last)) for query in found)


def names(words: str, literals: tuple[str, ...]) -> tuple[str, ...]:
    """The quoted texts of a list. Raises Unclear for one that is empty."""
    found = tuple(literals[int(number)] for number in re.findall(r'"([0-9]+)"', words))
    if not all(name.strip() for name in found):
        raise Unclear("the quotes are empty")
    return found


def things(words: str, literals: tuple[str, ...], *, single: bool = False) -> Query | None:
    """What is counted, as in `the "Delete" buttons within "Team"`; None where no kind of element is named.

    With `single` it may be said in the singular as well. Raises Unclear.
    """
    match = COUNTED.match(words) or (ONE.match(words) if single else None)
    if not match or re.match(
        r" (?!in |within |inside |on |of |from |near |next |above |below |to the )", words[match.end() :]
    ):
        return None
    kind = {**SINGULARS, **PLURALS}[match["kind"].lower()]
    return element(f"the {match['name'] or ''}{kind}{words[match.end() :]}", literals)


def _places(query: Query) -> dict[str, str]:
    return {place: text for place in PLACES if (text := getattr(query, place))}
