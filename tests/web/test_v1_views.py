"""What v1 shows of a task: the status that clients poll, the whole, the list, the pictures; and who may look."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from eventstore.memory import MemoryStore
from eventstore.store import EventStore
from tests.web.conftest import Client, Drive

UNKNOWN = "01890000-0000-7000-8000-000000000000"
NOW = "2023-11-07T05:31:56Z"
PNG = b"\x89PNG\r\n\x1a\n"
READS = ["/api/v1/task/{}/status", "/api/v1/task/{}", "/api/v1/task/{}/screenshots"]


def without_token(view: dict[str, Any]) -> dict[str, Any]:
    """The link to the live page without what signs it."""
    return view | {"live_url": view["live_url"].partition("?token=c.")[0]}


@pytest.fixture
def store() -> EventStore:
    """A tape on which each event happens a microsecond after the one before it."""
    return MemoryStore(clock=lambda: 1_699_335_116_000_000)


async def test_a_new_task_is_shown_whole(client: Client, drive: Drive) -> None:
    task_id = await drive.create(metadata={"order": "17"}, files=["invoice.pdf"])

    response = await client.get(f"/api/v1/task/{task_id}")

    expected = {
        "id": task_id,
        "task": "Open the shop.",
        "live_url": f"http://tape.test/live/{task_id}",
        "output": None,
        "status": "created",
        "created_at": NOW,
        "finished_at": None,
        "steps": [],
        "browser_data": None,
        "user_uploaded_files": ["invoice.pdf"],
        "output_files": [],
        "public_share_url": None,
        "metadata": {"order": "17"},
    }
    assert (200, expected) == (response.status, without_token(await response.json()))


async def test_an_ended_task_is_shown_whole(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id)
    await drive.step(task_id, 2, next_goal="Finish.", url="http://shop.test/thanks")
    await drive.finish(task_id, "Two things bought.")

    view = await (await client.get(f"/api/v1/task/{task_id}")).json()

    ids = [step.pop("id") for step in view["steps"]]
    steps = [
        {"step": 1, "evaluation_previous_goal": "It went well.", "next_goal": "Go on.", "url": "http://shop.test/"},
        {
            "step": 2,
            "evaluation_previous_goal": "It went well.",
            "next_goal": "Finish.",
            "url": "http://shop.test/thanks",
        },
    ]
    expected: dict[str, object] = {
        "id": task_id,
        "task": "Open the shop.",
        "live_url": f"http://tape.test/live/{task_id}",
        "output": "Two things bought.",
        "status": "finished",
        "created_at": NOW,
        "finished_at": "2023-11-07T05:31:56.000011Z",
        "steps": steps,
        "browser_data": None,
        "user_uploaded_files": [],
        "output_files": [],
        "public_share_url": None,
        "metadata": {},
    }
    assert expected == without_token(view)
    assert 2 == len({UUID(step_id) for step_id in ids})


async def test_the_id_of_a_step_stays(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id)

    before = (await (await client.get(f"/api/v1/task/{task_id}")).json())["steps"]
    await drive.step(task_id, 2)
    after = (await (await client.get(f"/api/v1/task/{task_id}")).json())["steps"]

    assert before == after[:1]


async def test_the_list_shows_the_newest_first_and_a_page_at_a_time(client: Client, drive: Drive) -> None:
    ids = [await drive.create(instruction=f"Task {place}.") for place in range(5)]
    await drive.create(project="another")

    response = await client.get("/api/v1/tasks?page=2&limit=2")

    def item(place: int) -> dict[str, object]:
        return {
            "id": ids[place],
            "task": f"Task {place}.",
            "output": None,
            "status": "created",
            "created_at": f"2023-11-07T05:31:56.00000{place}Z",
            "finished_at": None,
            "live_url": f"http://tape.test/live/{ids[place]}",
        }

    expected = {"tasks": [item(2), item(1)], "total_pages": 3, "page": 2, "limit": 2, "total_count": 5}
    answer = await response.json()
    assert (200, expected) == (response.status, answer | {"tasks": [without_token(each) for each in answer["tasks"]]})


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/api/v1/list-tasks"])
async def test_a_list_of_nothing_has_no_pages(client: Client, path: str) -> None:
    response = await client.get(path)

    expected = {"tasks": [], "total_pages": 0, "page": 1, "limit": 10, "total_count": 0}
    assert (200, expected) == (response.status, await response.json())


async def test_a_page_beyond_the_last_is_empty(client: Client, drive: Drive) -> None:
    await drive.create()

    response = await client.get("/api/v1/tasks?page=1000000000&limit=100")

    expected = {"tasks": [], "total_pages": 1, "page": 1_000_000_000, "limit": 100, "total_count": 1}
    assert (200, expected) == (response.status, await response.json())


@pytest.mark.parametrize(
    ("query", "name", "sentence"),
    [
        ("page=0", "page", "Expected `int` >= 1"),
        ("page=-1", "page", "Expected `int` >= 1"),
        ("page=two", "page", "Expected `int`, got `str`"),
        ("page=", "page", "Expected `int`, got `str`"),
        ("page=1000000001", "page", "Expected `int` <= 1000000000"),
        ("page=" + "9" * 40, "page", "Expected `int` <= 1000000000"),
        ("limit=0", "limit", "Expected `int` >= 1"),
        ("limit=101", "limit", "Expected `int` <= 100"),
        ("limit=1&limit=2", "limit", "given more than once"),
    ],
)
async def test_a_page_that_cannot_be_is_refused(client: Client, query: str, name: str, sentence: str) -> None:
    response = await client.get(f"/api/v1/tasks?{query}")

    expected = {"detail": [{"loc": ["query", name], "msg": sentence, "type": "value_error"}]}
    assert (422, expected) == (response.status, await response.json())


async def test_every_step_with_a_picture_has_a_link_that_needs_no_key(
    client: Client, anonymous: Client, drive: Drive
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id, 1, screenshot=PNG + b"1")
    await drive.step(task_id, 2)
    await drive.step(task_id, 3, screenshot=PNG + b"3")

    urls = (await (await client.get(f"/api/v1/task/{task_id}/screenshots")).json())["screenshots"]
    pictures = [await anonymous.get(url.removeprefix("http://tape.test")) for url in urls]

    prefix = f"http://tape.test/api/tape/tasks/{task_id}/screenshots"
    assert [f"{prefix}/1.png", f"{prefix}/3.png"] == [urlsplit(url)._replace(query="").geturl() for url in urls]
    assert [(200, PNG + b"1"), (200, PNG + b"3")] == [(each.status, await each.read()) for each in pictures]


async def test_a_task_without_steps_has_no_pictures(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    response = await client.get(f"/api/v1/task/{task_id}/screenshots")

    assert (200, {"screenshots": []}) == (response.status, await response.json())


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("task_id", [UNKNOWN, "task_1234567890abcdef", "%ff", "%00", "a" * 4_000])
async def test_an_unknown_task_is_not_found(client: Client, path: str, task_id: str) -> None:
    response = await client.get(path.format(task_id))

    assert (404, {"detail": "Task not found"}) == (response.status, await response.json())


@pytest.mark.parametrize("path", READS)
async def test_a_task_of_another_project_is_not_found(client: Client, drive: Drive, path: str) -> None:
    task_id = await drive.create(project="another")

    response = await client.get(path.format(task_id))

    assert (404, {"detail": "Task not found"}) == (response.status, await response.json())


@pytest.mark.parametrize("path", [*READS, "/api/v1/tasks", "/api/v1/list-tasks"])
async def test_without_a_key_nothing_is_shown(anonymous: Client, drive: Drive, path: str) -> None:
    task_id = await drive.create()

    response = await anonymous.get(path.format(task_id))

    assert (401, {"detail": "An API key is required."}) == (response.status, await response.json())


async def test_looking_writes_nothing(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    before = await drive.tape(task_id)

    for path in [*READS, "/api/v1/tasks", "/api/v2/tasks", "/api/v2/tasks/{}", "/api/v2/tasks/{}/status"] * 3:
        assert 200 == (await client.get(path.format(task_id))).status

    assert before == await drive.tape(task_id)


@pytest.mark.parametrize("family", ["v1", "v2"])
async def test_ping_needs_no_key_but_no_wrong_one(client: Client, anonymous: Client, family: str) -> None:
    path = f"/api/{family}/ping"

    answers = [
        await client.get(path),
        await anonymous.get(path),
        await anonymous.get(path, headers={"Authorization": "Bearer wrong"}),
    ]

    assert [(200, {}), (200, {}), (401, {"detail": "The API key is not valid."})] == [
        (answer.status, await answer.json()) for answer in answers
    ]


async def test_me_is_a_bare_word(client: Client, anonymous: Client) -> None:
    path = "/api/v1/me"

    answers = [
        await client.get(path),
        await anonymous.get(path),
        await anonymous.get(path, headers={"X-Browser-Use-API-Key": "wrong"}),
    ]

    assert [(200, "true"), (401, "false"), (401, "false")] == [
        (answer.status, await answer.text()) for answer in answers
    ]
