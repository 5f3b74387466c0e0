"""`verify` and `accept-loss`: prove that nobody changed the tape, and go on from where it ends when its end is lost."""

import asyncio
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from api.client import SUCCESS, UNSUCCESSFUL, Failure, connect
from api.commands.common import LOCAL, Json, Key, Url, finish, say, say_json
from api.commands.tape import TAPE
from api.text import plain
from eventstore import witness
from eventstore.blobs import Blobs
from eventstore.book import Book, kept
from eventstore.directory import hold
from eventstore.errors import Broken, CannotOpen, InUse
from eventstore.evidence import with_blobs
from eventstore.examine import contradiction, examine
from eventstore.offline import open_offline
from eventstore.store import Verdict
from eventstore.witness import Notes

FILE_LIMIT = 16 * 1024 * 1024


def verify(
    data: Annotated[
        Path | None,
        typer.Option(help="Read this data directory, or this tape file, itself: no service is asked, nothing written."),
    ] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Hold the tape against the rules of whole tapes too.")] = False,
    blobs: Annotated[bool, typer.Option("--blobs", help="Read every picture that it names too.")] = False,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Hold it against a published copy of its checkpoints; a service, the last line.")
    ] = None,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Recompute the hash chain of the whole tape, and hold it against its signed checkpoints."""
    finish(_verify(url, key, data, rules=rules, blobs=blobs, checkpoint=checkpoint, as_json=as_json))


def accept_loss(
    data: Annotated[Path, typer.Option(help="The data directory; no service may run on it.")],
) -> None:
    """Go on from where the tape ends, though a checkpoint says that it was longer: set the checkpoints aside."""
    finish(_accept_loss(data))


async def _verify(
    url: str, key: str, data: Path | None, *, rules: bool, blobs: bool, checkpoint: Path | None, as_json: bool
) -> int:
    published = await asyncio.to_thread(_published, checkpoint) if checkpoint else Notes()
    if data:
        verdict = await _offline(data, published, rules=rules, blobs=blobs)
    else:
        verdict = await _online(url, key, checkpoint, rules=rules, blobs=blobs)
    if as_json:
        say_json(verdict)
        return SUCCESS if verdict.ok else UNSUCCESSFUL
    _tell(verdict, rules=rules, checkpoints=len(published.checkpoints))
    return SUCCESS if verdict.ok else UNSUCCESSFUL


def _tell(verdict: Verdict, *, rules: bool, checkpoints: int) -> None:
    if verdict.problem is None:
        redacted = f", {verdict.redacted} redacted" if verdict.redacted else ""
        say(f"The chain holds: {verdict.head} events{redacted}, head {verdict.hash}")
        if checkpoints:
            say("It is the tape of the published checkpoints." if checkpoints > 1 else "It is that of the checkpoint.")
    else:
        where = f" at position {verdict.first_bad}" if verdict.first_bad is not None else ""
        say(f"The chain is broken{where}: {plain(verdict.problem, 0)}")
        say(f"Up to position {verdict.head} it holds.")
    for each in verdict.violations:
        say(f"{each.position}  {plain(each.stream, 0)}  {each.rule}: {plain(each.sentence, 0)}")
    for lost in verdict.lost:
        say(f"{lost.blob}  {plain(lost.stream, 0)}  {lost.problem}")
    if verdict.lost:
        say(f"Pictures are lost: {len(verdict.lost)} of {verdict.blobs}.")
    elif verdict.blobs:
        say(f"All pictures are there: {verdict.blobs}.")
    if verdict.violations:
        say(f"The rules are broken: {len(verdict.violations)} times.")
    elif rules and verdict.problem is None:
        say("The rules hold.")


async def _online(url: str, key: str, checkpoint: Path | None, *, rules: bool, blobs: bool) -> Verdict:
    asked = {name: "true" for name, wanted in (("rules", rules), ("blobs", blobs)) if wanted}
    if checkpoint:
        asked["checkpoint"] = (await asyncio.to_thread(_lines, checkpoint))[-1]
    async with connect(url, key) as client:
        return await client.get("/api/tape/verify", Verdict, asked, long=True)


async def _offline(data: Path, published: Notes, *, rules: bool, blobs: bool) -> Verdict:
    path = data / TAPE if await asyncio.to_thread(data.is_dir) else data
    if not await asyncio.to_thread(path.is_file):
        raise Failure(f"There is no tape in {data}.")
    try:
        own = await asyncio.to_thread(kept, path.parent) if path.name == TAPE else Notes()
        with _held(path.parent):
            async with open_offline(path) as tape:
                verdict = await examine(tape, notes=(own, published), rules=rules)
                return await with_blobs(verdict, tape, Blobs(path.parent / "blobs")) if blobs else verdict
    except InUse as error:
        ways = "Ask that service, with tapewright verify without --data, or verify a copy of the directory."
        raise Failure(f"{error} {ways}") from error
    except (CannotOpen, Broken, OSError) as error:
        raise Failure(str(error)) from error


async def _accept_loss(data: Path) -> int:
    if not await asyncio.to_thread((data / TAPE).is_file):
        raise Failure(f"There is no tape in {data}.")
    try:
        with hold(data, holder="somebody who accepts a loss"):
            book = await asyncio.to_thread(Book, data)
            async with open_offline(data / TAPE) as tape:
                found = await contradiction(tape, (await asyncio.to_thread(kept, data)).checkpoints)
            if found is None:
                say("Nothing is missing: the tape bears out all its checkpoints.")
                return SUCCESS
            aside = await asyncio.to_thread(book.set_aside)
    except (CannotOpen, Broken, OSError) as error:
        raise Failure(str(error)) from error
    say(f"This is accepted: {found.problem}.")
    say(f"The checkpoints that say so are kept in {aside}.")
    return SUCCESS


def _held(directory: Path) -> AbstractContextManager[None]:
    """Nobody may write meanwhile, where somebody might; a copy elsewhere, or on a read-only disk, is nobody's."""
    lock = directory / "lock"
    return hold(directory, holder="a verification") if os.access(lock, os.W_OK) else nullcontext()


def _published(path: Path) -> Notes:
    """The checkpoints of a file; every line has to be one. Raises Failure."""
    notes = witness.read_all("\n".join(_lines(path)).encode())
    if notes.unreadable or not notes.checkpoints:
        raise Failure(f"{path} is no file of checkpoints: line {(*notes.unreadable, 1)[0]} is not a signed one.")
    return notes


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            return [line.strip() for line in file.read(FILE_LIMIT).splitlines() if line.strip()] or [""]
    except OSError as error:
        raise Failure(f"{path} cannot be read: {error.strerror}.") from error
