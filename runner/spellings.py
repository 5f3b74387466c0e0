"""How a value may be spelt in a text: as it is, escaped for a URL, HTML or JSON, in base64, in hex. Pure."""

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

SHORT = 4
"""A value of fewer characters is too likely to stand there by chance: it counts only where it stands alone."""

MIXED = 128
"""Up to so many characters, each may be spelt in another way; of a longer value the whole is spelt in one."""

PIECE = 12
"""A line of a value of several lines counts by itself from so many characters on."""

SLASHES = r"\\\\{0,7}"
"""Before an escape, doubled thrice at most. Without an end to it, a page full of backslashes would take for ever."""

MOST_SLASHES = 1
"""A value of more backslashes is spelt as a whole, for each can be read in several ways."""

_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos", "\xa0": "nbsp"}
_ESCAPED = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", '"': '"', "'": "'", "\\": "\\", "/": "/"}
_HEAD = re.compile(r"\\.|\[[^\]]+\]|[^\\\[(]", re.DOTALL)


def pattern(value: str) -> re.Pattern[str]:
    """Finds every spelling of the value, whatever the case of its letters."""
    if len(value) < SHORT:
        alone = "".join(f"(?:{'|'.join(_spelt(char))})" for char in value)
        return re.compile(rf"(?<!\w){alone}(?!\w)")
    ways = [way for text in _texts(value) for way in (_mixed(text) if _is_mixed(text) else _whole(text))]
    return _guarded([*ways, *_encoded(value), *_cut(value)])


def _guarded(ways: list[str]) -> re.Pattern[str]:
    """All ways behind one set of the characters that they begin with: a long text is scanned for those at once."""
    heads: dict[str, None] = {}
    rests: list[str] = []
    for way in ways:
        head = _HEAD.match(way)
        if head is None:
            raise ValueError("A spelling begins with a character or a set of them.")
        heads[head[0].strip("[]") if head[0].startswith("[") else head[0] if head[0] != "^" else r"\^"] = None
        rests.append(f"(?<={head[0]}){way[head.end() :]}")
    return re.compile(f"[{''.join(heads)}](?:{'|'.join(rests)})")


def _texts(value: str) -> list[str]:
    """The value, as a page shows it (its white space collapsed), and its lines."""
    lines = [line.strip() for line in value.splitlines()] if len(value.splitlines()) > 1 else []
    texts = [value, " ".join(value.split()), *(line for line in lines if len(line) >= PIECE)]
    return sorted({text for text in texts if len(text) >= SHORT}, key=len, reverse=True)


def _is_mixed(text: str) -> bool:
    return len(text) <= MIXED and text.count("\\") <= MOST_SLASHES


def _mixed(text: str) -> list[str]:
    rest = "".join(f"(?:{'|'.join(_spelt(char))})" for char in text[1:])
    return [first + rest for first in _spelt(text[0])]


def _spelt(char: str) -> list[str]:
    """One character in all ways, longest first, so that none leaves a rest behind."""
    forms: dict[str, None] = {}
    for same in dict.fromkeys((char, char.lower(), char.upper())):
        # Some letters are two in the other case: ß is SS.
        forms |= dict.fromkeys(_forms(same) if len(same) == 1 else (re.escape(same),))
    if char.isspace():
        forms |= dict.fromkeys((r"\s", r"\+"))
    return sorted(forms, key=len, reverse=True)


def _forms(char: str) -> Iterator[str]:
    code = ord(char)
    octets = char.encode("utf-8", "surrogatepass")
    for sign in ("%", "%25", f"{SLASHES}x"):
        yield "".join(sign + _hex(octet, 2) for octet in octets)
    yield rf"&#0*{code};?"
    yield f"&#[xX]0*{_hex(code, 1)};?"
    if char in _NAMED:
        yield f"&{_NAMED[char]};?"
    units = char.encode("utf-16-be", "surrogatepass")
    yield "".join(f"{SLASHES}u{_hex(int.from_bytes(units[at : at + 2]), 4)}" for at in range(0, len(units), 2))
    if char in _ESCAPED:
        yield SLASHES + re.escape(_ESCAPED[char])
    yield re.escape(char)


def _hex(number: int, width: int) -> str:
    """A number in hex of either case."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{number:0{width}x}")


def _whole(text: str) -> list[str]:
    escapes = (
        str,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: quote(text, safe="-_.!~*'()"),
        html.escape,
        lambda text: html.escape(text, quote=False),
        lambda text: json.dumps(text)[1:-1],
        lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    )
    spelt = {escape(same) for escape in escapes for same in (text, text.upper(), text.lower())}
    firsts = {(first, each[1:]) for each in spelt for first in (each[0], each[0].lower(), each[0].upper())}
    return [f"{re.escape(first)}(?i:{re.escape(rest)})" for first, rest in sorted(firsts) if len(first) == 1]


def _encoded(value: str) -> Iterator[str]:
    """Base64, of either alphabet, wherever in the encoded bytes the value begins; and hex."""
    octets = value.encode("utf-8", "surrogatepass")
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + octets).decode().rstrip("=")
        # What is shared with the neighbouring bytes is not the value's own.
        core = text[-(-offset * 8 // 6) : len(text) if (offset + len(octets)) % 3 == 0 else -1].lstrip("+/")
        if len(core) >= SHORT:
            yield "".join({"+": "(?:[+-]|%2[bB])", "/": "(?:[/_]|%2[fF])"}.get(char, char) for char in core)
    yield "".join(_hex(octet, 2) for octet in octets)


def _cut(value: str) -> Iterator[str]:
    """What is left of the value where a text, or a quoted part of it, was cut off: its first half, or more."""
    half = max(SHORT, -(-len(value) // 2))
    if half < len(value) <= MIXED:
        more = ""
        for char in reversed(value[half:-1]):
            more = f"(?:{_either(char)}{more})?"
        rest = "".join(map(_either, value[1:half])) + more + r"(?=[\"…]|\Z)"
        for first in dict.fromkeys((value[0], value[0].lower(), value[0].upper())):
            yield re.escape(first) + rest


def _either(char: str) -> str:
    same = dict.fromkeys((char, char.lower(), char.upper()))
    alone = [each for each in same if len(each) == 1]
    among = f"[{''.join(map(re.escape, alone))}]" if len(alone) > 1 else re.escape(char)
    longer = [re.escape(each) for each in same if len(each) > 1]
    return f"(?:{'|'.join((among, *longer))})" if longer else among
