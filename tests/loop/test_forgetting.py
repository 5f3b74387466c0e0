"""Cookies and storage do not stay in the vault when their task has ended, however it did."""

import asyncio
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

from eventstore import decide
from eventstore import events as e
from eventstore.vault import Vault
from runner.action_json import as_json
from runner.keeping import Keeper
from runner.vocabulary import Click, Effect, Extract, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
READ = Extract(what="page")


class Slow(Vault):
    """A vault whose disk is busy until `free` is set."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.busy, self.free, self.written = threading.Event(), threading.Event(), threading.Event()

    def _put(self, name: str, data: bytes, durable: bool) -> None:
        self.busy.set()
        self.free.wait(10.0)
        super()._put(name, data, durable)
        self.written.set()


async def run_another(world: Any, script: Any) -> None:
    """The runner lives: it takes up a task and finishes it."""
    other = await world.create("other", script([OPEN]))
    await world.until(other, e.TaskFinished)


async def test_a_vault_that_cannot_delete_harms_nobody(world: Any, script: Any, tmp_path: Path) -> None:
    name = sha256(b"browser/s-buy").hexdigest()
    (tmp_path / "vault" / name).mkdir()

    async with world.worker():
        stream = await world.create("buy", script([OPEN]))
        await world.until(stream, e.TaskFinished)
        await run_another(world, script)


async def test_the_vault_forgets_a_task_that_could_not_go_on(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN], [CLICK], [READ]))
    arrived = world.stage.stop_at(f"resolve {as_json(READ)}")
    async with world.worker():
        await arrived.wait()

    async with world.worker(max_concurrent=1):
        await world.until(stream, e.TaskFailed)
        await run_another(world, script)
        kept = await world.vault.get("browser/s-buy")

    assert None is kept


async def test_the_vault_forgets_a_task_that_is_stopped_while_nobody_runs_it(world: Any, script: Any) -> None:
    stream = await world.create("buy", script([OPEN], [READ]))
    arrived = world.stage.stop_at(f"resolve {as_json(READ)}")
    async with world.worker():
        await arrived.wait()
    await world.tell(stream, decide.pause)

    async with world.worker():
        await world.tell(stream, decide.stop)
        await run_another(world, script)
        kept = await world.vault.get("browser/s-buy")

    assert None is kept


async def test_what_is_being_written_when_its_task_ends_is_forgotten_too(world: Any, tmp_path: Path) -> None:
    vault = Slow(tmp_path / "slow")
    keeper = Keeper(world.stage, world.blobs, vault, "browser/s", screenshots=False)
    await keeper.keep(1, {Effect.LASTING})
    await asyncio.to_thread(vault.busy.wait, 10.0)

    forgetting = asyncio.create_task(keeper.forget())
    for _ in range(10):
        await asyncio.sleep(0)
    vault.free.set()
    await forgetting
    await asyncio.to_thread(vault.written.wait, 10.0)

    assert None is await vault.get("browser/s")
