"""The view of uploaded and downloaded files, by the stream that they belong to. In SQL alone."""

from collections.abc import Awaitable, Callable, Collection

import msgspec

from eventstore import events as e
from eventstore.store import Recorded
from projections.shelf import Shelf, Values, sealed

UPLOAD, DOWNLOAD = "upload", "download"

SCHEMA = """
CREATE TABLE IF NOT EXISTS session_files (
    stream TEXT NOT NULL, id TEXT NOT NULL, sort TEXT NOT NULL, name TEXT NOT NULL, blob TEXT NOT NULL,
    at INTEGER NOT NULL, position INTEGER NOT NULL, row BLOB NOT NULL, PRIMARY KEY (stream, id)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS session_files_named ON session_files (stream, sort, name);
CREATE INDEX IF NOT EXISTS session_files_of_blob ON session_files (blob);
"""
_REPLACE = "DELETE FROM session_files WHERE stream = ? AND sort = ? AND name = ?"
_PUT = "INSERT OR REPLACE INTO session_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM session_files WHERE stream = ? AND id = ?"
_REMOVE_ALL = "DELETE FROM session_files WHERE stream = ?"
_LIST = "SELECT sort, at, row FROM session_files WHERE stream = ?1 AND (?2 IS NULL OR sort = ?2) ORDER BY position"
_NAMED = "SELECT blob, stream FROM session_files WHERE blob IN (SELECT value FROM json_each(?))"

_encoder = msgspec.json.Encoder()
_file = msgspec.json.Decoder(e.File)


class SessionFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of `stream`, which is a session's or a project's; `sort` is `upload` or `download`, `at` microseconds."""

    stream: str
    sort: str
    at: int
    file: e.File


class SessionFiles:
    """`flush` brings the file up to what the log says; every answer is that of the file, and raises DiskFull."""

    def __init__(self, shelf: Shelf, flush: Callable[[], Awaitable[None]]) -> None:
        self._shelf = shelf
        self._flush = flush
        self._changes: list[tuple[str, Values]] = []
        self._writing = 0

    async def of(self, stream: str, *, sort: str | None = None) -> list[SessionFile]:
        """The files of `session-<id>` or `files-<project>`, the oldest first."""
        await self._flush()
        return [
            SessionFile(stream=stream, sort=known, at=at, file=_file.decode(self._shelf.unsealed(row)))
            for known, at, row in await self._shelf.rows(_LIST, (stream, sort))
        ]

    async def named(self, blobs: Collection[str]) -> dict[str, set[str]]:
        """The streams whose files are these blobs; a blob that no file is of is left out."""
        await self._flush()
        found: dict[str, set[str]] = {}
        for blob, stream in await self._shelf.rows(_NAMED, (_encoder.encode(list(blobs)).decode(),)):
            found.setdefault(blob, set()).add(stream)
        return found

    def apply(self, recorded: Recorded) -> None:
        """See View."""
        stream = recorded.stream
        match recorded.event:
            case e.FileUploaded(file=file):
                self._put(recorded, UPLOAD, file)
            case e.FileDownloaded(file=file):
                self._put(recorded, DOWNLOAD, file)
            case e.FilesRemoved(files=gone):
                self._changes += [(_REMOVE, (stream, each)) for each in gone]
            case e.SessionPurged():
                self._changes.append((_REMOVE_ALL, (stream,)))

    def pending(self) -> list[tuple[str, list[Values]]]:
        """Statements and their rows, in the order of the log, for all that has changed since the last write."""
        self._writing = len(self._changes)
        return [(sql, [values]) for sql, values in self._changes]

    def written(self) -> None:
        """What `pending` gave last is in the file now."""
        del self._changes[: self._writing]
        self._writing = 0

    def _put(self, recorded: Recorded, sort: str, file: e.File) -> None:
        text = sealed(_encoder.encode(file))
        known = (recorded.stream, file.id, sort, file.name, file.blob, recorded.at, recorded.position, text)
        self._changes += [(_REPLACE, (recorded.stream, sort, file.name)), (_PUT, known)]
