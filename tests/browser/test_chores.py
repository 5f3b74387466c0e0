"""An ordinary chore on builds of one app by plain sentences, and the recording of each run again on its build."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from api.serving import bound, listening
from api.settings import Settings
from api.wiring import open_service
from tests.todomvc import CHORE, DONE, LEFT, PACKAGE, todo_site

pytestmark = pytest.mark.skipif(not PACKAGE.is_dir(), reason="npm's package todomvc is not installed")

KEY = "a-key-for-the-chores"
SECONDS = 60.0
BUILDS = ("backbone", pytest.param("react", marks=pytest.mark.slow))
"""Two ways to make a list; `bench/chores.py` has them all."""


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the whole service."""
    with bound(settings) as port:
        async with (
            open_service(settings) as running,
            listening(running.service, port) as url,
            aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEY}"}) as http,
        ):
            yield http


async def ended(http: aiohttp.ClientSession, task: str) -> tuple[bool, str]:
    """Whether it says that it succeeded, and its output."""
    async with asyncio.timeout(SECONDS):
        while True:
            async with http.get(f"/api/v2/tasks/{task}/status", params={"wait": "20"}) as answer:
                status = await answer.json()
            if status["status"] == "finished":
                return status["isSuccess"], status["output"]


async def created(http: aiohttp.ClientSession, path: str, body: dict[str, str]) -> str:
    """The id of a new task."""
    async with http.post(path, json=body) as answer:
        return str((await answer.json())["id"])


@pytest.mark.parametrize("build", BUILDS)
async def test_what_was_done_once_on_a_build_is_done_again_without_a_word(tmp_path: Path, build: str) -> None:
    settings = Settings(data_dir=tmp_path / "data", port=0, api_key=KEY, allow_private="loopback", screenshots=False)
    told, lists = [], []

    async with todo_site() as site, served(settings) as http:
        body = {"task": CHORE.format(url=site.address(build)), "llm": "instructions"}
        task = await created(http, "/api/v2/tasks", body)
        told.append(await ended(http, task))
        lists.append(site.lists.pop(build))
        again = await created(http, f"/api/tape/tasks/{task}/rerun", {})
        told.append(await ended(http, again))
        lists.append(site.lists.pop(build))

    assert [(True, LEFT)] * 2 == told
    assert [DONE] * 2 == lists
