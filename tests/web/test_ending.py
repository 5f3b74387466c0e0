"""The service is told to end while everything hangs: it ends by itself, in time, in order, and with the exit code 0."""

import asyncio
import signal
from pathlib import Path

import aiohttp

from eventstore.machine import State
from tests.killing import HEADERS, KEY, midwife
from tests.promises import Copy
from tests.serving import Order

UPLOAD = (
    f"POST /api/v2/tasks HTTP/1.1\r\nHost: tape\r\nAuthorization: Bearer {KEY}\r\n"
    'Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"task": '
)
STREAM = (
    f"GET /api/tape/events HTTP/1.1\r\nHost: tape\r\nAuthorization: Bearer {KEY}\r\nAccept: text/event-stream\r\n\r\n"
)


def order(path: Path, *, hangs: bool) -> Order:
    settings = {"data_dir": str(path / "data"), "port": "0", "api_key": KEY, "log_level": "error", "rate_limit": "0"}
    return Order(mark=str(path), settings=settings, effects=str(path / "effects"), hangs=hangs)


async def test_a_service_ends_in_order_whatever_hangs(tmp_path: Path) -> None:
    async with midwife(tmp_path / "log") as forks:
        life = await forks.bear(order(tmp_path, hangs=True))
        url = await life.ready()
        assert url is not None
        port = int(url.rpartition(":")[2])
        async with aiohttp.ClientSession(url, headers=HEADERS) as http:
            for verb in ("", "", "pause"):
                async with http.post("/api/v2/tasks", json={"task": 'Go to http://shop.test/. Click "Buy".'}) as made:
                    task = (await made.json())["id"]
                async with http.get(f"/api/tape/tasks/{task}/events", headers={"Accept": "text/event-stream"}) as tape:
                    await tape.content.readuntil(b"event: task.action_started\n")
                if verb:
                    async with http.patch(f"/api/v2/tasks/{task}", json={"action": verb}) as paused:
                        assert 200 == paused.status
            _, slow = await asyncio.open_connection("127.0.0.1", port)
            slow.write(UPLOAD.encode())
            stalled, reader = await asyncio.open_connection("127.0.0.1", port, limit=64)
            reader.write(STREAM.encode())
            await stalled.readexactly(1)

            life.kill(signal.SIGTERM)
            statuses = []
            while 503 not in statuses:
                async with http.get("/api/v1/me") as late:
                    statuses.append(late.status)
                    said = late.headers.get("Retry-After"), await late.json()
            async with http.get("/readyz") as ready:
                statuses.append(ready.status)
            code = await life.ended()
        left = await life.remains()
        for writer in (slow, reader):
            writer.close()

    copy = Copy(tmp_path / "data")
    wrong = list(copy.read())
    assert (0, [], []) == (code, left, wrong)
    assert 503 == statuses[-1]
    assert "The service is ending" in said[1]["detail"]
    assert said[0] is not None
    assert [State.QUEUED, State.QUEUED, State.PAUSED] == [state.state for state in copy.tasks.values()]
    assert [0, 0, 0] == [state.lost for state in copy.tasks.values()]


async def test_a_service_that_is_told_to_end_while_it_starts_ends(tmp_path: Path) -> None:
    async with midwife(tmp_path / "log") as forks:
        life = await forks.bear(order(tmp_path, hangs=False))
        life.kill(signal.SIGTERM)
        code = await life.ended()

    assert code in (0, -signal.SIGTERM), "in order, or before there was anything to put in order"
