"""The gate and the tape by themselves: no place taken twice or lost, nothing left running."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.machine import Desired
from eventstore.store import Recorded
from eventstore.task import Task
from runner.control import Gate
from runner.parking import Parking
from runner.tape import Tape
from runner.vocabulary import Navigate

OPEN = Navigate(url="http://shop.test/")


async def turns(count: int = 100) -> None:
    """Let everybody who can go on do so, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("between", range(6))
async def test_nobody_passes_the_gate_without_a_place(world: Any, script: Any, between: int) -> None:
    stream = await world.create("buy", script([OPEN]))
    await world.tell(stream, lambda task: decide.claim(task, runner="r"))
    slots = asyncio.Semaphore(0)
    gate = Gate(Tape(world.tasks, stream, actor="runner:r", fence=2), slots, Parking(seconds=60.0, most=4))
    await world.tell(stream, decide.pause)
    gate.hear(Desired.PAUSE)
    passage = asyncio.create_task(gate.passage())
    await world.until(stream, e.TaskPaused)
    await slots.acquire()
    await world.tell(stream, decide.resume)
    gate.hear(Desired.RUN)
    await turns()

    gate.hear(Desired.PAUSE)
    await turns(between)
    gate.hear(Desired.RUN)
    await turns()
    passed = passage.done()
    slots.release()
    await asyncio.wait_for(passage, 10.0)

    assert (False, True) == (passed, gate.has_slot)


class Overtaken(Tape):
    """A resume comes right behind the second look at what is wanted of the parked task."""

    looks = 0

    async def decide(self, decision: Callable[[Task], list[e.Event]]) -> Sequence[Recorded]:
        done = await super().decide(decision)
        self.looks += 1
        if self.looks == 2:
            await self._tasks.transact(self.stream, decide.resume, actor="key:test")
        return done


async def test_a_resume_right_behind_the_look_at_a_pause_is_told(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN]))
    await world.tell(stream, lambda task: decide.claim(task, runner="r"))
    gate = Gate(
        Overtaken(world.tasks, stream, actor="runner:r", fence=2), asyncio.Semaphore(1), Parking(seconds=60.0, most=4)
    )
    await world.tell(stream, decide.pause)
    gate.hear(Desired.PAUSE)
    passage = asyncio.create_task(gate.passage())
    await world.until(stream, e.TaskPaused)

    gate.hear(Desired.RUN)  # a resume that another pause has overtaken
    await asyncio.wait_for(passage, 10.0)

    assert ["pause_requested", "paused", "resume_requested", "resumed"] == (await world.story(stream))[2:]


async def test_a_pause_that_is_over_before_the_first_step_leaves_no_task_parked(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN]))
    for ask in (
        lambda task: decide.claim(task, runner="r"),
        decide.pause,
        lambda task: decide.lose(task, runner="r"),
        decide.resume,
        lambda task: decide.claim(task, runner="s"),
        lambda task: decide.record(
            task, e.TaskStarted(fence=task.fence, browser="Stage 1", viewport_width=800, viewport_height=600)
        ),
        decide.pause,
    ):
        await world.tell(stream, ask)
    fence = (await world.tasks.load(stream)).fence
    gate = Gate(
        Tape(world.tasks, stream, actor="runner:s", fence=fence), asyncio.Semaphore(0), Parking(seconds=60.0, most=4)
    )

    await gate.unpark()
    await world.tell(stream, decide.resume)
    gate.hear(Desired.RUN)
    gate._slots.release()
    await asyncio.wait_for(gate.passage(), 10.0)

    assert ["started", "pause_requested", "resume_requested", "resumed"] == (await world.story(stream))[-4:]


async def test_a_tape_that_is_dropped_leaves_nothing_running(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN]))
    await world.tell(stream, lambda task: decide.claim(task, runner="r"))
    tape = Tape(world.tasks, stream, actor="runner:r", fence=2)
    blocked = e.NavigationBlocked(fence=2, url="http://elsewhere.test/", reason="not allowed")

    async def never() -> list[e.Event]:
        await asyncio.Future()
        return []

    tape.write_behind(blocked)
    tape.follow_up(never())
    await turns()
    tape.write_behind(blocked)
    await tape.drop()
    tape.write_behind(blocked)
    await turns()

    assert ["created", "claimed", "navigation_blocked"] == await world.story(stream)
