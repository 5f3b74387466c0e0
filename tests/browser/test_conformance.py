"""Every path and method of both families, called by raw requests and by the vendor's own clients, in real Chromium.

The table of it in the README is what these tests saw: `CONFORMANCE=write` has them write it.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import msgspec
import pytest
import pytest_asyncio
from browser_use_sdk import (  # type: ignore[import-untyped] # it has annotations, and no marker that says so
    AsyncBrowserUse,
    BrowserUseError,
    SessionSettings,
)
from pydantic import BaseModel

from tests.browser.test_killed import KEY, LIMIT, served
from tests.conformance import BEGIN, END, SERVED, Called, called, counted, shown, table

pytestmark = pytest.mark.asyncio(loop_scope="module")

README = Path(__file__).parents[2] / "README.md"
MODULES = Path(__file__).parents[2] / ".venv" / "node"
NODE = shutil.which("node")
NOTHING = "00000000-0000-4000-8000-000000000000"
NPM = (MODULES / "node_modules" / "browser-use-sdk").is_dir()

CALLS: dict[str, Called] = {}
"""What each client called, filled by the tests in their order."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[aiohttp.ClientSession]:
    async with served(tmp_path_factory.mktemp("data")) as (_, http):
        yield http


async def refused(call: Awaitable[object]) -> int:
    """The status with which the client's call is refused."""
    with pytest.raises(BrowserUseError) as failure:
        await call
    return int(failure.value.status_code)


class Page(BaseModel):
    heading: str


async def test_the_python_client_calls_everything(http: aiohttp.ClientSession, site: str) -> None:
    before = await counted(http)
    base = str(http._base_url).rstrip("/")
    task = f"Go to {site}/two.html. Extract the main heading."
    async with AsyncBrowserUse(api_key=KEY, base_url=f"{base}/api/v2") as client:
        profile = await client.profiles.create(name="python")
        await client.profiles.list(query="python")
        await client.profiles.get(str(profile.id))
        await client.profiles.update(str(profile.id), name="python too")
        session = await client.sessions.create(keep_alive=True, proxy_country_code=None, profile_id=str(profile.id))
        sid = str(session.id)
        await client.sessions.list(filter_by="active")
        await client.sessions.get(sid)
        await client.sessions.create_share(sid)
        share = await client.sessions.get_share(sid)
        await client.sessions.delete_share(sid)
        form = await client.files.session_url(sid, file_name="a.txt", content_type="text/plain", size_bytes=5)
        async with httpx.AsyncClient() as plain:
            file = {"file": ("a.txt", b"hello", "text/plain")}
            uploaded = await plain.post(form.url, data=form.fields, files=file)
        first = await client.tasks.create(task, session_id=sid)
        ended = await client.tasks.wait(str(first.id), timeout=LIMIT, interval=0.2)
        followed = await client.tasks.create("Extract the page.", session_id=sid)
        busy = await refused(client.tasks.create(task, session_id=sid)) if not followed.id else 400
        page = await client.tasks.wait(str(followed.id), timeout=LIMIT, interval=0.2)
        listed = await client.tasks.list(session_id=sid, filter_by="finished")
        status = await client.tasks.status(str(first.id))
        log = await client.tasks.logs(str(first.id))
        missing = await refused(client.files.task_output(str(first.id), NOTHING))
        run = await client.run(f"{task[:-1]} as heading.", output_schema=Page)
        steps = [step.number async for step in client.run(task)]
        failed = await client.run(f'Go to {site}/two.html. Click "no such thing".')
        long = await client.tasks.create(f"Go to {site}/two.html. Wait 60 seconds.")
        paused = await client.tasks.update(str(long.id), action="pause")
        await client.tasks.update(str(long.id), action="resume")
        stopped = await client.tasks.stop(str(long.id))
        settings = SessionSettings(profileId=profile.id)
        other = await client.tasks.create(f"Go to {site}/two.html. Wait 60 seconds.", session_settings=settings)
        both = await client.tasks.stop_task_and_session(str(other.id))
        await client.sessions.stop(sid)
        gone = await refused(client.tasks.create(task, session_id=sid))
        await client.sessions.purge(sid)
        await client.sessions.delete(sid)
        browser = await client.browsers.create(timeout=5)
        bid = str(browser.id)
        await client.browsers.list()
        await client.browsers.get(bid)
        await client.files.browser_url(bid, file_name="a.txt", content_type="text/plain", size_bytes=5)
        await client.browsers.downloads(bid)
        await client.browsers.stop(bid)
        account = await client.billing.account()
        empty = (await client.skills.list()).total_items, (await client.marketplace.list()).total_items
        skills, market = client.skills, client.marketplace
        cannot = [
            await refused(call)
            for call in (
                skills.create(goal="g", agent_prompt="do something long"),
                skills.update(NOTHING, title="x"),
                skills.delete(NOTHING),
                skills.cancel(NOTHING),
                skills.execute(NOTHING, parameters={}),
                skills.refine(NOTHING, feedback="better, please"),
                skills.rollback(NOTHING),
                market.clone(NOTHING),
                market.execute(NOTHING, parameters={}),
                skills.get(NOTHING),
                skills.executions(NOTHING),
                skills.execution_output(NOTHING, NOTHING),
                market.get("slug"),
            )
        ]
        absent = await refused(client.tasks.get(NOTHING))
        await client.profiles.delete(str(profile.id))
        unreadable = await refused(client.tasks.create(""))
    async with AsyncBrowserUse(api_key="wrong", base_url=f"{base}/api/v2") as stranger:
        unknown = await refused(stranger.tasks.list())

    assert ("finished", "Second page", 204, 0) == (
        ended.status.value,
        ended.output,
        uploaded.status_code,
        share.view_count,
    )
    assert "Second page" in (page.output or "")
    assert (2, "finished", True) == (listed.total_items, status.status.value, bool(log.download_url))
    assert (Page(heading="Second page"), [1, 2]) == (run.output, steps)
    assert ("finished", False) == (failed.status.value, failed.is_success)
    assert ["started", "stopped", "stopped"] == [each.status.value for each in (paused, stopped, both)]
    assert ("self-hosted", (0, 0)) == (account.plan_info.plan_name, empty)
    assert ([501] * 13, 404) == (cannot, absent)
    assert (400, 400, 404, 422, 401) == (busy, gone, missing, unreadable, unknown)
    CALLS["Python SDK"] = called(before, await counted(http))


@pytest.mark.skipif(NODE is None or not NPM, reason="node, or the npm browser-use-sdk in .venv/node, is not there")
async def test_the_npm_client_calls_everything(http: aiohttp.ClientSession, site: str) -> None:
    before = await counted(http)
    script = Path(__file__).with_name("conformance.mjs")
    command = (str(NODE), str(script), str(http._base_url).rstrip("/"), KEY, f"{site}/two.html", str(MODULES))
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    async with asyncio.timeout(3 * LIMIT):
        out, _ = await process.communicate()

    told = msgspec.json.decode(out)
    refusals = told.pop("refused")
    expected = {
        "share": 0,
        "uploaded": True,
        "waited": "Second page",
        "run": "Second page",
        "steps": 2,
        "listed": 1,
        "log": True,
        "stopped": "stopped",
        "both": "stopped",
        "cdp": True,
        "plan": "self-hosted",
        "skills": 0,
        "market": 0,
    }
    assert expected == told
    assert {404, 422, 401, 501} == set(refusals.values())
    CALLS["npm SDK"] = called(before, await counted(http))


async def test_raw_requests_reach_every_path_and_method(http: aiohttp.ClientSession, site: str) -> None:
    before = await counted(http)
    task = {"task": f"Go to {site}/two.html. Extract the main heading."}
    known = {
        "file_name": "a.txt",
        "file_id": NOTHING,
        "skill_id": NOTHING,
        "execution_id": NOTHING,
        "skill_slug": "slug",
        "task_id": (await _json(http, "POST", "/api/v1/run-task", task))["id"],
        "schedule_id": (await _json(http, "POST", "/api/v1/scheduled-task", {**task, **_HOURLY}))["id"],
        "session_id": (await _json(http, "POST", "/api/v2/sessions", {}))["id"],
    }
    profile = await _json(http, "POST", "/api/v1/browser-profiles", {"profile_name": "raw"})
    known["profile_id"] = profile["profile_id"]
    for method, path in sorted(SERVED, key=_last):
        query = {"task_id": known["task_id"]} if path.endswith("-task") and method == "PUT" else {}
        body = None if method == "GET" else {**task, **_HOURLY, "profile_name": "raw", "action": "stop"}
        async with http.request(method, path.format(**known), params=query, json=body) as response:
            await response.read()
            assert 500 != response.status, (method, path, await response.text())
            assert {"detail": "Not Found"} != (await _read(response)), (method, path)

    CALLS["raw"] = called(before, await counted(http))
    assert set() == SERVED - CALLS["raw"]


async def test_the_readme_shows_what_was_called() -> None:
    if not {"Python SDK", "npm SDK", "raw"} <= set(CALLS):
        pytest.skip("not every client was there")
    readme = README.read_text()
    generated = table({name: CALLS[name] for name in ("raw", "Python SDK", "npm SDK")})
    if os.environ.get("CONFORMANCE") == "write":
        head, _, rest = readme.partition(BEGIN)
        README.write_text(f"{head}{BEGIN}\n{generated}\n{END}{rest.partition(END)[2]}")
        return

    assert generated == shown(readme), "write it anew: CONFORMANCE=write"
    v2 = {call for call in SERVED if call[1].startswith("/api/v2") and call[1] != "/api/v2/ping"}
    assert (set(), set()) == (v2 - CALLS["Python SDK"], v2 - CALLS["npm SDK"])


_HOURLY = {"schedule_type": "interval", "interval_minutes": 60, "start_at": "2100-01-01T00:00:00Z"}


def _last(call: tuple[str, str]) -> tuple[int, str]:
    """What ends or deletes comes last, so that there is something to ask for before."""
    ends = {"DELETE": 3, "GET": 0, "POST": 1}.get(call[0], 2)
    return (ends, call[1])


async def _json(http: aiohttp.ClientSession, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with http.request(method, path, json=body) as response:
        assert response.status < 300, await response.text()
        return dict(await response.json())


async def _read(response: aiohttp.ClientResponse) -> object:
    data = await response.read()
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        return data
