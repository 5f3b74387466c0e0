"""The vendor's own client follows tasks over a kill and a new start of the service, and notices nothing but a wait."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from browser_use_sdk import AsyncBrowserUse  # type: ignore[import-untyped]  # the package has no types
from browser_use_sdk.v2 import AsyncTaskRun, TaskResult  # type: ignore[import-untyped]  # the same

from api.demo.child import descendants
from tests.browser.test_killed import KEY, LIMIT, gone, served, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

# The client tries again after 1, 2, 4, 8 and then every 10 seconds: a start may take minutes on a slow machine.
RETRIES = 30
TIMES_OUT = 5 * LIMIT


def free_port() -> int:
    """One below those that the kernel gives to others, so that it is still free when the service comes back."""
    for port in range(20_000 + os.getpid() % 5_000, 30_000):
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


@asynccontextmanager
async def following(port: int) -> AsyncIterator[AsyncBrowserUse]:
    base = f"http://127.0.0.1:{port}/api/v2"
    async with AsyncBrowserUse(api_key=KEY, base_url=base, max_retries=RETRIES) as client:
        yield client


async def kill(pid: int) -> None:
    """End the service as nothing else can, and its browser with it."""
    family = set(descendants(pid))
    os.kill(pid, signal.SIGKILL)
    await gone(family)


async def created(run: AsyncTaskRun[str]) -> None:
    """A creation is not tried again: the service must have answered it before it is killed."""
    async with asyncio.timeout(LIMIT):
        while run.task_id is None:  # noqa: ASYNC110 # the client has no event for it
            await asyncio.sleep(0)


async def result(run: AsyncTaskRun[str]) -> TaskResult[str]:
    return await run


async def until_paused(http: aiohttp.ClientSession, task_id: str) -> None:
    async with asyncio.timeout(LIMIT):
        while await v1_status(http, task_id) != "paused":
            pass


async def v1_status(http: aiohttp.ClientSession, task_id: str) -> str:
    """v2 has no word for what is paused."""
    async with http.get(f"/api/v1/task/{task_id}/status") as response:
        return str(await response.json())


async def test_run_and_wait_end_as_if_nothing_had_happened(site: str, tmp_path: Path) -> None:
    task = f"Go to {site}/two.html. Wait 2 seconds. Extract the main heading."
    port = free_port()
    async with following(port) as client, asyncio.TaskGroup() as group:
        async with served(tmp_path, port=port) as (pid, http):
            run = client.run(task)
            running = group.create_task(result(run))
            await created(run)
            task_id = str((await client.tasks.create(task)).id)
            waiting = group.create_task(client.tasks.wait(task_id, timeout=TIMES_OUT, interval=0.1))
            await until(http, task_id, "task.action_started", '"wait"')
            await kill(pid)

        async with served(tmp_path, port=port):
            waited, ran = await waiting, await running
            tasks = (await client.tasks.list()).total_items

    assert ("finished", True, "Second page") == (waited.status.value, waited.is_success, waited.output)
    assert ("finished", True, "Second page") == (ran.task.status.value, ran.task.is_success, ran.output)
    assert 2 == tasks


@pytest.mark.slow
async def test_a_paused_task_stays_paused_and_a_stop_ends_what_is_followed(site: str, tmp_path: Path) -> None:
    short = f"Go to {site}/two.html. Wait 5 seconds. Extract the main heading."
    long = f"Go to {site}/two.html. Wait 60 seconds. Wait 60 seconds."
    port = free_port()
    async with following(port) as client, asyncio.TaskGroup() as group:
        async with served(tmp_path, port=port) as (pid, http):
            paused = str((await client.tasks.create(short)).id)
            await client.tasks.update(paused, action="pause")
            await until_paused(http, paused)
            stopped = str((await client.tasks.create(long)).id)
            following_paused = group.create_task(client.tasks.wait(paused, timeout=TIMES_OUT, interval=0.1))
            following_stopped = group.create_task(client.tasks.wait(stopped, timeout=TIMES_OUT, interval=0.1))
            await until(http, stopped, "task.action_started", '"wait"')
            await kill(pid)

        async with served(tmp_path, port=port) as (_, http):
            kept = (await v1_status(http, paused), (await client.tasks.status(paused)).status.value)
            answer = await client.tasks.stop(stopped)
            ended = await following_stopped
            still = (await v1_status(http, paused), following_paused.done())
            await client.tasks.update(paused, action="resume")
            resumed = await following_paused

    assert ("paused", "started") == kept
    assert ("stopped", "stopped") == (answer.status.value, ended.status.value)
    assert ("paused", False) == still
    assert ("finished", True, "Second page") == (resumed.status.value, resumed.is_success, resumed.output)
