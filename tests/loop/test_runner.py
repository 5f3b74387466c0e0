"""The runner on the log: what it does by itself, and what it does because of a request."""

import asyncio
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.machine import State
from runner.action_json import as_json
from runner.vocabulary import ActFailed, Click, Input, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
TYPE = Input(text="Ada", target=Query(text="Name"))

STEP = ["step_started", "action_started", "action_ended", "step_taken"]
BEGIN = ["created", "claimed", "started"]


async def test_a_task_is_claimed_run_and_finished(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]))
        finished = await world.until(stream, e.TaskFinished)

    assert [*BEGIN, *STEP, *STEP, "finished"] == await world.story(stream)
    assert e.TaskFinished(fence=2, success=True, output="the end") == finished.event
    assert [as_json(OPEN), as_json(CLICK)] == world.stage.acts
    assert (1, 1) == (world.stage.sessions, world.stage.closed)


async def test_every_step_leaves_a_picture_in_the_blobs(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN]))
        taken = await world.until(stream, e.StepTaken)

    assert b"\x89PNG http://shop.test/" == await world.blobs.get(taken.event.screenshot)


async def test_what_was_created_before_the_runner_came_runs_in_order(world: Any, script: Any) -> None:
    streams = [await world.create(str(number), script([OPEN])) for number in range(5)]

    async with world.worker(max_concurrent=1):
        await world.until(streams[-1], e.TaskFinished)

    claimed = [r.stream for r in await world.store.read() if isinstance(r.event, e.TaskClaimed)]
    assert streams == claimed


async def test_no_more_tasks_run_at_once_than_allowed(world: Any, script: Any) -> None:
    act = f"act {as_json(OPEN)}"
    arrived = world.stage.stop_at(act)

    async with world.worker(max_concurrent=2):
        streams = [await world.create(str(number), script([OPEN])) for number in range(4)]
        await arrived.wait()
        await world.until(streams[1], e.ActionStarted)
        states = [(await world.tasks.load(stream)).state for stream in streams]
        world.stage.hold[act].set()
        await world.until(streams[3], e.TaskFinished)

    assert [State.RUNNING, State.RUNNING, State.QUEUED, State.QUEUED] == states


async def test_a_failed_act_ends_a_task_whose_model_cannot_look_for_itself(world: Any, script: Any) -> None:
    world.stage.fails[as_json(CLICK)] = ActFailed("no_target", 'No button "Buy" is on the page.')

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK], [TYPE]))
        failed = await world.until(stream, e.TaskFailed)

    message = "Step 2, 'line 2': No button \"Buy\" is on the page."
    assert e.TaskFailed(fence=2, code="no_target", message=message) == failed.event
    assert [*BEGIN, *STEP, *STEP, "failed"] == await world.story(stream)


async def test_a_model_that_looks_for_itself_is_told_of_a_failed_act_and_goes_on(world: Any, script: Any) -> None:
    world.stage.fails[as_json(CLICK)] = ActFailed("no_target", "No such button.")
    model = script([CLICK], [TYPE], needs_tree=True)

    async with world.worker():
        stream = await world.create("buy", model)
        await world.until(stream, e.TaskFinished)
        ended = (await world.until(stream, e.ActionEnded)).event

    assert ("no_target", "No such button.") == (ended.code, ended.error)
    assert "No such button." == model.pasts[1][0].acts[0].error


async def test_too_many_steps_end_the_task(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], [OPEN], [OPEN]), limits=e.Limits(max_steps=2))
        failed = await world.until(stream, e.TaskFailed)

    expected = e.TaskFailed(fence=2, code="max_steps", message="The task did not end within 2 steps.")
    assert expected == failed.event


@pytest.mark.parametrize(("limits", "code"), [
    (e.Limits(step_seconds=0.05), "step_timeout"),
    (e.Limits(task_seconds=0.05), "task_timeout"),
])  # fmt: skip
async def test_a_limit_that_passes_is_named_on_the_tape(world: Any, script: Any, limits: e.Limits, code: str) -> None:
    world.stage.stop_at(f"act {as_json(CLICK)}")

    async with world.worker():
        stream = await world.create("buy", script([CLICK]), limits=limits)
        failed = await world.until(stream, e.TaskFailed)

    assert code == failed.event.code


async def test_a_pause_during_a_model_call_parks_at_once_and_keeps_the_answer(world: Any, script: Any) -> None:
    model = script([OPEN], needs_tree=True)
    model.thinks = asyncio.Event()

    async with world.worker():
        stream = await world.create("buy", model)
        await model.asked.wait()
        await world.tell(stream, decide.pause)
        paused = await world.until(stream, e.TaskPaused)
        model.thinks.set()
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert e.TaskPaused(fence=2, step=1, answers=5) == paused.event
    assert 1 == model.calls
    expected = [*BEGIN, "step_started", "pause_requested", "paused", "resume_requested", "resumed"]
    assert [*expected, "action_started", "action_ended", "step_taken", "finished"] == await world.story(stream)


async def test_an_act_in_flight_may_end_within_the_grace_and_nothing_follows(world: Any, script: Any) -> None:
    act = f"act {as_json(OPEN)}"
    arrived = world.stage.stop_at(act)

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]))
        await arrived.wait()
        await world.tell(stream, decide.pause)
        world.stage.hold[act].set()
        await world.until(stream, e.TaskPaused)
        done = list(world.stage.acts)
        story = await world.story(stream)

    assert [as_json(OPEN)] == done
    assert [
        *BEGIN,
        "step_started",
        "action_started",
        "pause_requested",
        "action_ended",
        "step_taken",
        "paused",
    ] == story


async def test_a_page_local_act_cut_off_by_a_pause_is_done_again_after_it(world: Any, script: Any) -> None:
    act = f"act {as_json(TYPE)}"
    arrived = world.stage.stop_at(act)

    async with world.worker():
        stream = await world.create("buy", script([TYPE]))
        await arrived.wait()
        await world.tell(stream, decide.pause)
        interrupted = await world.until(stream, e.StepInterrupted)
        await world.until(stream, e.TaskPaused)
        world.stage.hold[act].set()
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert e.StepInterrupted(fence=2, number=1, cause="pause", uncertain=(0,)) == interrupted.event
    assert [as_json(TYPE)] == world.stage.acts


async def test_an_act_that_may_have_lasted_is_not_repeated_after_a_pause_cut_it_off(world: Any, script: Any) -> None:
    arrived = world.stage.stop_at(f"act {as_json(CLICK)}")

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await arrived.wait()
        await world.tell(stream, decide.pause)
        failed = await world.until(stream, e.TaskFailed)

    assert "uncertain_act" == failed.event.code
    assert [] == world.stage.acts


async def test_a_pause_while_a_target_is_looked_for_changes_nothing(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    arrived = world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)
        world.stage.hold[resolve].set()
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    expected = [*BEGIN, "pause_requested", "paused", "resume_requested", "resumed", *STEP, "finished"]
    assert expected == await world.story(stream)


async def test_a_paused_task_lends_its_place_to_others(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    arrived = world.stage.stop_at(resolve)

    async with world.worker(max_concurrent=1):
        first = await world.create("first", script([CLICK]))
        await arrived.wait()
        await world.tell(first, decide.pause)
        await world.until(first, e.TaskPaused)
        second = await world.create("second", script([OPEN]))
        await world.until(second, e.TaskFinished)
        world.stage.hold[resolve].set()
        await world.tell(first, decide.resume)
        await world.until(first, e.TaskFinished)


@pytest.mark.parametrize("where", [f"resolve {as_json(CLICK)}", f"act {as_json(CLICK)}"])
async def test_a_stop_ends_what_is_under_way_and_closes_its_browser(world: Any, script: Any, where: str) -> None:
    arrived = world.stage.stop_at(where)

    async with world.worker():
        stream = await world.create("buy", script([CLICK], [OPEN]))
        await arrived.wait()
        await world.tell(stream, decide.stop)
        await world.until(stream, e.TaskStopped)
        other = await world.create("other", script([OPEN]))
        await world.until(other, e.TaskFinished)

    assert [as_json(OPEN)] == world.stage.acts
    assert (2, 2) == (world.stage.sessions, world.stage.closed)
    assert "stopped" == (await world.story(stream))[-1]


async def test_a_stop_reaches_a_paused_task(world: Any, script: Any) -> None:
    model = script([OPEN], needs_tree=True)
    model.thinks = asyncio.Event()

    async with world.worker():
        stream = await world.create("buy", model)
        await model.asked.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)
        await world.tell(stream, decide.stop)
        await world.until(stream, e.TaskStopped)

    assert [] == world.stage.acts
    assert (1, 1) == (world.stage.sessions, world.stage.closed)


async def test_a_task_paused_before_it_started_starts_when_it_is_resumed(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN]))
    await world.tell(stream, decide.pause)

    async with world.worker():
        other = await world.create("other", script([OPEN]))
        await world.until(other, e.TaskFinished)
        untouched = await world.story(stream)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert ["created", "pause_requested"] == untouched
