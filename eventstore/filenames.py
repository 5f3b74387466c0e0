"""What a file may be called: names that people give are refused when they are wrong, names of downloads made safe."""

import re
from unicodedata import category

MOST_BYTES = 255
"""Of a name in UTF-8: what file systems take."""

RULE = f"A file name has 1 to {MOST_BYTES} bytes, without / or \\, control characters, or spaces or dots at its ends."

_UNSEEN = ("C", "Zl", "Zp")
_SEPARATORS = re.compile(r"[/\\]+")


def good(name: str) -> bool:
    """Whether a file may be called so in every folder: see RULE. A dot in front is what hides a file."""
    return (
        name == name.strip(" .")
        and 0 < len(name.encode(errors="replace")) <= MOST_BYTES
        and not _SEPARATORS.search(name)
        and all(_seen(character) for character in name)
    )


def made_safe(name: str, *, otherwise: str = "download") -> str:
    """The nearest name that is good, with its ending as it was."""
    last = _SEPARATORS.split(name.rstrip("/\\ "))[-1]
    shown = "".join(character if _seen(character) else "_" for character in last).strip(" .")
    stem, dot, ending = shown.rpartition(".")
    if not dot or len(ending.encode()) > MOST_BYTES // 4:
        stem, dot, ending = shown, "", ""
    room = MOST_BYTES - len((dot + ending).encode())
    cut = stem.encode()[:room].decode(errors="ignore")
    cut = cut if dot else cut.rstrip(" .")
    return (cut + dot + ending) if cut else otherwise


def _seen(character: str) -> bool:
    """Not a control, a mark that turns writing around, half a character, or the end of a line."""
    return not category(character).startswith(_UNSEEN)
