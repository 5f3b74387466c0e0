"""A browser, a page or a driver is lost while its task is at work: another one goes on, so many times and no more."""

from functools import partial
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from runner.action_json import as_json
from runner.vocabulary import ActFailed, Extract, Input, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
TYPE = Input(text="Ada", target=Query(text="Name"))
READ = Extract(what="page")
CAUSES = sorted(decide.LOST_BROWSER)


async def lose_during(world: Any, stream: str, act: str, code: str) -> None:
    """The browser ends while the act is under way, that once."""
    where = f"act {act}"
    arrived = world.stage.stop_at(where)
    await arrived.wait()
    world.stage.fails[act] = ActFailed(code, "It is gone.")
    world.stage.hold.pop(where).set()
    await world.until(stream, e.RunnerLost)
    del world.stage.fails[act]


@pytest.mark.parametrize("code", CAUSES)
async def test_a_task_that_loses_its_browser_goes_on_in_another(world: Any, script: Any, code: str) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], [TYPE], [READ]))
        await lose_during(world, stream, as_json(READ), code)
        await world.until(stream, e.TaskFinished)

    lost = await world.until(stream, e.RunnerLost)
    assert e.RunnerLost(runner="w1", attempt=1, cause=code) == lost.event
    assert [as_json(act) for act in (OPEN, TYPE, OPEN, TYPE, READ)] == world.stage.acts
    assert (2, 2) == (world.stage.sessions, world.stage.closed)


@pytest.mark.parametrize("code", CAUSES)
async def test_a_browser_that_is_lost_again_and_again_ends_the_task_by_name(world: Any, script: Any, code: str) -> None:
    world.stage.fails[as_json(READ)] = ActFailed(code, "It is gone.")

    async with world.worker(max_concurrent=1):
        stream = await world.create("buy", script([OPEN], [READ]))
        failed = await world.until(stream, e.TaskFailed)
        # The next one has the only place, so the first is done with in every respect.
        after = await world.create("after", script([OPEN]))
        await world.until(after, e.TaskStarted)

    message = (
        "The runner or its browser was lost 3 times in a row without a step taken in between, the last time in step 4, "
        f"while {as_json(READ)} was under way ({code}); the task is not taken up again."
    )
    assert (code, message) == (failed.event.code, failed.event.message)
    assert 3 == (await world.story(stream)).count("claimed")
    assert None is await world.vault.get("browser/s-buy")


async def test_a_browser_that_is_lost_while_its_page_is_brought_back_is_lost(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], [TYPE], [READ]))
        arrived = world.stage.stop_at(f"act {as_json(READ)}")
        await arrived.wait()
        lost = ActFailed("browser_lost", "It is gone.")
        world.stage.fails |= {as_json(READ): lost, as_json(TYPE): lost}
        world.stage.hold.pop(f"act {as_json(READ)}").set()
        second = await world.until(stream, e.TaskClaimed, after=3)
        await world.until(stream, e.RunnerLost, after=second.version)
        world.stage.fails.clear()
        await world.until(stream, e.TaskFinished)

    story = await world.story(stream)
    assert (3, 2) == (story.count("claimed"), story.count("started"))


async def test_a_stop_reaches_a_task_that_just_lost_its_browser(world: Any, script: Any) -> None:
    where = f"act {as_json(READ)}"
    arrived = world.stage.stop_at(where)

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [READ]))
        await arrived.wait()
        world.stage.fails[as_json(READ)] = ActFailed("browser_lost", "It is gone.")
        await world.tell(stream, decide.stop)
        world.stage.hold[where].set()
        await world.until(stream, e.TaskStopped)

    assert 1 == (await world.story(stream)).count("claimed")


async def test_the_time_of_earlier_attempts_counts(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN], [READ]), limits=e.Limits(task_seconds=10.0))
    facts = (
        e.TaskStarted(fence=2, browser="b", viewport_width=9, viewport_height=9),
        e.StepStarted(fence=2, number=1),
        e.StepTaken(fence=2, number=1, duration_ms=10_000),
    )
    await world.tell(stream, partial(decide.claim, runner="dead"))
    await world.tell(stream, lambda task: decide.record(task, *facts))

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)

    assert ("task_timeout", "The task took longer than 10 seconds.") == (failed.event.code, failed.event.message)
    assert [] == world.stage.acts
