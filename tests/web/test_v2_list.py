"""How v2 lists tasks: whose, which, and how many at a time."""

from typing import Any

import pytest

from eventstore.memory import MemoryStore
from eventstore.store import EventStore
from tests.web.conftest import Client, Drive
from tests.web.v2_shapes import NOW, SESSION, item


@pytest.fixture
def store() -> EventStore:
    """A tape on which each event happens a microsecond after the one before it."""
    return MemoryStore(clock=lambda: 1_699_335_116_000_000)


async def listed(client: Client, query: str) -> list[str]:
    """The sentences of the tasks in a list."""
    answer: dict[str, Any] = await (await client.get(f"/api/v2/tasks?{query}")).json()
    return [each["task"] for each in answer["items"]]


async def test_a_task_of_another_project_is_neither_found_nor_listed(client: Client, drive: Drive) -> None:
    task_id = await drive.create(project="another", session=SESSION)

    response = await client.get(f"/api/v2/tasks/{task_id}")

    assert (404, {"detail": "Task not found"}) == (response.status, await response.json())
    assert [] == await listed(client, f"sessionId={SESSION}")


async def test_the_list_shows_the_newest_first_and_a_page_at_a_time(client: Client, drive: Drive) -> None:
    ids = [await drive.create(session=SESSION) for _ in range(5)]

    response = await client.get("/api/v2/tasks?pageSize=2&pageNumber=2")

    expected = {
        "items": [item(ids[place], createdAt=f"2023-11-07T05:31:56.00000{place}Z") for place in (2, 1)],
        "totalItems": 5,
        "pageNumber": 2,
        "pageSize": 2,
    }
    assert (200, expected) == (response.status, await response.json())


async def test_a_list_of_nothing_has_ten_places(client: Client) -> None:
    response = await client.get("/api/v2/tasks")

    expected = {"items": [], "totalItems": 0, "pageNumber": 1, "pageSize": 10}
    assert (200, expected) == (response.status, await response.json())


async def test_the_list_is_filtered_by_session_status_and_time(client: Client, drive: Drive) -> None:
    await drive.create(instruction="queued", session=SESSION)
    for name in ("finished", "failed", "stopped", "paused", "started"):
        task_id = await drive.create(instruction=name)
        await drive.start(task_id)
        match name:
            case "finished":
                await drive.finish(task_id)
            case "failed":
                await drive.fail(task_id)
            case "stopped":
                await drive.stop(task_id)
            case "paused":
                await drive.pause(task_id)

    found = {
        query: await listed(client, query)
        for query in (
            f"sessionId={SESSION}",
            "filterBy=created",
            "filterBy=started",
            "filterBy=finished",
            "filterBy=failed",
            "filterBy=stopped",
            f"filterBy=finished&sessionId={SESSION}",
            f"before={NOW}",
            f"after={NOW}&before=2023-11-07T05:31:56.000001Z",
            "before=2023-11-07T05:31:56.000001",
            "after=2023-11-07T06:31:56.000018%2B01:00",
            "after=0001-01-01T00:00:00Z&before=9999-12-31T23:59:59Z&filterBy=stopped",
        )
    }

    assert found == {
        f"sessionId={SESSION}": ["queued"],
        "filterBy=created": ["queued"],
        "filterBy=started": ["started", "paused"],
        "filterBy=finished": ["failed", "finished"],
        "filterBy=failed": ["failed"],
        "filterBy=stopped": ["stopped"],
        f"filterBy=finished&sessionId={SESSION}": [],
        f"before={NOW}": [],
        f"after={NOW}&before=2023-11-07T05:31:56.000001Z": ["queued"],
        "before=2023-11-07T05:31:56.000001": ["queued"],
        "after=2023-11-07T06:31:56.000018%2B01:00": ["started"],
        "after=0001-01-01T00:00:00Z&before=9999-12-31T23:59:59Z&filterBy=stopped": ["stopped"],
    }


@pytest.mark.parametrize(
    ("query", "name", "sentence"),
    [
        ("pageSize=0", "pageSize", "Expected `int` >= 1"),
        ("pageSize=101", "pageSize", "Expected `int` <= 100"),
        ("pageNumber=0", "pageNumber", "Expected `int` >= 1"),
        ("pageNumber=one", "pageNumber", "Expected `int`, got `str`"),
        ("sessionId=5", "sessionId", "Invalid UUID"),
        ("filterBy=paused", "filterBy", "Invalid enum value 'paused'"),
        ("after=yesterday", "after", "Invalid RFC3339 encoded datetime"),
        ("before=2023-11-07", "before", "Invalid RFC3339 encoded datetime"),
    ],
)
async def test_a_list_that_cannot_be_is_refused(client: Client, query: str, name: str, sentence: str) -> None:
    response = await client.get(f"/api/v2/tasks?{query}")

    expected = {"detail": [{"loc": ["query", name], "msg": sentence, "type": "value_error"}]}
    assert (422, expected) == (response.status, await response.json())
