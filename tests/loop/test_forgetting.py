"""Cookies and storage do not stay in the vault when their task has ended, however it did."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from eventstore import decide
from eventstore import events as e
from runner.vocabulary import Click, Extract, Navigate, Query, as_json

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
READ = Extract(what="page")


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
