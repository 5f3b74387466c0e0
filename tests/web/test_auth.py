"""Who may call, and what those hear who may not."""

from hashlib import sha256

import pytest

from api.auth import ensure_key
from api.service import Service
from eventstore.events import KeyCreated
from eventstore.memory import MemoryStore
from tests.web.conftest import KEY, Client, Drive

WRONG = [
    {"Authorization": "Bearer wrong"},
    {"Authorization": f"Basic {KEY}"},
    {"Authorization": ""},
    {"X-Browser-Use-API-Key": ""},
    {"X-Browser-Use-API-Key": KEY + "x"},
    {"X-Browser-Use-API-Key": "wrong", "Authorization": f"Bearer {KEY}"},
]
PATHS = ["/api/v1/tasks", "/api/v2/tasks", "/api/tape/events", "/api/v1/ping", "/healthz"]
RIGHT = [
    {"Authorization": f"Bearer {KEY}"},
    {"Authorization": f"bearer  {KEY}"},
    {"X-Browser-Use-API-Key": KEY},
    {"x-browser-use-api-key": KEY, "Authorization": "Basic dXNlcjpwYXNz"},
]


@pytest.mark.parametrize("headers", WRONG)
@pytest.mark.parametrize("path", [*PATHS, "/docs", "/api/v1/run-task", "/nowhere"])
async def test_a_wrong_key_is_refused_everywhere(anonymous: Client, path: str, headers: dict[str, str]) -> None:
    response = await anonymous.get(path, headers=headers)

    assert (401, {"detail": "The API key is not valid."}) == (response.status, await response.json())


@pytest.mark.parametrize("headers", RIGHT)
@pytest.mark.parametrize("path", PATHS)
async def test_either_header_is_read_on_every_family(anonymous: Client, path: str, headers: dict[str, str]) -> None:
    response = await anonymous.get(path, headers=headers)

    assert response.status == 200


async def test_no_key_is_refused_unless_the_route_is_open(anonymous: Client) -> None:
    closed = await anonymous.get("/api/v1/tasks")
    opened = await anonymous.get("/api/v1/ping")

    assert (401, {"detail": "An API key is required."}) == (closed.status, await closed.json())
    assert (200, {}) == (opened.status, await opened.json())


async def test_a_key_on_the_tape_opens_its_own_project_and_no_other(
    service: Service, anonymous: Client, drive: Drive
) -> None:
    mine = await drive.create(project="shop")
    other = await drive.create()
    key = "tw_of-the-shop"
    created = KeyCreated(digest=sha256(key.encode()).hexdigest(), project="shop")
    (recorded,) = await service.store.append("key-1", 0, [created], actor="system")
    await service.projector.reached(recorded.position)
    headers = {"Authorization": f"Bearer {key}"}

    answers = [(await anonymous.get(f"/api/tape/tasks/{task}", headers=headers)).status for task in (mine, other)]

    assert [200, 404] == answers


async def test_a_key_that_was_refused_opens_as_soon_as_it_is_on_the_tape(service: Service, anonymous: Client) -> None:
    headers = {"Authorization": "Bearer tw_not-yet"}
    before = await anonymous.get("/api/v1/tasks", headers=headers)

    created = KeyCreated(digest=sha256(b"tw_not-yet").hexdigest(), project="shop")
    (recorded,) = await service.store.append("key-1", 0, [created], actor="system")
    await service.projector.reached(recorded.position)
    after = await anonymous.get("/api/v1/tasks", headers=headers)

    assert (401, 200) == (before.status, after.status)


async def test_what_a_caller_does_stands_under_his_name_on_the_tape(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    await client.put("/api/v1/pause-task", params={"task_id": task_id})

    assert ["key:env", "key:env"] == [recorded.actor for recorded in await drive.tape(task_id)]


async def test_the_first_start_makes_one_key_and_the_tape_keeps_only_its_digest() -> None:
    store = MemoryStore()

    first, second = await ensure_key(store), await ensure_key(store)

    assert first is not None
    assert second is None
    (recorded,) = await store.read()
    assert recorded.event == KeyCreated(
        digest=sha256(first.encode()).hexdigest(), project="default", name="first start"
    )
    assert first.encode() not in (recorded.payload or b"")
