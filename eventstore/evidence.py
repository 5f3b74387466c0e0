"""Whether the blobs that a tape names are there, and are what they were; what it says was removed is not asked for."""

import msgspec

from eventstore import events as e
from eventstore.blobs import Blobs, DamagedBlob
from eventstore.examine import Readable
from eventstore.store import Lost, Verdict

MOST = 1_000
"""Lost blobs told of one tape."""


async def lost(tape: Readable, blobs: Blobs) -> tuple[int, tuple[Lost, ...]]:
    """How many blobs were looked at, each read whole, and the first MOST of those that are missing or altered.

    Holds 32 bytes of each in memory. Nothing may be removed meanwhile. Raises what reading the tape raises.
    """
    named = await _named(tape)
    found: list[Lost] = []
    for digest, stream in named.items():
        if len(found) < MOST and (problem := await _problem(blobs, digest.hex())):
            found.append(Lost(blob=digest.hex(), stream=stream, problem=problem))
    return len(named), tuple(found)


async def with_blobs(verdict: Verdict, tape: Readable, blobs: Blobs) -> Verdict:
    """The verdict, and what is lost of the blobs; on a tape whose chain does not hold nothing is looked at."""
    if verdict.problem is not None:
        return verdict
    looked, found = await lost(tape, blobs)
    return msgspec.structs.replace(verdict, ok=verdict.ok and not found, blobs=looked, lost=found)


async def _problem(blobs: Blobs, name: str) -> str:
    try:
        return "" if await blobs.get(name) is not None else "missing"
    except DamagedBlob:
        return "altered"


async def _named(tape: Readable) -> dict[bytes, str]:
    """Each blob that is still named, and the first stream that names it."""
    by_stream: dict[str, dict[bytes, None]] = {}
    after = 0
    while page := await tape.read(after):
        after = page[-1].position
        for recorded in page:
            match recorded.event:
                case e.StepTaken(screenshot=blob) if blob:
                    by_stream.setdefault(recorded.stream, {})[bytes.fromhex(blob)] = None
                case e.BlobsRemoved(blobs=removed):
                    for blob in removed:
                        by_stream.get(recorded.stream, {}).pop(bytes.fromhex(blob), None)
                case e.TaskRedacted():
                    by_stream.pop(recorded.stream, None)
    named: dict[bytes, str] = {}
    for stream, digests in by_stream.items():
        for digest in digests:
            named.setdefault(digest, stream)
    return named
