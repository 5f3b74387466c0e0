"""The same lives as in `tests/pure/test_model.py`, on the SQLite store: a share of them, for each costs a file."""

import asyncio
import os
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventstore.sqlite import SqliteStore, open_sqlite
from tests.machine import Everything, play
from tests.world import Together, World

RUNS = int(os.environ.get("MODEL_RUNS", "10000")) // 80
MOVES = 20


class OnDisk(Everything):
    """Those who do something at once really are at it at once; a restart closes the file and opens it again."""

    def __init__(self, runner: asyncio.Runner, path: Path) -> None:
        super().__init__()
        self._runner = runner
        self._path = path
        self._open()
        self.world = World(self.store, runner.run)

    def together(self, order: int) -> Together:
        async def all_of(works: list[Coroutine[Any, Any, Any]]) -> list[Any]:
            return await asyncio.gather(*works)

        return lambda works: self._runner.run(all_of(works))

    def reopened(self) -> None:
        self.close()
        self._open()
        self.world.restart(self.store)

    def close(self) -> None:
        self._runner.run(self._closed())

    def _open(self) -> None:
        self.store = self._runner.run(self._opened())

    async def _opened(self) -> SqliteStore:
        # The store lives in a task of its own: it has to be left in the one that it was entered in.
        opened: asyncio.Future[SqliteStore] = asyncio.get_running_loop().create_future()
        self._leave = asyncio.Event()
        self._life = asyncio.create_task(self._live(opened, self._leave))
        await asyncio.wait([opened, self._life], return_when=asyncio.FIRST_COMPLETED)
        return opened.result() if opened.done() else self._life.result()

    async def _live(self, opened: "asyncio.Future[SqliteStore]", leave: asyncio.Event) -> Any:
        async with open_sqlite(self._path, durability="normal", clock=lambda: 0) as store:
            opened.set_result(store)
            await leave.wait()

    async def _closed(self) -> None:
        self._leave.set()
        await self._life


def test_whatever_happens_in_whatever_order_the_tape_on_disk_is_as_the_model_says() -> None:
    runs = 0

    with asyncio.Runner() as runner:

        @settings(max_examples=RUNS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(st.binary(min_size=3 * MOVES // 2, max_size=3 * MOVES))
        def one_run(program: bytes) -> None:
            nonlocal runs
            runs += 1
            with tempfile.TemporaryDirectory() as directory:
                machine = OnDisk(runner, Path(directory) / "tape.db")
                try:
                    play(machine, program)
                    assert runner.run(machine.store.verify()).ok
                finally:
                    machine.close()

        one_run()

    print(f"{runs} interleavings on disk")
    assert runs >= RUNS
