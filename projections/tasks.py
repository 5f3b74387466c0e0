"""The view of tasks: rows folded from the log, the live and the lately ended ones in memory, all of them in SQL."""

import asyncio
import copy
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterable

import msgspec

from eventstore.errors import DiskFull
from eventstore.machine import State
from eventstore.store import Recorded
from projections.listing import Listing
from projections.shelf import Shelf, Values, sealed
from projections.task_row import STREAM, TaskRow, apply

__all__ = ["TaskRow", "Tasks"]

# Newest first is by the time of creation; the index holds all that a list may be filtered by.
SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    created INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, project TEXT NOT NULL, session TEXT NOT NULL,
    state TEXT NOT NULL, live INTEGER NOT NULL, created_at INTEGER NOT NULL, ended_at INTEGER,
    redacted INTEGER NOT NULL, row BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS tasks_listed ON tasks (project, created_at, created, state);
CREATE INDEX IF NOT EXISTS tasks_of_session ON tasks (session, created_at, created, state);
CREATE INDEX IF NOT EXISTS tasks_live ON tasks (live) WHERE live = 1;
CREATE INDEX IF NOT EXISTS tasks_ended ON tasks (ended_at, id) WHERE redacted = 0;
"""
_WRITE = """
INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (created) DO UPDATE SET project = excluded.project, session = excluded.session, state = excluded.state,
    live = excluded.live, ended_at = excluded.ended_at, redacted = excluded.redacted, row = excluded.row
"""

Condition = Callable[[TaskRow], bool]
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(TaskRow)


class Tasks:
    """`flush` brings the file up to what is in memory; `remember` is how many ended tasks stay in memory."""

    def __init__(self, shelf: Shelf, flush: Callable[[], Awaitable[None]], *, remember: int) -> None:
        self._shelf = shelf
        self._flush = flush
        self._remember = remember
        self._live: dict[str, TaskRow] = {}
        self._ended: OrderedDict[str, TaskRow] = OrderedDict()
        self._dirty: dict[str, TaskRow] = {}
        self._writing: dict[str, TaskRow] = {}
        self._waiting: dict[str, list[tuple[Condition, asyncio.Future[TaskRow]]]] = {}
        self._totals: Counter[tuple[str, State]] = Counter()

    @property
    def waiting(self) -> int:
        """How many wait for a change."""
        return sum(map(len, self._waiting.values()))

    @property
    def counts(self) -> Counter[State]:
        """How many tasks there are in each state."""
        counts: Counter[State] = Counter()
        for (_, state), total in self._totals.items():
            counts[state] += total
        return counts

    def peek(self, task_id: str) -> TaskRow | None:
        """The row itself, if it is in memory: every live task is, and those that ended or were looked at last.

        It changes with the next event: read it at once, and keep nothing.
        """
        return self._hot(STREAM + task_id)

    def get(self, task_id: str) -> TaskRow | None:
        """A copy of the row, if it is in memory."""
        row = self.peek(task_id)
        return copy.copy(row) if row else None

    async def find(self, task_id: str) -> TaskRow | None:
        """A copy of the row, from memory or from the file; None when there is no such task."""
        if (row := self.get(task_id)) is None:
            await self.load([STREAM + task_id])
            row = self.get(task_id)
            self._evict()
        return row

    async def page(
        self,
        *,
        project: str,
        offset: int = 0,
        limit: int = 10,
        states: Collection[State] | None = None,
        session: str | None = None,
        created_after: int | None = None,
        created_before: int | None = None,
    ) -> tuple[list[TaskRow], int]:
        """Rows of one project, newest first, and how many there are in all. Times: from `after` on, before `before`.

        When the disk is full, what the file lacks is taken from memory.
        """
        wanted = Listing(
            project=project,
            states=states,
            session=session,
            created_after=created_after,
            created_before=created_before,
        )
        lacking: list[TaskRow] = []
        try:
            await self._flush()
        except DiskFull:
            lacking = [copy.copy(row) for row in {**self._writing, **self._dirty}.values()]
        where, values = wanted.condition()
        if lacking:  # rarely, so that it need not be quick
            where += " AND created NOT IN (SELECT value FROM json_each(?))"
            values.append(_encoder.encode([row.created for row in lacking]).decode())
        mine = [row for row in lacking if wanted.has(row)]
        if wanted.whole:  # Most lists: a number that is known need not be counted again in SQL.
            total = sum(self._totals[project, state] for state in set(State if states is None else states))
        else:
            count = f"SELECT count(*) FROM tasks WHERE {where}"  # noqa: S608  # constants alone
            ((total,),) = await self._shelf.rows(count, values)
            total += len(mine)
        if total <= offset:
            return [], total
        first = 0 if mine else offset
        newest = f"SELECT row FROM tasks WHERE {where} ORDER BY created_at DESC, created DESC LIMIT ? OFFSET ?"  # noqa: S608  # as above
        rows = [self._row(text) for (text,) in await self._shelf.rows(newest, (*values, offset + limit - first, first))]
        if mine:
            rows = sorted([*rows, *mine], key=lambda row: (row.created_at, row.created), reverse=True)
        return rows[offset - first : offset - first + limit], total

    async def until(self, task_id: str, condition: Condition, timeout: float) -> TaskRow | None:
        """The row as soon as the condition holds, be it for a moment; None when it did not in `timeout` seconds."""
        row = await self.find(task_id)
        if row is not None and condition(row):
            return row
        future: asyncio.Future[TaskRow] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(STREAM + task_id, [])
        waiting.append((condition, future))
        try:
            async with asyncio.timeout(timeout):
                return await future
        except TimeoutError:
            return None
        finally:
            waiting.remove((condition, future))
            if not waiting:
                del self._waiting[STREAM + task_id]

    def apply(self, recorded: Recorded) -> None:
        """See View. The row must be in memory, if there is one: see `absent`."""
        stream = recorded.stream
        row = known = self._live.get(stream)
        if row is None:
            if not stream.startswith(STREAM):
                return
            known = self._ended.get(stream)
        before = (known.shown_in, known.state) if known else None
        row = apply(known, recorded)
        if row is None:
            return
        self._dirty[stream] = row
        if (row.shown_in, row.state) != before:
            self._count(stream, row, before)
        if stream in self._waiting:
            self._wake(stream, row)

    def absent(self, page: Iterable[Recorded]) -> list[str]:
        """The streams of tasks that go on in this page and are not in memory."""
        streams = {recorded.stream for recorded in page if recorded.version > 1}
        return [each for each in streams.difference(self._live, self._ended) if each.startswith(STREAM)]

    def live(self) -> list[str]:
        """The ids of the tasks that have not ended."""
        return [stream.removeprefix(STREAM) for stream in self._live]

    async def load(self, streams: Collection[str] | None = None) -> None:
        """Bring these tasks from the file into memory; without streams: all live tasks, and the counts."""
        if streams is None:
            totals = await self._shelf.rows("SELECT project, state, count(*) FROM tasks GROUP BY project, state")
            self._totals = Counter({(project, State(state)): total for project, state, total in totals})
            rows = await self._shelf.rows("SELECT row FROM tasks WHERE live = 1")
        elif not streams:
            return
        else:
            ids = _json([stream.removeprefix(STREAM) for stream in streams])
            rows = await self._shelf.rows("SELECT row FROM tasks WHERE id IN (SELECT value FROM json_each(?))", (ids,))
        for (text,) in rows:
            row = self._row(text)
            if self._hot(STREAM + row.id) is None:
                home = self._live if row.ended_at is None else self._ended
                home[STREAM + row.id] = row

    def pending(self) -> tuple[str, list[Values]]:
        """See View."""
        self._writing = {**self._writing, **self._dirty}
        self._dirty = {}
        return _WRITE, [_values(row) for row in self._writing.values()]

    def written(self) -> None:
        """See View."""
        self._writing = {}
        self._evict()

    def _row(self, blob: bytes) -> TaskRow:
        return _decoder.decode(self._shelf.unsealed(blob))

    def _hot(self, stream: str) -> TaskRow | None:
        row = self._live.get(stream)
        if row is None and (row := self._ended.get(stream)) is not None:
            self._ended.move_to_end(stream)
        return row

    def _count(self, stream: str, row: TaskRow, before: tuple[str, State] | None) -> None:
        if before is None:
            self._live[stream] = row
        else:
            self._totals[before] -= 1
        self._totals[row.shown_in, row.state] += 1
        if row.ended_at is not None and self._live.pop(stream, None) is not None:
            self._ended[stream] = row

    def _wake(self, stream: str, row: TaskRow) -> None:
        for condition, future in self._waiting[stream]:
            if not future.done() and condition(row):
                future.set_result(copy.copy(row))

    def _evict(self) -> None:
        """Forget the ended tasks that were not looked at for longest, but never what the file does not have yet."""
        while len(self._ended) > self._remember:
            oldest = next(iter(self._ended))
            if oldest in self._dirty or oldest in self._writing:
                break
            del self._ended[oldest]


def _values(row: TaskRow) -> Values:
    live = 1 if row.ended_at is None else 0
    known = row.created, row.id, row.shown_in, row.session, row.state, live, row.created_at
    return (*known, row.ended_at, int(row.redacted), sealed(_encoder.encode(row)))


def _json(value: list[str]) -> str:
    return _encoder.encode(value).decode()
