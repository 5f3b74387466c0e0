"""No byte that the service keeps, logs or answers holds a secret, though a page echoes it wherever it can.

The same is done with a text that is no secret: it is found in every one of those places, so the search can find.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tests.needles import Places, files, hits

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a-key-that-is-long-enough"
LIMIT = 240.0
SECRET = 'k7&Q "z+4/é-canary'
PLAIN = 'p9&W "y+3/é-parrot'
SENTENCES = (
    'Go to {site}/echo.html?alert=1. {typing} into "User". {typing} into "Password". Click "Log in".'
    " Extract the page text as text. Extract the links as links. Extract the main heading as heading."
    ' Extract the aria-label attribute of the "link" link as label. Take a screenshot.'
)
NAMING = ' Click the "nowhere" link.'


class Running:
    """The service in a process of its own, logging all that it can."""

    def __init__(self, url: str, data: Path, log: Path, http: aiohttp.ClientSession) -> None:
        self.url, self.data, self.log, self.http = url, data, log, http

    async def get(self, path: str, **headers: str) -> bytes:
        async with self.http.get(path, headers=headers) as answer:
            return await answer.read()

    async def run(self, instruction: str, *, secret: bool) -> str:
        """The id of a task that has come to its end."""
        secrets = {"password": SECRET} if secret else {}
        body = {"task": instruction, "secrets": secrets, "allowed_domains": ["127.0.0.1"]}
        async with self.http.post("/api/v1/run-task", json=body) as answer:
            task_id: str = (await answer.json())["id"]
        await self.get(f"/api/tape/tasks/{task_id}/events", Accept="text/event-stream")  # ends with the task
        return task_id

    async def command(self, *words: str) -> bytes:
        """What the command line says."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "api",
            *words,
            "--url",
            self.url,
            "--key",
            KEY,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        return b"".join(await process.communicate())

    async def answers(self, task_id: str) -> Places:
        """All that anybody is told of the task."""
        v1, v2, tape = f"/api/v1/task/{task_id}", f"/api/v2/tasks/{task_id}", f"/api/tape/tasks/{task_id}"
        lists = ("/api/v1/tasks", "/api/v2/tasks", "/api/tape/events?limit=1000", "/metrics")
        told = {path: await self.get(path) for path in (v1, f"{v1}/screenshots", v2, f"{v2}/status", tape, *lists)}
        told["live"] = await self.get(f"{tape}/events", Accept="text/event-stream")
        told["show"] = await self.command("show", task_id)
        return told


@asynccontextmanager
async def served(directory: Path) -> AsyncIterator[Running]:
    data, log = directory / "data", directory / "log"
    command = (sys.executable, "-m", "api", "serve", "--port", "0", "--data", str(data), "--json")
    environ = {
        **os.environ,
        "TAPEWRIGHT_API_KEY": KEY,
        "TAPEWRIGHT_ALLOW_PRIVATE": "loopback",
        "TAPEWRIGHT_LOG_LEVEL": "debug",
        "TAPEWRIGHT_ACTION_SECONDS": "10",
    }
    with log.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *command, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=written
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LIMIT):
            url = msgspec.json.decode(await process.stdout.readline())["url"]
        async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEY}"}) as http:
            yield Running(url, data, log, http)
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(LIMIT):
            await process.communicate()


async def test_a_secret_is_found_nowhere_and_another_text_everywhere(site: str, tmp_path: Path) -> None:
    typing = {True: 'Type the secret "password"', False: f"Type “{PLAIN}”"}
    tasks = [(secret, more) for more in ("", NAMING) for secret in (True, False)]
    async with served(tmp_path) as running:

        async def told(secret: bool, more: str) -> Places:
            return await running.answers(
                await running.run(SENTENCES.format(site=site, typing=typing[secret]) + more, secret=secret)
            )

        answers = [
            *await asyncio.gather(*[told(secret, more) for secret, more in tasks[:2]]),
            *await asyncio.gather(*[told(secret, more) for secret, more in tasks[2:]]),
        ]
        during = files(running.data)

    places = {f"{secret} {more} {path}": said for (secret, more), all_said in zip(tasks, answers, strict=True)
              for path, said in all_said.items()}  # fmt: skip
    places |= {f"during {name}": data for name, data in during.items()} | files(tmp_path)
    found = hits(PLAIN, places)
    assert {} == hits(SECRET, places)
    assert "data/tape.db" in found
    assert {"during tape.db", "during tape.db-wal"} & found.keys()  # in which one, a checkpoint decides
    assert b'"level":"debug"' in places["log"].replace(b" ", b"")
    assert {"True", "False"} == {name.split()[0] for name in found if " /api/v1/tasks" in name}
    quiet = ("/metrics", "/screenshots")
    assert [] == [
        name for name in places if name.startswith("False") and name not in found and not name.endswith(quiet)
    ]
    assert all(
        b"<secret>password</secret>" in said for name, said in places.items() if name.startswith("True  /api/v2")
    )
