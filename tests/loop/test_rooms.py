"""Sessions: their browser stays open between tasks, for one at a time, and comes back as far as it can when lost."""

import asyncio
from functools import partial

import pytest

from eventstore import decide as decide_task
from eventstore import events as e
from eventstore import session as decide
from eventstore.errors import DiskFull
from eventstore.session import Session, evolve
from eventstore.task import Task
from eventstore.transact import Repository
from runner.keeping import Kept, kept, session_state
from runner.restoring import FOUND
from runner.vocabulary import ActFailed, AnyAction, Click, Extract, Input, Navigate, Query
from tests.loop.conftest import LIMIT, Script, World

SHOP, BASKET = "http://shop.test/", "http://shop.test/basket"
CREATED = e.SessionCreated(project="p", family="v2")


async def begin(world: World, created: e.SessionCreated = CREATED) -> None:
    await say(world, partial(decide.create, created=created))


async def say(world: World, decision: "partial[list[e.SessionEvent]]") -> None:
    await Repository(world.store, Session(), evolve).transact("session-s", decision, actor="key:test")


async def told(world: World) -> list[e.Event]:
    """What was said of the session since it was created."""
    return [recorded.event for recorded in await world.store.read_stream("session-s", 1)]


def opened(runner: str = "w1", own: str = "") -> e.SessionOpened:
    return e.SessionOpened(runner=runner, browser="Stage 1", own=own)


async def until(world: World, *events: e.Event) -> None:
    """What is said of the session comes to be that."""
    async with asyncio.timeout(LIMIT):
        while list(events) != await told(world):
            await world.store.wait(world.store.head)


async def until_kept(world: World) -> Kept:
    """What is kept of the session, as soon as something is."""
    async with asyncio.timeout(LIMIT):
        while not (known := await kept(world.vault, session_state("s"))):
            await world.settled()
    return known


async def until_forgotten(world: World) -> None:
    """Nothing is kept of the session any more."""
    async with asyncio.timeout(LIMIT):
        while await kept(world.vault, session_state("s")):
            await world.settled()


async def run(world: World, name: str, *actions: AnyAction, **fields: object) -> e.TaskStarted:
    """A task of the session to its end, by these acts, one step each; answers how it started."""
    script = Script(*([action] for action in actions))
    stream = await world.create(name, script, session="s", **fields)  # type: ignore[arg-type] # as create takes them
    await world.until(stream, e.TaskFinished)
    started = (await world.until(stream, e.TaskStarted)).event
    assert isinstance(started, e.TaskStarted)
    return started


async def test_a_follow_up_task_goes_on_in_the_same_browser(world: World) -> None:
    await begin(world)

    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
        second = await run(world, "two", Extract(what="page"))
        url = world.stage.url
        third = await run(world, "three", Navigate(url=BASKET))

    assert (1, SHOP) == (world.stage.sessions, url)
    assert [((FOUND,), ())] * 2 == [(each.restored, each.lost) for each in (second, third)]
    assert [opened(), e.SessionClosed(runner="w1", cause="shutdown")] == await told(world)
    assert 1 == world.stage.closed


async def test_a_browser_that_was_idle_for_too_long_is_let_go_and_what_is_kept_of_it_comes_back(world: World) -> None:
    await begin(world)
    world.session_idle_seconds = 0.01

    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
        await until(world, opened(), e.SessionClosed(runner="w1", cause="idle"))
        second = await run(world, "two", Extract(what="page"))

    assert ("cookies and storage", SHOP) == second.restored
    assert ("what the session's pages held in memory",) == second.lost
    assert (2, ["", '{"acts": 1}']) == (world.stage.sessions, world.stage.states)


async def test_of_too_many_idle_browsers_the_one_that_is_so_for_longest_is_let_go(world: World) -> None:
    sessions = Repository(world.store, Session(), evolve)
    for name in ("a", "b", "c"):
        await sessions.transact(f"session-{name}", partial(decide.create, created=CREATED), actor="key:test")
    world.max_idle_sessions = 2

    async with world.worker():
        for name in ("a", "b", "c"):
            await world.create(name, Script([Navigate(url=SHOP)]), session=name)
            await world.until(f"task-{name}", e.TaskFinished)
            await world.until(f"session-{name}", e.SessionOpened)
        closed = await world.until("session-a", e.SessionClosed)
        rest = [(await world.store.read_stream(f"session-{name}"))[-1].type for name in ("b", "c")]

    assert e.SessionClosed(runner="w1", cause="crowded") == closed.event
    assert ["session.opened"] * 2 == rest


async def test_one_task_at_a_time_is_in_a_session_and_others_do_not_wait_for_it(world: World) -> None:
    await begin(world)
    slow = Script([Navigate(url=SHOP)])
    slow.thinks = asyncio.Event()

    async with world.worker():
        first = await world.create("first", slow, session="s")
        await asyncio.wait_for(slow.asked.wait(), LIMIT)
        second = await world.create("second", Script([Extract(what="page")]), session="s")
        other = await world.create("other", Script([Extract(what="page")]))
        await world.until(other, e.TaskFinished)
        waiting = await world.story(second)
        slow.thinks.set()
        ended = await world.until(first, e.TaskFinished)
        claimed = await world.until(second, e.TaskClaimed)
        await world.until(second, e.TaskFinished)

    assert ["created"] == waiting
    assert ended.position < claimed.position


async def test_a_session_that_is_not_kept_alive_ends_with_its_first_task(world: World) -> None:
    await begin(world, e.SessionCreated(project="p", family="v2", keep_alive=False))

    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
        await until(world, e.SessionStopped(cause="task_ended"))

    assert 1 == world.stage.closed


async def test_a_session_that_is_not_kept_alive_ends_with_a_task_that_never_ran(world: World) -> None:
    await begin(world, e.SessionCreated(project="p", family="v2", keep_alive=False))
    stopped = e.StopRequested(), e.TaskStopped(fence=0, step=0, answers=2)

    async with world.worker(max_concurrent=0):
        stream = await world.create("one", Script(), session="s")
        await world.tell(stream, lambda _: list(stopped))
        await until(world, e.SessionStopped(cause="task_ended"))


async def test_a_session_that_should_have_ended_while_nobody_was_there_ends_at_the_start(world: World) -> None:
    await begin(world, e.SessionCreated(project="p", family="v2", keep_alive=False))
    stream = await world.create("one", Script(), session="s")
    await world.tell(stream, lambda _: [e.StopRequested(), e.TaskStopped(fence=0, step=0, answers=2)])

    async with world.worker():
        await until(world, e.SessionStopped(cause="task_ended"))


async def test_a_session_whose_time_is_over_stops_with_what_runs_in_it(world: World) -> None:
    await begin(world, e.SessionCreated(project="p", family="v2", seconds=0.2))
    script = Script([Navigate(url=SHOP)])
    script.thinks = asyncio.Event()

    async with world.worker():
        stream = await world.create("one", script, session="s")
        await world.until("session-s", e.SessionStopped)
        await world.until(stream, e.TaskStopped)

    assert e.SessionStopped(cause="timeout") in await told(world)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_task_that_is_paused_without_a_browser_stops_with_its_session(world: World, restarted: bool) -> None:
    await begin(world)
    slow = Script([Navigate(url=SHOP)])
    slow.thinks = asyncio.Event()

    async with world.worker(keep_paused_seconds=0.01):
        stream = await world.create("one", slow, session="s")
        await asyncio.wait_for(slow.asked.wait(), LIMIT)
        await world.tell(stream, decide_task.pause)
        await world.until(stream, e.RunnerLost)
        if not restarted:
            await say(world, partial(decide.stop))
            await world.until(stream, e.TaskStopped)
            await until_forgotten(world)
    if restarted:
        await say(world, partial(decide.stop))
        async with world.worker():
            await world.until(stream, e.TaskStopped)
            await until_forgotten(world)

    assert ["stop_requested", "stopped"] == (await world.story(stream))[-2:]


async def test_stopping_a_session_closes_its_browser_and_forgets_what_was_kept(world: World) -> None:
    await begin(world)

    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
        before = await until_kept(world)
        await say(world, partial(decide.stop))
        await until(world, opened(), e.SessionStopped(), e.SessionClosed(runner="w1", cause="stopped"))
        await until_forgotten(world)

    assert (SHOP, "task-one", {}) == (before.url, before.stream, before.hidden)


@pytest.mark.parametrize("isolated", [False, True])
async def test_a_session_that_stops_while_a_task_is_in_it_takes_the_task_along(world: World, isolated: bool) -> None:
    await begin(world)
    world.stage.isolated = isolated
    reached = world.stage.stop_at(f'act {{"navigate":{{"url":"{SHOP}"}}}}')

    async with world.worker():
        stream = await world.create("one", Script([Navigate(url=SHOP)]), session="s")
        await asyncio.wait_for(reached.wait(), LIMIT)
        await say(world, partial(decide.stop))
        await world.until(stream, e.TaskStopped)
        await world.until("session-s", e.SessionClosed)
        await until_forgotten(world)

    assert (1, {}) == (world.stage.closed, world.stage.living)


async def test_a_log_that_will_not_take_the_stop_of_what_is_in_a_session_ends_nobodys_work(world: World) -> None:
    await begin(world)
    slow = Script([Navigate(url=SHOP)])
    slow.thinks = asyncio.Event()

    def full(_: Task) -> list[e.Event]:
        raise DiskFull

    async with world.worker():
        stream = await world.create("one", slow, session="s")
        await asyncio.wait_for(slow.asked.wait(), LIMIT)
        world.overtake(e.StopRequested, full)
        await say(world, partial(decide.stop))
        other = await world.create("other", Script([Extract(what="page")]))
        await world.until(other, e.TaskFinished)
        slow.thinks.set()
        await world.until(stream, e.TaskFinished)
        closed = await world.until("session-s", e.SessionClosed)

    assert e.SessionClosed(runner="w1", cause="stopped") == closed.event


async def test_a_task_in_a_stopped_session_fails_and_says_why(world: World) -> None:
    await begin(world)
    await say(world, partial(decide.stop))

    async with world.worker():
        stream = await world.create("one", Script([Navigate(url=SHOP)]), session="s")
        failed = (await world.until(stream, e.TaskFailed)).event

    assert isinstance(failed, e.TaskFailed)
    assert ("session_stopped", 0) == (failed.code, world.stage.sessions)


async def test_after_a_crash_a_session_starts_from_what_is_kept(world: World) -> None:
    await begin(world)
    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
    await say(world, partial(decide.opened, opened=opened("dead")))

    async with world.worker():
        second = await run(world, "two", Extract(what="page"))

    assert (("cookies and storage", SHOP), ("what the session's pages held in memory",)) == (
        second.restored,
        second.lost,
    )
    assert [
        e.SessionClosed(runner="w1", cause="shutdown"),
        opened("dead"),
        e.SessionClosed(runner="dead", cause="crash"),
        opened("w2"),
        e.SessionClosed(runner="w2", cause="shutdown"),
    ] == (await told(world))[1:]


async def test_a_browser_of_its_own_is_found_again_after_a_restart(world: World) -> None:
    await begin(world)
    world.stage.isolated = True

    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
    living = dict(world.stage.living)
    async with world.worker():
        second = await run(world, "two", Extract(what="page"))
        url = world.stage.url

    assert ({"browser-1": SHOP}, SHOP) == (living, url)
    assert ((FOUND,), ()) == (second.restored, second.lost)
    lost = e.SessionClosed(runner="w1", cause="lost")
    assert [opened("w1", "browser-1"), lost, opened("w2", "browser-1")] == await told(world)


async def test_a_browser_of_its_own_that_nobody_comes_back_to_ends(world: World) -> None:
    await begin(world)
    world.stage.isolated = True
    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))

    world.session_idle_seconds = 0.01
    async with world.worker():
        await world.until("session-s", e.SessionClosed)

    assert {} == world.stage.living
    assert [opened("w1", "browser-1"), e.SessionClosed(runner="w1", cause="idle")] == await told(world)


async def test_an_idle_browser_that_was_lost_is_replaced(world: World) -> None:
    await begin(world)

    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
        world.stage.fails["look"] = ActFailed("browser_lost", "The browser ended unexpectedly.")
        await world.create("two", Script([Extract(what="page")]), session="s")
        await world.until("session-s", e.SessionClosed)
        del world.stage.fails["look"]
        await world.until("task-two", e.TaskFinished)

    assert 2 <= world.stage.sessions


async def test_an_idle_browser_that_closes_as_its_next_task_comes_is_replaced(world: World) -> None:
    await begin(world)

    async with world.worker() as worker:
        await run(world, "one", Navigate(url=SHOP))
        while not worker._rooms.idle:
            await world.settled()
        looking = world.stage.stop_at("look")
        stream = await world.create("two", Script([Extract(what="page")]), session="s")
        await asyncio.wait_for(looking.wait(), LIMIT)
        worker._rooms.close_room("s", "idle")
        await until(world, opened(), e.SessionClosed(runner="w1", cause="idle"))
        await world.settled()
        world.stage.hold.pop("look").set()
        await world.until(stream, e.TaskFinished)

    assert 2 == world.stage.sessions


async def test_a_task_with_other_domains_gets_another_browser_with_the_same_cookies(world: World) -> None:
    await begin(world)

    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
        second = await run(world, "two", Extract(what="page"), allowed_domains=("shop.test",))

    assert (2, ("cookies and storage", SHOP)) == (world.stage.sessions, second.restored)
    assert e.SessionClosed(runner="w1", cause="replaced") in await told(world)


async def test_a_last_page_that_cannot_be_opened_again_is_told_and_the_task_goes_on(world: World) -> None:
    await begin(world)
    world.session_idle_seconds = 0.01

    async with world.worker():
        await run(world, "one", Navigate(url=SHOP))
        await world.until("session-s", e.SessionClosed)
        world.stage.fails[f'{{"navigate":{{"url":"{SHOP}"}}}}'] = ActFailed("navigation_failed", "It is gone.")
        second = await run(world, "two", Navigate(url=BASKET))

    assert (("cookies and storage",), ("what the session's pages held in memory", f"{SHOP} (It is gone.)")) == (
        second.restored,
        second.lost,
    )


async def test_secrets_of_an_earlier_task_are_shown_by_no_later_one(world: World) -> None:
    await begin(world)
    target = Query(text="Password")
    typed = Input(target=target, text="<secret>password</secret>")

    async with world.worker():
        await run(
            world, "one", Navigate(url=SHOP), typed, secrets={"password": "hunter22"}, allowed_domains=("shop.test",)
        )
        world.stage.results['{"extract":{"what":"page"}}'] = "the field says hunter22"
        await run(world, "two", Extract(what="page"), allowed_domains=("shop.test",))
    world.session_idle_seconds = 0.01
    async with world.worker():
        await run(world, "three", Extract(what="page"), allowed_domains=("shop.test",))

    tape = [recorded.payload or b"" for recorded in await world.store.read()]
    assert ["hunter22"] == world.stage.typed
    assert not [each for each in tape if b"hunter22" in each]
    assert 2 == len([each for each in tape if b"the field says <secret>password (before)</secret>" in each])


async def test_a_failed_task_leaves_the_browser_to_the_next(world: World) -> None:
    await begin(world)
    click = Click(target=Query(text="Buy"))
    world.stage.fails['{"click":{"target":{"text":"Buy"}}}'] = ActFailed("no_target", "There is no such button.")

    async with world.worker():
        stream = await world.create("one", Script([Navigate(url=SHOP)], [click]), session="s")
        await world.until(stream, e.TaskFailed)
        second = await run(world, "two", Extract(what="page"))

    assert (1, (FOUND,)) == (world.stage.sessions, second.restored)


@pytest.mark.parametrize("where", ["resolve", "act"])
async def test_a_worker_that_is_cut_off_leaves_no_browser_behind(world: World, where: str) -> None:
    await begin(world)
    reached = world.stage.stop_at(f'{where} {{"navigate":{{"url":"{SHOP}"}}}}')

    async with world.worker():
        stream = await world.create("one", Script([Navigate(url=SHOP)]), session="s")
        await asyncio.wait_for(reached.wait(), LIMIT)

    assert (1, 1) == (world.stage.sessions, world.stage.closed)
    assert "requeued" in await world.story(stream)
