"""Waiting for the views: for a position, for a change of one task, and in vain."""

import asyncio
from pathlib import Path

import pytest

from eventstore import events as e
from eventstore.errors import Broken
from eventstore.machine import State
from eventstore.memory import MemoryStore
from projections.projector import open_projector
from projections.waiters import ViewsStopped
from tests.histories import CREATED
from tests.viewing import FINISHED, LIMIT, RUNNING, following, state, write


async def test_reached_returns_when_the_event_is_in_the_views() -> None:
    store = MemoryStore()

    async with following(store) as projector, asyncio.TaskGroup() as group:
        waiting = [group.create_task(projector.reached(position)) for position in (len(FINISHED), 1, 3)]
        await write(store, "t", FINISHED)
        async with asyncio.timeout(LIMIT):
            await asyncio.gather(*waiting)

        assert (State.FINISHED, 0, 0) == (state(projector.tasks.get("t")), projector.waiting, projector.lag)


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
            state(await pausing),
            state(await created),
            state(already),
        )
    assert 0 == projector.waiting


async def test_until_knows_the_tasks_that_are_only_in_the_file(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)
    async with following(store, tmp_path):
        pass

    async with following(store, tmp_path) as projector:
        assert State.FINISHED is state(await projector.tasks.until("t", lambda row: row.ended_at is not None, LIMIT))
