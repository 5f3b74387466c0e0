"""The wall clock may jump: order, times and durations on the tape stay right."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore.memory import MemoryStore
from eventstore.rules import violations
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore, Recorded
from projections.history import task_at
from projections.task_row import TaskRow
from tests.histories import histories
from tests.pure.test_model import at_once
from tests.pure.test_rules import PAUSE, RESUME, STARTED, STEP, STOP, TAKEN

HOUR = 3_600_000_000
NOW = 1_700_000_000_000_000
JUMPS = {"back": (0, -HOUR, -HOUR + 5), "forward": (0, HOUR, HOUR + 5), "there and back": (0, HOUR, 5)}


def jumping(*offsets: int) -> Iterator[int]:
    """So far from now at each look; then it stands still."""
    yield from (NOW + offset for offset in offsets)
    while True:
        yield NOW + offsets[-1]


async def lives(store: EventStore) -> Sequence[Recorded]:
    """A task that is paused, resumed and stopped, one event each look at the clock."""
    for version, event in enumerate([*STARTED, STEP, TAKEN, PAUSE, RESUME, STOP]):
        await store.append("task-1", version, [event], actor="test")
    return await store.read()


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_times_grow_whatever_the_clock_does(jump: str, kind: str, tmp_path: Path) -> None:
    clock = jumping(*JUMPS[jump])
    if kind == "memory":
        tape = await lives(MemoryStore(clock=lambda: next(clock)))
    else:
        async with open_sqlite(tmp_path / "tape.db", clock=lambda: next(clock)) as store:
            tape = await lives(store)
        async with open_sqlite(
            tmp_path / "tape.db", clock=lambda: NOW - 24 * HOUR
        ) as store:  # a day before, at the next start
            tape = [*tape, *await store.append("task-2", 0, [tape[0].event], actor="test")]

    times = [recorded.at for recorded in tape]
    assert sorted(set(times)) == times
    assert [] == violations(tape)


@settings(deadline=None, max_examples=100)
@given(events=histories(), offsets=st.lists(st.integers(-2 * HOUR, 2 * HOUR), min_size=1, max_size=60))
def test_no_view_shows_a_time_before_another_or_a_negative_duration(events: list[object], offsets: list[int]) -> None:
    clock = jumping(*offsets)
    store = MemoryStore(clock=lambda: next(clock))
    for version, event in enumerate(events):
        at_once(store.append("task-1", version, [event], actor="test"))  # type: ignore[list-item] # events they are

    for recorded in at_once(store.read()):
        then = at_once(task_at(store, "1", at=recorded.at))

        row: TaskRow = then[0]
        assert row.position == recorded.position
        assert row.created_at <= (row.started_at or row.created_at) <= (row.ended_at or recorded.at) <= recorded.at
        assert all(0 <= step.duration_ms and step.started_at <= (step.ended_at or step.started_at) for step in then[1])
