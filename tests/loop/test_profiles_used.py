"""A task begins with a copy of its profile's newest snapshot, and its end is the next one, however it ends."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eventstore import decide, session
from eventstore import events as e
from eventstore.session import Session, evolve
from eventstore.snapshots import cookies_name, get_cookies, snapshot_name
from eventstore.store import Recorded
from eventstore.transact import Repository
from runner.action_json import as_json
from runner.profiles import Profiles
from runner.vocabulary import ActFailed, Click, Extract, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
READ = Extract(what="page")
USING = e.Options(profile="p1")
STREAM = "profile-p1"


@pytest.fixture
async def profile(world: Any) -> str:
    """An empty profile."""
    return await made(world)


async def made(world: Any, **fields: Any) -> str:
    await world.store.append(STREAM, 0, [e.ProfileCreated(project="p", family="v1", **fields)], actor="key:test")
    return STREAM


async def deleted(world: Any) -> None:
    version = len(await world.store.read_stream(STREAM))
    await world.store.append(STREAM, version, [e.ProfileDeleted()], actor="key:test")


async def told(world: Any) -> list[e.Event]:
    """What the profile's stream says after its beginning."""
    events: Sequence[Recorded] = await world.store.read_stream(STREAM, 1)
    return [recorded.event for recorded in events]


def used(stream: str, version: int) -> e.ProfileUsed:
    return e.ProfileUsed(stream=stream, version=version)


def saved(stream: str, version: int, state: bytes) -> e.ProfileSaved:
    return e.ProfileSaved(version=version, stream=stream, size=len(state))


async def snapshot(world: Any, version: int) -> bytes | None:
    kept: bytes | None = await world.vault.get(snapshot_name("p1", version))
    return kept


async def test_one_task_after_the_other_begins_where_the_last_one_ended(world: Any, script: Any, profile: str) -> None:
    async with world.worker(max_concurrent=1):
        for name in ("one", "two"):
            stream = await world.create(name, script([OPEN], [CLICK]), options=USING)
            await world.until(stream, e.TaskFinished)

    first, second = b'{"acts": 2}', b'{"acts": 4}'
    assert ["", first.decode()] == world.stage.states
    assert [
        used("task-one", 0),
        saved("task-one", 1, first),
        used("task-two", 1),
        saved("task-two", 2, second),
    ] == await told(world)
    assert [first, second] == [await snapshot(world, 1), await snapshot(world, 2)]


async def test_what_it_saved_is_there_before_the_end_is_told(world: Any, script: Any, profile: str) -> None:
    async with world.worker():
        stream = await world.create("one", script([OPEN]), options=USING)
        finished = await world.until(stream, e.TaskFinished)

    events = await world.store.read_stream(profile)
    assert "profile.saved" == events[-1].type
    assert events[-1].position < finished.position


async def test_a_stopped_task_and_a_failed_one_save_too(world: Any, script: Any, profile: str) -> None:
    click = as_json(CLICK)
    arrived = world.stage.stop_at(f"act {click}")
    async with world.worker():
        stopped = await world.create("stopped", script([OPEN], [CLICK]), options=USING)
        await arrived.wait()
        await world.tell(stopped, decide.stop)
        await world.until(stopped, e.TaskStopped)
        world.stage.hold[f"act {click}"].set()
        world.stage.fails[click] = ActFailed("not_found", "There is no such thing.")
        failed = await world.create("failed", script([OPEN], [CLICK]), options=USING)
        await world.until(failed, e.TaskFailed)

    assert [
        used(stopped, 0),
        saved(stopped, 1, b'{"acts": 1}'),
        used(failed, 1),
        saved(failed, 2, b'{"acts": 2}'),
    ] == await told(world)


async def test_a_profile_that_does_not_persist_is_never_saved_to(world: Any, script: Any) -> None:
    await made(world, persist=False)

    async with world.worker():
        stream = await world.create("one", script([OPEN]), options=USING)
        await world.until(stream, e.TaskFinished)

    assert ([used(stream, 0)], None) == (await told(world), await snapshot(world, 1))


async def test_tasks_that_end_together_save_one_after_the_other_and_the_last_one_wins_whole(
    world: Any, profile: str
) -> None:
    runners = [Profiles(world.store, world.vault, actor=f"runner:w{number}") for number in range(2)]
    states = {f"task-{number}": f'{{"cookies":[{{"domain":".{number}.test"}}]}}' for number in range(8)}

    async with asyncio.TaskGroup() as group:
        for number, (stream, state) in enumerate(states.items()):
            group.create_task(runners[number % 2].save("p1", stream, state))

    said = await told(world)
    assert list(range(1, 9)) == [each.version for each in said if isinstance(each, e.ProfileSaved)]
    for version in (6, 7, 8):
        written = said[version - 1]
        assert isinstance(written, e.ProfileSaved)
        assert states[written.stream].encode() == await snapshot(world, version)
        assert (written.stream.replace("task-", "") + ".test",) == written.cookie_domains
    assert [None] * 5 == [await snapshot(world, version) for version in range(1, 6)]


async def test_what_a_task_had_is_dropped_when_its_profile_is_deleted_meanwhile(
    world: Any, script: Any, profile: str, tmp_path: Path
) -> None:
    arrived = world.stage.stop_at(f"act {as_json(CLICK)}")
    async with world.worker():
        stream = await world.create("one", script([OPEN], [CLICK]), options=USING)
        await arrived.wait()
        await deleted(world)
        world.stage.hold[f"act {as_json(CLICK)}"].set()
        await world.until(stream, e.TaskFinished)

    assert [used(stream, 0), e.ProfileDeleted()] == await told(world)
    assert [] == list((tmp_path / "vault").glob("profile-*"))


async def test_a_task_whose_profile_was_deleted_before_it_began_fails_and_says_why(
    world: Any, script: Any, profile: str
) -> None:
    await deleted(world)

    async with world.worker():
        stream = await world.create("one", script([OPEN]), options=USING)
        failed = (await world.until(stream, e.TaskFailed)).event

    assert "profile_deleted" == failed.code
    assert 0 == world.stage.sessions


async def test_a_snapshot_that_cannot_be_read_gives_way_to_the_one_before_it(
    world: Any, script: Any, profile: str
) -> None:
    profiles = Profiles(world.store, world.vault, actor="runner:w1")
    for state in ('{"acts": 1}', '{"acts": 2}'):
        await profiles.save("p1", "task-old", state)
    await world.vault.delete(snapshot_name("p1", 2))

    older = await profiles.copy("p1")
    await world.vault.delete(snapshot_name("p1", 1))
    with pytest.raises(ActFailed) as caught:
        await profiles.copy("p1")

    assert ('{"acts": 1}', 1, "profile_lost") == (older.state, older.version, caught.value.code)


async def test_a_task_that_is_rebuilt_has_its_own_state_and_not_the_profile_again(
    world: Any, script: Any, profile: str
) -> None:
    where = f"resolve {as_json(READ)}"
    arrived = world.stage.stop_at(where)
    stream = await world.create("one", script([OPEN], [READ]), options=USING)
    async with world.worker():
        await arrived.wait()
        await Profiles(world.store, world.vault, actor="key:test").save("p1", "task-other", '{"acts": 99}')
    world.stage.hold[where].set()

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert ["", '{"acts": 1}'] == world.stage.states
    assert [used(stream, 0), saved("task-other", 1, b'{"acts": 99}')] == (await told(world))[:2]
    assert 3 == len(await told(world))


async def test_a_task_that_cannot_go_on_saves_what_is_known_of_its_browser(
    world: Any, script: Any, profile: str
) -> None:
    where = f"resolve {as_json(READ)}"
    arrived = world.stage.stop_at(where)
    stream = await world.create("one", script([OPEN], [CLICK], [READ]), options=USING)
    async with world.worker():
        await arrived.wait()
    world.stage.hold[where].set()

    async with world.worker():
        await world.until(stream, e.TaskFailed)

    assert [used(stream, 0), saved(stream, 1, b'{"acts": 1}')] == await told(world)


async def test_where_nothing_is_known_of_the_browser_the_profile_says_so(world: Any, script: Any, profile: str) -> None:
    where = f"resolve {as_json(READ)}"
    arrived = world.stage.stop_at(where)
    stream = await world.create("one", script([OPEN], [CLICK], [READ]), options=USING)
    async with world.worker():
        await arrived.wait()
    await world.vault.delete("browser/s-one")

    async with world.worker():
        await world.until(stream, e.TaskFailed)

    lost = e.ProfileSaveFailed(
        stream=stream, cause="no_state", message="Nothing is left of what the task's browser had."
    )
    assert [used(stream, 0), lost] == await told(world)


async def test_a_task_stopped_after_its_browser_was_given_back_saves_too(world: Any, script: Any, profile: str) -> None:
    where = f"resolve {as_json(READ)}"
    arrived = world.stage.stop_at(where)
    async with world.worker(keep_paused_seconds=0.01):
        stream = await world.create("one", script([OPEN], [READ]), options=USING)
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.RunnerLost)
        await world.tell(stream, decide.stop)
        await world.until(profile, e.ProfileSaved)

    assert [used(stream, 0), saved(stream, 1, b'{"acts": 1}')] == await told(world)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_task_whose_browser_was_given_back_saves_too_when_its_session_is_stopped(
    world: Any, script: Any, profile: str, restarted: bool
) -> None:
    sessions = Repository(world.store, Session(), evolve)
    created = e.SessionCreated(project="p", family="v2", options=USING)
    await sessions.transact("session-s", partial(session.create, created=created), actor="key:test")
    arrived = world.stage.stop_at(f"resolve {as_json(READ)}")
    async with world.worker(keep_paused_seconds=0.01):
        stream = await world.create("one", script([OPEN], [READ]), options=USING, session="s")
        await arrived.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.RunnerLost)
        if not restarted:
            await sessions.transact("session-s", session.stop, actor="key:test")
            await world.until(profile, e.ProfileSaved)
    if restarted:
        await sessions.transact("session-s", session.stop, actor="key:test")
        async with world.worker():
            await world.until(profile, e.ProfileSaved)

    assert [used(stream, 0), saved(stream, 1, b'{"acts": 1}')] == await told(world)


async def test_a_queued_task_that_is_stopped_has_nothing_to_save(world: Any, script: Any, profile: str) -> None:
    async with world.worker(max_concurrent=0):
        stream = await world.create("one", script([OPEN]), options=USING)
        await world.tell(stream, decide.stop)
        await world.settled()

    assert [] == await told(world)


async def test_a_start_forgets_the_snapshots_of_profiles_that_are_gone(
    world: Any, profile: str, tmp_path: Path
) -> None:
    profiles = Profiles(world.store, world.vault, actor="runner:w1")
    await profiles.save("p1", "task-one", "{}")
    await world.vault.put(snapshot_name("p1", 2), b"of a writer that was killed")
    await world.vault.put(snapshot_name("p2", 1), b"of nobody")

    async with world.worker():
        left = await snapshot(world, 1), await snapshot(world, 2), len(list((tmp_path / "vault").glob("profile-*")))
    await deleted(world)
    async with world.worker():
        gone = await snapshot(world, 1)

    assert ((b"{}", None, 1), None) == (left, gone)


async def test_the_cookies_at_the_end_are_kept_for_whoever_asked_for_them(world: Any, script: Any) -> None:
    async with world.worker():
        for name, options in (("one", e.Options(save_state=True)), ("two", e.Options())):
            await world.until(await world.create(name, script([OPEN]), options=options), e.TaskFinished)
    async with world.worker():
        kept = await get_cookies(world.vault, "one")

    assert ((), None) == (kept, await world.vault.get(cookies_name("two")))
