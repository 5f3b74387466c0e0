"""The service is told to end: nothing new begins, what is in flight ends, every task is given back in order."""

from typing import Any

from eventstore import decide
from eventstore import events as e
from eventstore.machine import State
from runner.action_json import as_json
from runner.vocabulary import Click, Extract, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
READ = Extract(what="page")


async def test_an_act_in_flight_ends_and_is_recorded_and_no_other_begins(world: Any, script: Any) -> None:
    act = f"act {as_json(CLICK)}"
    arrived = world.stage.stop_at(act)

    async with world.worker() as worker:
        stream = await world.create("buy", script([OPEN], [CLICK], [READ]))
        await arrived.wait()
        left = world.spawn(worker.leave())
        world.stage.hold[act].set()
        await left

    assert ["action_ended", "step_taken", "runner_lost", "requeued"] == (await world.story(stream))[-4:]
    assert "shutdown" == (await world.until(stream, e.RunnerLost)).event.cause
    assert [as_json(OPEN), as_json(CLICK)] == world.stage.acts
    assert 0 == (await world.tasks.load(stream)).lost


async def test_an_act_that_does_not_end_is_in_doubt(world: Any, script: Any) -> None:
    arrived = world.stage.stop_at(f"act {as_json(CLICK)}")

    async with world.worker() as worker:
        stream = await world.create("buy", script([OPEN], [CLICK]))
        await arrived.wait()
        await worker.leave()
    interrupted = await world.until(stream, e.StepInterrupted)

    assert (
        e.StepInterrupted(fence=interrupted.event.fence, number=2, cause="shutdown", uncertain=(0,))
        == interrupted.event
    )
    assert ["runner_lost", "requeued"] == (await world.story(stream))[-2:]


async def test_nothing_is_claimed_any_more(world: Any, script: Any) -> None:
    async with world.worker() as worker:
        await worker.leave()
        stream = await world.create("buy", script([OPEN]))
        await world.settled()

    assert ["created"] == await world.story(stream)


async def test_a_session_that_hangs_in_its_closing_does_not_keep_a_task(world: Any, script: Any) -> None:
    act = f"resolve {as_json(READ)}"
    arrived = world.stage.stop_at(act)
    world.stage.hangs = True

    async with world.worker() as worker:
        stream = await world.create("buy", script([OPEN], [READ]))
        await arrived.wait()
        await worker.leave()
        story = await world.story(stream)

    assert ["runner_lost", "requeued"] == story[-2:]
    assert State.QUEUED is (await world.tasks.load(stream)).state


async def test_what_was_asked_for_is_so_when_the_service_has_ended(world: Any, script: Any) -> None:
    act = f"resolve {as_json(READ)}"
    arrived = world.stage.stop_at(act)

    async with world.worker() as worker:
        pausing = await world.create("pausing", script([OPEN], [READ]))
        await arrived.wait()
        await world.tell(pausing, decide.pause)
        await worker.leave()

    assert State.PAUSED is (await world.tasks.load(pausing)).state
