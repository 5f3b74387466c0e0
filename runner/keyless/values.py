"""The values that a sentence may hold without quotes: URLs, durations, ordinals. Keys are in keys.py. Pure."""

import ipaddress
import re
from urllib.parse import urlsplit

from runner.keyless.clauses import Unclear

NUMBERS = {
    "zero": 0, "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60,
}  # fmt: skip
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "last": -1, "only": 0,
}  # fmt: skip
ORDINAL = rf"(?:{'|'.join(ORDINALS)}|[0-9]{{1,4}}(?:st|nd|rd|th))"

UNITS = {"ms": 0.001, "millisecond": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60,
         "h": 3600, "hour": 3600}  # fmt: skip
LONGEST_WAIT = 3600


def url(text: str) -> str:
    """The http or https URL meant. A bare domain gets https, a local host or an address http. Raises Unclear."""
    hint = "it is no URL; write an address such as example.com or https://example.com/page. To open a link, click it"
    if not text or re.search(r"[\s\\\x00-\x1f\x7f]", text):
        raise Unclear(hint)
    scheme = re.match(r"([a-z][a-z0-9+.-]*):(?=//|[^0-9])", text, re.IGNORECASE)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise Unclear("only http and https URLs can be opened")
    whole = text if scheme else f"{'http' if _is_local(text) else 'https'}://{text}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Unclear(hint) from None
    named = scheme is not None or _is_local(text) or _is_domain(_authority(text)[0])
    if not named or not host.strip(".") or "://" not in whole or port == 0:
        raise Unclear(hint)
    return whole


def _authority(text: str) -> tuple[str, bool]:
    """The host of a bare address, and whether a port follows it."""
    authority = re.split(r"[/?#]", text, maxsplit=1)[0]
    match = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^:\[\]@]+)(:[0-9]{1,5})?", authority, re.IGNORECASE)
    return (match[1].lower(), bool(match[2])) if match else ("", False)


def _is_local(text: str) -> bool:
    """localhost and what is under it, IP addresses, and a name without dots that has a port, as in `shop:8080`."""
    host, has_port = _authority(text)
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if has_port and re.fullmatch(r"\w(?:[\w-]*\w)?", host):
        return True
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_domain(host: str) -> bool:
    labels = host.removesuffix(".").split(".")
    whole = all(re.fullmatch(r"\w(?:[\w-]*\w)?", label) for label in labels)
    return len(labels) > 1 and whole and not labels[-1].isdigit() and len(labels[-1]) > 1


def seconds(number: str, unit: str) -> float:
    """How long to wait. Raises Unclear beyond an hour."""
    amount = (
        NUMBERS[number.lower()] if number.lower() in NUMBERS else 0.5 if "half" in number.lower() else float(number)
    )
    unit = unit.lower()
    length = amount * UNITS[unit if unit in UNITS else unit.removesuffix("s")]
    if length > LONGEST_WAIT:
        raise Unclear(f"a wait may last at most {LONGEST_WAIT} seconds")
    return round(length, 3)


def ordinal(word: str) -> int:
    """1 for first or 1st, -1 for last, 0 for no word. Raises Unclear for the 0th."""
    if not word or word.lower() in ORDINALS:
        return ORDINALS[word.lower()] if word else 0
    return counted(word[:-2])


def counted(digits: str) -> int:
    """A number of things in order. Raises Unclear for 0."""
    if int(digits) == 0:
        raise Unclear("count from 1")
    return int(digits)
