"""A task asks a person: it waits on the tape, its place goes to others, and no value of an answer is ever told."""

import asyncio
from functools import partial
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.answers import vault_name
from eventstore.errors import NotAllowed
from eventstore.human import HumanInput
from eventstore.machine import Hold, State
from eventstore.store import Recorded
from runner.action_json import as_json
from runner.vocabulary import Ask, Extract, Input, Navigate, Query

SHOP = ("shop.test",)
OPEN = Navigate(url="http://shop.test/")
ASK = Ask(prompt="the code sent by SMS", kind="code")
TYPE = Input(text="<secret>answer</secret>", target=Query(text="Code"))
CAPTCHA = Ask(prompt="solve the captcha", kind="captcha")
READ = Extract(what="page")
CODE = "730 195"

STEP = ["step_started", "action_started", "action_ended", "step_taken"]


async def told(world: Any, stream: str) -> str:
    return repr([recorded.event for recorded in await world.store.read_stream(stream)])


async def left(world: Any, script: Any, stream: str) -> list[bytes]:
    """What the vault has of the answers once the runner has heard of the task's end: it has come to a later task."""
    other = await world.create("other", script([OPEN]))
    await world.until(other, e.TaskFinished)
    said = [recorded.event for recorded in await world.store.read_stream(stream)]
    names = [vault_name(stream, event.request) for event in said if isinstance(event, e.InputRequested)]
    return [value for name in names if (value := await world.vault.get(name)) is not None]


async def test_an_answer_is_typed_and_told_nowhere(world: Any, script: Any) -> None:
    world.stage.results[as_json(READ)] = f"the code was {CODE}"

    async with world.worker():
        model = script([OPEN], [ASK], [TYPE], [READ], output=f"done with {CODE}")
        stream = await world.create("login", model, allowed_domains=SHOP)
        asked = await world.until(stream, e.InputRequested)
        parked = await world.until(stream, e.TaskPaused)
        await world.settled()
        task = await world.tasks.load(stream)
        await world.answer(stream, CODE)
        finished = await world.until(stream, e.TaskFinished)
        remains = await left(world, script, stream)

    question = asked.event
    assert (2, 2, "code", "the code sent by SMS", 600.0) == (
        question.fence, question.step, question.kind, question.prompt, question.seconds,
    )  # fmt: skip
    assert e.TaskPaused(fence=2, step=2, cause="input") == parked.event
    assert (State.PAUSED, Hold.INPUT, question.request) == (task.state, task.held, task.asking)
    assert [CODE] == world.stage.typed
    assert e.TaskFinished(fence=2, success=True, output="done with <secret>answer</secret>") == finished.event
    assert [
        "created", "claimed", "started", *STEP,
        "step_started", "action_started", "input_requested", "paused", "input_provided", "resumed", "action_ended",
        "step_taken",
        "step_started", "action_started", "secret_used", "action_ended", "step_taken",
        *STEP, "finished",
    ] == await world.story(stream)  # fmt: skip
    assert CODE not in await told(world, stream)
    assert "the code was <secret>answer</secret>" in await told(world, stream)
    assert [] == remains


async def test_two_answers_are_told_apart(world: Any, script: Any) -> None:
    second = Input(text="<secret>answer 2</secret> and <secret>answer</secret>", target=Query(text="Both"))

    async with world.worker():
        model = script([OPEN], [ASK], [Ask(prompt="your name")], [second])
        stream = await world.create("login", model, allowed_domains=SHOP)
        first = await world.until(stream, e.TaskPaused)
        await world.answer(stream, CODE)
        await world.until(stream, e.TaskPaused, after=first.version)
        await world.answer(stream, "Ada Lovelace")
        await world.until(stream, e.TaskFinished)

    assert [f"Ada Lovelace and {CODE}"] == world.stage.typed


async def test_a_confirmation_that_is_given_goes_on_and_one_that_is_declined_ends_the_task(
    world: Any, script: Any
) -> None:
    confirm = Ask(prompt="Delete everything", kind="confirm")

    async with world.worker():
        yes = await world.create("yes", script([OPEN], [confirm], [OPEN]))
        no = await world.create("no", script([confirm], [OPEN], needs_tree=True))
        for stream, word in ((yes, "yes"), (no, "no")):
            await world.until(stream, e.TaskPaused)
            await world.answer(stream, word)
        await world.until(yes, e.TaskFinished)
        failed = await world.until(no, e.TaskFailed)

    message = "Step 1, 'line 1': A person has declined: Delete everything"
    assert e.TaskFailed(fence=failed.event.fence, code="declined", message=message) == failed.event
    assert [as_json(OPEN)] * 2 == world.stage.acts


async def test_a_resume_without_an_answer_fails_the_act(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("login", script([OPEN], [ASK], [TYPE]), allowed_domains=SHOP)
        await world.until(stream, e.TaskPaused)
        await world.tell(stream, decide.resume)
        failed = await world.until(stream, e.TaskFailed)

    assert ("unanswered", "Step 2, 'line 2': Nobody has answered: the code sent by SMS") == (
        failed.event.code,
        failed.event.message,
    )


async def test_a_question_that_nobody_answers_expires(world: Any, script: Any) -> None:
    world.input_seconds = 0.05

    async with world.worker():
        stream = await world.create("login", script([ASK], [OPEN], needs_tree=True))
        asked = await world.until(stream, e.InputRequested)
        expired = await world.until(stream, e.InputExpired)
        await world.until(stream, e.TaskFinished)

    assert e.InputExpired(fence=2, request=asked.event.request) == expired.event
    assert "system" == expired.actor
    assert "Nobody has answered: the code sent by SMS" == world.scripts["login"].pasts[1][0].acts[0].error


async def test_while_it_waits_its_place_goes_to_others_and_its_limits_stand_still(world: Any, script: Any) -> None:
    limits = e.Limits(task_seconds=20.0, step_seconds=10.0)

    async with world.worker(max_concurrent=1):
        first = await world.create("first", script([ASK]), limits=limits)
        await world.until(first, e.TaskPaused)
        second = await world.create("second", script([OPEN]))
        await world.until(second, e.TaskFinished)
        gate = world.gate(first)
        waiting = [limit.when() for limit in gate._limits]
        await world.answer(first, CODE)
        await world.until(first, e.TaskFinished)

    assert [None, None] == waiting


@pytest.mark.parametrize("restarted", [False, True])
async def test_an_answer_that_comes_after_the_browser_was_given_back_is_not_asked_for_again(
    world: Any, script: Any, restarted: bool
) -> None:
    model = script([OPEN], [ASK], [TYPE])
    async with world.worker(keep_paused_seconds=600.0 if restarted else 0.05):
        stream = await world.create("login", model, allowed_domains=SHOP)
        await world.until(stream, e.TaskPaused)
        if not restarted:
            await world.until(stream, e.RunnerLost)
            await world.answer(stream, CODE)
            await world.until(stream, e.TaskFinished)
    if restarted:
        await world.answer(stream, CODE)
        async with world.worker():
            await world.until(stream, e.TaskFinished)

    story = await world.story(stream)
    assert (1, 2) == (story.count("input_requested"), story.count("claimed"))
    assert [CODE] == world.stage.typed
    assert 2 == world.stage.sessions


async def test_an_answer_given_before_a_restart_is_typed_after_it(world: Any, script: Any) -> None:
    model = script([OPEN], [ASK], [TYPE])
    arrived = world.stage.stop_at(f"act {as_json(TYPE)}")
    async with world.worker():
        stream = await world.create("login", model, allowed_domains=SHOP)
        await world.until(stream, e.TaskPaused)
        await world.answer(stream, CODE)
        await arrived.wait()
    world.stage.hold[f"act {as_json(TYPE)}"].set()

    async with world.worker():
        finished = await world.until(stream, e.TaskFinished)

    assert True is finished.event.success
    assert [CODE] == world.stage.typed
    assert 1 == (await world.story(stream)).count("input_requested")
    assert CODE not in await told(world, stream)


async def test_a_question_expires_after_a_restart_too_and_the_runner_knows(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("login", script([ASK], [OPEN]))
        await world.until(stream, e.TaskPaused)
        await world.tasks.load(stream)
    world.input_seconds = 0.0

    async with world.worker() as worker:
        ((due, request),) = worker._deadlines._due.values()
        left = due - asyncio.get_running_loop().time()
        asked: Recorded = await world.until(stream, e.InputRequested)
        worker._deadlines._set(stream, request, 0.0)
        await world.until(stream, e.InputExpired)
        failed = await world.until(stream, e.TaskFailed)

    assert 0.0 < left <= 600.0
    assert request == getattr(asked.event, "request", "")
    assert "unanswered" == failed.event.code
    assert 1 == (await world.story(stream)).count("input_requested")


async def test_a_task_that_is_paused_while_it_asks_waits_for_its_resume_after_the_answer(
    world: Any, script: Any
) -> None:
    async with world.worker():
        stream = await world.create("login", script([OPEN], [ASK], [TYPE]), allowed_domains=SHOP)
        await world.until(stream, e.TaskPaused)
        await world.tell(stream, decide.pause)
        await world.answer(stream, CODE)
        await world.settled()
        between = (await world.tasks.load(stream)).state
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert State.PAUSED is between
    assert [CODE] == world.stage.typed


async def test_a_stop_ends_a_task_that_asks_and_forgets_what_it_was_answered(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("login", script([ASK], [ASK], [TYPE]), allowed_domains=SHOP)
        first = await world.until(stream, e.TaskPaused)
        await world.answer(stream, CODE)
        await world.until(stream, e.TaskPaused, after=first.version)
        await world.tell(stream, decide.stop)
        await world.until(stream, e.TaskStopped)
        remains = await left(world, script, stream)

    assert [] == remains


async def test_a_new_runner_keeps_the_answers_of_tasks_that_go_on_and_sweeps_the_others(
    world: Any, script: Any
) -> None:
    async with world.worker():
        stream = await world.create("login", script([OPEN], [ASK], [TYPE]), allowed_domains=SHOP)
        await world.until(stream, e.TaskPaused)
    await world.vault.put("input/task-gone/q1", b"1234")
    await world.tell(stream, decide.pause)
    await world.answer(stream, CODE)
    (asked,) = (await world.tasks.load(stream)).asked

    async with world.worker():
        found = await world.vault.get(vault_name(stream, asked)), await world.vault.get("input/task-gone/q1")

    assert (CODE.encode(), None) == found


async def question(world: Any, stream: str, *, after: int = 0) -> tuple[e.InputRequested, int]:
    """The next one, once the task waits for its answer; and its version."""
    asked: Recorded = await world.until(stream, e.InputRequested, after=after)
    await world.until(stream, e.TaskPaused, after=asked.version)
    assert isinstance(asked.event, e.InputRequested)
    return asked.event, asked.version


async def left_asking(world: Any, script: Any) -> str:
    """A task that still asks, and whose runner has ended."""
    async with world.worker():
        stream: str = await world.create("login", script([OPEN], [CAPTCHA], [OPEN]))
        await question(world, stream)
    return stream


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_question_whose_browser_is_gone_is_asked_anew_by_a_resume_and_can_be_solved_by_hand(
    world: Any, script: Any, restarted: bool
) -> None:
    stream = await left_asking(world, script) if restarted else ""

    async with world.worker() as worker:
        if not restarted:
            stream = await world.create("login", script([OPEN], [CAPTCHA], [OPEN]))
            await question(world, stream)
            await world.settled()
            (kept,) = world.parked
            kept.reschedule(0.0)
        lost = await world.until(stream, e.RunnerLost)
        with pytest.raises(NotAllowed, match="the question asked anew, then take control"):
            await world.tell(stream, decide.take_control)
        old = (await world.tasks.load(stream)).asking
        await world.tell(stream, decide.resume)
        new, _ = await question(world, stream, after=lost.version)
        await world.settled()
        ((due, request),) = worker._deadlines._due.values()
        remains = due - asyncio.get_running_loop().time()
        await world.tell(stream, decide.take_control)
        by_hand = HumanInput(act="click", x=1, y=2)
        await world.door.acting(stream.removeprefix("task-")).act(by_hand, actor="key:ada")
        await world.tell(stream, decide.return_control)
        with pytest.raises(NotAllowed, match="This question waits for no answer"):
            await world.tell(stream, partial(decide.provide, request=old))
        await world.answer(stream, "done")
        await world.until(stream, e.TaskFinished)

    assert old != new.request == request
    assert ("captcha", CAPTCHA.prompt, 600.0) == (new.kind, new.prompt, new.seconds)
    assert 0.0 < remains <= 600.0
    assert [by_hand] == world.stage.by_hands
    opened, anew, after = [as_json(OPEN)] * 3
    assert [opened, anew, after] == world.stage.acts
    story = await world.story(stream)
    assert (2, 1, 2) == (story.count("input_requested"), story.count("input_provided"), story.count("claimed"))


async def test_a_question_that_was_asked_anew_outlives_another_restart(world: Any, script: Any) -> None:
    stream = await left_asking(world, script)
    first, version = await question(world, stream)
    async with world.worker():
        await world.tell(stream, decide.resume)
        second, version = await question(world, stream, after=version)
    async with world.worker():
        await world.tell(stream, decide.resume)
        third, _ = await question(world, stream, after=version)

    async with world.worker():
        with pytest.raises(NotAllowed, match="This question waits for no answer"):
            await world.tell(stream, partial(decide.provide, request=second.request))
        await world.answer(stream, "done")
        await world.until(stream, e.TaskFinished)

    assert 3 == len({first.request, second.request, third.request})
    assert 3 == (await world.story(stream)).count("input_requested")


async def test_a_question_that_was_answered_before_the_resume_is_not_asked_anew(world: Any, script: Any) -> None:
    stream = await left_asking(world, script)
    await world.tell(stream, decide.pause)
    await world.answer(stream, "done")
    await world.tell(stream, decide.resume)

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert 1 == (await world.story(stream)).count("input_requested")


async def test_a_question_that_has_expired_is_not_asked_anew(world: Any, script: Any) -> None:
    stream = await left_asking(world, script)
    async with world.worker():
        await world.tell(stream, decide.resume)
        lost = await world.until(stream, e.RunnerLost)
        new, _ = await question(world, stream, after=lost.version)
    await world.tell(stream, decide.pause)

    async with world.worker() as worker:
        worker._deadlines._set(stream, new.request, 0.0)
        await world.until(stream, e.InputExpired)
        await world.tell(stream, decide.resume)
        failed = await world.until(stream, e.TaskFailed)

    assert "unanswered" == failed.event.code
    assert 2 == (await world.story(stream)).count("input_requested")
