"""`?wait=` on a status: it answers when the word changes, when the task ends, when the time is over, or the server."""

import asyncio
from collections.abc import Awaitable

import aiohttp
import pytest

from api.service import Service
from api.sse import STREAMS
from tests.web.conftest import Client, Drive

SECONDS = 60.0
PATHS = ("/api/v1/task/{}/status", "/api/v2/tasks/{}/status")
each_family = pytest.mark.parametrize("path", PATHS)


async def word(response: aiohttp.ClientResponse) -> str:
    """The status that either family tells."""
    told = await response.json()
    return str(told["status"] if isinstance(told, dict) else told)


async def waiting(service: Service, asked: Awaitable[aiohttp.ClientResponse]) -> asyncio.Task[aiohttp.ClientResponse]:
    """The request, once it waits."""
    before = service.projector.tasks.waiting

    async def answer() -> aiohttp.ClientResponse:
        return await asked

    task = asyncio.create_task(answer())
    async with asyncio.timeout(SECONDS):
        while service.projector.tasks.waiting == before:
            assert not task.done(), await task
            await asyncio.sleep(0)
    return task


@each_family
async def test_who_waits_is_answered_when_the_word_changes_and_by_nothing_else(
    client: Client, drive: Drive, service: Service, path: str
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)

    asked = await waiting(service, client.get(path.format(task_id), params={"wait": 60}))
    await drive.step(task_id)
    still = asked.done()
    await drive.stop(task_id)
    async with asyncio.timeout(SECONDS / 2):
        response = await asked

    assert (False, 200, "stopped") == (still, response.status, await word(response))
    assert 0 == service.projector.tasks.waiting
    assert 0 == client.app[STREAMS].open


@each_family
async def test_who_knows_an_older_word_or_asks_of_an_ended_task_does_not_wait(
    client: Client, drive: Drive, path: str
) -> None:
    running, ended = await drive.create(), await drive.create()
    await drive.start(running)
    await drive.ask_stop(ended)

    async with asyncio.timeout(SECONDS / 2):
        first = await client.get(path.format(running), params={"wait": 60, "known": "created"})
        second = await client.get(path.format(ended), params={"wait": 60, "known": "stopped"})

    assert "stopped" == await word(second)
    assert await word(first) in ("running", "started")


@each_family
async def test_when_the_time_is_over_it_answers_as_ever(client: Client, drive: Drive, path: str) -> None:
    task_id = await drive.create()

    response = await client.get(path.format(task_id), params={"wait": 0.01})
    plain = await client.get(path.format(task_id))

    assert (200, await plain.read()) == (response.status, await response.read())


@each_family
async def test_a_server_that_ends_answers_who_waits(client: Client, drive: Drive, service: Service, path: str) -> None:
    task_id = await drive.create()

    asked = await waiting(service, client.get(path.format(task_id), params={"wait": 60}))
    client.app[STREAMS].close()
    async with asyncio.timeout(SECONDS / 2):
        response = await asked

    assert (200, "created") == (response.status, await word(response))


@each_family
async def test_a_key_that_is_revoked_waits_no_more(
    anonymous: Client, drive: Drive, service: Service, path: str, client: Client
) -> None:
    task_id, headers = await drive.create(), await drive.key("read")
    (key,) = service.projector.keys.every("default")

    asked = await waiting(service, anonymous.get(path.format(task_id), params={"wait": 60}, headers=headers))
    await client.delete(f"/api/tape/keys/{key.id}")
    anonymous.app[STREAMS].wake()
    async with asyncio.timeout(SECONDS / 2):
        response = await asked

    assert 401 == response.status


@each_family
@pytest.mark.parametrize("query", [{"wait": "61"}, {"wait": "-1"}, {"wait": "long"}, {"wait": "1", "known": "ready"}])
async def test_what_cannot_be_waited_for_is_refused(
    client: Client, drive: Drive, path: str, query: dict[str, str]
) -> None:
    task_id = await drive.create()

    response = await client.get(path.format(task_id), params=query)

    (flaw,) = (await response.json())["detail"]
    assert (422, ["query", list(query)[-1]]) == (response.status, flaw["loc"])


async def test_another_projects_task_is_not_waited_for(anonymous: Client, drive: Drive) -> None:
    task_id, headers = await drive.create(), await drive.key("read", project="shop")

    async with asyncio.timeout(SECONDS / 2):
        found = [
            (await anonymous.get(path.format(task_id), params={"wait": 60}, headers=headers)).status for path in PATHS
        ]

    assert [404, 404] == found
