"""The stream of a project: whatever nouns it has, its own alone, and without gap or repetition where it broke off."""

import asyncio

import aiohttp
import pytest

from tests.web.conftest import Client, Drive
from tests.web.test_sse import SECONDS, STREAM, Told, told

MADE = {
    "session.created": ("/api/v2/sessions", {}),
    "profile.created": ("/api/v2/profiles", {"name": "Bank"}),
    "schedule.created": (
        "/api/v1/scheduled-task",
        {
            "task": "Open the shop.",
            "schedule_type": "interval",
            "interval_minutes": 60,
            "start_at": "2100-01-01T00:00:00Z",
        },
    ),
    "hook.created": ("/api/tape/webhooks", {"url": "http://127.0.0.1:9/"}),
    "task.created": ("/api/v2/tasks", {"task": "Open the shop."}),
}
PATH = "/api/tape/events"


@pytest.fixture
async def stranger(drive: Drive, anonymous: Client) -> Client:
    """An admin of another project."""
    anonymous.session.headers.update(await drive.key("admin", project="shop"))
    return anonymous


async def make_all(client: Client) -> set[str]:
    """One of each noun; what they are told of by."""
    found = set()
    for path, body in MADE.values():
        response = await client.post(path, json=body)
        assert response.ok, await response.text()
        found.add(str((await response.json())["id"]))
    return found


async def some(response: aiohttp.ClientResponse, number: int) -> list[Told]:
    """The next events of a stream."""
    events = told(response)
    async with asyncio.timeout(SECONDS):
        return [await anext(events) for _ in range(number)]


async def paged(client: Client, after: str) -> list[dict[str, object]]:
    """All events after a position, by pages."""
    page = await (await client.get(PATH, params={"after": after, "limit": 1000})).json()
    found: list[dict[str, object]] = page["events"]
    return found


async def test_a_project_is_told_of_every_noun_of_its_own_and_of_no_other(client: Client, stranger: Client) -> None:
    async with (
        stranger.get(PATH, headers={**STREAM, "Last-Event-ID": "1"}) as theirs,
        client.get(PATH, headers={**STREAM, "Last-Event-ID": "1"}) as ours,
    ):
        own, other = await make_all(client), await make_all(stranger)
        expected_ours, expected_theirs = await paged(client, "1"), await paged(stranger, "1")
        seen_ours, seen_theirs = await some(ours, len(expected_ours)), await some(theirs, len(expected_theirs))

    for ids, seen, expected in ((own, seen_ours, expected_ours), (other, seen_theirs, expected_theirs)):
        assert expected == [each.data for each in seen]
        assert set(MADE) <= {each.event for each in seen}
        assert ids == {str(each.data["stream"]).partition("-")[2] for each in seen if each.event in MADE}


async def test_who_is_cut_off_after_every_event_misses_none_and_sees_none_twice(
    client: Client, stranger: Client
) -> None:
    for each in (client, stranger, client):
        await make_all(each)
    expected = await paged(client, "0")

    last, seen = "0", list[dict[str, object]]()
    while len(seen) < len(expected):
        async with client.get(PATH, headers={**STREAM, "Last-Event-ID": last}) as response:
            (event,) = await some(response, 1)
        last = event.id
        seen.append(event.data)

    assert expected == seen
