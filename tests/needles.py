"""A value as it might lie about in bytes, however it is spelt, and where it does."""

import base64
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote, quote_plus

Places: TypeAlias = dict[str, bytes]


def needles(value: str) -> dict[str, bytes]:
    """Its spellings, by what they are called."""
    octets = value.encode()
    found = {
        "raw": octets,
        "capitals": value.upper().encode(),
        "percent": quote(value, safe="").encode(),
        "percent in small letters": quote(value, safe="").lower().encode(),
        "percent in a path": quote(value).encode(),
        "form": quote_plus(value).encode(),
        "html": html.escape(value).encode(),
        "json": json.dumps(value)[1:-1].encode(),
        "json as it is": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "hex": octets.hex().encode(),
    }
    for offset in range(3):
        core = base64.b64encode(bytes(offset) + octets).rstrip(b"=")[(0, 2, 3)[offset] : -1]
        found |= {f"base64, {offset}": core, f"base64 of URLs, {offset}": core.translate(bytes.maketrans(b"+/", b"-_"))}
    return found


def hits(value: str, places: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Where it was found, and how it was spelt."""
    found = {place: [way for way, needle in needles(value).items() if needle in data] for place, data in places.items()}
    return {place: ways for place, ways in found.items() if ways}


def files(directory: Path) -> Places:
    """Every file below the directory."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
