"""The wall clock jumps by an hour while tasks run: no limit expires, no claim is lost, and the tape is in order."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.memory import MemoryStore
from eventstore.rules import violations
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from runner.action_json import as_json
from runner.vocabulary import Click, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
HOUR = 3_600_000_000
NOW = 1_700_000_000_000_000


def hours(*each: int) -> Iterator[int]:
    """Jumps from one to the next with every look, again and again."""
    return (NOW + hour * HOUR for hour in cycle(each))


@pytest.mark.parametrize("jumps", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 9, -9)], ids=["forward", "back", "to and fro"])
async def test_a_task_is_paused_for_hours_resumed_and_finished_within_its_limits(
    world: Any, script: Any, jumps: tuple[int, ...]
) -> None:
    clock = hours(*jumps)
    world.store = MemoryStore(clock=lambda: next(clock))
    world.tasks = Repository(world.store, Task(), evolve)
    click = f"act {as_json(CLICK)}"
    arrived = world.stage.stop_at(click)
    limits = e.Limits(task_seconds=1_800.0, step_seconds=600.0)

    async with world.worker(keep_paused_seconds=600.0):
        stream = await world.create("buy", script([OPEN], [CLICK]), limits=limits)
        await arrived.wait()
        await world.tell(stream, decide.pause)
        world.stage.hold[click].set()
        await world.until(stream, e.TaskPaused)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    tape = await world.store.read()
    story = await world.story(stream)
    times = [recorded.at for recorded in tape]
    assert (1, 1) == (world.stage.sessions, story.count("claimed"))
    assert sorted(set(times)) == times
    assert [] == violations(tape)
