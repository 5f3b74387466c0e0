"""Texts and times as plain lines for a terminal. Pure; nothing that a page says can act on the terminal."""

import unicodedata
from datetime import UTC, datetime

SHORT = 13
"""So many characters of a task's id hold its whole creation time in milliseconds, so they tell tasks apart."""

WIDTH = 110
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, width: int = WIDTH) -> str:
    """One line of at most `width` characters (0: any), without control, direction or other invisible characters."""
    line = " ".join(safe(text).split())
    return f"{line[: width - 1]}…" if 0 < width < len(line) else line


def safe(text: str) -> str:
    """The text with its line breaks and tabs, and without anything else that a terminal would act on."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in _HIDDEN)


def short(task_id: str) -> str:
    """The beginning of an id that tells it from the others; accepted wherever an id is asked for."""
    return task_id[:SHORT].rstrip("-")


def duration(milliseconds: float) -> str:
    """`85 ms`, `1.2 s` or `2 min 3 s`."""
    if milliseconds < 1_000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1_000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1_000), 60)
    return f"{minutes} min {seconds} s"


def clock(at: int, *, date: bool = False) -> str:
    """Microseconds since 1970 as UTC: `12:03:04.123`, or with the date before it and without the milliseconds."""
    moment = datetime.fromtimestamp(at // 1_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if date else f"{moment:%H:%M:%S}.{at // 1_000 % 1_000:03}"
