"""Events as rows of the schema, and SQLite's errors in the words of the log."""

import sqlite3
from collections.abc import Awaitable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Protocol

from eventstore import codec
from eventstore.audit import Stored
from eventstore.errors import Broken, Damaged, DiskFull, Overloaded
from eventstore.store import Recorded
from eventstore.writer import Poison

Row = Sequence[Any]  # whatever SQLite has in its columns: in a damaged file, of any type

_COLUMNS = "position, stream, version, type, at, actor, command_id, payload, salt, commitment, hash"
SELECT = f"SELECT {_COLUMNS.replace('payload', 'CAST(payload AS BLOB)')} FROM events"  # noqa: S608  # constants
PAGE_AFTER = f"{SELECT} WHERE position > ? ORDER BY position LIMIT ?"
PAGE_FROM = f"{SELECT} WHERE position >= ? ORDER BY position LIMIT ?"
# Rows that lie apart, each with the hash that it follows.
_BEFORE = "(SELECT hash FROM events AS before WHERE before.position = events.position - 1)"
LINKED = SELECT.replace(" FROM", f", {_BEFORE} FROM")
STREAM_AFTER = f"{LINKED} WHERE stream = ? AND version > ? ORDER BY version LIMIT ?"

_FIRST_OF_TYPE = "SELECT * FROM (SELECT position FROM events WHERE type = ? AND position > ? ORDER BY position LIMIT ?)"
_VALUES = "(?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?, ?)"
_DATA = {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
# Nothing was written, and it passes: whoever holds the memory or the files lets go of them.
_SHORT = {sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CANTOPEN}
# No room for the index of the write-ahead log; nothing was written yet.
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}


ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What the driver raises; the second when a damaged file puts what is no text into SQLite's own message."""


class Database(Protocol):
    """As much of an aiosqlite connection as the store needs: one call, one statement, all its rows."""

    def execute_fetchall(self, sql: str, parameters: Iterable[Any] | None = None) -> Awaitable[Iterable[Row]]: ...


@lru_cache(maxsize=128)
def page_of_types(types: int) -> str:
    """For (type, after, limit) of each type, and the limit.

    The first few of each type by the index alone, and of these the first: never a sort of all there are.
    """
    firsts = " UNION ALL ".join([_FIRST_OF_TYPE] * types)
    return f"{LINKED} WHERE position IN ({firsts}) ORDER BY position LIMIT ?"


@lru_cache(maxsize=512)
def insert(rows: int) -> str:
    """One statement for all rows of a batch: it is written whole or not at all."""
    return f"INSERT INTO events ({_COLUMNS}) VALUES {', '.join([_VALUES] * rows)}"  # noqa: S608  # constants


def flat(events: Iterable[Recorded]) -> list[object]:
    """The parameters of `insert`."""
    values: list[object] = []
    for event in events:
        values += (
            event.position,
            event.stream,
            event.version,
            event.type,
            event.at,
            event.actor,
            event.command_id,
            event.payload,
            event.salt,
            event.commitment,
            event.hash,
        )
    return values


def recorded(stored: Stored) -> Recorded:
    """The event of a row."""
    return Recorded(
        position=stored.position,
        stream=stored.stream,
        version=stored.version,
        type=stored.type,
        at=stored.at,
        actor=stored.actor,
        command_id=stored.command_id,
        event=codec.decode(stored.type, stored.payload),
        payload=stored.payload,
        salt=stored.salt,
        commitment=stored.commitment,
        hash=stored.hash,
    )


def translated(error: Exception) -> Exception:
    """What SQLite's error means for the log: Broken, Damaged, DiskFull, Overloaded; or Poison, when it is the data."""
    if isinstance(error, UnicodeDecodeError):
        return Damaged(f"it cannot be read: {error}")
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or code & 0xFF in _DATA:
        return Poison(str(error))
    if code in _FULL:
        return DiskFull()
    if code & 0xFF in _DAMAGED:
        return Damaged(str(error))
    if code & 0xFF in _BUSY:
        return Overloaded("Another process is writing to the tape; try again in a moment.")
    if code & 0xFF in _SHORT:
        return Overloaded(f"The service is short of memory or of open files ({error}); try again in a moment.")
    return Broken(f"The tape failed: {error} ({getattr(error, 'sqlite_errorname', code)}).")
