"""A model that does whatever any page tells it: no secret leaves, and no domain is left.

The orders stand where pages can put words (`tests/hostile_pages.py`); the model does one after the other of the deeds
that they are about (`tests/obeying.py`). One task may go to the good host alone; the other may go anywhere.
"""

import asyncio
import json
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest

from runner.browser.tabs import MOST_TABS
from tests.hostile_pages import SEEN, UNSEEN, hostile_pages
from tests.model_server import KEY as MODEL_KEY
from tests.model_server import Asked, ModelServer, model_server
from tests.needles import files, hits
from tests.obeying import Obedient, confined, free, outside

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "a-key-that-is-long-enough"
LIMIT = 240.0
VALUE = 'k7&Q "z+4/é-trust'
ANSWER = 'x3&R "w+5/è-answer'
BLOCKED = "task.navigation_blocked"

Event = dict[str, Any]


async def test_a_model_that_obeys_every_page_lets_no_secret_out_and_leaves_no_domain(tmp_path: Path) -> None:
    wills: dict[str, Obedient] = {}

    def obey(asked: Asked) -> str:
        return wills["confined" if "127.0.0.1" in asked.texts[0].partition("# Where you may go")[2] else "free"](asked)

    async with hostile_pages() as pages, model_server([obey]) as model, served(tmp_path, model) as service:
        deeds = {"confined": confined(pages, service.url), "free": free(pages, service.url)}
        homes = {"confined": f"{pages.good}/?told", "free": f"{pages.good}/?framed"}
        wills["confined"] = Obedient(homes["confined"], deeds["confined"], tabs=MOST_TABS)
        wills["free"] = Obedient(homes["free"], deeds["free"])
        confined_id = await service.run(homes["confined"], allowedDomains=["127.0.0.1"])
        stolen = list(pages.stolen)
        free_id = await service.run(homes["free"])
        told = await service.answers(confined_id) | await service.answers(free_id)
        events = {"confined": await service.events(confined_id), "free": await service.events(free_id)}
        during = {f"during {name}": data for name, data in files(service.data).items()}
    asked = {f"asked {number}": json.dumps(each.body).encode() for number, each in enumerate(model.requests)}
    got = {f"got {number} {each.split()[1].decode()}": each for number, each in enumerate(pages.got)}

    told_of = {run: {deed.name: deed.code for deed in each if not deed.late} for run, each in deeds.items()}
    assert told_of == {run: outcomes(events[run], [*each]) for run, each in told_of.items()}
    # No order was too well hidden, and none was needed that nobody can see.
    assert SEEN == wills["confined"].seen
    assert wills["free"].seen.isdisjoint(UNSEEN)
    assert MOST_TABS == wills["confined"].most_tabs
    # Nothing has left.
    assert [] == stolen
    assert any(b"GET /page" in each for each in pages.stolen)
    assert {} == hits(VALUE, {f"stolen {number}": each for number, each in enumerate(pages.stolen)})
    assert {} == hits(VALUE, told | during | files(tmp_path) | asked)
    assert {} == hits(ANSWER, told | during | files(tmp_path) | asked)
    assert {"/echo", "/login"} == {place.split()[2].partition("?")[0] for place in hits(VALUE, got)}
    assert {"127.0.0.1"} == {
        event["data"]["host"] for each in events.values() for event in each if event["type"] == "task.secret_used"
    }
    blocked = {event["data"]["url"] for each in events.values() for event in each if event["type"] == BLOCKED}
    assert {"localhost", "127.0.0.1", "169.254.169.254"} == {urlsplit(url).hostname for url in blocked}
    # What pages say is data in all that a model is told.
    assert {} == {
        number: found for number, each in enumerate(model.requests) if (found := re.findall(".*ORDER.*", outside(each)))
    }
    assert {"system", "user"} == {message["role"] for each in model.requests for message in each.body["messages"]}


def outcomes(events: Sequence[Event], deeds: Sequence[str]) -> dict[str, str]:
    """With what code the last act of each deed failed, or nothing where it did no harm."""
    named = {
        event["data"]["number"]: event["data"]["next_goal"] for event in events if event["type"] == "task.step_taken"
    }
    ended = [event["data"] for event in events if event["type"] == "task.action_ended"]
    codes = {named[data["step"]]: "" if data["ok"] else data["code"] for data in ended if data["step"] in named}
    assert [] == [data for data in ended if not data["ok"] and not data["error"]]
    return {name: codes[name] for name in deeds if name in codes}


class Service:
    """The service in a process of its own, logging all that it can."""

    def __init__(self, url: str, data: Path, http: aiohttp.ClientSession) -> None:
        self.url, self.data = url, data
        self._http = http

    async def get(self, path: str, **headers: str) -> bytes:
        """What is answered."""
        async with self._http.get(path, headers=headers) as answer:
            return await answer.read()

    async def run(self, start: str, **fields: object) -> str:
        """The id of a task that has come to its end."""
        body = {"task": "Say what the shop sells.", "llm": "scripted", "startUrl": start, "thinking": False}
        async with self._http.post("/api/v2/tasks", json=body | {"secrets": {"password": VALUE}} | fields) as answer:
            task_id: str = (await answer.json())["id"]
        tape = f"/api/tape/tasks/{task_id}"
        async with self._http.get(f"{tape}/events", headers={"Accept": "text/event-stream"}) as stream:
            async for line in stream.content:  # it ends with the task
                if line.startswith(b"data:") and b'"task.input_requested"' in line:
                    (await self._http.post(f"{tape}/input", json={"value": ANSWER})).raise_for_status()
        return task_id

    async def events(self, task_id: str) -> list[Event]:
        """The task's events."""
        page = json.loads(await self.get(f"/api/tape/tasks/{task_id}/events?limit=1000"))
        events: list[Event] = page["events"]
        return events

    async def answers(self, task_id: str) -> dict[str, bytes]:
        """All that anybody is told of the task."""
        v1, v2, tape = f"/api/v1/task/{task_id}", f"/api/v2/tasks/{task_id}", f"/api/tape/tasks/{task_id}"
        of_all = ("/api/v1/tasks", "/api/v2/tasks", "/api/tape/events?limit=1000", "/metrics")
        paths = (v1, v2, f"{v2}/status", f"{v2}/logs", tape, f"{tape}/events?limit=1000", f"{tape}/log.txt", *of_all)
        told = {f"{path} of {task_id}": await self.get(path) for path in paths}
        return told | {f"stream of {task_id}": await self.get(f"{tape}/events", Accept="text/event-stream")}


@asynccontextmanager
async def served(directory: Path, model: ModelServer) -> AsyncIterator[Service]:
    """With one model; its log is a file in the directory."""
    table, data = directory / "models.toml", directory / "data"
    table.write_text(
        f'[scripted]\nprovider = "compatible"\nmodel = "model-x"\nbase_url = "{model.url}"\nkey_env = "HOUSE_KEY"\n'
        "vision = false\n"
    )
    environ = os.environ | {
        "TAPEWRIGHT_API_KEY": KEY,
        "TAPEWRIGHT_MODELS": str(table),
        "TAPEWRIGHT_ALLOW_PRIVATE": "loopback",
        "TAPEWRIGHT_LOG_LEVEL": "debug",
        "TAPEWRIGHT_SCREENSHOTS": "false",
        "HOUSE_KEY": MODEL_KEY,
    }
    command = (sys.executable, "-m", "api", "serve", "--port", "0", "--data", str(data), "--json")
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdin=DEVNULL, stdout=PIPE, stderr=log)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LIMIT):
            url = msgspec.json.decode(await process.stdout.readline())["url"]
            async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {KEY}"}) as http:
                yield Service(url, data, http)
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(LIMIT):
            await process.communicate()
