"""The view of blobs: who names which, so that one is deleted when nobody names it any more. In SQL alone.

Tasks and schedules name those of their events; sessions and projects those of their files, which are the view of
session files.
"""

from collections.abc import Awaitable, Callable, Collection

import msgspec

from eventstore import events as e
from eventstore.naming import ANEW, NAMES, named
from eventstore.retention import TASKS, UPLOADS, Aged
from eventstore.store import Recorded
from projections.shelf import Shelf, Values
from projections.task_row import STREAM

SCHEMA = """
CREATE TABLE IF NOT EXISTS named (
    task TEXT NOT NULL, blob TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (task, blob, kind)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS named_by_blob ON named (blob, task);
CREATE INDEX IF NOT EXISTS named_by_age ON named (kind, at, task);
"""
_FORGET_TASK = "DELETE FROM named WHERE task = ?"
_FORGET = "DELETE FROM named WHERE task = ? AND blob = ? AND kind = ?"
_NAME = "INSERT OR REPLACE INTO named VALUES (?, ?, ?, ?)"

# What is named long ago is asked first: no end of a task comes before its pictures.
_OLD_BLOBS = """
SELECT task, ended_at, json_group_array(blob) FROM named JOIN tasks ON id = task
WHERE kind = ?1 AND at <= ?2 AND ended_at <= ?2 GROUP BY task ORDER BY min(at) LIMIT ?3
"""
_OLD_TASKS = """
SELECT id, ended_at, (SELECT json_group_array(blob) FROM named WHERE task = id) FROM tasks
WHERE redacted = 0 AND ended_at <= ?1 ORDER BY ended_at LIMIT ?2
"""
# Of a file that a task was given, the task says when it goes.
_OLD_UPLOADS = """
SELECT stream, max(at), json_group_array(blob), json_group_array(id) FROM session_files AS file
WHERE at <= ?1 AND NOT EXISTS (SELECT 1 FROM named WHERE named.blob = file.blob)
GROUP BY stream ORDER BY min(at) LIMIT ?2
"""
_NAMED = """
SELECT blob, task FROM named WHERE blob IN (SELECT value FROM json_each(?1))
UNION ALL SELECT blob, stream FROM session_files WHERE blob IN (SELECT value FROM json_each(?1))
"""

_encoder = msgspec.json.Encoder()
_names = msgspec.json.Decoder(tuple[str, ...])


class References:
    """`flush` brings the file up to what the log says; every answer is that of the file."""

    def __init__(self, shelf: Shelf, flush: Callable[[], Awaitable[None]]) -> None:
        self._shelf = shelf
        self._flush = flush
        self._changes: list[tuple[str, Values]] = []
        self._writing = 0

    async def named(self, blobs: Collection[str]) -> dict[str, set[str]]:
        """Who names each of these blobs: ids of tasks, and the streams of those whose files they are. Raises DiskFull.

        A blob that nobody names is left out.
        """
        await self._flush()
        found: dict[str, set[str]] = {}
        for blob, owner in await self._shelf.rows(_NAMED, (_encoder.encode(list(blobs)).decode(),)):
            found.setdefault(blob, set()).add(owner)
        return found

    async def aged(self, kind: str, ended_before: int, *, limit: int) -> list[Aged]:
        """Tasks that ended then or before and still have what goes, mostly the oldest first. Raises DiskFull.

        `kind` is `tasks` for those that are not redacted yet, `uploads` for files that came then or before and that no
        task names, else the class of blobs that tasks name.
        """
        await self._flush()
        values: Values = (ended_before, limit)
        if kind == UPLOADS:
            return [
                Aged(task=stream, kind=kind, ended_at=at, blobs=_names.decode(blobs), files=_names.decode(files))
                for stream, at, blobs, files in await self._shelf.rows(_OLD_UPLOADS, values)
            ]
        sql = _OLD_TASKS if kind == TASKS else _OLD_BLOBS
        rows = await self._shelf.rows(sql, values if kind == TASKS else (kind, *values))
        return [
            Aged(task=task, kind=kind, ended_at=ended_at, blobs=_names.decode(blobs)) for task, ended_at, blobs in rows
        ]

    def apply(self, recorded: Recorded) -> None:
        """See View."""
        task, event = recorded.stream.removeprefix(STREAM), recorded.event
        if type(event) in ANEW:
            self._changes.append((_FORGET_TASK, (task,)))
        if type(event) in NAMES:
            self._changes += [(_NAME, (task, each.blob, each.kind, recorded.at)) for each in named(event)]
        match event:
            case e.BlobsRemoved(blobs=blobs, kind=kind):
                self._changes += [(_FORGET, (task, blob, kind)) for blob in blobs]

    def pending(self) -> list[tuple[str, list[Values]]]:
        """Statements and their rows, in the order of the log, for all that has changed since the last write."""
        self._writing = len(self._changes)
        writes: list[tuple[str, list[Values]]] = []
        for sql, values in self._changes:
            if not writes or writes[-1][0] != sql:
                writes.append((sql, []))
            writes[-1][1].append(values)
        return writes

    def written(self) -> None:
        """What `pending` gave last is in the file now."""
        del self._changes[: self._writing]
        self._writing = 0
