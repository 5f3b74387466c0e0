"""A full disk, on a real small file system: nothing half-written, reads go on, and it recovers when there is room."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.directory import hold
from eventstore.errors import CannotOpen, DiskFull
from eventstore.machine import State
from eventstore.space import Space
from eventstore.sqlite import SqliteStore, open_sqlite
from eventstore.store import Lane
from eventstore.vault import Vault
from projections.projector import open_projector
from tests.filing import steps
from tests.viewing import FINISHED, RUNNING, following, shown, write

LIMIT = 30.0
SIZE = 8 * 1024 * 1024
LARGE = [e.TaskRequeued(attempt=1, reason="x" * 100_000)]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of SIZE bytes."""
    point = tmp_path / "small"
    point.mkdir()
    mounted = subprocess.run(  # noqa: S603  # fixed arguments
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(point)],  # noqa: S607  # wherever it lies
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"a file system can only be mounted by root: {mounted.stderr.decode().strip()}")
    yield point
    subprocess.run(["umount", str(point)], check=True)  # noqa: S603, S607  # as above


def fill(directory: Path, *, leave: int = 0) -> Path:
    """A file that takes what room there is, but for `leave` bytes."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(4_096))
        file.truncate(max(0, ballast.stat().st_size - leave))
    return ballast


def left_behind(directory: Path) -> list[Path]:
    """What is half made."""
    return list(directory.rglob(".new-*"))


async def until_full(store: SqliteStore) -> int:
    """How many appends were taken before the disk was full."""
    for version in range(10_000):
        try:
            await store.append("task-a", version, LARGE, actor="test")
        except DiskFull:
            return version
    raise AssertionError("the disk never filled")


async def test_a_full_disk_takes_nothing_reads_go_on_and_it_recovers_by_itself(small: Path) -> None:
    async with asyncio.timeout(LIMIT), open_sqlite(small / "tape.db") as store:
        ballast = fill(small, leave=SIZE // 4)
        taken = await until_full(store)
        refused = await asyncio.gather(
            *(store.append("task-b", 0, LARGE, actor="test") for _ in range(3)),
            store.append("task-c", 0, LARGE, actor="test", lane=Lane.CONTROL),
            return_exceptions=True,
        )
        there = [each.version for each in await store.read_stream("task-a")]
        ballast.unlink()
        after = await store.append("task-b", 0, LARGE, actor="test")
        verdict = await store.verify()

        assert [DiskFull] * 4 == [type(each) for each in refused]
        assert list(range(1, taken + 1)) == there
        assert (taken + 1, True, taken + 1) == (after[0].position, verdict.ok, verdict.head)


async def test_what_the_full_disk_could_not_move_out_of_the_log_is_there_after_a_restart(small: Path) -> None:
    """The write-ahead log takes the last room, so that the file cannot grow by what is in it."""
    async with asyncio.timeout(LIMIT), open_sqlite(small / "tape.db", checkpoint_frames=8) as store:
        fill(small, leave=SIZE // 2)
        taken = await until_full(store)
        verdict = await store.verify()
        assert (True, taken) == (verdict.ok, verdict.head)

    (small / "ballast").unlink()
    async with open_sqlite(small / "tape.db") as store:
        assert (True, taken) == ((await store.verify()).ok, store.head)


async def test_new_tasks_stop_before_the_last_room_and_running_ones_go_on(small: Path) -> None:
    space = Space(small, reserve=SIZE // 2, clock=Ticking())
    async with open_sqlite(small / "tape.db", space=space) as store:
        await store.append("task-a", 0, steps(1, 1), actor="test", lane=Lane.INTAKE)
        ballast = fill(small, leave=SIZE // 4)
        with pytest.raises(DiskFull, match=r"^New tasks are refused until there is room: less than 4 MiB are free"):
            await store.append("task-b", 0, steps(1, 1), actor="test", lane=Lane.INTAKE)
        with pytest.raises(DiskFull, match=r"^Screenshots and files are not kept until there is room"):
            await Blobs(small / "blobs", space).put(b"a picture")
        await store.append("task-a", 1, steps(2, 2), actor="test")
        await store.append("task-a", 2, [e.StopRequested()], actor="test", lane=Lane.CONTROL)
        ballast.unlink()
        await store.append("task-b", 0, steps(1, 1), actor="test", lane=Lane.INTAKE)

        assert 4 == store.head


async def test_a_blob_or_a_secret_that_finds_no_room_leaves_nothing_behind(small: Path) -> None:
    blobs, vault = Blobs(small / "blobs"), Vault(small / "vault")
    kept, before = await blobs.put(b"small"), b"the state before"
    await vault.put("state", before)
    fill(small)

    with pytest.raises(DiskFull):
        await blobs.put(bytes(100_000))
    with pytest.raises((DiskFull, OSError)):
        await vault.put("state", bytes(100_000))

    assert [] == left_behind(small)
    assert (b"small", before) == (await blobs.get(kept), await vault.get("state"))


async def test_holding_a_directory_on_a_full_disk_is_refused_in_a_sentence(small: Path) -> None:
    fill(small)

    with pytest.raises(CannotOpen, match="cannot be used: No space left on device"), hold(small, holder="process 1"):
        pass


async def test_opening_a_tape_on_a_full_disk_is_refused_in_a_sentence(small: Path) -> None:
    fill(small)

    with pytest.raises(CannotOpen, match=r"cannot be opened: .*(full|No space left on device)"):
        async with open_sqlite(small / "tape.db"):
            pass

    assert [] == left_behind(small)


async def test_the_views_go_on_in_memory_on_a_full_disk_and_are_written_when_there_is_room(
    small: Path, tmp_path: Path
) -> None:
    names = ["a", *(f"t{number}" for number in range(50))]
    asked: list[dict[str, Any]] = [
        {"limit": 10},
        {"limit": 10, "offset": 45},
        {"limit": 10, "states": {State.STOPPING}},
        {"session": "s"},
    ]
    async with (
        asyncio.timeout(LIMIT),
        open_sqlite(tmp_path / "tape.db") as store,
        open_projector(store, None) as steady,
        following(store, small / "views") as views,
    ):
        for name in names[:10]:
            await write(store, name, RUNNING)
        await views.reached(store.head)
        await views.flush()
        ballast = fill(small)
        await write(store, "a", [e.StopRequested()], version=len(RUNNING))
        for name in names[10:]:
            await write(store, name, FINISHED)
        await views.reached(store.head)
        while await steady.advance():
            pass
        with pytest.raises(DiskFull):
            await views.flush()
        full = [await views.tasks.page(project="p", **each) for each in asked], await shown(views, names)
        ballast.unlink()
        await views.flush()
        roomy = [await views.tasks.page(project="p", **each) for each in asked], await shown(views, names)

        assert (
            full
            == roomy
            == ([await steady.tasks.page(project="p", **each) for each in asked], await shown(steady, names))
        )


class Ticking:
    """A clock on which a long time passes between two looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 60
        return self.now
