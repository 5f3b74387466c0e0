"""Checkpoints in the data directory, outside the database: signed every so often, and compared when the tape is opened.

The file grows to MOST lines and then keeps the last HALF. Whoever has the directory has the key: a line proves what it
says to those who got a copy of it before.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from eventstore import witness
from eventstore.clock import microseconds
from eventstore.errors import CannotOpen
from eventstore.files import sync, write_whole
from eventstore.store import EventStore
from eventstore.witness import Checkpoint, Notes

FILE = "checkpoints"
KEY = "checkpoint.key"
EVENTS = 1_000
SECONDS = 60.0
MOST = 2_000
HALF = MOST // 2

_log = structlog.get_logger("checkpoints")


class Book:
    """The checkpoints of one data directory, which the caller holds. `last` is the last one written, None for none."""

    def __init__(self, directory: Path, *, clock: Callable[[], int] = microseconds) -> None:
        """Makes the key the first time, readable by its owner only. Raises CannotOpen for files that cannot be used."""
        self._path = directory / FILE
        self._clock = clock
        try:
            self._key = _key(directory / KEY)
            text = _text(self._path)
            whole = text[: text.rfind(b"\n") + 1]
            if whole != text:  # a crash tore the last line
                os.truncate(self._path, len(whole))
        except (OSError, ValueError) as error:
            raise CannotOpen(f"The checkpoints in {directory} cannot be used: {error}.") from error
        lines = whole.splitlines()
        self._lines = len(lines)
        self.last: Checkpoint | None = next((each for line in reversed(lines) if (each := witness.read(line))), None)

    async def note(self, store: EventStore) -> None:
        """Sign the head of the tape, unless that was done already. Raises OSError, and Broken."""
        head = store.head
        if head == (self.last.position if self.last else 0):
            return
        (event,) = await store.read(head - 1, limit=1)
        line = witness.sign(self._key, log_id=store.log_id, position=event.position, hash_=event.hash, at=self._clock())
        await asyncio.to_thread(self._write, line)
        self.last = witness.read(line.rstrip(b"\n"))

    def set_aside(self) -> Path | None:
        """Begin anew, because these contradict the tape and somebody knows why; answers where they are kept."""
        if self.last is None:
            return None
        number = 1
        while (aside := self._path.with_name(f"{FILE}.aside-{number}")).exists():
            number += 1
        os.replace(self._path, aside)
        sync(self._path.parent)
        self.last, self._lines = None, 0
        return aside

    def _write(self, line: bytes) -> None:
        if self._lines >= MOST:
            kept = _text(self._path).splitlines(keepends=True)[-HALF + 1 :]
            write_whole(self._path, b"".join([*kept, line]), durable=True)
            self._lines = len(kept) + 1
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            written = os.fstat(descriptor).st_size
            if os.write(descriptor, line) != len(line):
                os.ftruncate(descriptor, written)
                raise OSError(f"{self._path} was written only in part")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._lines += 1


async def keep(book: Book, store: EventStore, *, events: int = EVENTS, seconds: float = SECONDS) -> None:
    """Sign the head after so many events, or so many seconds after the first new one. Ends when the store has failed.

    A full disk delays checkpoints, and nothing else.
    """
    seen = book.last.position if book.last else 0
    while True:
        await store.wait(seen)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await store.wait(seen + events - 1)
        seen = store.head
        await note(book, store)


async def note(book: Book, store: EventStore) -> None:
    """As `Book.note`; what the disk will not take is told in the log, and tried again with the next one."""
    if store.failure is not None:
        return
    try:
        await book.note(store)
    except OSError as error:
        _log.error("a checkpoint could not be written", reason=str(error))


def kept(directory: Path) -> Notes:
    """The checkpoints of a directory, only read. Raises OSError."""
    return witness.read_all(_text(directory / FILE))


def _text(path: Path) -> bytes:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def _key(path: Path) -> Ed25519PrivateKey:
    with suppress(FileNotFoundError):
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    key = Ed25519PrivateKey.generate()
    write_whole(path, key.private_bytes_raw(), durable=True)
    return key
