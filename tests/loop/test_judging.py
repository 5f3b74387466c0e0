"""A task that says it is done is judged before its end: by a real client, against a server that says its lines."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from eventstore import decide
from eventstore import events as e
from runner import judging
from runner.action_json import as_json
from runner.llm.judge import judge_of
from runner.llm.pool import open_clients
from runner.vocabulary import Click, Finish, Navigate, Query
from tests.model_server import Held, ModelServer, Status, Text, Turn, model_server

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
JUDGED = e.Agent(judge=True, judge_llm="scripted", ground_truth="The basket has tea.")
LIMIT = 60.0


def said(*, verdict: bool, **fields: object) -> str:
    """What the judge answers."""
    empty = {"failure_reason": "", "impossible_task": False, "reached_captcha": False, "evidence": []}
    return json.dumps({"reasoning": "I have read it.", "verdict": verdict, **empty, **fields})


@asynccontextmanager
async def judged_by(world: Any, script: Sequence[Turn], **settings: Any) -> AsyncIterator[ModelServer]:
    """The world's judge is this server."""
    settings = {"retries": 0, **settings}
    async with model_server(script) as served:
        endpoint = served.endpoint(**settings)
        async with open_clients({endpoint.name: endpoint}.get) as clients:
            world.judge = judge_of(clients)
            yield served


async def report(world: Any, stream: str) -> dict[str, Any]:
    """The one judgement that is on the tape."""
    (event,) = [
        each.event for each in await world.store.read_stream(stream) if isinstance(each.event, e.JudgementRecorded)
    ]
    whole: dict[str, Any] = json.loads(event.report)
    assert event.verdict == whole["verdict"]
    return whole


@pytest.mark.parametrize("verdict", [True, False])
async def test_the_verdict_is_on_the_tape_before_the_end_and_never_changes_success(
    world: Any, script: Any, verdict: bool
) -> None:
    async with judged_by(world, [said(verdict=verdict)]), world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]), agent=JUDGED)
        finished = await world.until(stream, e.TaskFinished)

    assert ["cost_recorded", "judgement_recorded", "finished"] == (await world.story(stream))[-3:]
    assert verdict is (await report(world, stream))["verdict"]
    assert finished.event.success


async def test_the_judge_is_told_the_record_with_positions_and_evidence_elsewhere_is_left_out(
    world: Any, script: Any
) -> None:
    evidence = [{"position": 9, "says": "the click"}, {"position": 1_000, "says": "made up"}]
    async with judged_by(world, [said(verdict=True, evidence=evidence)]) as served, world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]), agent=JUDGED)
        await world.until(stream, e.TaskFinished)

    told = served.requests[0].last
    acted = [each.position for each in await world.store.read_stream(stream) if isinstance(each.event, e.ActionStarted)]
    assert all(f"[{position}] step " in told for position in acted)
    assert "The basket has tea." in told
    assert evidence[:1] == (await report(world, stream))["evidence"]


async def test_what_the_judge_costs_is_on_the_tape_as_his(world: Any, script: Any) -> None:
    async with judged_by(world, [Text(said(verdict=True), prompt_tokens=70, completion_tokens=7)]), world.worker():
        stream = await world.create("buy", script([OPEN]), agent=JUDGED)
        cost = (await world.until(stream, e.CostRecorded)).event
        await world.until(stream, e.TaskFinished)

    assert ("judge", 1, 70, 7) == (cost.purpose, cost.step, cost.usage.input_tokens, cost.usage.output_tokens)


@pytest.mark.parametrize("sees", [True, False])
async def test_a_judge_that_sees_is_shown_what_the_last_ten_steps_left(world: Any, script: Any, sees: bool) -> None:
    async with judged_by(world, [said(verdict=True)], vision=sees) as served, world.worker():
        stream = await world.create("buy", script(*[[OPEN]] * 12), agent=JUDGED)
        await world.until(stream, e.TaskFinished)

    assert (10 if sees else 0) == len(served.requests[0].pictures)


async def test_a_broken_answer_is_repaired_and_judged(world: Any, script: Any) -> None:
    async with judged_by(world, ["It looks fine.", said(verdict=False)]) as served, world.worker():
        stream = await world.create("buy", script([OPEN]), agent=JUDGED)
        await world.until(stream, e.TaskFinished)

    assert (2, False) == (len(served.requests), (await report(world, stream))["verdict"])


@pytest.mark.parametrize(
    ("turn", "problem"),
    [
        (Status(500), "The judge gave no verdict"),
        (Status(401), "The judge gave no verdict"),
        ("It looks fine.", "does not answer in the shape"),
    ],
    ids=["down", "refused", "broken"],
)
async def test_a_judge_that_fails_fails_no_task_and_the_report_says_so(
    world: Any, script: Any, turn: Turn, problem: str
) -> None:
    async with judged_by(world, [turn]), world.worker():
        stream = await world.create("buy", script([OPEN]), agent=JUDGED)
        finished = await world.until(stream, e.TaskFinished)

    whole = await report(world, stream)
    assert (None, True) == (whole["verdict"], finished.event.success)
    assert problem in whole["problem"]


async def test_a_judge_that_is_not_configured_any_more_fails_no_task(world: Any, script: Any) -> None:
    async with judged_by(world, [said(verdict=True)]), world.worker():
        gone = e.Agent(judge=True, judge_llm="gone")
        stream = await world.create("buy", script([OPEN]), agent=gone)
        await world.until(stream, e.TaskFinished)

    assert 'The model "gone" is not configured any more' in (await report(world, stream))["problem"]


async def test_a_defect_in_the_judge_fails_no_task(world: Any, script: Any) -> None:
    async def broken(_case: object, _ledger: object) -> Any:
        raise KeyError("surprise")

    world.judge = broken
    async with world.worker():
        stream = await world.create("buy", script([OPEN]), agent=JUDGED)
        await world.until(stream, e.TaskFinished)

    assert "failed unexpectedly" in (await report(world, stream))["problem"]


@pytest.mark.parametrize("breach", ["stop", "pause"])
async def test_a_task_whose_budget_is_used_up_is_not_judged_nor_kept_waiting(
    world: Any, script: Any, breach: str
) -> None:
    usage = e.Usage(model="m", input_tokens=100)
    async with judged_by(world, [said(verdict=True)]) as served:
        stream = await world.create(
            "buy", script([OPEN], [CLICK]), agent=JUDGED, limits=e.Limits(max_tokens=100, breach=breach)
        )
        world.overtake(
            e.StepTaken,
            lambda task: decide.record(task, e.CostRecorded(fence=task.fence, step=1, purpose="step", usage=usage)),
        )
        await spent_before(world, stream)
        async with world.worker():
            await world.until(stream, e.TaskFinished)

    assert [] == served.requests
    assert "it may use 100" in (await report(world, stream))["problem"]


async def spent_before(world: Any, stream: str) -> None:
    """An attempt is lost after its first step, whose calls have used up the budget."""
    arrived = world.stage.stop_at(f"resolve {as_json(CLICK)}")
    async with world.worker():
        await arrived.wait()
    world.stage.hold[f"resolve {as_json(CLICK)}"].set()


async def test_a_judge_that_does_not_answer_in_time_is_not_waited_for(
    world: Any, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging.Judging, "about", _impatient(judging.Judging.about))
    async with judged_by(world, [Held(asyncio.Event(), said(verdict=True))]), world.worker():
        stream = await world.create("buy", script([OPEN]), agent=JUDGED)
        await world.until(stream, e.TaskFinished)

    assert "The judge did not answer within 0.05 seconds." == (await report(world, stream))["problem"]


def _impatient(about: Any) -> Any:
    return lambda self, done: about(msgspec.structs.replace(self, seconds=0.05), done)


async def test_a_stop_while_it_is_judged_ends_it_at_once_without_a_judgement(world: Any, script: Any) -> None:
    async with judged_by(world, [Held(asyncio.Event(), said(verdict=True))]) as served, world.worker():
        stream = await world.create("buy", script([OPEN]), agent=JUDGED)
        asked = (await served.asked(1))[0]
        await world.tell(stream, decide.stop)
        await world.until(stream, e.TaskStopped)
        async with asyncio.timeout(LIMIT):
            await asked.hung_up.wait()

    assert "judgement_recorded" not in await world.story(stream)


async def test_a_pause_while_it_is_judged_parks_it_and_the_answer_is_kept(world: Any, script: Any) -> None:
    answer = asyncio.Event()
    async with judged_by(world, [Held(answer, said(verdict=True))]) as served, world.worker():
        stream = await world.create("buy", script([OPEN]), agent=JUDGED)
        await served.asked(1)
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)
        answer.set()
        await world.until(stream, e.CostRecorded)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert 1 == len(served.requests)
    assert (await report(world, stream))["verdict"]


@pytest.mark.parametrize("needs_tree", [True, False])
async def test_a_task_whose_runner_dies_while_it_is_judged_is_judged_again_and_acts_no_more(
    world: Any, script: Any, needs_tree: bool
) -> None:
    turns: list[Turn] = [Held(asyncio.Event(), said(verdict=False)), said(verdict=True)]
    async with judged_by(world, turns) as served:
        stream = await world.create("buy", script([OPEN], [CLICK], needs_tree=needs_tree), agent=JUDGED)
        async with world.worker():
            await served.asked(1)
        async with world.worker():
            finished = await world.until(stream, e.TaskFinished)

    assert [as_json(OPEN), as_json(CLICK), as_json(OPEN)] == world.stage.acts  # the page, as it was left
    assert finished.event.success
    assert (await report(world, stream))["verdict"]


async def test_a_judgement_of_a_runner_that_was_declared_dead_does_not_count(world: Any, script: Any) -> None:
    async with judged_by(world, [said(verdict=False), said(verdict=True)]) as served, world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]), agent=JUDGED)
        world.overtake(e.JudgementRecorded, lambda task: decide.lose(task, runner=task.runner))
        await world.until(stream, e.TaskFinished)

    assert 2 == len(served.requests)
    assert [as_json(OPEN), as_json(CLICK), as_json(OPEN)] == world.stage.acts  # the page, as it was left
    assert (await report(world, stream))["verdict"]


async def test_a_task_that_lets_go_of_its_browser_while_it_is_judged_is_judged_again_when_resumed(
    world: Any, script: Any
) -> None:
    turns: list[Turn] = [Held(asyncio.Event(), said(verdict=False)), said(verdict=True)]
    async with judged_by(world, turns) as served, world.worker(keep_paused_seconds=0.05):
        stream = await world.create("buy", script([OPEN], [CLICK]), agent=JUDGED)
        await served.asked(1)
        await world.tell(stream, decide.pause)
        lost = (await world.until(stream, e.RunnerLost)).event
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert ("let_go", 2) == (lost.cause, len(served.requests))
    assert (await report(world, stream))["verdict"]


async def test_a_task_that_was_judged_and_whose_runner_dies_before_its_end_is_not_judged_again(
    world: Any, script: Any
) -> None:
    async with judged_by(world, [said(verdict=True)]) as served:
        stream = await world.create("buy", script([OPEN], [CLICK]), agent=JUDGED)
        lost = world.overtake(e.TaskFinished, lambda task: decide.lose(task, runner=task.runner))
        async with world.worker():
            await lost.wait()
            await world.until(stream, e.TaskFinished)

    assert 1 == len(served.requests)
    assert [as_json(OPEN), as_json(CLICK), as_json(OPEN)] == world.stage.acts  # the page, as it was left
    assert (await report(world, stream))["verdict"]


async def test_a_model_that_says_its_end_as_an_act_is_known_by_it_after_a_crash(world: Any, script: Any) -> None:
    done = Finish(success=False, text="no tea")
    async with judged_by(world, [Held(asyncio.Event(), said(verdict=True)), said(verdict=False)]) as served:
        stream = await world.create("buy", script([CLICK], [done], needs_tree=True), agent=JUDGED)
        async with world.worker():
            await served.asked(1)
        async with world.worker():
            await world.until(stream, e.TaskFinished)

    assert [as_json(CLICK)] == world.stage.acts


async def test_a_task_that_failed_or_wants_no_judge_is_not_judged(world: Any, script: Any) -> None:
    async with judged_by(world, [said(verdict=True)]) as served, world.worker():
        failed = await world.create("fail", script([OPEN], [OPEN]), agent=JUDGED, limits=e.Limits(max_steps=1))
        plain = await world.create("plain", script([OPEN]))
        await world.until(failed, e.TaskFailed)
        await world.until(plain, e.TaskFinished)

    assert [] == served.requests


async def test_no_secret_is_told_to_the_judge_nor_by_him(world: Any, script: Any) -> None:
    secret = "hunter-2-hunter"
    agent = e.Agent(judge=True, judge_llm="scripted", ground_truth=f"It says {secret}.")
    async with judged_by(world, [said(verdict=True, failure_reason="", reasoning=f"I saw {secret}.")]) as served:
        stream = await world.create(
            "buy", script([OPEN], output=f"It is {secret}."), agent=agent, secrets={"key": secret}
        )
        async with world.worker():
            await world.until(stream, e.TaskFinished)

    assert secret not in json.dumps(served.requests[0].body)
    assert "I saw <secret>key</secret>." == (await report(world, stream))["reasoning"]
