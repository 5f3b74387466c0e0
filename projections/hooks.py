"""The view of webhooks: those that live, of each the last deliveries and the dead letters. In SQL alone; bounded."""

from collections.abc import Awaitable, Callable

import msgspec

from eventstore import events as e
from eventstore import hook
from eventstore.store import Recorded
from projections.shelf import Shelf, Values

DELIVERED, WAITING, DEAD = "delivered", "waiting", "dead"
KEPT = {DELIVERED: 100, WAITING: 1_000, DEAD: 1_000}
"""So many of each are kept for one webhook, the latest; the tape has all."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS hooks (
    id TEXT PRIMARY KEY, project TEXT NOT NULL, url TEXT NOT NULL, task TEXT NOT NULL, events TEXT NOT NULL,
    at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS hooks_of_project ON hooks (project, at);
CREATE TABLE IF NOT EXISTS told (
    hook TEXT NOT NULL, source INTEGER NOT NULL, lane TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    status INTEGER NOT NULL, error TEXT NOT NULL, at INTEGER NOT NULL, next_at INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL, PRIMARY KEY (hook, source)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS told_lately ON told (hook, state, at);
"""
_ADD = "INSERT OR IGNORE INTO hooks VALUES (?, ?, ?, ?, ?, ?)"
_REMOVE = "DELETE FROM hooks WHERE id = ?"
_FORGET = "DELETE FROM told WHERE hook = ?"
# What was deleted meanwhile is told of no more.
_TELL = "INSERT OR REPLACE INTO told SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 FROM hooks WHERE id = ?1"
_TRIM = """
DELETE FROM told WHERE hook = ?1 AND state = ?2 AND at <= (
    SELECT at FROM told WHERE hook = ?1 AND state = ?2 ORDER BY at DESC LIMIT 1 OFFSET ?3)
"""
_COUNT = "(SELECT count(*) FROM told WHERE hook = id AND state = '{}')"
_ROWS = f"SELECT id, project, url, task, events, at, {_COUNT.format(WAITING)}, {_COUNT.format(DEAD)} FROM hooks"  # noqa: S608  # constants
_OF_PROJECT = f"{_ROWS} WHERE project = ?1 AND task = ifnull(?2, task) ORDER BY task != '', at LIMIT ?3"
_ONE = f"{_ROWS} WHERE id = ?"
_TOLD = "SELECT source, lane, state, attempts, status, error, at, next_at, duration_ms FROM told WHERE hook = ?"
_LATELY = f"{_TOLD} AND state = ? ORDER BY at DESC, source DESC"

_encoder = msgspec.json.Encoder()
_words = msgspec.json.Decoder(tuple[str, ...])


class HookRow(msgspec.Struct, frozen=True, kw_only=True):
    """A living webhook. `waiting` and `dead` count what waits for another try, and the dead letters."""

    id: str
    project: str
    url: str
    task: str
    events: tuple[str, ...]
    at: int
    waiting: int
    dead: int


class ToldRow(msgspec.Struct, frozen=True, kw_only=True):
    """How far one source has come. Times are microseconds; `lane` is a task's id, or `test`."""

    source: int
    lane: str
    state: str
    attempts: int
    status: int
    error: str
    at: int
    next_at: int
    duration_ms: int


class Hooks:
    """`flush` brings the file up to what the log says; every answer is that of the file, and raises DiskFull."""

    def __init__(self, shelf: Shelf, flush: Callable[[], Awaitable[None]]) -> None:
        self._shelf = shelf
        self._flush = flush
        self._changes: list[tuple[str, Values]] = []
        self._told: set[tuple[str, str]] = set()
        self._writing = 0

    async def of(self, project: str, *, task: str | None = None, limit: int = 1_000) -> list[HookRow]:
        """The project's webhooks, those for all its tasks before those of single ones; each kind the oldest first.

        With `task` those of that one alone, or, where it is empty, those for all.
        """
        await self._flush()
        return [_hook(*row) for row in await self._shelf.rows(_OF_PROJECT, (project, task, limit))]

    async def find(self, hook_id: str) -> HookRow | None:
        """One webhook, unless it was deleted."""
        await self._flush()
        for row in await self._shelf.rows(_ONE, (hook_id,)):
            return _hook(*row)
        return None

    async def told(self, hook_id: str, state: str) -> list[ToldRow]:
        """What is `delivered`, `waiting` or `dead`, the latest first."""
        await self._flush()
        fields = ToldRow.__struct_fields__
        rows = await self._shelf.rows(_LATELY, (hook_id, state))
        return [ToldRow(**dict(zip(fields, row, strict=True))) for row in rows]

    def apply(self, recorded: Recorded) -> None:
        """See View."""
        hook_id, event = hook.place(recorded.stream)[0], recorded.event
        match event:
            case e.HookCreated():
                events = _encoder.encode(event.events).decode()
                self._changes.append((_ADD, (hook_id, event.project, event.url, event.task, events, recorded.at)))
            case e.HookDeleted():
                self._changes += [(_REMOVE, (hook_id,)), (_FORGET, (hook_id,))]
            case e.HookDelivered():
                self._tell(recorded, DELIVERED, event.source, event.attempt, event.status, "", 0, event.duration_ms)
            case e.HookFailed():
                state = WAITING if event.next_at else DEAD
                self._tell(recorded, state, event.source, event.attempt, 0, event.error, event.next_at, 0)
            case e.RedeliveryRequested():
                self._tell(recorded, WAITING, event.source, 0, 0, "", 0, 0)

    def pending(self) -> list[tuple[str, list[Values]]]:
        """Statements and their rows, in the order of the log, for all that has changed since the last write."""
        self._changes += [(_TRIM, (hook_id, state, KEPT[state])) for hook_id, state in sorted(self._told)]
        self._told.clear()
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

    def _tell(
        self,
        recorded: Recorded,
        state: str,
        source: int,
        attempts: int,
        status: int,
        error: str,
        next_at: int,
        duration_ms: int,
    ) -> None:
        hook_id, lane = hook.place(recorded.stream)
        row: Values = (hook_id, source, lane, state, attempts, status, error, recorded.at, next_at, duration_ms)
        self._changes.append((_TELL, row))
        self._told.add((hook_id, state))


def _hook(hook_id: str, project: str, url: str, task: str, events: str, at: int, waiting: int, dead: int) -> HookRow:
    return HookRow(
        id=hook_id,
        project=project,
        url=url,
        task=task,
        events=_words.decode(events),
        at=at,
        waiting=waiting,
        dead=dead,
    )
