"""Reads dates and times as people write them, whatever their country; what could be two dates is refused. Pure."""

import datetime
import re

from runner.keyless.clauses import Unclear

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
NUMBER_OF = {name[:length]: number for number, name in enumerate(MONTHS, 1) for length in (3, len(name))} | {"sept": 9}
MONTH = rf"(?P<month>{'|'.join(sorted(NUMBER_OF, key=len, reverse=True))})\.?"
DAY, YEAR = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?", r"(?P<year>[0-9]{4})"
WRITTEN = (
    r"(?P<year>[0-9]{4})-(?P<digits>[0-9]{2})-(?P<day>[0-9]{2})",
    rf"{DAY}(?: of)? {MONTH},? {YEAR}",
    rf"{MONTH} {DAY},? {YEAR}",
)
CLOCK = r"(?P<hour>[0-9]{1,2})(?::(?P<minute>[0-9]{2}))?(?: ?(?P<half>am|pm|a\.m|p\.m)\.?)?"
DATES = tuple(re.compile(rf"(?:the )?{date}(?:(?:,? (?:at )?|T){CLOCK})?", re.IGNORECASE) for date in WRITTEN)
TIME = re.compile(CLOCK, re.IGNORECASE)
MONTHLY = (re.compile(rf"{MONTH},? {YEAR}", re.IGNORECASE), re.compile(rf"{YEAR}-(?P<digits>[0-9]{{2}})"))
WEEKLY = (
    re.compile(rf"(?:calendar )?week (?P<week>[0-9]{{1,2}})(?: of|,)? {YEAR}", re.IGNORECASE),
    re.compile(rf"{YEAR}-W(?P<week>[0-9]{{2}})"),
)
TWO_WAYS = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2,4}")
MOVING = re.compile(r"(?:today|tomorrow|yesterday|now|(?:next|this|last) \w+|in .*)", re.IGNORECASE)


def when(text: str) -> tuple[str, str] | None:
    """What it is made of (date, time, datetime, month, week), and it as HTML writes it; None for no date.

    Raises Unclear for one that does not exist, moves, or could be two.
    """
    if TWO_WAYS.fullmatch(text):
        raise Unclear("it could be two dates; write 24 December 2026 or 2026-12-24")
    if MOVING.fullmatch(text):
        raise Unclear("it means another date every day; write the date, as in 24 December 2026")
    try:
        return _dated(text)
    except ValueError:
        raise Unclear("there is no such date or time") from None


def _dated(text: str) -> tuple[str, str] | None:
    for pattern in DATES:
        if match := pattern.fullmatch(text):
            day = datetime.date(int(match["year"]), _month(match), int(match["day"])).isoformat()
            return ("datetime", f"{day}T{_clock(match)}") if match["hour"] else ("date", day)
    for pattern in MONTHLY:
        if match := pattern.fullmatch(text):
            return "month", datetime.date(int(match["year"]), _month(match), 1).isoformat()[:7]
    for pattern in WEEKLY:
        if match := pattern.fullmatch(text):
            year, week = int(match["year"]), int(match["week"])
            datetime.date.fromisocalendar(year, week, 1)
            return "week", f"{year}-W{week:02}"
    match = TIME.fullmatch(text)
    return ("time", _clock(match)) if match and (match["minute"] or match["half"]) else None


def _month(match: re.Match[str]) -> int:
    said = match.groupdict()
    return NUMBER_OF[said["month"].lower()] if said.get("month") else int(said["digits"])


def _clock(match: re.Match[str]) -> str:
    """`09:30`. Raises ValueError."""
    hour, half = int(match["hour"]), (match["half"] or "").lower().replace(".", "")
    if (half and not 1 <= hour <= 12) or (not half and match["minute"] is None):
        raise ValueError(match[0])
    return datetime.time(hour % 12 + 12 * (half == "pm") if half else hour, int(match["minute"] or 0)).isoformat(
        "minutes"
    )
