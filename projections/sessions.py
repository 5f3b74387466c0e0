"""The view of sessions: those that were created, and those that tasks imply. In SQL alone.

A task that was not put into a session has one of its own, which begins and ends with it. Its row stands on the task
until something is said of the session itself, and goes when the task is redacted.
"""

from collections.abc import Awaitable, Callable

import msgspec

from eventstore import events as e
from eventstore.codec import kind_of
from eventstore.machine import ENDED, Phase, after
from eventstore.store import Recorded
from projections.session_row import Kept, SessionRow
from projections.shelf import Shelf, Value, Values, sealed
from projections.task_row import STREAM as TASK

__all__ = ["SessionRow", "Sessions"]

STREAM = "session-"

# `task`, `begun`, `begun_at` and `ended_at` are of the one task that implies it; `own` is where its own stream begins.
SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, kind TEXT NOT NULL, explicit INTEGER NOT NULL,
    task TEXT, begun INTEGER, begun_at INTEGER, ended_at INTEGER, own INTEGER, own_at INTEGER, stopped_at INTEGER,
    cause TEXT NOT NULL DEFAULT '', opened TEXT NOT NULL DEFAULT '', deleted INTEGER NOT NULL DEFAULT 0,
    purged INTEGER NOT NULL DEFAULT 0, share TEXT NOT NULL DEFAULT '', views INTEGER NOT NULL DEFAULT 0,
    viewed_at INTEGER, row BLOB NOT NULL,
    created INTEGER GENERATED ALWAYS AS (coalesce(begun, own)),
    started_at INTEGER GENERATED ALWAYS AS (coalesce(begun_at, own_at)),
    finished_at INTEGER GENERATED ALWAYS AS
        (coalesce(stopped_at, ended_at, CASE WHEN explicit = 0 AND task IS NULL THEN own_at END))) STRICT;
CREATE INDEX IF NOT EXISTS sessions_listed ON sessions (project, kind, deleted, started_at, created, finished_at);
CREATE INDEX IF NOT EXISTS sessions_of_task ON sessions (task) WHERE task IS NOT NULL;
CREATE INDEX IF NOT EXISTS sessions_shared ON sessions (id, share) WHERE share <> '';
CREATE INDEX IF NOT EXISTS sessions_active ON sessions (project, kind) WHERE finished_at IS NULL;
"""
_COLUMNS = """id, project, kind, explicit, coalesce(task, ''), started_at, finished_at, cause, opened, deleted, purged,
    share, views, viewed_at, row"""
_IMPLY = """
INSERT INTO sessions (id, project, kind, explicit, task, begun, begun_at, row) VALUES (?, ?, 'agent', 0, ?, ?, ?, ?)
ON CONFLICT (id) DO NOTHING
"""
_CREATE = """
INSERT INTO sessions (id, project, kind, explicit, own, own_at, row) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET own = coalesce(own, excluded.own), own_at = coalesce(own_at, excluded.own_at)
"""
_END_TASK = "UPDATE sessions SET ended_at = ? WHERE task = ? AND ended_at IS NULL"
_FORGET_IMPLIED = "DELETE FROM sessions WHERE task = ? AND own IS NULL"
_FORGET_TASK = "UPDATE sessions SET task = NULL, begun = NULL, begun_at = NULL, ended_at = NULL WHERE task = ?"
_OPEN = "UPDATE sessions SET opened = ? WHERE id = ?"
_STOP = "UPDATE sessions SET stopped_at = ?, cause = ? WHERE id = ? AND stopped_at IS NULL"
_DELETE = "UPDATE sessions SET deleted = 1, share = '', views = 0, viewed_at = NULL WHERE id = ?"
# As if all before it had been read without its payload: so it is when the log is read again.
_PURGE = """
UPDATE sessions SET project = ?, kind = 'agent', explicit = 1, cause = '', opened = '', purged = 1, share = '',
    views = 0, viewed_at = NULL, row = ? WHERE id = ?
"""
_SHARE = "UPDATE sessions SET share = ?, views = 0, viewed_at = NULL WHERE id = ?"
_UNSHARE = "UPDATE sessions SET share = '', views = 0, viewed_at = NULL WHERE id = ? AND share = ?"
_VIEW = "UPDATE sessions SET views = views + ?, viewed_at = ? WHERE id = ? AND share = ?"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Kept)
_NOTHING = sealed(_encoder.encode(Kept()))


class Sessions:
    """`flush` brings the file up to what the log says; every answer is that of the file, and raises DiskFull."""

    def __init__(self, shelf: Shelf, flush: Callable[[], Awaitable[None]]) -> None:
        self._shelf = shelf
        self._flush = flush
        self._changes: list[tuple[str, Values]] = []
        self._writing = 0
        self._shares: dict[str, str] = {}

    def share(self, session_id: str) -> str:
        """The id of the session's share, empty without one: one look into memory."""
        return self._shares.get(session_id, "")

    async def load(self) -> None:
        """Bring the shares into memory."""
        rows = await self._shelf.rows("SELECT id, share FROM sessions WHERE share <> ''")
        self._shares = dict(map(tuple, rows))

    async def find(self, session_id: str) -> SessionRow | None:
        """The session, a deleted one too; None when there is none."""
        await self._flush()
        rows = await self._shelf.rows(f"SELECT {_COLUMNS} FROM sessions WHERE id = ?", (session_id,))  # noqa: S608  # constants alone
        return self._row(*rows[0]) if rows else None

    async def page(
        self, *, project: str, kind: str = "agent", active: bool | None = None, offset: int = 0, limit: int = 10
    ) -> tuple[list[SessionRow], int]:
        """Those of one project that are not deleted, newest first, and how many there are in all."""
        await self._flush()
        where = "project = ? AND kind = ? AND deleted = 0"
        if active is not None:
            where += f" AND finished_at IS {'' if active else 'NOT '}NULL"
        ((total,),) = await self._shelf.rows(f"SELECT count(*) FROM sessions WHERE {where}", (project, kind))  # noqa: S608  # as above
        if total <= offset:
            return [], total
        sql = f"SELECT {_COLUMNS} FROM sessions WHERE {where} ORDER BY started_at DESC, created DESC LIMIT ? OFFSET ?"  # noqa: S608  # as above
        return [self._row(*row) for row in await self._shelf.rows(sql, (project, kind, limit, offset))], total

    def apply(self, recorded: Recorded) -> None:
        """See View."""
        if recorded.stream.startswith(TASK):
            self._changes += _of_task(recorded)
        elif recorded.stream.startswith(STREAM):
            self._changes += _of_session(recorded)
            self._share(recorded)

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

    def _share(self, recorded: Recorded) -> None:
        session = recorded.stream.removeprefix(STREAM)
        match recorded.event:
            case e.SessionShared(share=share):
                self._shares[session] = share
            case e.SessionUnshared(share=share) if self._shares.get(session) == share:
                del self._shares[session]
            case e.SessionDeleted() | e.SessionPurged():
                self._shares.pop(session, None)

    def _row(self, *row: Value) -> SessionRow:
        kept = _decoder.decode(self._shelf.unsealed(row[-1]))
        known = dict(zip(SessionRow.__struct_fields__, row[:-1], strict=False))
        return msgspec.convert(known | msgspec.structs.asdict(kept), SessionRow, strict=False)


def _of_task(recorded: Recorded) -> list[tuple[str, Values]]:
    task, event = recorded.stream.removeprefix(TASK), recorded.event
    match event:
        case e.TaskCreated(session=session) if session:
            # No more of the task, for it may outlive the task's redaction.
            kept = Kept(family=event.family, options=e.Options(record=event.options.record))
            row = (session, event.project, task, recorded.position, recorded.at, sealed(_encoder.encode(kept)))
            return [(_IMPLY, row)]
        case e.TaskRedacted():
            return [(_FORGET_IMPLIED, (task,)), (_FORGET_TASK, (task,))]
    return [(_END_TASK, (recorded.at, task))] if after(Phase.RUNNING, kind_of(event)) in ENDED else []


def _of_session(recorded: Recorded) -> list[tuple[str, Values]]:
    session, event, at = recorded.stream.removeprefix(STREAM), recorded.event, recorded.at
    kind = kind_of(event)
    if kind is e.SessionCreated:
        return [(_CREATE, _created(session, recorded))]
    if kind is e.SessionStopped:
        return [(_STOP, (at, event.cause if isinstance(event, e.SessionStopped) else "", session))]
    if kind is e.SessionDeleted:
        return [(_DELETE, (session,))]
    match event:
        case e.SessionOpened(runner=runner):
            return [(_OPEN, (runner, session))]
        case e.SessionClosed():
            return [(_OPEN, ("", session))]
        case e.SessionPurged(project=project):
            return [(_PURGE, (project, _NOTHING, session))]
        case e.SessionShared(share=share):
            return [(_SHARE, (share, session))]
        case e.SessionUnshared(share=share):
            return [(_UNSHARE, (session, share))]
        case e.ShareViewed(share=share, views=views):
            return [(_VIEW, (views, at, session, share))]
    return []


def _created(session: str, recorded: Recorded) -> Values:
    """What was purged begins a row that is nobody's until its SessionPurged says whose it is."""
    event = recorded.event
    if not isinstance(event, e.SessionCreated):
        return (session, "", "agent", 1, recorded.position, recorded.at, _NOTHING)
    kept = Kept(
        family=event.family,
        keep_alive=event.keep_alive,
        start_url=event.start_url,
        seconds=event.seconds,
        options=event.options,
    )
    text = sealed(_encoder.encode(kept))
    return (session, event.project, event.kind, int(event.explicit), recorded.position, recorded.at, text)
