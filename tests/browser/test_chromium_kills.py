"""The service and its Chromium are killed and frozen together: nothing is lost, and no process stays."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.killing import HEADERS, KEY, marked, midwife
from tests.serving import Order
from tests.trial import Trial, site

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_killed_service_with_its_chromium_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    async with midwife(tmp_path / "log") as forks, site() as pages:
        trial = Trial(forks, tmp_path, 1, pages)
        await trial.kill("load")
        await trial.kill("term")
        await trial.prove()
        await trial.finish()

    assert [] == trial.wrong
    assert trial.kept > 0


@pytest.mark.slow
async def test_a_service_whose_chromium_is_frozen_ends_in_order_and_leaves_nothing(tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path / "data"), "port": "0", "api_key": KEY, "allow_private": "loopback"}
    async with midwife(tmp_path / "log") as forks, site() as pages:
        life = await forks.bear(Order(mark=str(tmp_path), settings=settings))
        url = await life.ready()
        assert url is not None
        async with aiohttp.ClientSession(url, headers=HEADERS) as http:
            async with http.post("/api/v2/tasks", json={"task": f"Go to {pages.url}/page/1. Wait 60 seconds."}) as made:
                task = (await made.json())["id"]
            async with http.get(f"/api/tape/tasks/{task}/events", headers={"Accept": "text/event-stream"}) as tape:
                await tape.content.readuntil(b'"name":"wait"')
            for process in await asyncio.to_thread(marked, life.mark):
                pid, name = process.split(maxsplit=1)
                if name == "chromium":
                    os.kill(int(pid), signal.SIGSTOP)
            life.kill(signal.SIGTERM)
            code = await life.ended()
            left = await life.remains()

    assert (0, []) == (code, left)
