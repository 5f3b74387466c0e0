"""A browser that somebody else runs: by DevTools or by a Playwright server, in contexts or one task at a time."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from api.demo.child import descendants
from runner.browser import flags
from runner.browser.browsers import BrowserSettings
from runner.browser.chromium import find
from runner.browser.own import start
from runner.browser.remote import on_this_machine, shown
from runner.browser.sessions import AnySessions, open_sessions
from runner.egress.addresses import LOOPBACK
from runner.ports import Wanted
from runner.vocabulary import ActFailed, Click, Input, Query
from tests.browser.test_killed import events, gone, served, until
from tests.browser.test_own_browser import FOUND, SENTENCES, begin, family_of, of
from tests.playing import do, go, read

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 240.0


def open_to_all(profile: Path) -> list[str]:
    """As a person would run it: with no proxy of ours."""
    command = flags.command(find("") or "chromium", profile, proxy=9, headless=True, viewport=(800, 600))
    return [word for word in command if not word.startswith(("--proxy", "--host-resolver"))]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def devtools(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The DevTools endpoint of a browser."""
    root = tmp_path_factory.mktemp("remote")
    browser = await start(root, open_to_all, proxy=9, grace=30.0)
    family = family_of(root)
    yield browser.endpoint
    await browser.end()
    await gone(family)


@asynccontextmanager
async def playwright_server(path: Path) -> AsyncIterator[str]:
    """The endpoint of a browser that a Playwright server runs."""
    config = path / "server.json"
    config.write_text(json.dumps({"executablePath": find(""), "chromiumSandbox": os.geteuid() != 0}), "utf-8")
    command = (sys.executable, "-m", "playwright", "launch-server", "--browser", "chromium", "--config", str(config))
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(LIMIT):
            said = (await process.stdout.readline()).decode()
        found = re.search(r"ws://\S+", said)
        assert found is not None, said
        yield found[0]
    finally:
        family = set(descendants(process.pid))
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        await process.wait()
        await gone(family)


async def use(settings: BrowserSettings, site: str) -> str:
    async with open_sessions(settings) as browsers, browsers.session(Wanted(viewport=(800, 600))) as session:
        await go(session, f"{site}/two.html")
        return await read(session, "heading")


async def test_a_session_in_a_context_of_its_own_over_devtools(devtools: str, site: str) -> None:
    assert "Second page" == await use(BrowserSettings(executable=devtools, private=LOOPBACK), site)
    by_host = shown(devtools).replace("ws:", "http:")
    assert "Second page" == await use(BrowserSettings(executable=by_host, private=LOOPBACK), site)


async def test_a_session_on_a_playwright_server(tmp_path: Path, site: str) -> None:
    async with playwright_server(tmp_path) as endpoint:
        assert "Second page" == await use(BrowserSettings(executable=endpoint, private=LOOPBACK), site)


async def test_sessions_in_the_one_context_of_a_remote_browser_take_turns(
    devtools: str, site: str, tmp_path: Path
) -> None:
    settings = BrowserSettings(executable=devtools, private=LOOPBACK, isolated=True, directory=tmp_path)
    async with open_sessions(settings) as browsers:
        async with browsers.session(Wanted(viewport=(800, 600))) as first:
            waiting = asyncio.create_task(use_one(browsers, site))
            await go(first, f"{site}/cookie?set=first")
            alone = not waiting.done()
        after = await waiting

    assert (True, "had nothing") == (alone, after)
    assert [] == sorted(os.listdir(tmp_path))


async def use_one(browsers: AnySessions, site: str) -> str:
    async with browsers.session(Wanted(viewport=(800, 600))) as session:
        await go(session, f"{site}/cookie")
        return await read(session, "heading")


@pytest.mark.slow
async def test_a_half_filled_page_in_a_remote_browser_is_gone_on_with(devtools: str, site: str, tmp_path: Path) -> None:
    remote: dict[str, Any] = {"TAPEWRIGHT_ISOLATION": "browser", "TAPEWRIGHT_BROWSER": devtools}
    async with served(tmp_path, **remote) as (pid, http):
        task_id = await begin(http, SENTENCES.format(site=site))
        await until(http, task_id, "task.action_started", '"wait"')
        service = set(descendants(pid))
        os.kill(pid, signal.SIGKILL)
        await gone(service)

    async with served(tmp_path, **remote) as (_, http):
        await until(http, task_id, "task.finished")
        attempts = await of(http, "task.started")
        output = (await of(http, "task.finished"))[0]["output"].split("\n")
        told = msgspec.json.encode(await events(http)).decode()

    assert [[], FOUND] == [attempt["restored"] for attempt in attempts]
    assert (output[0], "Bob 2") == (output[2], output[1])
    assert devtools.rpartition("/")[2] not in told


async def test_pages_of_somebody_else_are_not_taken_for_the_tasks_own(devtools: str, site: str, tmp_path: Path) -> None:
    settings = BrowserSettings(executable=devtools, private=LOOPBACK, isolated=True, directory=tmp_path)
    async with open_sessions(settings) as browsers:
        async with browsers.session(Wanted(viewport=(800, 600), action_seconds=5.0)) as session:
            await go(session, f"{site}/half.html")
            await do(session, Input(text="Ann", target=Query(text="Name")))
            await do(session, Click(target=Query(text="Count")))
            own, session.keep = session.own, True
        await use_one(browsers, site)
        async with browsers.session(Wanted(viewport=(800, 600), own=own)) as again:
            assert (False, "about:blank") == (again.attached, again.url)


@pytest.mark.parametrize("isolated", [False, True])
async def test_allowed_domains_that_nobody_could_enforce_are_refused(tmp_path: Path, isolated: bool) -> None:
    far = "wss://browsers.example/?token=secret"
    settings = BrowserSettings(executable=far, isolated=isolated, directory=tmp_path)
    async with open_sessions(settings) as browsers:
        with pytest.raises(ActFailed) as caught:
            async with browsers.session(Wanted(viewport=(800, 600), allowed_domains=["example.com"])):
                pass

    assert "no_egress_rules" == caught.value.code
    assert "wss://browsers.example:" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_remote_browser_that_is_not_there_is_named_without_its_key(unused_tcp_port: int) -> None:
    settings = BrowserSettings(executable=f"ws://127.0.0.1:{unused_tcp_port}/devtools/browser/key")
    async with open_sessions(settings) as browsers:
        with pytest.raises(ActFailed) as caught:
            await use_one(browsers, "http://nowhere.test")

    expected = f"The browser at ws://127.0.0.1:{unused_tcp_port} does not answer to DevTools."
    assert ("no_browser", expected) == (caught.value.code, str(caught.value))


async def test_where_a_browser_runs_is_told_by_its_host() -> None:
    here = ("ws://127.0.0.1:1/x", "http://localhost:9222", "ws://[::1]:3000/")
    there = ("ws://10.0.0.1:1/", "wss://browsers.example/", "http://host.docker.internal:9222")

    assert [True] * 3 + [False] * 3 == [on_this_machine(url) for url in (*here, *there)]
