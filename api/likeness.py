"""How much two pictures differ, as a share of their pixels: bounded in size and time, and beside the event loop."""

import asyncio
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageChops

from eventstore.blobs import Blobs, DamagedBlob

MOST_PIXELS = 16_000_000
MOST_PICTURES = 200
SECONDS = 20.0

Names = tuple[str, str]
"""SHA-256 hex of two pictures; empty for none."""


async def shares(blobs: Blobs, pairs: Sequence[Names], *, seconds: float = SECONDS) -> list[float | None]:
    """Of each pair the share of the pixels that differ, from 0 to 1; None where that is not known.

    That is so where a picture is not there (any more), is too large or no picture, and for all after `seconds`.
    """
    found: list[float | None] = [0.0 if one and one == other else None for one, other in pairs]
    left = [place for place, (one, other) in enumerate(pairs) if one and other and one != other]
    try:
        async with asyncio.timeout(seconds):
            for place in left[:MOST_PICTURES]:
                one, other = [await _read(blobs, name) for name in pairs[place]]
                found[place] = await asyncio.to_thread(share, one, other) if one and other else None
    except TimeoutError:
        return found
    return found


def share(one: bytes, other: bytes) -> float | None:
    """Of pictures of other sizes all pixels differ."""
    try:
        with Image.open(BytesIO(one), formats=["PNG"]) as a, Image.open(BytesIO(other), formats=["PNG"]) as b:
            if a.size != b.size:
                return 1.0
            pixels = a.width * a.height
            if not 0 < pixels <= MOST_PIXELS:
                return None
            bands = ImageChops.difference(a.convert("RGB"), b.convert("RGB")).split()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    most = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    return round(1 - most.histogram()[0] / pixels, 6)


async def _read(blobs: Blobs, name: str) -> bytes | None:
    try:
        return await blobs.get(name)
    except DamagedBlob:
        return None
