"""The tape as a stream: it ends with the task, goes on where it broke off, and ends with the server."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest
from aiohttp import web

from api.auth import ANONYMOUS
from api.sse import PING, RETRY, STREAMS, Batch, Message, Streams, render, stream
from api.wire import CALLER
from tests.web.conftest import Client, Drive, MakeClient

STREAM = {"Accept": "text/event-stream"}
SECONDS = 60.0


class Told(msgspec.Struct, frozen=True):
    """What a client reads of one event."""

    id: str
    event: str
    data: dict[str, object]


async def told(response: aiohttp.ClientResponse) -> AsyncIterator[Told]:
    """The events of a stream, until the server ends it."""
    fields: dict[str, str] = {}
    async for line in response.content:
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield Told(fields["id"], fields["event"], msgspec.json.decode(fields["data"]))
            fields = {}


async def whole(response: aiohttp.ClientResponse) -> list[Told]:
    """All events of a stream that ends by itself."""
    async with asyncio.timeout(SECONDS):
        return [each async for each in told(response)]


async def test_a_stream_tells_the_same_events_as_the_pages_and_ends_with_the_task(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.finish(task_id, "done")
    path = f"/api/tape/tasks/{task_id}/events"

    async with client.get(path, headers=STREAM) as response:
        streamed = await whole(response)

    paged = (await (await client.get(path)).json())["events"]
    assert ("text/event-stream", "no-store") == (response.content_type, response.headers["Cache-Control"])
    assert paged == [each.data for each in streamed]
    assert [("1", "task.created"), ("2", "task.claimed"), ("3", "task.started"), ("4", "task.finished")] == [
        (each.id, each.event) for each in streamed
    ]


async def test_a_stream_tells_what_happens_while_it_is_open(client: Client, drive: Drive) -> None:
    task_id, other = await drive.create(), await drive.create()

    async with client.get(f"/api/tape/tasks/{task_id}/events", headers=STREAM) as response, asyncio.timeout(SECONDS):
        events = told(response)
        seen = [(await anext(events)).event]
        await drive.start(other)
        await drive.claim(task_id)
        seen.append((await anext(events)).event)
        await drive.ask_stop(task_id)
        seen.append((await anext(events)).event)
        await drive.answer(task_id)
        seen += [each.event async for each in events]

    assert ["task.created", "task.claimed", "task.stop_requested", "task.stopped"] == seen


async def test_the_stream_of_the_log_follows_every_task_of_the_project(client: Client, drive: Drive) -> None:
    async with client.get("/api/tape/events", headers=STREAM) as response, asyncio.timeout(SECONDS):
        events = told(response)
        await drive.create(project="other")
        mine = await drive.create()
        first = await anext(events)
        await drive.claim(mine)
        second = await anext(events)

    assert [("2", "task.created"), ("3", "task.claimed")] == [(first.id, first.event), (second.id, second.event)]


async def test_a_client_that_comes_back_goes_on_after_what_it_saw(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.fail(task_id)
    path = f"/api/tape/tasks/{task_id}/events"

    async with client.get(path, params={"after": 1}, headers={**STREAM, "Last-Event-ID": "3"}) as response:
        by_header = await whole(response)
    async with client.get(path, params={"after": 3}, headers=STREAM) as response:
        by_query = await whole(response)

    assert by_header == by_query
    assert ["task.failed"] == [each.event for each in by_header]


async def test_after_the_last_event_of_a_task_a_client_is_told_not_to_come_again(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.ask_stop(task_id)

    response = await client.get(f"/api/tape/tasks/{task_id}/events", headers={**STREAM, "Last-Event-ID": "3"})

    assert 204 == response.status


@pytest.mark.parametrize("position", ["now", "9" * 19, "0" * 20 + "9" * 19, "0" * 20 + "9" * 5_000])
async def test_a_position_that_is_none_is_refused(client: Client, position: str) -> None:
    response = await client.get("/api/tape/events", headers={**STREAM, "Last-Event-ID": position})

    message = "Last-Event-ID must be a position of the log."
    flaw = {"loc": ["header", "Last-Event-ID"], "msg": message, "type": "value_error"}
    assert (422, {"detail": [flaw]}) == (response.status, await response.json())


async def test_a_client_hears_a_sign_of_life_while_the_log_is_busy_with_what_it_may_not_see(
    aiohttp_client: MakeClient,
) -> None:
    async def nothing_for_it(position: int) -> Batch:
        await asyncio.sleep(0)
        return Batch(messages=(), next=position + 1)

    async def handler(request: web.Request) -> web.StreamResponse:
        request[CALLER] = ANONYMOUS
        return await stream(request, 0, nothing_for_it, anything, lambda: True, ping_seconds=0.01)

    async def anything(_: int) -> None:
        return

    app = web.Application()
    app[STREAMS] = Streams(each=1)
    app.router.add_get("/", handler)
    client = await aiohttp_client(app)

    async with client.get("/") as response, asyncio.timeout(SECONDS):
        lines = [await response.content.readline() for _ in range(6)]

    assert [RETRY, PING, PING] == [b"".join(lines[at : at + 2]) for at in (0, 2, 4)]


async def test_when_the_server_ends_its_streams_end_in_order(client: Client, drive: Drive) -> None:
    await drive.create()

    async with client.get("/api/tape/events", headers=STREAM) as response, asyncio.timeout(SECONDS):
        events = told(response)
        await anext(events)
        client.app[STREAMS].close()
        rest = [each async for each in events]

    assert [] == rest


async def test_a_client_that_leaves_leaves_nothing_behind(client: Client, drive: Drive) -> None:
    await drive.create()
    async with client.get("/api/tape/events", headers=STREAM) as response:
        await anext(told(response))
        assert 1 == client.app[STREAMS].open

    # What is written to it tells that it has gone.
    async with asyncio.timeout(SECONDS):
        while client.app[STREAMS].open:
            await drive.create()


async def test_streams_are_woken_again_while_those_that_were_woken_come_round() -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    streams = Streams(each=1)
    waiting = [asyncio.create_task(streams.quiet(never(), SECONDS)) for _ in range(2)]
    await asyncio.sleep(0)

    streams.wake()
    await asyncio.sleep(0)  # their time is up, and they do not know it yet
    streams.wake()

    assert [True, True] == await asyncio.gather(*waiting)


def test_an_event_is_three_lines_and_an_empty_one() -> None:
    message = Message(id=7, event="task.created", data=b'{"text":"a\\nb"}')

    assert b'id: 7\nevent: task.created\ndata: {"text":"a\\nb"}\n\n' == render(message)
