"""People and a task, over HTTP and in a real browser: a code is asked for and typed, a browser is taken over."""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.demo.child import descendants
from tests.browser.test_killed import LIMIT, Events, events, gone, served, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CODE = "730-195-ABC"
PASSWORD = "correct-horse-7"
HIDDEN = "********"
ASKING = "Go to {site}/form.html. Ask for the code sent by SMS. Type the answer into 'Name'. Extract the page text."
ECHO = "got: name <secret>answer</secret>"


async def create(http: aiohttp.ClientSession, task: str) -> str:
    async with http.post("/api/v2/tasks", json={"task": task}) as response:
        return str((await response.json())["id"])


async def tell(http: aiohttp.ClientSession, task_id: str, what: str, body: Any) -> dict[str, Any]:
    async with http.post(f"/api/tape/tasks/{task_id}/{what}", json=body) as response:
        answer: dict[str, Any] = await response.json()
        assert 200 == response.status, answer
        return answer


async def end(http: aiohttp.ClientSession, task_id: str) -> dict[str, Any]:
    """The task once it has ended."""
    async with asyncio.timeout(LIMIT):
        async with http.get(f"/api/tape/tasks/{task_id}/events", headers={"Accept": "text/event-stream"}) as stream:
            async for _ in stream.content:
                pass
    async with http.get(f"/api/tape/tasks/{task_id}") as response:
        found: dict[str, Any] = await response.json()
        return found


def of(told: Events, kind: str) -> list[dict[str, Any]]:
    return [event["data"] for event in told if event["type"] == kind]


def by_hand(told: Events) -> list[tuple[str, str, str | None]]:
    """What was done by hand; typing in one field as one act, wherever a slow machine made a pause in it."""
    done: list[tuple[str, str, str | None]] = []
    for act in of(told, "task.human_acted"):
        name, params, field = act["name"], act["params"], act["target"] and act["target"]["name"]
        if name == "type" and done and (done[-1][0], done[-1][2]) == (name, field):
            before, text = (json.loads(each)["text"] for each in (done.pop()[1], params))
            params = json.dumps({"text": text if text == before == HIDDEN else before + text}, separators=(",", ":"))
        done.append((name, params, field))
    return done


def files_with(directory: Path, text: str) -> list[str]:
    """The files below the directory that hold the text."""
    found = [path for path in directory.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
    return [str(path.relative_to(directory)) for path in found]


async def test_a_code_is_asked_for_and_typed_and_stands_nowhere(site: str, tmp_path: Path) -> None:
    async with served(tmp_path) as (_, http):
        task_id = await create(http, ASKING.format(site=site))
        await until(http, task_id, "task.paused")
        answered = await tell(http, task_id, "input", {"value": CODE})
        task = await end(http, task_id)
        told = await events(http)

    assert answered["id"] == task_id
    assert ("finished", True) == (task["state"], ECHO in task["output"])
    assert [
        {"type": "task.secret_used", "fence": 2, "step": 3, "index": 0, "name": "answer", "host": "127.0.0.1"}
    ] == of(told, "task.secret_used")
    assert CODE not in repr(told)
    assert [] == files_with(tmp_path, CODE)


@pytest.mark.slow
async def test_a_question_outlives_a_kill_and_is_not_asked_again(site: str, tmp_path: Path) -> None:
    async with served(tmp_path) as (pid, http):
        task_id = await create(http, ASKING.format(site=site))
        await until(http, task_id, "task.paused")
        family = set(descendants(pid))
        os.kill(pid, signal.SIGKILL)
        await gone(family)

    async with served(tmp_path) as (_, http):
        async with http.get(f"/api/tape/tasks/{task_id}") as response:
            between = await response.json()
        await tell(http, task_id, "input", {"value": CODE, "request": between["question"]["request"]})
        task = await end(http, task_id)
        told = await events(http)
        async with http.get("/api/tape/verify?rules=true") as response:
            verdict = await response.json()

    assert ("paused", "input") == (between["state"], between["hold"])
    assert ("finished", True) == (task["state"], ECHO in task["output"])
    assert (1, 2) == (len(of(told, "task.input_requested")), len(of(told, "task.claimed")))
    assert True is verdict["ok"]
    assert [] == files_with(tmp_path, CODE)


async def test_a_browser_is_taken_over_and_the_task_goes_on_where_the_person_left_it(site: str, tmp_path: Path) -> None:
    task = f"Go to {site}/hands.html. Wait for me to solve the captcha. Extract the main heading."
    async with served(tmp_path) as (_, http):
        task_id = await create(http, task)
        await until(http, task_id, "task.paused")
        await tell(http, task_id, "control", {"action": "take"})
        did = [
            {"act": "click", "x": 150, "y": 20}, *[{"act": "key_down", "key": key} for key in "Ada"],
            {"act": "click", "x": 150, "y": 70}, *[{"act": "key_down", "key": key} for key in PASSWORD],
            {"act": "click", "x": 150, "y": 175}, {"act": "navigate", "url": f"{site}/two.html"},
        ]  # fmt: skip
        outcomes = [await tell(http, task_id, "control/act", one) for one in did]
        await tell(http, task_id, "input", {"value": "done"})
        async with http.get(f"/api/tape/tasks/{task_id}") as response:
            held = await response.json()
        await tell(http, task_id, "control", {"action": "return"})
        ended = await end(http, task_id)
        told = await events(http)
        async with http.get("/api/tape/verify?rules=true") as response:
            verdict = await response.json()

    assert ("paused", True) == (held["state"], held["controlled"])
    assert [
        ("click", '{"x":150.0,"y":20.0}', "Name"),
        ("type", '{"text":"Ada"}', "Name"),
        ("click", '{"x":150.0,"y":70.0}', "Password"),
        ("type", f'{{"text":"{HIDDEN}"}}', "Password"),
        ("click", '{"x":150.0,"y":175.0}', "Say hello"),
        ("navigate", f'{{"url":"{site}/two.html"}}', None),
    ] == by_hand(told)
    assert f"{site}/two.html" == outcomes[-1]["url"]
    assert ("finished", "Second page") == (ended["state"], ended["output"])
    assert PASSWORD not in repr(told)
    assert [] == files_with(tmp_path, PASSWORD)
    assert True is verdict["ok"]
