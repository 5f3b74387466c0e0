"""Our own family: the tape as pages, a task as it stood, proof, pictures."""

import asyncio

from api.service import Service
from api.tape import VERIFYING
from eventstore.events import KeyCreated
from tests.web.conftest import Client, Drive

PNG = b"\x89PNG\r\n\x1a\n not much of a picture"


async def positions(client: Client, path: str, **query: int) -> tuple[list[int], int, int]:
    page = await (await client.get(path, params=query)).json()
    return [event["position"] for event in page["events"]], page["next"], page["head"]


async def test_an_event_is_told_as_it_lies_on_the_tape(client: Client, drive: Drive) -> None:
    task_id = await drive.create(instruction="Buy tea.")
    await drive.claim(task_id)

    page = await (await client.get(f"/api/tape/tasks/{task_id}/events", params={"after": 1})).json()

    (recorded,) = (await drive.tape(task_id))[1:]
    at = page["events"][0].pop("at")
    assert {
        "events": [
            {
                "position": 2,
                "stream": f"task-{task_id}",
                "version": 2,
                "type": "task.claimed",
                "actor": "runner:r1",
                "command_id": "",
                "data": {"type": "task.claimed", "runner": "r1", "attempt": 1},
                "hash": recorded.hash.hex(),
            }
        ],
        "next": 2,
        "head": 2,
    } == page
    assert (27, "Z") == (len(at), at[-1])


async def test_pages_follow_each_other_by_next(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)

    first = await positions(client, "/api/tape/events", limit=2)
    second = await positions(client, "/api/tape/events", limit=2, after=2)
    third = await positions(client, "/api/tape/events", limit=2, after=3)

    assert [([1, 2], 2, 3), ([3], 3, 3), ([], 3, 3)] == [first, second, third]


async def test_the_log_shows_the_callers_project_alone_and_moves_on_over_the_rest(
    service: Service, client: Client, drive: Drive
) -> None:
    await drive.create(project="other")
    mine = await drive.create()
    await service.store.append("key-1", 0, [KeyCreated(digest="0" * 64, project="other")], actor="system")
    await service.store.append("key-2", 0, [KeyCreated(digest="1" * 64, project="default")], actor="system")
    await drive.claim(mine)

    assert ([2, 4, 5], 5, 5) == await positions(client, "/api/tape/events")
    assert ([], 1, 5) == await positions(client, "/api/tape/events", limit=1)


async def test_a_tasks_events_are_paged_by_positions_of_the_log(client: Client, drive: Drive) -> None:
    one, other = await drive.create(), await drive.create()
    await drive.claim(one)
    await drive.claim(other)
    path = f"/api/tape/tasks/{one}/events"

    first = await positions(client, path, limit=1)
    second = await positions(client, path, limit=1, after=1)
    third = await positions(client, path, limit=1, after=3)

    assert [([1], 1, 4), ([3], 3, 4), ([], 4, 4)] == [first, second, third]


async def test_a_task_of_another_project_does_not_exist(client: Client, drive: Drive) -> None:
    task_id = await drive.create(project="other")
    await drive.start(task_id)
    await drive.step(task_id, screenshot=PNG)

    for path in (f"/{task_id}", f"/{task_id}/events", f"/{task_id}/screenshots/1.png", "/nonsense", "/nonsense/events"):
        response = await client.get(f"/api/tape/tasks{path}")
        assert (404, {"detail": "Task not found"}) == (response.status, await response.json()), path


async def test_a_task_stands_as_it_stood_at_a_position_or_a_time(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.finish(task_id, "tea")
    path = f"/api/tape/tasks/{task_id}"
    events = (await (await client.get(f"{path}/events")).json())["events"]

    told = [
        (then["state"], then["position"], then["output"])
        for at in ("1", events[1]["at"], "3", "99", "")
        for then in [await (await client.get(path, params={"at": at})).json()]
    ]

    assert [
        ("queued", 1, ""),
        ("claimed", 2, ""),
        ("running", 3, ""),
        ("finished", 4, "tea"),
        ("finished", 4, "tea"),
    ] == told


async def test_before_its_creation_a_task_does_not_exist(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    response = await client.get(f"/api/tape/tasks/{task_id}", params={"at": "0"})

    assert (404, {"detail": "This task was not created yet then."}) == (response.status, await response.json())


async def test_a_step_is_told_whole(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id, screenshot=PNG)

    (step,) = (await (await client.get(f"/api/tape/tasks/{task_id}")).json())["steps"]

    assert step.pop("started_at") < step.pop("ended_at")
    assert step.pop("screenshot_url").startswith(
        f"http://tape.test/api/tape/tasks/{task_id}/screenshots/1.png?expires="
    )
    assert {
        "number": 1,
        "duration_ms": 1500,
        "url": "http://shop.test/",
        "title": "Shop",
        "evaluation": "It went well.",
        "memory": "Step 1 is done.",
        "next_goal": "Go on.",
        "actions": [{"click": {"target": {"text": "Buy"}}}],
        "results": ["clicked"],
        "errors": [""],
        "interrupted": "",
        "usage": None,
    } == step


async def test_a_picture_is_shown_by_key_or_by_signed_link_and_not_otherwise(
    client: Client, anonymous: Client, drive: Drive
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id, screenshot=PNG)
    (step,) = (await (await client.get(f"/api/tape/tasks/{task_id}")).json())["steps"]
    link = step["screenshot_url"].removeprefix("http://tape.test")
    path, _, signed = link.partition("?")

    by_key = await client.get(path)
    by_link = await anonymous.get(link)
    refused = [
        (await anonymous.get(each)).status
        for each in (
            path,
            link[:-1],
            f"{path}?{signed.replace('expires=', 'expires=1')}",
            link.replace("1.png", "2.png"),
        )
    ]

    assert (200, "image/png", PNG) == (by_key.status, by_key.content_type, await by_key.read())
    assert (200, "image/png", PNG) == (by_link.status, by_link.content_type, await by_link.read())
    assert [401] * 4 == refused


async def test_the_chain_verifies(service: Service, client: Client, drive: Drive) -> None:
    await drive.create()

    verdict = await (await client.get("/api/tape/verify")).json()

    (recorded,) = await service.store.read()
    assert {"ok": True, "head": 1, "hash": recorded.hash.hex()} == verdict


async def test_the_chain_is_verified_for_one_client_at_a_time(client: Client) -> None:
    async with client.app[VERIFYING]:
        waiting = asyncio.ensure_future(client.get("/api/tape/verify"))
        other = await client.get("/api/tape/events")
        early = waiting.done()
    response = await waiting

    assert (200, False, 200) == (other.status, early, response.status)


async def test_what_cannot_be_read_is_named(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    answers = [
        await (await client.get(path)).json()
        for path in (
            "/api/tape/events?after=-1",
            "/api/tape/events?limit=1001",
            "/api/tape/events?limit=x",
            "/api/tape/events?after=1&after=2",
            f"/api/tape/tasks/{task_id}?at=yesterday",
        )
    ]

    def flaw(name: str, message: str) -> dict[str, object]:
        return {"detail": [{"loc": ["query", name], "msg": message, "type": "value_error"}]}

    assert [
        flaw("after", "Expected `int` >= 0"),
        flaw("limit", "Expected `int` <= 1000"),
        flaw("limit", "Expected `int`, got `str`"),
        flaw("after", "given more than once"),
        flaw("at", "A position of the log, or a time in ISO 8601."),
    ] == answers
