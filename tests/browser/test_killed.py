"""The service is killed in the middle of a task: nothing acknowledged is lost, and the next start goes on."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from api.demo.child import descendants

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a-key-that-is-long-enough"
LIMIT = 240.0
Events = list[dict[str, Any]]


@asynccontextmanager
async def served(data: Path, *, port: int = 0, **settings: str) -> AsyncIterator[tuple[int, aiohttp.ClientSession]]:
    """The service as people start it, on any free port if none is said: its process id, and a client."""
    command = (sys.executable, "-m", "api", "serve", "--port", str(port), "--data", str(data), "--json")
    environ = {**os.environ, "TAPEWRIGHT_API_KEY": KEY, "TAPEWRIGHT_ALLOW_PRIVATE": "loopback", **settings}
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LIMIT):
            ready = msgspec.json.decode(await process.stdout.readline())
        async with aiohttp.ClientSession(ready["url"], headers={"Authorization": f"Bearer {KEY}"}) as http:
            yield process.pid, http
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(LIMIT):
            await process.communicate()


async def until(http: aiohttp.ClientSession, task_id: str, kind: str, text: str = "") -> None:
    """Follow the task's tape until such an event, with such a text in its data."""
    async with asyncio.timeout(LIMIT):
        headers = {"Accept": "text/event-stream"}
        async with http.get(f"/api/tape/tasks/{task_id}/events", headers=headers) as stream:
            async for line in stream.content:
                if line.startswith(b"data:") and f'"type":"{kind}"'.encode() in line and text.encode() in line:
                    return
    raise AssertionError(f"the tape ended without {kind}")


async def events(http: aiohttp.ClientSession) -> Events:
    async with http.get("/api/tape/events", params={"limit": "1000"}) as response:
        listed: Events = (await response.json())["events"]
        return listed


async def gone(pids: set[int]) -> None:
    """Return when none of the processes is there any more."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(LIMIT):
        for pid in pids:
            with suppress(ProcessLookupError):
                end, ended = os.pidfd_open(pid), asyncio.Event()
                loop.add_reader(end, ended.set)
                await ended.wait()
                loop.remove_reader(end)
                os.close(end)


async def test_a_killed_service_loses_nothing_and_goes_on_with_its_task(site: str, tmp_path: Path) -> None:
    task = f"Go to {site}/two.html. Wait 2 seconds. Extract the main heading."
    async with served(tmp_path) as (pid, http):
        async with http.post("/api/v1/run-task", json={"task": task}) as response:
            task_id = (await response.json())["id"]
        await until(http, task_id, "task.action_started", '"wait"')
        before = await events(http)
        family = set(descendants(pid))
        os.kill(pid, signal.SIGKILL)
        await gone(family)

    async with served(tmp_path) as (_, http):
        await until(http, task_id, "task.finished")
        after = await events(http)
        async with http.get("/api/tape/verify?rules=true") as response:
            verdict = await response.json()

    assert before == after[: len(before)]
    assert True is verdict["ok"]
    began = [event["data"] for event in after if event["type"] == "task.started"]
    assert [[], ["cookies and storage", f"{site}/two.html"]] == [event["restored"] for event in began]
    assert 2 == [event["type"] for event in after].count("task.claimed")
