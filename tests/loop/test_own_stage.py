"""A task with a browser of its own: what a later attempt finds there is gone on with, and nothing is done twice."""

from functools import partial
from typing import Any

from eventstore import decide, session
from eventstore import events as e
from eventstore.secrets import vault_name
from eventstore.session import Session, evolve
from eventstore.transact import Repository
from runner.action_json import as_json
from runner.vocabulary import Click, Extract, Input, Navigate, Query
from runner.worker import KEPT_PAUSED
from tests.loop.test_crash import leave_during

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
TYPE = Input(text="Ada", target=Query(text="Name"))
READ = Extract(what="page")
FOUND = ("the browser, with what its pages hold",)


async def test_a_browser_that_is_still_there_is_gone_on_with(world: Any, script: Any) -> None:
    world.stage.isolated = True
    stream = await world.create("buy", script([OPEN], [TYPE], [CLICK], [READ]))
    await leave_during(world, stream, f"resolve {as_json(READ)}")

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    facts = [recorded.event for recorded in await world.store.read_stream(stream)]
    assert [as_json(act) for act in (OPEN, TYPE, CLICK, READ)] == world.stage.acts
    assert ["browser-1", "browser-1"] == [fact.browser for fact in facts if isinstance(fact, e.BrowserOpened)]
    assert [((), ()), (FOUND, ())] == [(fact.restored, fact.lost) for fact in facts if isinstance(fact, e.TaskStarted)]
    assert {} == world.stage.living


async def test_an_act_that_ended_is_done_when_its_step_was_not_taken_yet(world: Any, script: Any) -> None:
    world.stage.isolated = True
    stream = await world.create("buy", script([OPEN], [TYPE], [READ]))
    arrived = world.stage.stop_at("look")
    async with world.worker():
        await arrived.wait()
        world.stage.hold.pop("look").set()
        await world.until(stream, e.StepTaken)
        arrived = world.stage.stop_at("look")
        await arrived.wait()
    world.stage.hold.pop("look").set()
    before = await world.story(stream)

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert ["step_interrupted", "runner_lost", "requeued"] == before[-3:]
    assert [as_json(act) for act in (OPEN, TYPE, READ)] == world.stage.acts


async def test_an_act_under_way_is_in_doubt_though_the_browser_is_there(world: Any, script: Any) -> None:
    world.stage.isolated = True
    stream = await world.create("buy", script([OPEN], [CLICK]))
    await leave_during(world, stream, f"act {as_json(CLICK)}")

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)

    assert "runner_lost" == failed.event.code
    assert as_json(CLICK) in failed.event.message
    assert [as_json(OPEN)] == world.stage.acts
    assert {} == world.stage.living


async def test_a_typing_under_way_is_done_again_where_it_was(world: Any, script: Any) -> None:
    world.stage.isolated = True
    stream = await world.create("buy", script([OPEN], [CLICK], [TYPE], [READ]))
    await leave_during(world, stream, f"act {as_json(TYPE)}")

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert [as_json(act) for act in (OPEN, CLICK, TYPE, READ)] == world.stage.acts


async def test_a_browser_that_is_gone_is_rebuilt_and_the_tape_says_what_was_lost(world: Any, script: Any) -> None:
    world.stage.isolated = True
    stream = await world.create("buy", script([OPEN], [TYPE], [READ]))
    await leave_during(world, stream, f"resolve {as_json(READ)}")
    world.stage.living.clear()

    async with world.worker():
        await world.until(stream, e.TaskFinished)
    started = await world.until(stream, e.TaskStarted, after=14)

    assert [as_json(act) for act in (OPEN, TYPE, OPEN, TYPE, READ)] == world.stage.acts
    assert ("cookies and storage", OPEN.url, as_json(TYPE)) == started.event.restored
    assert ("the browser of its own", "what the page held in memory") == started.event.lost


async def test_a_browser_that_was_not_yet_rebuilt_is_not_taken_for_the_old_one(world: Any, script: Any) -> None:
    world.stage.isolated = True
    stream = await world.create("buy", script([OPEN], [TYPE], [READ]))
    await leave_during(world, stream, f"resolve {as_json(READ)}")
    world.stage.living.clear()
    await leave_during(world, stream, f"act {as_json(TYPE)}")

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert [as_json(act) for act in (OPEN, TYPE, OPEN, OPEN, TYPE, READ)] == world.stage.acts
    assert {} == world.stage.living


async def test_a_paused_task_has_its_browser_again_after_a_restart(world: Any, script: Any) -> None:
    world.stage.isolated = True
    resolve = f"resolve {as_json(TYPE)}"
    arrived = world.stage.stop_at(resolve)
    stream = await world.create("buy", script([OPEN], [CLICK], [TYPE]))
    async with world.worker():
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)
    world.stage.hold[resolve].set()

    async with world.worker():
        held = dict(world.stage.living)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert {"browser-1": OPEN.url} == held
    assert [as_json(act) for act in (OPEN, CLICK, TYPE)] == world.stage.acts


async def test_a_paused_task_whose_session_was_stopped_meanwhile_leaves_no_browser(world: Any, script: Any) -> None:
    world.stage.isolated = True
    sessions = Repository(world.store, Session(), evolve)
    created = e.SessionCreated(project="p", family="v2")
    await sessions.transact("session-s", partial(session.create, created=created), actor="key:test")
    arrived = world.stage.stop_at(f"resolve {as_json(TYPE)}")
    stream = await world.create("buy", script([OPEN], [TYPE]), session="s")
    async with world.worker():
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)
    left = dict(world.stage.living)
    await sessions.transact("session-s", session.stop, actor="key:test")

    async with world.worker():
        await world.until(stream, e.TaskStopped)

    assert ({"browser-1": OPEN.url}, {}) == (left, world.stage.living)


async def test_stopping_a_paused_task_that_nobody_runs_ends_its_browser(world: Any, script: Any) -> None:
    world.stage.isolated = True
    resolve = f"resolve {as_json(TYPE)}"
    arrived = world.stage.stop_at(resolve)
    stream = await world.create("buy", script([OPEN], [TYPE]))
    async with world.worker():
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)

    async with world.worker(max_concurrent=1):
        await world.tell(stream, decide.stop)
        after = await world.create("after", script([OPEN]))
        await world.until(after, e.TaskFinished)

    assert {} == world.stage.living


async def test_a_task_that_fails_before_it_has_its_browser_again_leaves_none(world: Any, script: Any) -> None:
    world.stage.isolated = True
    stream = await world.create("buy", script([OPEN], [READ]), secrets={"pin": "1234-5678"})
    await leave_during(world, stream, f"resolve {as_json(READ)}")
    held = dict(world.stage.living)
    created = (await world.tasks.load(stream)).created
    await world.vault.delete(vault_name(stream, created))

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)
        await world.settled()

    assert ({"browser-1": OPEN.url}, "secrets_lost") == (held, failed.event.code)
    assert {} == world.stage.living


async def test_of_many_paused_tasks_the_first_give_their_browsers_back(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(TYPE)}"
    streams = []
    async with world.worker(max_concurrent=1):
        for number in range(KEPT_PAUSED + 2):
            arrived = world.stage.stop_at(resolve)
            streams.append(await world.create(f"buy-{number}", script([OPEN], [TYPE])))
            await arrived.wait()
            await world.tell(streams[-1], decide.pause)
            await world.until(streams[-1], e.TaskPaused)
        lost = [(await world.until(stream, e.RunnerLost)).event.cause for stream in streams[:2]]
        left = world.stage.sessions - world.stage.closed
        world.stage.hold[resolve].set()
        for stream in streams:
            await world.tell(stream, decide.resume)
            await world.until(stream, e.TaskFinished)

    assert (["let_go", "let_go"], KEPT_PAUSED) == (lost, left)
    assert [2, 2, 1, 1, 1, 1] == [(await world.story(stream)).count("claimed") for stream in streams]


async def test_a_pause_while_the_page_is_rebuilt_takes_effect_before_that_ends(world: Any, script: Any) -> None:
    act = f"act {as_json(TYPE)}"
    stream = await world.create("buy", script([OPEN], [TYPE], [READ]))
    await leave_during(world, stream, f"resolve {as_json(READ)}")
    arrived = world.stage.stop_at(act)

    async with world.worker():
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)
        story = await world.story(stream)
        world.stage.hold[act].set()
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert ["requeued", "claimed", "pause_requested", "runner_lost", "paused"] == story[-5:]
    assert [as_json(act) for act in (OPEN, TYPE, OPEN, OPEN, TYPE, READ)] == world.stage.acts
