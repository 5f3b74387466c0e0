"""Whether the blobs that a tape names are there, and are what they were; what it says was removed is not asked for."""

import msgspec

from eventstore import events as e
from eventstore.blobs import Blobs, DamagedBlob
from eventstore.examine import Readable
from eventstore.naming import ANEW, named
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
    by_stream: dict[str, dict[tuple[str, bytes], None]] = {}
    after = 0
    while page := await tape.read(after):
        after = page[-1].position
        for recorded in page:
            _note(by_stream.setdefault(recorded.stream, {}), recorded.event)
            if not by_stream[recorded.stream]:
                del by_stream[recorded.stream]
    found: dict[bytes, str] = {}
    for stream, naming in by_stream.items():
        for _, digest in naming:
            found.setdefault(digest, stream)
    return found


def _note(naming: dict[tuple[str, bytes], None], event: e.Event) -> None:
    """What the stream names after this event: by class, or by the name or the id of a file."""
    if type(event) in ANEW or isinstance(event, e.SessionPurged):
        naming.clear()
    for each in named(event):
        naming[each.kind, bytes.fromhex(each.blob)] = None
    match event:
        case e.BlobsRemoved(kind=kind, blobs=removed):
            for blob in removed:
                naming.pop((kind, bytes.fromhex(blob)), None)
        case e.FileUploaded(file=file) | e.FileDownloaded(file=file):
            slot = f"{type(event).__name__}/{file.name}/"
            for known in [known for known in naming if known[0].startswith(slot)]:
                del naming[known]
            naming[slot + file.id, bytes.fromhex(file.blob)] = None
        case e.FilesRemoved(files=gone):
            for known in [known for known in naming if known[0].rpartition("/")[2] in gone]:
                del naming[known]
