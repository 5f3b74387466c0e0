"""The views file: how the projector comes back to it, and which files it throws away."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from eventstore import events as e
from eventstore.memory import MemoryStore
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore
from projections.history import task_at
from projections.projector import open_projector
from tests.histories import MOVES, history
from tests.viewing import FAILED, FINISHED, RUNNING, following, shown, write


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


async def test_an_ended_task_that_is_forgotten_while_its_page_waits_for_others_still_counts_its_events() -> None:
    store = MemoryStore()
    for name in ("a", "b", "c"):
        await write(store, name, FINISHED)

    async with open_projector(store, None, remember=1) as projector:
        await projector.advance()
        await projector.flush()
        for name in ("b", "c"):
            await write(store, name, [e.Unknown(original="task.judged")], version=len(FINISHED))
        await asyncio.gather(projector.tasks.find("a"), projector.advance())

        for name in ("b", "c"):
            assert (await task_at(store, name)) == (await projector.tasks.find(name), await projector.steps.of(name))


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


async def test_a_row_that_was_altered_on_the_disk_is_not_shown_and_the_next_start_heals(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)
    async with following(store, tmp_path):
        pass
    file = views_file(tmp_path)
    data = file.read_bytes()
    assert 1 < data.count(b'"instruction"') + data.count(b'"next_goal"')
    file.write_bytes(data.replace(b'"next_goal"', b'"next_gaol"'))

    with pytest.raises(sqlite3.DatabaseError):  # noqa: PT012  # both raise, the second for the first
        async with open_projector(store, tmp_path) as projector:
            with pytest.raises(sqlite3.DatabaseError):
                await projector.steps.of("t")
            await projector.run()
    async with following(store, tmp_path) as healed:
        assert (await task_at(store, "t")) == (await healed.tasks.find("t"), await healed.steps.of("t"))


async def test_the_views_are_for_their_owner_alone(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)

    async with following(store, tmp_path / "views") as projector:
        await projector.flush()
        modes = {each.name.partition(".")[2]: each.stat().st_mode & 0o777 for each in files(tmp_path / "views")}

    assert ({"db": 0o600, "db-wal": 0o600, "db-shm": 0o600}, 0o700) == (
        modes,
        (tmp_path / "views").stat().st_mode & 0o777,
    )
