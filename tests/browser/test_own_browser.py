"""A browser of its own outlives the service: its pages are gone on with, and without anybody to claim it, it ends."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from api.demo.child import descendants
from runner.browser import flags
from runner.browser.browsers import BrowserSettings
from runner.browser.chromium import find
from runner.browser.isolated import IsolatedBrowsers, open_isolated
from runner.browser.own import OwnBrowser, claim, start, sweep
from runner.browser.sessions import open_sessions
from runner.egress.addresses import LOOPBACK
from runner.ports import Wanted
from runner.vocabulary import ActFailed, Click, Input, Query, SwitchTab
from tests.browser.test_killed import events, gone, served, until
from tests.playing import do, go, read

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = BrowserSettings(navigation_seconds=30.0, answer_seconds=2.0, private=LOOPBACK, grace_seconds=30.0)
FOUND = ["the browser, with what its pages hold"]
SENTENCES = (
    'Go to {site}/half.html. Extract the text of "Token". Type "Ann" into "Name". Click "Count". '
    'Wait 1 second. Type "Bob" into "Name". Click "Count". Extract the text of "Said". Extract the text of "Token".'
)


@pytest_asyncio.fixture(loop_scope="module")
async def isolated(tmp_path: Path) -> AsyncIterator[IsolatedBrowsers]:
    """Nothing is left of the browsers when the test is over."""
    async with open_isolated(SETTINGS, tmp_path / "browsers") as opened:
        yield opened
    family = family_of(tmp_path / "browsers")
    await sweep(tmp_path / "browsers", ())
    await gone(family)
    assert [] == left(tmp_path / "browsers")


def family_of(root: Path) -> set[int]:
    """The keepers of all browsers in the directory, and what runs below them."""
    return {pid for file in root.glob("*/keeper") for keeper in keeper_in(file) for pid in descendants(keeper)}


def keeper_in(file: Path) -> set[int]:
    """The number in the file; none while it is being written, or when it has just gone."""
    with suppress(FileNotFoundError, ValueError):
        return {int(file.read_text("ascii"))}
    return set()


def left(root: Path) -> list[Path]:
    """What stands in the directory."""
    return sorted(root.iterdir())


async def begin(http: aiohttp.ClientSession, task: str) -> str:
    async with http.post("/api/v1/run-task", json={"task": task}) as response:
        return str((await response.json())["id"])


async def of(http: aiohttp.ClientSession, kind: str) -> list[Any]:
    """The data of all events of that type."""
    return [event["data"] for event in await events(http) if event["type"] == kind]


async def started(root: Path, *, grace: float) -> OwnBrowser:
    """A browser whose traffic goes nowhere."""
    command = partial(flags.command, find("") or "chromium", proxy=9, headless=True, viewport=(800, 600))
    return await start(root, command, proxy=9, grace=grace)


@pytest.mark.parametrize("end", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
async def test_a_half_filled_page_is_gone_on_with_after_the_service_ended(
    site: str, tmp_path: Path, end: signal.Signals
) -> None:
    async with served(tmp_path, TAPEWRIGHT_ISOLATION="browser") as (pid, http):
        task_id = await begin(http, SENTENCES.format(site=site))
        await until(http, task_id, "task.action_started", '"wait"')
        service = set(descendants(pid)) - family_of(tmp_path / "browsers")
        os.kill(pid, end)
        await gone(service)
        browser = family_of(tmp_path / "browsers")

    async with served(tmp_path, TAPEWRIGHT_ISOLATION="browser") as (_, http):
        await until(http, task_id, "task.finished")
        attempts, opened = await of(http, "task.started"), await of(http, "task.browser_opened")
        output = (await of(http, "task.finished"))[0]["output"].split("\n")
        await gone(browser)

    assert [([], []), (FOUND, [])] == [(attempt["restored"], attempt["lost"]) for attempt in attempts]
    assert 1 == len({event["browser"] for event in opened})
    assert (output[0], "Bob 2") == (output[2], output[1])
    assert [] == left(tmp_path / "browsers")


async def test_a_paused_task_has_its_page_again_after_a_restart_and_a_resume(site: str, tmp_path: Path) -> None:
    async with served(tmp_path, TAPEWRIGHT_ISOLATION="browser") as (pid, http):
        task_id = await begin(http, SENTENCES.format(site=site))
        await until(http, task_id, "task.action_started", '"wait"')
        async with http.put("/api/v1/pause-task", params={"task_id": task_id}) as response:
            assert 200 == response.status
        await until(http, task_id, "task.paused")
        service = set(descendants(pid)) - family_of(tmp_path / "browsers")
        os.kill(pid, signal.SIGKILL)
        await gone(service)

    async with served(tmp_path, TAPEWRIGHT_ISOLATION="browser", TAPEWRIGHT_BROWSER_GRACE="1") as (_, http):
        async with http.get(f"/api/v1/task/{task_id}/status") as response:
            status = await response.json()
        async with http.put("/api/v1/resume-task", params={"task_id": task_id}) as response:
            assert 200 == response.status
        await until(http, task_id, "task.finished")
        attempts = await of(http, "task.started")
        output = (await of(http, "task.finished"))[0]["output"].split("\n")

    assert "paused" == status
    assert [[], FOUND] == [attempt["restored"] for attempt in attempts]
    assert (output[0], "Bob 2") == (output[2], output[1])
    assert [] == left(tmp_path / "browsers")


async def test_a_browser_that_nobody_claims_ends_after_its_grace(tmp_path: Path) -> None:
    browser = await started(tmp_path, grace=2.0)
    family = family_of(tmp_path)

    browser.leave()
    await gone(family)

    assert [] == left(tmp_path)


async def test_a_browser_that_is_claimed_again_within_the_grace_goes_on(tmp_path: Path) -> None:
    browser = await started(tmp_path, grace=5.0)
    name, endpoint, keeper = browser.name, browser.endpoint, keeper_in(tmp_path / browser.name / "keeper")

    browser.leave()
    again = claim(tmp_path, name)

    assert again is not None
    assert (endpoint, keeper) == (again.endpoint, keeper_in(tmp_path / name / "keeper"))
    family = family_of(tmp_path)
    assert 0o700 == (tmp_path / name).stat().st_mode & 0o777
    await again.end()
    await gone(family)
    assert [] == left(tmp_path)


async def test_a_keeper_takes_its_browser_with_it(tmp_path: Path) -> None:
    browser = await started(tmp_path, grace=30.0)
    family = family_of(tmp_path)
    keeper = int((tmp_path / browser.name / "keeper").read_text("ascii"))

    os.kill(keeper, signal.SIGKILL)
    await gone(family)
    found = await sweep(tmp_path, {browser.name})
    browser.leave()

    assert {} == found
    assert [] == left(tmp_path)


async def test_a_keeper_ends_with_its_browser_and_with_its_directory(tmp_path: Path) -> None:
    killed, removed = await started(tmp_path, grace=30.0), await started(tmp_path, grace=30.0)
    family = family_of(tmp_path)
    keeper = int((tmp_path / killed.name / "keeper").read_text("ascii"))
    chromium = min(pid for pid in descendants(keeper) if pid != keeper)

    os.kill(chromium, signal.SIGKILL)
    (tmp_path / removed.name / "door").unlink()
    await gone(family)

    assert [] == left(tmp_path)
    killed.leave()
    removed.leave()


async def test_a_browser_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ActFailed) as caught:
        await start(tmp_path, lambda _profile: ("/bin/sh", "-c", "echo no display >&2"), proxy=9, grace=1.0)

    assert ("no_browser", "The browser did not start: no display") == (caught.value.code, str(caught.value))
    assert [] == left(tmp_path)


async def test_a_start_that_is_cut_off_leaves_nothing(tmp_path: Path) -> None:
    starting = asyncio.create_task(started(tmp_path, grace=30.0))
    family: set[int] = set()
    while not family:
        await asyncio.sleep(0.01)
        family = family_of(tmp_path)

    starting.cancel()
    await asyncio.wait({starting})
    await gone(family)

    assert [] == left(tmp_path)


async def filled(isolated: IsolatedBrowsers, site: str) -> tuple[str, str]:
    """Leave a browser with a half-filled page; its name and its page's token."""
    async with isolated.session(Wanted(viewport=(800, 600), action_seconds=5.0)) as session:
        await go(session, f"{site}/half.html")
        await do(session, Input(text="Ann", target=Query(text="Name")))
        await do(session, Click(target=Query(text="Count")))
        token = await read(session, "text", target=Query(text="Token"))
        session.keep = True
        return session.own, token


async def test_a_browser_that_is_held_for_a_paused_task_ends_when_its_time_is_over(
    isolated: IsolatedBrowsers, site: str, tmp_path: Path
) -> None:
    name, _ = await filled(isolated, site)
    browser = family_of(tmp_path / "browsers")
    port = urlsplit((tmp_path / "browsers" / name / "endpoint").read_text("ascii")).port
    before = set(isolated.own_ports)

    await isolated.take_up({name}, 1.0)
    held = set(isolated.own_ports)
    await gone(browser)

    assert [] == left(tmp_path / "browsers")
    assert ({0}, {0, port}, {0}) == (before, held, isolated.own_ports)  # pages reach none of these


@pytest.mark.parametrize("alone", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_a_start_ends_the_browsers_that_no_task_names(
    isolated: IsolatedBrowsers, site: str, tmp_path: Path, alone: bool
) -> None:
    await filled(isolated, site)
    browser = family_of(tmp_path / "browsers")

    async with open_sessions(
        msgspec.structs.replace(SETTINGS, isolated=alone, directory=tmp_path / "browsers")
    ) as next_:
        await next_.take_up((), 60.0)
        await gone(browser)

    assert [] == left(tmp_path / "browsers")


async def test_what_is_not_kept_ends_with_its_session(isolated: IsolatedBrowsers, tmp_path: Path) -> None:
    async with isolated.session(Wanted(viewport=(800, 600))):
        browser = family_of(tmp_path / "browsers")
    await gone(browser)

    assert [] == left(tmp_path / "browsers")


async def test_tabs_are_found_in_their_order_with_the_same_one_to_act_in(isolated: IsolatedBrowsers, site: str) -> None:
    async with isolated.session(Wanted(viewport=(800, 600), action_seconds=5.0)) as session:
        await go(session, f"{site}/windows.html")
        await do(session, Click(target=Query(text="Popup")))
        await do(session, SwitchTab(number=1))
        before = await session.look(tree=False)
        session.keep = True

    async with isolated.session(Wanted(viewport=(800, 600), own=session.own)) as again:
        after = await again.look(tree=False)
        assert (True, before) == (again.attached, after)
        again.keep = False


async def test_an_element_that_only_its_place_tells_apart_is_found(isolated: IsolatedBrowsers, site: str) -> None:
    buttons = "<button>Go</button> <button onclick='this.textContent += `!`'>Go</button>"
    name = ""
    for expected in ("Go Go!", "Go Go!!"):
        async with isolated.session(Wanted(viewport=(800, 600), action_seconds=5.0, own=name)) as session:
            session.keep = not name
            tab = session._tabs.current_now
            assert tab is not None
            if not name:
                await go(session, f"{site}/two.html")
                await tab.page.set_content(buttons)
            name = session.own

            await do(session, Click(target=Query(kind="button", ordinal=2)))

            assert expected == await read(session, "page")


@pytest.mark.parametrize(
    "harm", [pytest.param("port", marks=pytest.mark.slow), pytest.param("driver", marks=pytest.mark.slow), "frozen"]
)
async def test_what_stands_in_the_way_to_a_browser_is_replaced(
    isolated: IsolatedBrowsers, site: str, tmp_path: Path, harm: str
) -> None:
    name, token = await filled(isolated, site)
    browser = family_of(tmp_path / "browsers")
    with socket.socket() as taken:
        if harm == "port":
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", int((tmp_path / "browsers" / name / "proxy").read_text("ascii"))))
            taken.listen()
        elif harm == "driver":
            assert isolated._drivers._current is not None
            isolated._drivers._current.kill()
        else:
            for pid in browser - {int((tmp_path / "browsers" / name / "keeper").read_text("ascii"))}:
                os.kill(pid, signal.SIGSTOP)

        async with isolated.session(Wanted(viewport=(800, 600), action_seconds=5.0, own=name)) as session:
            found = session.attached
            if found:
                assert token == await read(session, "text", target=Query(text="Token"))
            await go(session, f"{site}/two.html")
            session.keep = False
        await gone(browser)

    assert (harm == "driver") is found
