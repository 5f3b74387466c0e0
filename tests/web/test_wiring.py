"""The whole service as it is run: opened in order, closed in reverse, and refused in a sentence."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import aiohttp
import pytest

from api import control
from api.service import Caller
from api.serving import bound, listening
from api.settings import Settings
from api.wiring import open_service
from eventstore import events as e
from eventstore.errors import CannotOpen

SECONDS = 30.0


def idle(tmp_path: Path) -> Settings:
    """A service that runs no tasks, on any free port."""
    return Settings(data_dir=tmp_path / "data", port=0, max_concurrent=0)


async def get(url: str, key: str | None = None) -> tuple[int, object]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
        return response.status, await response.json()


async def test_the_first_start_makes_a_key_that_opens_every_later_one(tmp_path: Path) -> None:
    settings = idle(tmp_path)

    async with open_service(settings) as first:
        pass
    with bound(settings) as port:
        async with open_service(settings) as second, listening(second.service, port) as url:
            answers = [await get(f"{url}/api/v1/me", first.new_key), await get(f"{url}/readyz")]

    assert second.new_key is None
    assert [(200, True), (200, {"status": "ok", "position": 1, "head": 1})] == answers


async def test_a_task_outlives_the_service(tmp_path: Path) -> None:
    settings = idle(tmp_path)
    asked = e.TaskCreated(
        instruction="Buy tea.", llm="instructions", session="s", project="", family="v1", request_digest=""
    )

    async with open_service(settings) as first:
        caller = Caller(actor="key:env", project="default")
        created = await control.create(first.service, caller, asked, digest="d", idempotency_key="once")
    async with open_service(settings) as second:
        row = await control.task(second.service, caller, created.id)
        again = await control.create(second.service, caller, asked, digest="d", idempotency_key="once")

    assert ("Buy tea.", "queued") == (row.instruction, row.state)
    assert control.Created(id=created.id, replayed=True) == again


async def test_a_second_service_on_the_same_data_is_told_who_has_it(tmp_path: Path) -> None:
    settings = idle(tmp_path)

    async with open_service(settings):
        with pytest.raises(CannotOpen) as refused:
            async with open_service(settings):
                pytest.fail("two services hold one tape")

    assert f"in use by process {os.getpid()}" in str(refused.value)


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    settings = idle(tmp_path)

    with bound(settings) as port:
        port.listen()
        taken = Settings(data_dir=settings.data_dir, port=port.getsockname()[1])
        with pytest.raises(CannotOpen) as refused, bound(taken):
            pytest.fail("two services have one port")

    where = f"127.0.0.1:{taken.port}"
    assert f"Something else listens on {where} already. Choose another port with TAPEWRIGHT_PORT." == str(refused.value)


async def test_a_service_that_is_cancelled_while_it_opens_or_runs_lets_go_of_everything(tmp_path: Path) -> None:
    settings = idle(tmp_path)
    opened = asyncio.Event()

    async def hold() -> None:
        async with open_service(settings):
            opened.set()
            await asyncio.Event().wait()

    early = asyncio.create_task(hold())
    await asyncio.sleep(0)
    early.cancel()
    await asyncio.wait([early])
    late = asyncio.create_task(hold())
    async with asyncio.timeout(SECONDS):
        await opened.wait()
    late.cancel()
    await asyncio.wait([late])

    assert early.cancelled()
    assert late.cancelled()
    async with open_service(settings) as running:
        assert running.service.projector.position == running.service.store.head


MAIN = """
import sys
from pathlib import Path
from api import serving
from api.settings import Settings
settings = Settings(data_dir=Path(sys.argv[1]), port=0, max_concurrent=0)
serving.run(settings, on_ready=lambda url, key: print(url, key, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_service_in_order_with_its_streams(tmp_path: Path, number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MAIN, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            url, key = (await process.stdout.readline()).decode().split()
            headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
            async with aiohttp.request("GET", f"{url}/api/tape/events", headers=headers) as stream:
                first = await stream.content.readuntil(b"\n\n") + await stream.content.readuntil(b"\n\n")
                process.send_signal(number)
                await stream.content.read()
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert b"event: key.created" in first
    assert 0 == code


async def test_what_is_no_http_and_who_hangs_up_leave_nothing_in_the_log(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", MAIN, str(tmp_path), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            url, key = (await process.stdout.readline()).decode().split()
            port = int(url.rpartition(":")[2])
            head = f"POST /api/v1/run-task HTTP/1.1\r\nHost: tape\r\nAuthorization: Bearer {key}"
            bad = await say(port, f"{head}\x01\r\n\r\n", hang_up=False)
            await say(port, f"{head}\r\nContent-Length: 50\r\n\r\n{{", hang_up=True)
            well = await get(f"{url}/api/v1/me", key)
            process.terminate()
            _, log = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert bad.startswith(b"HTTP/1.0 400")
    assert (200, True) == well
    assert b"" == log


async def say(port: int, text: str, *, hang_up: bool) -> bytes:
    """The answer to a few raw bytes; none, when nobody waits for it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    await writer.drain()
    answer = b"" if hang_up else await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_wrong_list_of_private_networks_is_refused_at_the_start(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", port=0, max_concurrent=0, allow_private="loopback,home")

    with pytest.raises(CannotOpen, match=r"^TAPEWRIGHT_ALLOW_PRIVATE is 'loopback,home', which is not right: 'home'"):
        async with open_service(settings):
            raise AssertionError("unreachable")
