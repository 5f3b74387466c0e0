"""Reads the one number in a text as people write it. What is not certain is no number: never a wrong one. Pure."""

import re

NUMERAL = re.compile(
    r"(?<![\w.,])(?P<minus>[-\u2212])?\s?[$€£¥]?\s?(?P<digits>[0-9]{1,30}(?:[.,'\u2019\u00a0\u202f ][0-9]{1,30}){0,10})"
    r"(?:[eE](?P<exponent>[-+]?[0-9]{1,2}))?(?!\w|\s?(?:thousand|million|billion|trillion|k|m|bn)\b)",
    re.IGNORECASE,
)
PLAIN = re.compile(r"(?P<whole>[0-9]+)(?:\.(?P<part>[0-9]+))?")
GROUPED = (
    re.compile(r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+)(?:\.(?P<part>[0-9]+))?"),
    re.compile(r"(?P<whole>[0-9]{1,3}(?:['\u2019\u00a0\u202f ][0-9]{3})+)(?:[.,](?P<part>[0-9]+))?"),
    re.compile(r"(?P<whole>[0-9]{1,3}(?:\.[0-9]{3})+),(?P<part>[0-9]+)"),
    re.compile(r"(?P<whole>[0-9]{1,3}(?:\.[0-9]{3}){2,})(?P<part>(?!))?"),
    re.compile(r"(?P<whole>[0-9]+),(?P<part>[0-9]{1,2})"),
)
LONGEST = 200


def number(text: str) -> int | float | None:
    """The number in `Total: $1,299.50` or `1.299,50 €`; None for none, for several, and for `1.2M`.

    A whole number is an int. A comma before exactly three digits sets off thousands, a lone dot is a decimal point.
    """
    found = list(NUMERAL.finditer(text)) if len(text) <= LONGEST else []
    if len(found) != 1 or any(c.isdigit() for c in text[: found[0].start()] + text[found[0].end() :]):
        return None
    match = next((m for shape in (PLAIN, *GROUPED) if (m := shape.fullmatch(found[0]["digits"]))), None)
    if match is None:
        return None
    sign = "-" if found[0]["minus"] else ""
    whole, part, exponent = re.sub(r"[^0-9]", "", match["whole"]), match["part"] or "", found[0]["exponent"]
    if exponent:
        return float(f"{sign}{whole}.{part or '0'}e{exponent}")
    return float(f"{sign}{whole}.{part}") if part.strip("0") else int(sign + whole)
