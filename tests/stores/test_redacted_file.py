"""No byte of what was redacted stays in the file of the tape, its log or its index, whatever hinders or is killed."""

import asyncio
import random
import re
import shutil
from pathlib import Path

import pytest

from eventstore import disk
from eventstore import events as e
from eventstore.sqlite import open_sqlite
from eventstore.writer import IDLE_SECONDS
from tests.filing import raw, verdict

CANARY = re.compile(rb"CANARY-(\d\d)")


def redaction(events: int) -> e.TaskRedacted:
    return e.TaskRedacted(project="p", request_digest="d", events=events)


def canaries(directory: Path) -> set[int]:
    return {int(found) for path in directory.iterdir() for found in CANARY.findall(path.read_bytes())}


@pytest.mark.parametrize("seed", range(3))
async def test_tasks_of_all_sizes_leave_nothing_in_whatever_order_they_are_redacted(tmp_path: Path, seed: int) -> None:
    """Rows that shrink let pages merge: then those of others are moved, and must leave no copies either."""
    chance = random.Random(seed)  # noqa: S311  # a history, and no secret
    versions = dict.fromkeys(range(10), 0)
    async with open_sqlite(tmp_path / "tape.db", durability="normal") as store:
        for _ in range(1_200):
            name = chance.randrange(10)
            size = chance.choice([1, 5, 20, 60, 600])
            fact = e.RunnerLost(runner=f"CANARY-{name:02}" * size, attempt=1)
            await store.append(f"task-{name}", versions[name], [fact], actor="test")
            versions[name] += 1

        order = chance.sample(range(10), 7)
        for count, name in enumerate(order, start=1):
            events = versions[name]
            await store.append(f"task-{name}", events, [redaction(events)], actor="test")
            assert events == await store.redact(f"task-{name}", events)

            assert set(range(10)) - set(order[:count]) == canaries(tmp_path)
        assert (await store.verify()).ok


async def test_a_reader_that_hinders_the_emptying_of_the_log_delays_nobody_and_the_next_start_empties_it(
    tmp_path: Path,
) -> None:
    path, copy = tmp_path / "tape" / "tape.db", tmp_path / "copy"
    path.parent.mkdir()
    async with open_sqlite(path) as store:
        await store.append("task-1", 0, [e.RunnerLost(runner="CANARY-01", attempt=1)], actor="test")
        with raw(path) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM events").fetchall()

            await store.append("task-1", 1, [redaction(1)], actor="test")
            await store.redact("task-1", 1)
            await store.append("task-2", 0, [e.RunnerLost(runner="r", attempt=1)], actor="test")
            shutil.copytree(path.parent, copy)  # as a kill -9 would leave it
            reader.execute("COMMIT")
        hindered = canaries(copy)

    async with open_sqlite(copy / "tape.db") as store:
        assert ({1}, set()) == (hindered, canaries(copy))
        assert 3 == store.head
    assert (await verdict(copy / "tape.db")).ok
    assert set() == canaries(path.parent)


async def test_a_log_that_could_not_be_emptied_is_emptied_later_though_nobody_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "AGAIN_SECONDS", 0.0)
    async with open_sqlite(tmp_path / "tape.db") as store:
        await store.append("task-1", 0, [e.RunnerLost(runner="CANARY-01", attempt=1)], actor="test")
        with raw(tmp_path / "tape.db") as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM events").fetchall()
            await store.append("task-1", 1, [redaction(1)], actor="test")
            await store.redact("task-1", 1)
            await asyncio.sleep(2 * IDLE_SECONDS)  # it has tried again, in vain, while nobody wrote
            hindered = canaries(tmp_path)
            reader.execute("COMMIT")

        async with asyncio.timeout(10):
            while canaries(tmp_path):  # noqa: ASYNC110  # a file does not tell when it changes
                await asyncio.sleep(0.05)

    assert {1} == hindered


async def test_the_log_is_cut_off_by_a_redaction(tmp_path: Path) -> None:
    async with open_sqlite(tmp_path / "tape.db") as store:
        await store.append("task-1", 0, [e.RunnerLost(runner="r", attempt=1), redaction(1)], actor="test")
        await store.redact("task-1", 1)

        assert b"" == (tmp_path / "tape.db-wal").read_bytes()
