"""What must not happen to a runner, whatever fails around it: it ends no other task, loses no place, hangs nowhere."""

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.store import PAGE, Recorded
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from runner.action_json import as_json
from runner.vocabulary import ActFailed, Click, Extract, Input, Navigate, Query
from tests.refusing import Refusing

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
TYPE = Input(text="Ada", target=Query(text="Name"))
READ = Extract(what="page")


class Moody(Refusing):
    """A store that can also be told to let its followers wait."""

    def __init__(self) -> None:
        super().__init__()
        self.deaf_after = 10**9
        self.hears = asyncio.Event()

    async def read(
        self, after: int = 0, *, limit: int = PAGE, types: Collection[str] | None = None
    ) -> Sequence[Recorded]:
        if after >= self.deaf_after:
            await self.hears.wait()
        return await super().read(after, limit=limit, types=types)


@pytest.fixture
def moody(world: Any) -> Any:
    """The world on a store of moods."""
    world.store = Moody()
    world.tasks = Repository(world.store, Task(), evolve)
    return world


async def run_another(world: Any, script: Any) -> None:
    """The runner lives: it takes up a task and finishes it."""
    other = await world.create("other", script([OPEN]))
    await world.until(other, e.TaskFinished)


async def turns(count: int = 100) -> None:
    """Let everybody who can go on do so, so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_page_that_is_lost_after_the_last_step_fails_its_task_alone(world: Any, script: Any) -> None:
    act = f"act {as_json(CLICK)}"
    arrived = world.stage.stop_at(act)

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await arrived.wait()
        world.stage.fails["look"] = ActFailed("page_crashed", "The page crashed.")
        world.stage.hold[act].set()
        failed = await world.until(stream, e.TaskFailed)
        del world.stage.fails["look"]
        await run_another(world, script)

    assert "runner_lost" == failed.event.code
    assert [as_json(CLICK), as_json(OPEN)] == world.stage.acts


async def test_a_browser_that_is_lost_in_an_act_fails_its_task_alone(world: Any, script: Any) -> None:
    act = f"act {as_json(CLICK)}"
    arrived = world.stage.stop_at(act)
    lost = ActFailed("browser_lost", "The browser ended.")

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]))
        await arrived.wait()
        world.stage.fails |= {"look": lost, as_json(CLICK): lost}
        world.stage.hold[act].set()
        failed = await world.until(stream, e.TaskFailed)
        del world.stage.fails["look"]
        await run_another(world, script)

    message = (
        f"The browser was lost. {as_json(CLICK)} was under way; "
        "nobody can say whether it took effect, and it is not done again."
    )
    assert ("runner_lost", message) == (failed.event.code, failed.event.message)


async def test_a_picture_that_cannot_be_kept_is_only_missing(world: Any, script: Any, tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("not a directory")

    async with world.worker():
        stream = await world.create("buy", script([OPEN]))
        taken = await world.until(stream, e.StepTaken)
        await world.until(stream, e.TaskFinished)

    assert "" == taken.event.screenshot


async def test_what_is_too_long_for_the_tape_is_cut(world: Any, script: Any) -> None:
    world.stage.results[as_json(READ)] = "\ud800" + "字" * 100_000

    async with world.worker():
        stream = await world.create("buy", script([READ]))
        ended = await world.until(stream, e.ActionEnded)
        await world.until(stream, e.TaskFinished)

    assert "?" + "字" * 66_665 == ended.event.result


async def test_an_output_that_cannot_be_written_down_fails_its_task_once(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], output="x" * 300_000))
        failed = await world.until(stream, e.TaskFailed)

    assert "not_recordable" == failed.event.code
    assert 1 == (await world.story(stream)).count("claimed")


async def test_a_log_that_refuses_a_claim_is_not_asked_without_end(moody: Any, script: Any) -> None:
    moody.store.refuses[e.TaskClaimed] = 10**9

    async with moody.worker():
        stream = await moody.create("buy", script([OPEN]))
        await turns()
        refused = moody.store.refused
        moody.store.refuses.clear()
        await moody.until(stream, e.TaskFinished)

    assert 1 == refused


async def test_a_task_that_is_heard_of_late_does_not_run_twice(moody: Any, script: Any) -> None:
    moody.store.refuses[e.StepTaken] = 1
    act = f"act {as_json(TYPE)}"

    async with moody.worker():
        stream = await moody.create("buy", script([OPEN], [TYPE]))
        await moody.until(stream, e.TaskClaimed)
        moody.store.deaf_after = moody.store.head
        arrived = moody.stage.stop_at(act)
        await moody.until(stream, e.TaskRequeued)
        await arrived.wait()
        moody.store.hears.set()
        await run_another(moody, script)
        moody.stage.hold[act].set()
        await moody.until(stream, e.TaskFinished)

    # Two attempts at the one, and the other.
    assert 3 == moody.stage.sessions


async def test_a_look_that_hangs_does_not_outlive_the_limit(world: Any, script: Any) -> None:
    act = f"act {as_json(OPEN)}"
    arrived = world.stage.stop_at(act)

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]), limits=e.Limits(task_seconds=2.0))
        await arrived.wait()
        world.stage.stop_at("look")
        world.stage.hold[act].set()
        failed = await world.until(stream, e.TaskFailed)

    assert "task_timeout" == failed.event.code


async def test_a_task_paused_again_while_it_waits_for_a_place_is_paused(moody: Any, script: Any) -> None:
    act, blocked = f"act {as_json(OPEN)}", f"act {as_json(TYPE)}"
    arrived, blocking = moody.stage.stop_at(act), moody.stage.stop_at(blocked)

    async with moody.worker(max_concurrent=1):
        stream = await moody.create("buy", script([OPEN]))
        await arrived.wait()
        await moody.tell(stream, decide.pause)
        moody.stage.hold[act].set()
        await moody.until(stream, e.TaskPaused)
        other = await moody.create("other", script([TYPE]))
        await blocking.wait()
        moody.store.deaf_after = moody.store.head + 1  # the runner hears of the resume, and not of the second pause
        await moody.tell(stream, decide.resume)
        await turns()
        await moody.tell(stream, decide.pause)
        moody.stage.hold[blocked].set()
        await moody.until(other, e.TaskFinished)
        await turns()
        moody.store.hears.set()
        await moody.tell(stream, decide.resume)
        await moody.until(stream, e.TaskFinished)

    asked = ["pause_requested", "resume_requested", "pause_requested", "resume_requested"]
    story = await moody.story(stream)
    assert asked == [event for event in story if event.endswith("requested")]
    assert ["resumed", "finished"] == story[-2:]
    assert "runner_lost" not in story
