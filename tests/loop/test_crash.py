"""A runner dies; the next one goes on where that is honest, and says so where it is not."""

from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.machine import State
from runner.action_json import as_json, from_json
from runner.vocabulary import (
    Check,
    Clear,
    Click,
    CloseTab,
    Drag,
    Expect,
    Extract,
    FindText,
    Hover,
    Input,
    Navigate,
    Options,
    Press,
    Query,
    SavePdf,
    Scroll,
    Search,
    Select,
    Upload,
    Wait,
)

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
TYPE = Input(text="Ada", target=Query(text="Name"))
READ = Extract(what="page")


async def leave_during(world: Any, stream: str, where: str) -> None:
    """A worker runs until it has come to `where`, and is ended there."""
    arrived = world.stage.stop_at(where)
    async with world.worker():
        await arrived.wait()
    world.stage.hold[where].set()


async def test_a_worker_that_is_told_to_leave_gives_its_tasks_back(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN], [TYPE], [READ]))

    await leave_during(world, stream, f"resolve {as_json(READ)}")

    assert ["runner_lost", "requeued"] == (await world.story(stream))[-2:]
    assert State.QUEUED is (await world.tasks.load(stream)).state
    assert (1, 1) == (world.stage.sessions, world.stage.closed)


async def test_page_local_acts_are_done_again_and_the_tape_says_what_was_restored(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN], [TYPE], [READ]))
    await leave_during(world, stream, f"resolve {as_json(READ)}")

    async with world.worker():
        finished = await world.until(stream, e.TaskFinished)
    started = await world.until(stream, e.TaskStarted, after=12)

    assert (as_json(OPEN), as_json(TYPE), as_json(OPEN), as_json(TYPE), as_json(READ)) == tuple(world.stage.acts)
    assert ("cookies and storage", "http://shop.test/", as_json(TYPE)) == started.event.restored
    assert ("what the page held in memory",) == started.event.lost
    assert finished.event.success


NAME, MORE = Query(text="Name"), Query(text="More")
LOCAL = (
    TYPE,
    Clear(target=NAME),
    Select(option="Red", target=NAME),
    Check(target=NAME),
    Scroll(direction="bottom"),
    Scroll(target=MORE, pages=0.5),
    FindText(text="Terms"),
    Hover(target=MORE),
)
LASTING = (CLICK, Press(keys="Enter"), Upload(path="cv.pdf", target=NAME), Drag(source=NAME, target=MORE))
LOOKING = (
    OPEN,
    READ,
    Wait(seconds=1),
    Expect(text="Ada"),
    Search(query="tea"),
    Options(target=NAME),
    SavePdf(),
)
TWICE = (Input(text="more", target=NAME, clear=False), CloseTab(number=2))


@pytest.mark.parametrize("act", LOCAL, ids=lambda act: act.name)
@pytest.mark.parametrize("where", ["act", "resolve"])
async def test_what_only_changed_the_page_is_done_again(world: Any, script: Any, act: Any, where: str) -> None:
    stream = await world.create("buy", script([OPEN], [act], [READ]))
    await leave_during(world, stream, f"{where} {as_json(act if where == 'act' else READ)}")

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    before = [OPEN] if where == "act" else [OPEN, act]
    assert [*before, OPEN, act, READ] == [world_act(done) for done in world.stage.acts]


@pytest.mark.parametrize("act", [*LASTING, *TWICE], ids=lambda act: act.name)
@pytest.mark.parametrize("where", ["act", "resolve"])
async def test_what_may_have_lasted_is_never_done_again(world: Any, script: Any, act: Any, where: str) -> None:
    stream = await world.create("buy", script([OPEN], [act], [READ]))
    await leave_during(world, stream, f"{where} {as_json(act if where == 'act' else READ)}")

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)

    before = [OPEN] if where == "act" else [OPEN, act]
    named = as_json(act) if where == "act" else f"did {act.name}"
    assert before == [world_act(done) for done in world.stage.acts]
    assert ("runner_lost", True) == (failed.event.code, named in failed.event.message)


@pytest.mark.parametrize(
    "act",
    LOOKING,
    ids=lambda act: act.name,
)
async def test_looking_and_going_somewhere_are_done_again(world: Any, script: Any, act: Any) -> None:
    stream = await world.create("buy", script([TYPE], [act]))
    await leave_during(world, stream, f"act {as_json(act)}")

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert act == world_act(world.stage.acts[-1])


async def test_an_act_that_lasts_is_not_repeated_and_is_named(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN], [CLICK], [READ]))
    await leave_during(world, stream, f"resolve {as_json(READ)}")

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)

    message = (
        "The runner was lost. Since its last page was opened the task has did click; "
        "what that did to the page is gone with the browser, and it is not done again."
    )
    assert e.TaskFailed(fence=failed.event.fence, code="runner_lost", message=message) == failed.event
    assert [as_json(OPEN), as_json(CLICK)] == world.stage.acts


async def test_an_act_under_way_is_in_doubt_and_not_repeated(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN], [CLICK]))
    await leave_during(world, stream, f"act {as_json(CLICK)}")

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)
    interrupted = await world.until(stream, e.StepInterrupted)

    assert (2, (0,)) == (interrupted.event.number, interrupted.event.uncertain)
    assert "runner_lost" == failed.event.code
    assert [as_json(OPEN)] == world.stage.acts


async def test_after_a_navigation_a_lasting_act_is_behind_us(world: Any, script: Any) -> None:
    onward = Navigate(url="http://shop.test/basket")
    stream = await world.create("buy", script([OPEN], [CLICK], [onward], [READ]))
    await leave_during(world, stream, f"resolve {as_json(READ)}")

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert [OPEN, CLICK, onward, onward, READ] == [world_act(act) for act in world.stage.acts]
    assert ["", '{"acts": 3}'] == world.stage.states


async def test_without_its_cookies_a_task_that_did_something_lasting_does_not_go_on(world: Any, script: Any) -> None:
    onward = Navigate(url="http://shop.test/basket")
    stream = await world.create("buy", script([OPEN], [CLICK], [onward], [READ]))
    await leave_during(world, stream, f"resolve {as_json(READ)}")
    await world.vault.delete("browser/s-buy")

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)

    assert "runner_lost" == failed.event.code
    assert 3 == len(world.stage.acts)


async def test_a_model_that_looks_for_itself_is_told_of_the_doubt_and_goes_on(world: Any, script: Any) -> None:
    model = script([OPEN], [CLICK], [READ], needs_tree=True)
    stream = await world.create("buy", model)
    await leave_during(world, stream, f"act {as_json(CLICK)}")

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert "nobody can say whether it took effect" in model.pasts[-1][-1].acts[0].error


async def test_a_task_left_by_a_dead_process_is_taken_up(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN]))
    await world.tell(stream, lambda task: decide.claim(task, runner="dead"))

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    expected = ["created", "claimed", "runner_lost", "requeued", "claimed", "started"]
    assert expected == (await world.story(stream))[:6]


async def test_a_paused_task_is_paused_after_a_restart_and_goes_on_when_resumed(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(TYPE)}"
    arrived = world.stage.stop_at(resolve)
    stream = await world.create("buy", script([OPEN], [TYPE]))
    async with world.worker():
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)
    world.stage.hold[resolve].set()

    async with world.worker():
        still = (await world.tasks.load(stream)).state
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert State.PAUSED is still
    assert ["paused", "runner_lost", "resume_requested", "claimed", "started", "resumed"] == (
        await world.story(stream)
    )[8:14]


async def test_a_browser_that_is_paused_for_too_long_is_given_back_and_rebuilt(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(TYPE)}"
    arrived = world.stage.stop_at(resolve)
    stream = await world.create("buy", script([OPEN], [TYPE]))

    async with world.worker(keep_paused_seconds=0.01):
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.RunnerLost)
        state = (await world.tasks.load(stream)).state
        world.stage.hold[resolve].set()
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert State.PAUSED is state
    assert (2, 2) == (world.stage.sessions, world.stage.closed)


async def test_the_vault_forgets_a_task_that_has_ended(world: Any, script: Any) -> None:
    async with world.worker(max_concurrent=1):
        await world.create("buy", script([OPEN]))
        # The next one has the only place, so the first is done with in every respect.
        after = await world.create("after", script([OPEN]))
        await world.until(after, e.TaskStarted)
        kept = await world.vault.get("browser/s-buy")

    assert None is kept


def world_act(text: str) -> object:
    """The action that a line of the stage's record stands for."""
    return from_json(text)
