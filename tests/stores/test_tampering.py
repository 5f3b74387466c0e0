"""What was changed, damaged or taken away on the disk is found."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from eventstore import events as e
from eventstore.errors import Damaged
from eventstore.sqlite import open_sqlite
from eventstore.store import Lane
from tests.filing import raw, steps, verdict, written


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tape.db"


TAMPERING = {
    "UPDATE events SET payload = replace(payload, 'number\":2', 'number\":3') WHERE position = 5": (
        5,
        "the payload is not the one that was committed to",
    ),
    "UPDATE events SET salt = zeroblob(16) WHERE position = 5": (
        5,
        "the payload is not the one that was committed to",
    ),
    "UPDATE events SET type = 'task.taken' WHERE position = 5": (
        5,
        "the payload is of another type than the event",
    ),
    "UPDATE events SET actor = 'somebody' WHERE position = 5": (
        5,
        "its hash does not follow from its content and the hash before it",
    ),
    "UPDATE events SET hash = zeroblob(32) WHERE position = 5": (
        5,
        "its hash does not follow from its content and the hash before it",
    ),
    "UPDATE events SET at = at - 60000000 WHERE position = 5": (
        5,
        "its time is not after that of the event before it",
    ),
    "UPDATE events SET stream = 'c' WHERE position = 5": (5, "version 3 of c where 1 should be"),
    "DELETE FROM events WHERE position = 5": (5, "position 5 is missing"),
    "DELETE FROM events WHERE position = 1": (1, "position 1 is missing"),
    "UPDATE events SET position = 0 WHERE position = 5": (1, "position 1 is missing"),
    "UPDATE events SET payload = NULL WHERE position = 5": (5, "only one of payload and salt is there"),
    "UPDATE head SET log_id = zeroblob(16)": (
        1,
        "its hash does not follow from its content and the hash before it",
    ),
}


@pytest.mark.parametrize("tampering", TAMPERING)
async def test_tampering_is_found_at_its_position(path: Path, tampering: str) -> None:
    await written(path, 10)

    with raw(path, guarded=False) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(tampering)
    found = await verdict(path)

    assert (False, *TAMPERING[tampering]) == (found.ok, found.first_bad, found.problem)
    assert found.first_bad == found.head + 1


@pytest.mark.parametrize("change", [*TAMPERING, "DELETE FROM head"])
async def test_triggers_refuse_every_change(path: Path, change: str) -> None:
    await written(path, 10)

    with raw(path) as db, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(change)

    assert (await verdict(path)).ok


async def test_a_payload_that_is_gone_without_a_redaction_is_found(path: Path) -> None:
    await written(path, 10)
    async with open_sqlite(path) as store:
        await store.append("b", 5, [redaction(5)], actor="test")
        await store.append("a", 5, [redaction(1)], actor="test")

    with raw(path) as db:
        db.execute("UPDATE events SET payload = NULL, salt = NULL WHERE position IN (3, 4)")
    found = await verdict(path)

    assert (False, 2, 3, "the payload is missing without a redaction") == (
        found.ok,
        found.head,
        found.first_bad,
        found.problem,
    )


def redaction(events: int) -> e.TaskRedacted:
    return e.TaskRedacted(project="p", request_digest="d", events=events)


async def test_the_end_of_the_tape_that_goes_missing_while_it_is_open_is_found(path: Path) -> None:
    await written(path, 10)

    async with open_sqlite(path) as store:
        with raw(path, guarded=False) as db:
            db.execute("DELETE FROM events WHERE position > 8")
        found = await store.verify()

    assert (False, 9, "position 9 is missing") == (found.ok, found.first_bad, found.problem)


@pytest.mark.parametrize("index", ["sqlite_autoindex_events_1", "events_by_type"])
async def test_a_damaged_index_is_found(path: Path, index: str) -> None:
    await written(path, 10)

    flip(path, pages_of(path, index)[0], offset=-20)
    found = await verdict(path)

    assert (False, 10, None) == (found.ok, found.head, found.first_bad)
    assert "the file is damaged" in str(found.problem)


async def test_a_damaged_tape_is_served_no_more_and_can_still_be_verified(path: Path) -> None:
    await written(path)
    flip(path, pages_of(path, "events")[1], offset=0)

    async with open_sqlite(path) as store:
        waiting = asyncio.create_task(store.wait(300))
        calls = (
            lambda: store.read(),
            lambda: store.read(300),  # nothing is there, and nothing will come
            lambda: store.append("c", 0, steps(1, 1), actor="test"),
            lambda: store.append("c", 0, steps(1, 1), actor="test", lane=Lane.CONTROL),
            lambda: waiting,
        )
        for call in calls:
            with pytest.raises(Damaged, match=r"^The tape is damaged: database disk image is malformed\. "):
                await call()
        found = await store.verify()

    assert (False, 1) == (found.ok, found.first_bad)
    assert str(found.problem).startswith("it cannot be read")


async def test_what_verify_finds_is_served_no_more(path: Path) -> None:
    await written(path, 10)

    with raw(path, guarded=False) as db:
        db.execute("UPDATE events SET actor = 'somebody' WHERE position = 5")
    async with open_sqlite(path) as store:
        before = len(await store.read(5))
        await store.verify()

        assert 5 == before
        with pytest.raises(Damaged, match="at position 5: its hash does not follow"):
            await store.read(5)


@pytest.mark.parametrize("tampering", TAMPERING)
async def test_what_was_tampered_with_is_never_read(path: Path, tampering: str) -> None:
    await written(path, 10)

    with raw(path, guarded=False) as db:
        db.execute("PRAGMA ignore_check_constraints = ON")
        db.execute(tampering)

    async with open_sqlite(path) as store:
        with pytest.raises(Damaged):
            await store.read()


async def test_a_stream_with_a_gap_is_not_read(path: Path) -> None:
    await written(path, 10)

    with raw(path, guarded=False) as db:
        db.execute("DELETE FROM events WHERE position = 5")
    async with open_sqlite(path) as store:
        with pytest.raises(Damaged, match="version 3 of a is missing"):
            await store.read_stream("a")


def pages_of(path: Path, name: str) -> list[int]:
    """The numbers of a table's or index's pages, its root first."""
    with raw(path) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (name,)).fetchone()
    size = 4096
    with path.open("rb") as file:
        file.seek((root - 1) * size)
        page = file.read(size)
    if page[0] in (0x0D, 0x0A):
        return [root]
    cells = int.from_bytes(page[3:5], "big")
    pointers = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n], "big") for n in range(cells)]
    return [root, *(int.from_bytes(page[at : at + 4], "big") for at in pointers)]


def flip(path: Path, page: int, *, offset: int) -> None:
    """Turn the bits of one byte; a negative offset counts from the page's end."""
    at = (page - 1) * 4096 + offset % 4096
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 0xFF]))
