"""What v2 shows of a task, and who may look."""

import pytest

from api import control
from eventstore import events as e
from eventstore.memory import MemoryStore
from eventstore.store import EventStore
from tests.web.conftest import Client, Drive
from tests.web.v2_shapes import SESSION, view

UNKNOWN = "01890000-0000-7000-8000-000000000000"
PNG = b"\x89PNG\r\n\x1a\n"
NO_UUID = {"detail": [{"loc": ["path", "task_id"], "msg": "value is not a valid uuid", "type": "value_error"}]}


@pytest.fixture
def store() -> EventStore:
    """A tape on which each event happens a microsecond after the one before it."""
    return MemoryStore(clock=lambda: 1_699_335_116_000_000)


async def test_a_new_task_is_shown_whole(client: Client, drive: Drive) -> None:
    task_id = await drive.create(session=SESSION, metadata={"order": "17"})

    response = await client.get(f"/api/v2/tasks/{task_id}")

    assert (200, view(task_id, metadata={"order": "17"})) == (response.status, await response.json())


async def test_an_ended_task_is_shown_whole(client: Client, anonymous: Client, drive: Drive) -> None:
    task_id = await drive.create(session=SESSION)
    await drive.start(task_id)
    usage = e.Usage(model="gpt-4.1", input_tokens=5, output_tokens=5, cost_usd="0.0000001")
    await drive.step(task_id, screenshot=PNG, usage=usage)
    await drive.step(task_id, 2, duration_ms=20)
    await drive.finish(task_id, "Two things bought.")

    shown = await (await client.get(f"/api/v2/tasks/{task_id}")).json()

    picture = shown["steps"][0].pop("screenshotUrl")
    step = {
        "number": 1,
        "memory": "Step 1 is done.",
        "evaluationPreviousGoal": "It went well.",
        "nextGoal": "Go on.",
        "url": "http://shop.test/",
        "actions": ['{"click":{"target":{"text":"Buy"}}}'],
        "duration": 1.5,
    }
    second = step | {"number": 2, "memory": "Step 2 is done.", "duration": 0.02, "screenshotUrl": None}
    expected = view(
        task_id,
        status="finished",
        startedAt="2023-11-07T05:31:56.000002Z",
        finishedAt="2023-11-07T05:31:56.000011Z",
        output="Two things bought.",
        isSuccess=True,
        cost="0.0000001",
        steps=[step, second],
    )
    assert expected == shown
    assert picture.startswith(f"http://tape.test/api/tape/tasks/{task_id}/screenshots/1.png?")
    assert PNG == await (await anonymous.get(picture.removeprefix("http://tape.test"))).read()


async def test_the_files_of_a_task_have_ids_of_their_own(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    fence = (await drive.tape(task_id))[1].version
    for name in ("a.csv", "b.csv"):
        file = e.File(id=control.fresh_id(), name=name, blob="0" * 64, size=1)
        await drive.record(task_id, e.FileProduced(fence=fence, step=1, file=file))

    first, again = [(await (await client.get(f"/api/v2/tasks/{task_id}")).json())["outputFiles"] for _ in range(2)]

    assert ["a.csv", "b.csv"] == [file["fileName"] for file in first]
    assert 2 == len({file["id"] for file in first})
    assert first == again


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("success", {"status": "finished", "isSuccess": True, "output": "done"}),
        ("no success", {"status": "finished", "isSuccess": False, "output": "not done"}),
        ("fail", {"status": "finished", "isSuccess": False, "output": "The task took too long."}),
        ("stop", {"status": "stopped", "isSuccess": None, "output": None}),
    ],
)
async def test_pollers_learn_how_a_task_ended(
    client: Client, drive: Drive, end: str, expected: dict[str, object]
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    match end:
        case "success":
            await drive.finish(task_id, "done")
        case "no success":
            await drive.finish(task_id, "not done", success=False)
        case "fail":
            await drive.fail(task_id)
        case "stop":
            await drive.stop(task_id)

    response = await client.get(f"/api/v2/tasks/{task_id}/status")

    at = "2023-11-07T05:31:56.000004Z" if end == "stop" else "2023-11-07T05:31:56.000003Z"
    assert (200, {"id": task_id, "finishedAt": at, "cost": None, **expected}) == (
        response.status,
        await response.json(),
    )


async def test_pollers_learn_that_a_task_is_under_way(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)

    response = await client.get(f"/api/v2/tasks/{task_id}/status")

    nothing = {"output": None, "finishedAt": None, "isSuccess": None, "cost": None}
    assert (200, {"id": task_id, "status": "started", **nothing}) == (response.status, await response.json())


async def test_a_step_is_shown_when_it_is_over(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id)
    fence = (await drive.tape(task_id))[1].version
    act = e.ActionStarted(fence=fence, step=2, index=0, name="click", params='{"click":{}}', effect="lasting")
    await drive.record(task_id, e.StepStarted(fence=fence, number=2), act)

    under_way = await (await client.get(f"/api/v2/tasks/{task_id}")).json()
    await drive.record(task_id, e.StepInterrupted(fence=fence, number=2, cause="pause", uncertain=(0,)))
    over = await (await client.get(f"/api/v2/tasks/{task_id}")).json()

    assert ([1], [1, 2]) == tuple([step["number"] for step in each["steps"]] for each in (under_way, over))


@pytest.mark.parametrize("call", ["view", "status", "update"])
@pytest.mark.parametrize(
    ("task_id", "expected"),
    [
        (UNKNOWN, (404, {"detail": "Task not found"})),
        ("task_1234567890abcdef", (422, NO_UUID)),
        ("x", (422, NO_UUID)),
        ("%ff", (422, NO_UUID)),
        ("%00", (422, NO_UUID)),
    ],
)
async def test_a_task_that_there_is_not_is_not_found(
    client: Client, call: str, task_id: str, expected: tuple[int, object]
) -> None:
    path = f"/api/v2/tasks/{task_id}"
    match call:
        case "view":
            response = await client.get(path)
        case "status":
            response = await client.get(f"{path}/status")
        case _:
            response = await client.patch(path, json={"action": "stop"})

    assert expected == (response.status, await response.json())


async def test_an_id_is_read_in_any_of_its_spellings(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    shown = [
        (await (await client.get(f"/api/v2/tasks/{spelling}")).json())["id"]
        for spelling in (task_id, task_id.upper(), task_id.replace("-", ""))
    ]

    assert [task_id] * 3 == shown


async def test_without_a_key_nothing_is_shown_and_nothing_is_steered(anonymous: Client, drive: Drive) -> None:
    task_id = await drive.create()
    path = f"/api/v2/tasks/{task_id}"

    answers = [
        await anonymous.get("/api/v2/tasks"),
        await anonymous.get(path),
        await anonymous.get(f"{path}/status"),
        await anonymous.patch(path, json={"action": "stop"}),
    ]

    assert [(401, {"detail": "An API key is required."})] * 4 == [
        (answer.status, await answer.json()) for answer in answers
    ]
    assert 1 == len(await drive.tape(task_id))
