"""Every state that a task can be in, under the words of both families."""

from collections.abc import Awaitable, Callable

import pytest

from tests.web.conftest import Client, Drive

Bring = Callable[[Drive, str], Awaitable[None]]


async def queued(drive: Drive, task_id: str) -> None: ...


async def claimed(drive: Drive, task_id: str) -> None:
    await drive.claim(task_id)


async def running(drive: Drive, task_id: str) -> None:
    await drive.start(task_id)


async def pausing(drive: Drive, task_id: str) -> None:
    await drive.start(task_id)
    await drive.ask_pause(task_id)


async def paused(drive: Drive, task_id: str) -> None:
    await drive.start(task_id)
    await drive.pause(task_id)


async def paused_in_the_queue(drive: Drive, task_id: str) -> None:
    await drive.ask_pause(task_id)


async def resuming(drive: Drive, task_id: str) -> None:
    await paused(drive, task_id)
    await drive.ask_resume(task_id)


async def stopping(drive: Drive, task_id: str) -> None:
    await drive.start(task_id)
    await drive.ask_stop(task_id)


async def finished(drive: Drive, task_id: str) -> None:
    await drive.start(task_id)
    await drive.finish(task_id, "done")


async def failed(drive: Drive, task_id: str) -> None:
    await drive.start(task_id)
    await drive.fail(task_id)


async def stopped(drive: Drive, task_id: str) -> None:
    await drive.start(task_id)
    await drive.stop(task_id)


@pytest.mark.parametrize(
    ("bring", "v1", "v2"),
    [
        (queued, "created", "created"),
        (claimed, "running", "started"),
        (running, "running", "started"),
        (pausing, "running", "started"),
        (paused, "paused", "started"),
        (paused_in_the_queue, "paused", "started"),
        (resuming, "running", "started"),
        (stopping, "running", "started"),
        (finished, "finished", "finished"),
        (failed, "failed", "finished"),
        (stopped, "stopped", "stopped"),
    ],
)
async def test_both_families_say_their_own_word_for_the_same_task(
    client: Client, drive: Drive, bring: Bring, v1: str, v2: str
) -> None:
    task_id = await drive.create()
    await bring(drive, task_id)

    first = await client.get(f"/api/v1/task/{task_id}/status")
    second = await client.get(f"/api/v2/tasks/{task_id}/status")

    assert (200, "application/json", f'"{v1}"') == (first.status, first.content_type, await first.text())
    assert (200, v2) == (second.status, (await second.json())["status"])


@pytest.mark.parametrize(
    ("bring", "output"),
    [(running, None), (paused, None), (finished, "done"), (failed, "The task took too long."), (stopped, None)],
)
async def test_the_output_is_what_it_brought_or_why_it_failed(
    client: Client, drive: Drive, bring: Bring, output: str | None
) -> None:
    task_id = await drive.create()
    await bring(drive, task_id)

    view = await (await client.get(f"/api/v1/task/{task_id}")).json()

    assert output == view["output"]
