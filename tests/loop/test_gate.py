"""The gate and the tape by themselves: no place taken twice or lost, nothing left running."""

import asyncio
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.machine import Desired
from runner.control import Gate
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
    gate = Gate(Tape(world.tasks, stream, actor="runner:r", fence=2), slots, keep_seconds=60.0)
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
