"""Limits on steps, tokens and cost: a breach stops or pauses, as the limits say; a resume allows as much again."""

from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.machine import Hold, State
from runner.action_json import as_json
from runner.vocabulary import Click, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
COST = e.Usage(model="m", input_tokens=50, output_tokens=10, cost_usd="0.1")
PAUSING = e.Limits(max_steps=2, breach="pause")


async def budgets(world: Any, stream: str) -> list[str]:
    """What was used up, each time that it was."""
    said = [recorded.event for recorded in await world.store.read_stream(stream)]
    return [event.limit for event in said if isinstance(event, e.TaskPaused) and event.cause == Hold.BUDGET]


async def used_up(world: Any, stream: str, times: int = 1) -> None:
    """It is parked, so many times by now."""
    after = 0
    for _ in range(times):
        after = (await world.until(stream, e.TaskPaused, after=after)).version
    await world.settled()


def spending(script: Any, *steps: Any, usage: e.Usage = COST) -> Any:
    """A model that asks the ledger before each of its calls and charges it after, as one behind an endpoint does."""
    model = script(*steps, needs_tree=True)
    plain = model.next

    async def spend(observation: Any, past: Any) -> Any:
        model.ledger.allow()
        model.ledger.charge("step", usage, 5)
        return await plain(observation, past)

    model.next = spend
    return model


@pytest.mark.parametrize("needs_tree", [True, False])
async def test_used_up_steps_park_the_task_and_each_resume_allows_as_many_again(
    world: Any, script: Any, needs_tree: bool
) -> None:
    model = script(*[[OPEN]] * 5, needs_tree=needs_tree)
    async with world.worker():
        stream = await world.create("buy", model, limits=PAUSING)
        await used_up(world, stream)
        state, calls = (await world.tasks.load(stream)).state, model.calls
        await world.tell(stream, decide.resume)
        await used_up(world, stream, 2)
        calls = (calls, model.calls)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert (State.PAUSED, (2, 4), 5) == (state, calls, model.calls)
    assert ["max_steps"] * 2 == await budgets(world, stream)
    assert [as_json(OPEN)] * 5 == world.stage.acts


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (e.Limits(max_tokens=100, breach="pause"), "max_tokens"),
        (e.Limits(max_cost_usd="0.15", breach="pause"), "max_cost"),
    ],
)
async def test_used_up_money_parks_the_task_before_the_next_call(
    world: Any, script: Any, limits: e.Limits, code: str
) -> None:
    model = spending(script, *[[OPEN]] * 5)
    async with world.worker():
        stream = await world.create("buy", model, limits=limits)
        await used_up(world, stream)
        calls = model.calls
        await world.tell(stream, decide.resume)
        await used_up(world, stream, 2)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert (2, 5, [code] * 2) == (calls, model.calls, await budgets(world, stream))


async def test_a_resume_allows_at_least_one_call_however_far_beyond_the_limit_the_last_one_went(
    world: Any, script: Any
) -> None:
    dear = e.Usage(model="m", input_tokens=1_000)
    model = spending(script, [OPEN], [OPEN], [OPEN], usage=dear)
    async with world.worker():
        stream = await world.create("buy", model, limits=e.Limits(max_tokens=100, breach="pause"))
        for times in (1, 2):
            await used_up(world, stream, times)
            assert times == model.calls
            await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert 3 == model.calls


async def test_used_up_tokens_stop_a_task_whose_limits_stop(world: Any, script: Any) -> None:
    model = spending(script, [OPEN], [OPEN], [OPEN])
    async with world.worker():
        stream = await world.create("buy", model, limits=e.Limits(max_tokens=100))
        failed = (await world.until(stream, e.TaskFailed)).event

    message = "The task has used 120 tokens; it may use 100."
    assert e.TaskFailed(fence=2, code="max_tokens", message=message) == failed
    assert 2 == model.calls


async def test_a_cost_that_nobody_knows_counts_for_nothing(world: Any, script: Any) -> None:
    free = e.Usage(model="m", input_tokens=50, cost_usd=None)
    model = spending(script, *[[OPEN]] * 4, usage=free)
    async with world.worker():
        stream = await world.create("buy", model, limits=e.Limits(max_cost_usd="0.01"))
        await world.until(stream, e.TaskFinished)

    assert 4 == model.calls


@pytest.mark.parametrize("needs_tree", [True, False])
async def test_a_pause_that_comes_first_parks_it_and_the_limit_parks_it_again(
    world: Any, script: Any, needs_tree: bool
) -> None:
    model = script([OPEN], [OPEN], [OPEN], needs_tree=needs_tree)
    async with world.worker():
        stream = await world.create("buy", model, limits=PAUSING)
        await world.overtake(e.TaskPaused, decide.pause).wait()
        await used_up(world, stream)
        await world.tell(stream, decide.resume)
        await used_up(world, stream, 2)
        held = (await world.tasks.load(stream)).hold
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert (Hold.BUDGET, ["max_steps"]) == (held, await budgets(world, stream))


async def test_a_pause_while_the_limit_holds_it_changes_nothing_but_the_wish_and_one_resume_is_enough(
    world: Any, script: Any
) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], [OPEN], [OPEN]), limits=PAUSING)
        await used_up(world, stream)
        await world.tell(stream, decide.pause)
        await world.settled()
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert ["max_steps"] == await budgets(world, stream)


async def test_a_stop_while_the_limit_holds_it_stops_it(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], [OPEN], [OPEN]), limits=PAUSING)
        await used_up(world, stream)
        await world.tell(stream, decide.stop)
        await world.until(stream, e.TaskStopped)

    assert ["paused", "stop_requested", "stopped"] == (await world.story(stream))[-3:]


async def test_a_stop_that_comes_first_stops_it(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], [OPEN], [OPEN]), limits=PAUSING)
        world.overtake(e.TaskPaused, decide.stop)
        await world.until(stream, e.TaskStopped)

    assert [] == await budgets(world, stream)


async def test_a_person_takes_over_while_the_limit_holds_it_and_what_was_planned_is_looked_at_anew(
    world: Any, script: Any
) -> None:
    model = spending(script, [OPEN], [CLICK], [OPEN])
    async with world.worker():
        stream = await world.create("buy", model, limits=e.Limits(max_tokens=100, breach="pause"))
        await used_up(world, stream)
        await world.tell(stream, decide.take_control)
        await world.tell(stream, decide.return_control)
        await world.settled()
        still = (await world.tasks.load(stream)).state
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert (State.PAUSED, 3) == (still, model.calls)


async def test_what_a_model_could_not_hear_of_for_the_limit_it_hears_of_after_the_resume(
    world: Any, script: Any
) -> None:
    model = spending(script, [OPEN], [OPEN], [OPEN])
    plain, heard = model.next, []

    async def hear(observation: Any, past: Any) -> Any:
        reply = await plain(observation, past)
        heard.append(observation.news)
        world.stage.news = ["the page said so"] if len(heard) == 2 else []
        return reply

    model.next = hear
    async with world.worker():
        stream = await world.create("buy", model, limits=e.Limits(max_tokens=100, breach="pause"))
        await used_up(world, stream)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert [(), (), ("the page said so",)] == heard


async def test_a_task_that_let_go_of_its_browser_while_the_limit_held_it_goes_on_when_resumed(
    world: Any, script: Any
) -> None:
    async with world.worker(keep_paused_seconds=0.05):
        stream = await world.create("buy", script([OPEN], [OPEN], [OPEN]), limits=PAUSING)
        lost = (await world.until(stream, e.RunnerLost)).event
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert ("let_go", ["max_steps"]) == (lost.cause, await budgets(world, stream))


@pytest.mark.parametrize("needs_tree", [True, False])
async def test_a_task_whose_runner_dies_while_the_limit_holds_it_waits_for_its_resume(
    world: Any, script: Any, needs_tree: bool
) -> None:
    steps = [[OPEN]] * 3
    model = spending(script, *steps) if needs_tree else script(*steps)
    limits = e.Limits(max_tokens=100, breach="pause") if needs_tree else PAUSING
    stream = await world.create("buy", model, limits=limits)
    async with world.worker():
        await used_up(world, stream)
    async with world.worker():
        await world.settled()
        waits = await world.tasks.load(stream)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert (State.PAUSED, "", 1) == (waits.state, waits.runner, waits.attempt)
    assert 1 == len(await budgets(world, stream))


async def test_what_an_earlier_attempt_has_spent_counts(world: Any, script: Any) -> None:
    model = spending(script, [OPEN], [OPEN], [OPEN])
    stream = await world.create("buy", model, limits=e.Limits(max_tokens=100))
    arrived = world.stage.stop_at(f"resolve {as_json(OPEN)}")
    async with world.worker():
        await arrived.wait()
    world.stage.hold[f"resolve {as_json(OPEN)}"].set()
    async with world.worker():
        failed = (await world.until(stream, e.TaskFailed)).event

    assert ("max_tokens", 2) == (failed.code, model.calls)
