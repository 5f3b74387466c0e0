"""The projector over a real log: what it shows, how it comes back, what it throws away, and how one waits for it."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from eventstore import events as e
from eventstore.errors import Broken
from eventstore.machine import State
from eventstore.memory import MemoryStore
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore
from projections.history import task_at
from projections.keys import Key
from projections.projector import Projector, ViewsStopped, open_projector
from projections.tasks import TaskRow
from tests.histories import CREATED, MOVES, act, acted, claim, fail, finish, histories, history, start, step, take

LIMIT = 10.0


@asynccontextmanager
async def following(store: EventStore, path: Path | None = None) -> AsyncIterator[Projector]:
    """A projector that runs, and has seen all that the log had."""
    async with open_projector(store, path) as projector, asyncio.TaskGroup() as group:
        running = group.create_task(projector.run())
        async with asyncio.timeout(LIMIT):
            await projector.reached(store.head)
        yield projector
        running.cancel()


async def write(store: EventStore, task_id: str, events: Sequence[e.Event], *, version: int = 0) -> int:
    """Append to the task's stream; answers the last position."""
    return (await store.append(f"task-{task_id}", version, events, actor="test"))[-1].position


async def shown(projector: Projector, ids: Sequence[str]) -> object:
    """All that the views tell."""
    return (
        [(await projector.tasks.find(each), await projector.steps.of(each)) for each in ids],
        await projector.tasks.page(project="p", limit=100),
        +projector.tasks.counts,
    )


RUNNING = history([claim, start, step, act, acted, take, step, act])
FINISHED = history([claim, start, step, act, acted, take, finish])
FAILED = history([claim, start, fail])


# --- what it shows ----------------------------------------------------------------------------------------------


@given(histories())
@settings(max_examples=60, deadline=None)
async def test_a_task_as_it_stood_is_what_a_projector_stopped_there_shows(events: list[e.Event]) -> None:
    store = MemoryStore()
    stood: list[object] = [None]

    async with open_projector(store, None) as projector:
        for version, event in enumerate(events):
            await write(store, "t", [event], version=version)
            await projector.advance()
            stood.append((projector.tasks.get("t"), await projector.steps.of("t")))
            assert (await projector.tasks.page(project="p"))[0] == [projector.tasks.get("t")]

    assert stood == [await task_at(store, "t", position=position) for position in range(len(events) + 1)]


async def test_a_task_as_it_stood_can_be_asked_for_by_time() -> None:
    store = MemoryStore(clock=iter(range(1_000, 9_000, 1_000)).__next__)
    for version, event in enumerate(FAILED):
        await write(store, "t", [event], version=version)

    stood = [await task_at(store, "t", at=at) for at in (999, 1_000, 3_999, 4_000, 9_999)]

    assert [None, State.QUEUED, State.RUNNING, State.FAILED, State.FAILED] == [each and each[0].state for each in stood]


async def test_what_does_not_exist_is_not_there() -> None:
    store = MemoryStore()

    async with following(store) as projector:
        assert (None, None, [], []) == (
            await projector.tasks.find("nobody"),
            await task_at(store, "nobody"),
            await projector.steps.of("nobody"),
            await projector.steps.screenshots("nobody"),
        )


async def test_a_row_that_was_handed_out_does_not_change_any_more() -> None:
    store = MemoryStore()
    await write(store, "t", RUNNING)

    async with following(store) as projector:
        row, steps = projector.tasks.get("t"), await projector.steps.of("t")
        await projector.reached(await write(store, "t", [e.StopRequested()], version=len(RUNNING)))

        assert (row, steps) == await task_at(store, "t", position=len(RUNNING))


async def test_keys_are_known_by_their_digest_as_soon_as_it_opens() -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)
    await store.append("key-k1", 0, [e.KeyCreated(digest="d1", project="p", name="first")], actor="system")

    async with open_projector(store, None) as projector:
        assert (0, Key(id="k1", project="p", name="first"), None) == (
            projector.position,
            projector.keys.get("d1"),
            projector.keys.get("d2"),
        )


async def test_screenshots_come_in_the_order_of_the_steps() -> None:
    store = MemoryStore()
    events = [
        *FINISHED[:-1],
        *(e.StepTaken(fence=2, number=number, screenshot=sha) for number, sha in ((2, ""), (3, "cc"))),
    ]
    await write(store, "t", events)

    async with following(store) as projector:
        assert ["ab", "cc"] == await projector.steps.screenshots("t")


# --- lists ------------------------------------------------------------------------------------------------------


async def ids(projector: Projector, **wanted: object) -> tuple[list[str], int]:
    rows, total = await projector.tasks.page(project="p", **wanted)  # type: ignore[arg-type]  # the tests' own shorthand
    return [row.id for row in rows], total


async def test_lists_are_newest_first_with_the_total_of_what_the_filters_leave() -> None:
    store = MemoryStore(clock=iter(range(1_000, 99_000, 1_000)).__next__)
    other = replace(CREATED, project="q")
    sibling = replace(CREATED, session="s2")
    for task_id, events in (("a", FINISHED), ("b", RUNNING), ("c", [other]), ("d", [sibling]), ("f", FAILED)):
        await write(store, task_id, events)

    async with following(store) as projector:
        assert (["f", "d", "b", "a"], 4) == await ids(projector)
        assert (["d", "b"], 4) == await ids(projector, offset=1, limit=2)
        assert (["f", "a"], 2) == await ids(projector, states=[State.FAILED, State.FINISHED])
        assert ([], 0) == await ids(projector, states=[])
        assert (["d"], 1) == await ids(projector, session="s2")
        assert (["d", "b"], 2) == await ids(projector, created_after=2_000, created_before=5_000)
        assert {State.FINISHED: 1, State.RUNNING: 1, State.QUEUED: 2, State.FAILED: 1} == +projector.tasks.counts


async def test_a_list_shows_what_was_applied_a_moment_ago(tmp_path: Path) -> None:
    store = MemoryStore()

    async with following(store, tmp_path) as projector:
        for task_id in ("a", "b", "c"):
            await projector.reached(await write(store, task_id, [CREATED]))
            assert projector.tasks.get(task_id) == (await projector.tasks.page(project="p"))[0][0]


# --- restarts ---------------------------------------------------------------------------------------------------


async def tasks_one_by_one(store: EventStore) -> AsyncIterator[list[str]]:
    """Tasks in many states, interleaved, a few events at a time; gives the ids written so far."""
    lives = {"a": RUNNING, "b": FINISHED, "c": FAILED, "d": history(list(MOVES)), "e": history(list(MOVES) * 2)}
    for version in range(max(map(len, lives.values()))):
        for task_id, events in lives.items():
            if version < len(events):
                await write(store, task_id, [events[version]], version=version)
        yield list(lives)


@pytest.mark.parametrize("remember", [1, 20_000])
async def test_a_projector_that_restarts_all_the_time_shows_what_one_that_never_did_shows(
    tmp_path: Path, remember: int
) -> None:
    store = MemoryStore()

    async with open_projector(store, None) as steady:
        async for written in tasks_one_by_one(store):
            await steady.advance()
            async with open_projector(store, tmp_path, remember=remember) as restarted:
                await restarted.advance()
                assert await shown(steady, written) == await shown(restarted, written)
            async with open_projector(store, tmp_path, remember=remember) as again:
                assert store.head == again.position
                assert await shown(steady, written) == await shown(again, written)


async def test_after_a_kill_it_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "a", RUNNING)

    async with open_projector(store, tmp_path / "killed") as killed:
        await killed.advance()
        await killed.flush()
        await write(store, "a", [e.StopRequested()], version=len(RUNNING))
        await write(store, "b", FINISHED)
        await killed.advance()
        shutil.copytree(tmp_path / "killed", tmp_path / "left")

        async with open_projector(store, tmp_path / "left") as next_one:
            assert len(RUNNING) == next_one.position
            await next_one.advance()
            assert await shown(killed, ["a", "b"]) == await shown(next_one, ["a", "b"])


async def test_an_ended_task_that_is_no_longer_in_memory_still_counts_its_events(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)

    async with following(store, tmp_path):
        pass
    async with following(store, tmp_path) as projector:
        assert None is projector.tasks.get("t")
        await projector.reached(await write(store, "t", [e.Unknown(original="task.judged")], version=len(FINISHED)))
        assert (await task_at(store, "t")) == (projector.tasks.get("t"), await projector.steps.of("t"))


# --- files that cannot be trusted -------------------------------------------------------------------------------


def files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


def views_file(directory: Path) -> Path:
    (file,) = files(directory)
    return file


def text(file: Path) -> None:
    file.write_text("This is no database. " * 1_000)


def noise(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4_096:] = b"\xa5" * (len(data) - 4_096)
    file.write_bytes(data)


def foreign(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE tasks (created)")
        database.commit()


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5_000])


@pytest.mark.parametrize("damage", [text, noise, foreign, cut])
async def test_a_damaged_or_foreign_file_is_built_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)
    async with following(store, tmp_path):
        pass
    damage(views_file(tmp_path))

    async with following(store, tmp_path) as projector:
        assert (await task_at(store, "t")) == (await projector.tasks.find("t"), await projector.steps.of("t"))


async def test_damage_that_is_found_while_it_runs_ends_it_and_the_next_start_heals(tmp_path: Path) -> None:
    store = MemoryStore()
    names = [f"t{number}" for number in range(200)]
    for name in names:
        await write(store, name, FINISHED)
    async with following(store, tmp_path):
        pass
    file = views_file(tmp_path)
    pages = [file.read_bytes()[start : start + 4_096] for start in range(0, file.stat().st_size, 4_096)]
    file.write_bytes(b"".join(bytes(8) + page[8:] if b'"actions"' in page else page for page in pages))

    with pytest.raises(sqlite3.DatabaseError):  # noqa: PT012  # both raise, the second for the first
        async with open_projector(store, tmp_path) as projector:
            with pytest.raises(sqlite3.DatabaseError):
                await projector.steps.of("t0")
            await projector.run()
    left = files(tmp_path)
    async with following(store, tmp_path) as healed:
        steps = await healed.steps.of("t0")

    assert ([], await task_at(store, "t0")) == (left, (await healed.tasks.find("t0"), steps))


async def test_the_views_of_another_tape_are_thrown_away(tmp_path: Path) -> None:
    one, other = MemoryStore(), MemoryStore()
    await write(one, "t", FAILED)
    await write(other, "u", FINISHED)
    async with following(one, tmp_path):
        pass

    async with open_projector(other, tmp_path) as projector:
        assert (0, None) == (projector.position, await projector.tasks.find("t"))


async def test_views_ahead_of_a_log_that_was_restored_are_thrown_away(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "tape.db") as store:
        await write(store, "t", RUNNING)
    shutil.copy(tmp_path / "tape.db", tmp_path / "backup.db")
    async with open_sqlite(tmp_path / "tape.db") as store:
        await write(store, "t", [e.StopRequested()], version=len(RUNNING))
        async with following(store, tmp_path / "views"):
            pass

    async with open_sqlite(tmp_path / "backup.db") as store, open_projector(store, tmp_path / "views") as projector:
        assert 0 == projector.position
        await projector.advance()
        assert (await task_at(store, "t")) == (projector.tasks.get("t"), await projector.steps.of("t"))


async def test_the_file_of_another_definition_stays_until_the_new_one_has_caught_up(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)
    old = tmp_path / "views-0000000000000000.db"
    old.write_text("the views as an earlier version defined them")

    async with open_projector(store, tmp_path) as projector:
        stood = [old.exists()]
        while await projector.advance():
            stood.append(old.exists())

    assert ([True, True], False) == (stood, old.exists())


# --- waiting ----------------------------------------------------------------------------------------------------


async def test_reached_returns_when_the_event_is_in_the_views() -> None:
    store = MemoryStore()

    async with following(store) as projector, asyncio.TaskGroup() as group:
        waiting = [group.create_task(projector.reached(position)) for position in (len(FINISHED), 1, 3)]
        await write(store, "t", FINISHED)
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*waiting)

        assert (State.FINISHED, 0, 0) == (_state(projector.tasks.get("t")), projector.waiting, projector.lag)


async def test_whoever_gives_up_waiting_leaves_nothing_behind() -> None:
    store = MemoryStore()
    await write(store, "t", RUNNING)

    async with following(store) as projector:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await projector.reached(store.head + 1)
        gone = await projector.tasks.until("t", lambda row: row.ended_at is not None, timeout=0)

        assert (None, 0) == (gone, projector.waiting)


class Failing(MemoryStore):
    """A store whose disk fails while somebody waits."""

    async def wait(self, after: int) -> None:
        raise Broken("The disk failed.")


async def test_when_the_log_breaks_those_who_wait_are_told() -> None:
    store = Failing()
    await write(store, "t", FINISHED)

    async with open_projector(store, None) as projector:
        waiting = asyncio.create_task(projector.reached(store.head + 1))
        await asyncio.sleep(0)
        with pytest.raises(Broken):
            await projector.run()

        await projector.reached(store.head)
        for late in (waiting, projector.reached(store.head + 1)):
            with pytest.raises(ViewsStopped, match=r"stopped at position 8: Broken The disk failed\."):
                await late


async def test_until_gives_the_row_at_the_moment_when_the_condition_held() -> None:
    store = MemoryStore()
    await write(store, "t", RUNNING)

    async with following(store) as projector, asyncio.TaskGroup() as group:
        pausing = group.create_task(projector.tasks.until("t", lambda row: row.state is State.PAUSING, LIMIT))
        created = group.create_task(projector.tasks.until("u", lambda row: True, LIMIT))
        await asyncio.sleep(0)
        await write(store, "t", [e.PauseRequested(), e.ResumeRequested()], version=len(RUNNING))
        await write(store, "u", [CREATED])
        already = await projector.tasks.until("t", lambda row: row.state is State.RUNNING, LIMIT)

        assert (State.PAUSING, State.QUEUED, State.RUNNING) == (
            _state(await pausing),
            _state(await created),
            _state(already),
        )
    assert 0 == projector.waiting


async def test_until_knows_the_tasks_that_are_only_in_the_file(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)
    async with following(store, tmp_path):
        pass

    async with following(store, tmp_path) as projector:
        assert State.FINISHED is _state(await projector.tasks.until("t", lambda row: row.ended_at is not None, LIMIT))


# --- poison -----------------------------------------------------------------------------------------------------


async def test_what_cannot_be_read_or_applied_is_counted_and_stops_nothing() -> None:
    store = MemoryStore()
    bad = e.StepTaken(fence=2, number=1, usage="not a usage")  # type: ignore[arg-type]  # what no decision would write
    await write(store, "t", [*FINISHED[:3], e.Unknown(original="task.from_the_future"), bad])
    await write(store, "u", [e.Unknown(original="task.created"), *FINISHED[1:]])
    await write(store, "v", FINISHED)

    async with following(store) as projector:
        assert (await task_at(store, "v")) == (projector.tasks.get("v"), await projector.steps.of("v"))
        assert (2, 1, None) == (projector.skipped, projector.poisoned, projector.tasks.get("u"))


@given(st.lists(st.tuples(st.sampled_from("tuv"), st.sampled_from(MOVES)), max_size=60))
@settings(max_examples=40, deadline=None)
async def test_the_counts_are_those_of_the_rows(moves: list[tuple[str, Callable[..., list[e.Event]]]]) -> None:
    store = MemoryStore()
    for task_id in "tuv":
        await write(store, task_id, history([move for name, move in moves if name == task_id]))

    async with following(store) as projector:
        rows, total = await projector.tasks.page(project="p")
        assert total == 3 == projector.tasks.counts.total()
        assert sorted(row.state for row in rows) == sorted(projector.tasks.counts.elements())


def _state(row: TaskRow | None) -> State | None:
    return row.state if row else None
