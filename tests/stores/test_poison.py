"""What is no good: a wish that the file refuses fails alone; a row that cannot be read is damage, not data."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from eventstore import events as e
from eventstore.errors import CannotOpen, Conflict, Damaged, Invalid
from eventstore.sqlite import open_sqlite
from eventstore.tape import prepare

LIMIT = 20.0
GUARD = """
CREATE TRIGGER no_poison BEFORE INSERT ON events WHEN NEW.stream = 'poison'
BEGIN SELECT RAISE(ABORT, 'this is poison'); END
"""
NO_TEXT = "CAST(x'7b2274797065223a22ff227d' AS TEXT)"


def event(number: int) -> list[e.Event]:
    return [e.StepStarted(fence=1, number=number)]


def altered(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


async def test_a_wish_that_the_file_refuses_fails_alone_and_the_rest_of_its_batch_is_written_in_order(
    tmp_path: Path,
) -> None:
    path = tmp_path / "tape.db"
    prepare(path, now=1)
    altered(path, GUARD)

    async with open_sqlite(path) as store:
        first, poisoned, second, late, other = await asyncio.gather(
            store.append("a", 0, event(1), actor="test"),
            store.append("poison", 0, event(1), actor="test"),
            store.append("a", 1, event(2), actor="test"),
            store.append("a", 1, event(9), actor="test"),
            store.append("b", 0, event(1), actor="test"),
            return_exceptions=True,
        )
        there = list(await store.read())
        verdict = await store.verify()

    assert ["This cannot be stored: this is poison"] == [str(each) for each in (poisoned,) if isinstance(each, Invalid)]
    assert isinstance(late, Conflict)
    assert [[each] for each in there] == [first, second, other]
    assert [("a", 1), ("a", 2), ("b", 1)] == [(each.stream, each.version) for each in there]
    assert (True, 3) == (verdict.ok, verdict.head)


async def one_with(path: Path, change: str) -> None:
    """A tape with one event, and that one altered behind its back."""
    async with open_sqlite(path) as store:
        await store.append("a", 0, event(1), actor="test")
    altered(path, "DROP TRIGGER events_are_never_changed", f"UPDATE events SET {change}")  # noqa: S608  # constants


async def test_a_payload_that_is_no_text_is_damage(tmp_path: Path) -> None:
    await one_with(tmp_path / "tape.db", f"payload = {NO_TEXT}")

    async with open_sqlite(tmp_path / "tape.db") as store:
        with pytest.raises(Damaged, match="at position 1: the payload is not the one that was committed to"):
            await store.read()
        verdict = await store.verify()

    assert (1, "the payload is not the one that was committed to") == (verdict.first_bad, verdict.problem)


async def test_a_row_that_cannot_be_read_is_damage(tmp_path: Path) -> None:
    await one_with(tmp_path / "tape.db", f"actor = {NO_TEXT}")

    with pytest.raises(CannotOpen, match="Could not decode to UTF-8"):
        async with open_sqlite(tmp_path / "tape.db"):
            pass
