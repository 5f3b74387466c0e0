"""Cuts an instruction into clauses. What stands in quotes is literal and is never looked into. Pure and linear."""

import re
from collections.abc import Iterator

import msgspec

SINGLES = "'\u2018"
CLOSERS = {'"': '"', "“": "”", "”": "”", "„": "“”", "«": "»", "`": "`", "'": "'", "\u2018": "\u2019"}
# A single quote opens only at the start of a word and closes only at the end of one: all others are apostrophes.
OPENING = re.compile(rf"""["“”„«`]|(?<![^\s(\[,:;])[{SINGLES}](?=\S)""")
CLOSING = {
    opener: re.compile(f"[{closers}]" + (r"(?!\w)" if opener in SINGLES else "")) for opener, closers in CLOSERS.items()
}
NEWLINE = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
FILLER = (
    r"(?:please|kindly|now|first|firstly|next|then|also|finally|lastly|afterwards|after that|and|just"
    r"|(?:can|could|would) you)"
)
HIDDEN = "\0"


class Unclear(Exception):
    """A clause cannot be read. The message is the hint: what would be right."""


class Literal(msgspec.Struct, frozen=True):
    """A quoted text: where it stands, quotes included, and what it says. `closed` is false where the end is missing."""

    start: int
    end: int
    text: str
    closed: bool = True


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence. `text` is as written, from `start` to `end` of the instruction.

    In `words`, white space is single spaces, and each quoted text is its number in `literals`, as in `click "0"`.
    """

    text: str
    words: str
    literals: tuple[str, ...] = ()
    closed: bool = True
    start: int = 0
    end: int = 0


def separators(verbs: str) -> re.Pattern[str]:
    """What stands between sentences, given the words that open one. The group `keep` marks URLs, which stay whole."""
    opens = rf"(?=(?:{FILLER},?\s+){{0,3}}(?:{verbs})(?![\w-]))"
    number = r"(?:(?:step\s)?[0-9]{1,3}\s?[.):](?=[\s\"a-z]|\Z)|[-*•](?=\s))"
    return re.compile(
        "|".join(
            (
                r"(?P<keep>(?<![\w+.-])[a-z][a-z0-9+.-]*://[^\s\"]*[^\s\".,;:!?)\]])",
                rf"(?:\A|{NEWLINE.pattern})[ \t]*{number}?",
                rf"(?:[.;](?=\s|\Z)|(?<=\")[.;]|;{opens})(?:[ \t]+[0-9]{{1,3}}[.)](?=\s))?",
                r"(?<=\?)\s+",
                r"(?:,\s*|(?<=[\s\"]))(?:and\s+)?then(?=[\s,:]|\Z)[,:]?",
                rf",\s*{opens}",
                rf"(?<=[\s\",])and\s+{opens}",
            )
        ),
        re.IGNORECASE,
    )


def clauses(source: str, between: re.Pattern[str]) -> Iterator[Clause]:
    """The sentences of an instruction in order; numbering and empty ones are left out."""
    found = list(literals(source))
    mask = _masked(source, found)
    taken = 0
    for start, end in _spans(mask, between):
        before = taken
        while taken < len(found) and found[taken].start < end:
            taken += 1
        inside = found[before:taken]
        yield Clause(
            text=source[start:end],
            words=_words(mask[start:end]),
            literals=tuple(literal.text for literal in inside),
            closed=all(literal.closed for literal in inside),
            start=start,
            end=end,
        )


def literals(source: str) -> Iterator[Literal]:
    """The quoted texts in order. One that is never closed ends with its line, and is the last."""
    position, line = 0, -1
    barren = dict.fromkeys(SINGLES, -1)  # No such quote closes before here, so that apostrophes are read only once.
    while opening := OPENING.search(source, position):
        start, quote = opening.start(), opening[0]
        if start > line:
            newline = NEWLINE.search(source, start)
            line = newline.start() if newline else len(source)
        single = quote in barren
        if single and start < barren[quote]:
            position = start + 1
            continue
        end = _closed_at(source, start + 1, line if single else len(source), quote)
        if end:
            yield Literal(start, end, _unescaped(source[start + 1 : end - 1], CLOSERS[quote]))
            position = end
        elif single:
            barren[quote], position = line, start + 1
        else:
            yield Literal(start, max(line, start + 1), source[start + 1 : line], closed=False)
            return


def _closed_at(source: str, start: int, limit: int, quote: str) -> int:
    """The position after the closing quote, or 0. A quote after an odd number of backslashes is part of the text."""
    for closing in CLOSING[quote].finditer(source, start, limit):
        at = closing.start()
        slash = at
        while slash > start and source[slash - 1] == "\\":
            slash -= 1
        if (at - slash) % 2 == 0:
            return at + 1
    return 0


def _unescaped(text: str, closers: str) -> str:
    """Backslashes count only before a quote, so that `C:\\new` is itself."""
    return re.sub(rf"(?<!\\)\\++(?=[{closers}]|\Z)", lambda run: "\\" * (len(run[0]) // 2), text)


def _masked(source: str, found: list[Literal]) -> str:
    """The source at the same length, with nothing left of what is inside quotes."""
    parts: list[str] = []
    position = 0
    for literal in found:
        parts.append(source[position : literal.start].replace(HIDDEN, "\ufffd"))
        inner = HIDDEN * (literal.end - literal.start - 1 - literal.closed)
        parts.append('"' + inner + '"' * literal.closed)
        position = literal.end
    parts.append(source[position:].replace(HIDDEN, "\ufffd"))
    return "".join(parts)


def _spans(mask: str, between: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    start = 0
    for match in between.finditer(mask):
        if match.lastgroup != "keep":
            yield from _trimmed(mask, start, match.start())
            start = match.end()
    yield from _trimmed(mask, start, len(mask))


def _trimmed(mask: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and (mask[start].isspace() or mask[start] in ",.;"):
        start += 1
    while end > start and (mask[end - 1].isspace() or mask[end - 1] in ",.;!"):
        end -= 1
    if start < end:
        yield start, end


def _words(mask: str) -> str:
    numbers = iter(range(len(mask)))
    return " ".join(re.sub(rf'"{HIDDEN}*"', lambda _: f'"{next(numbers)}"', mask).split())
