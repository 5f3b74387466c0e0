"""The view of steps: those of live tasks in memory, those of ended tasks in SQL."""

from collections.abc import Collection, Iterable

import msgspec

from eventstore import events as e
from eventstore.codec import kind_of
from eventstore.store import Recorded
from projections.shelf import Shelf, Values, sealed
from projections.step_row import ENDINGS, REMOVALS, StepRow, after_the_end, apply, visible
from projections.task_row import STREAM

__all__ = ["StepRow", "Steps"]

# `place` counts from 0; a number can come twice, for example when a step was interrupted and begun again.
SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (
    task TEXT NOT NULL, place INTEGER NOT NULL, row BLOB NOT NULL, PRIMARY KEY (task, place)) STRICT, WITHOUT ROWID;
"""
_WRITE = "INSERT OR REPLACE INTO steps VALUES (?, ?, ?)"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(StepRow)


class Trail(msgspec.Struct, kw_only=True):
    """The steps of one task in memory. The file has the first `kept` of them, and those will not change any more."""

    rows: list[StepRow]
    kept: int = 0
    ended: bool = False


class Steps:
    """`shelf` is the file that they are written to."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._trails: dict[str, Trail] = {}
        self._dirty: dict[str, Trail] = {}
        self._writing: dict[str, Trail] = {}
        self._closed: list[tuple[Trail, int]] = []

    async def of(self, task_id: str) -> list[StepRow]:
        """Copies of the task's steps in order, the open one too once it has begun an act."""
        trail = self._trails.get(STREAM + task_id)
        if trail is not None:
            return visible(trail.rows)
        rows = await self._shelf.rows("SELECT row FROM steps WHERE task = ? ORDER BY place", (task_id,))
        return visible(self._row(row[0]) for row in rows)

    def apply(self, recorded: Recorded) -> None:
        """See View."""
        stream = recorded.stream
        trail = self._trails.get(stream)
        if trail is None:
            if recorded.version == 1 and kind_of(recorded.event) is e.TaskCreated:
                self._trails[stream] = Trail(rows=[])
        elif trail.ended:
            changed = Trail(rows=list(trail.rows), ended=True)  # a write that is under way keeps the one it has
            if after_the_end(changed.rows, recorded.event):
                self._trails[stream] = self._dirty[stream] = changed
        elif kind_of(recorded.event) in ENDINGS:
            trail.ended = True
            self._dirty[stream] = trail
        elif apply(trail.rows, recorded):
            self._dirty[stream] = trail

    def absent(self, page: Iterable[Recorded]) -> list[str]:
        """The streams of ended tasks of which this page removes something and that are not in memory."""
        streams = {recorded.stream for recorded in page if type(recorded.event) in REMOVALS}
        begun = {recorded.stream for recorded in page if recorded.version == 1}
        return [each for each in streams.difference(self._trails, begun) if each.startswith(STREAM)]

    async def recall(self, streams: Collection[str]) -> None:
        """Bring the steps of these ended tasks into memory, until they have been written again."""
        for stream in streams:
            task_id = stream.removeprefix(STREAM)
            rows = await self._shelf.rows("SELECT row FROM steps WHERE task = ? ORDER BY place", (task_id,))
            steps = [self._row(row[0]) for row in rows]
            self._trails.setdefault(stream, Trail(rows=steps, kept=len(steps), ended=True))
            self._dirty.setdefault(stream, self._trails[stream])

    async def load(self) -> None:
        """Bring the steps of all live tasks into memory."""
        for (task,) in await self._shelf.rows("SELECT id FROM tasks WHERE live = 1"):
            self._trails[STREAM + task] = Trail(rows=[])
        rows = await self._shelf.rows(
            "SELECT task, steps.row FROM tasks JOIN steps ON task = id WHERE live = 1 ORDER BY task, place"
        )
        for task, text in rows:
            self._trails[STREAM + task].rows.append(self._row(text))
        for trail in self._trails.values():
            trail.kept = _closed(trail)

    def pending(self) -> tuple[str, list[Values]]:
        """See View."""
        self._writing = {**self._writing, **self._dirty}
        self._dirty = {}
        self._closed = [(trail, _closed(trail)) for trail in self._writing.values()]
        return _WRITE, [
            (stream.removeprefix(STREAM), place, sealed(_encoder.encode(trail.rows[place])))
            for stream, trail in self._writing.items()
            for place in range(trail.kept, len(trail.rows))
        ]

    def written(self) -> None:
        """See View."""
        for trail, closed in self._closed:
            trail.kept = closed
        for stream, trail in self._writing.items():
            if trail.ended and stream not in self._dirty:
                del self._trails[stream]
        self._writing = {}

    def _row(self, blob: bytes) -> StepRow:
        return _decoder.decode(self._shelf.unsealed(blob))


def _closed(trail: Trail) -> int:
    """How many rows can never change again: only the last one ever does."""
    return len(trail.rows) - 1 if trail.rows and trail.rows[-1].ended_at is None else len(trail.rows)
