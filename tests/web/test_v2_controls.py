"""How v2 steers a task: the answer is the task as it then stands."""

from typing import Any

import pytest

from api import control
from eventstore import events as e
from eventstore.memory import MemoryStore
from eventstore.store import EventStore
from tests.web.conftest import Client, Drive
from tests.web.v2_shapes import SESSION, view


@pytest.fixture
def store() -> EventStore:
    """A tape on which each event happens a microsecond after the one before it."""
    return MemoryStore(clock=lambda: 1_699_335_116_000_000)


DOCUMENTED: dict[str, Any] = {
    "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "sessionId": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
    "llm": "<string>",
    "task": "<string>",
    "status": "created",
    "createdAt": "2023-11-07T05:31:56Z",
    "steps": [
        {
            "number": 123,
            "memory": "<string>",
            "evaluationPreviousGoal": "<string>",
            "nextGoal": "<string>",
            "url": "<string>",
            "actions": ["<string>"],
            "screenshotUrl": "<string>",
        }
    ],
    "outputFiles": [{"id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "fileName": "<string>"}],
    "startedAt": "2023-11-07T05:31:56Z",
    "finishedAt": "2023-11-07T05:31:56Z",
    "metadata": {},
    "output": "<string>",
    "browserUseVersion": "<string>",
    "isSuccess": True,
    "judgement": "<string>",
    "judgeVerdict": True,
    "cost": "<string>",
    "suggestions": [{}],
}


async def test_the_answer_has_every_key_of_the_document_and_of_the_schema(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id, screenshot=b"PNG")
    fence = (await drive.tape(task_id))[1].version
    file = e.File(id=control.fresh_id(), name="a.csv", blob="0" * 64, size=1)
    await drive.record(task_id, e.FileProduced(fence=fence, step=1, file=file))
    await drive.finish(task_id)

    answer = await (await client.patch(f"/api/v2/tasks/{task_id}", json={"action": "stop"})).json()

    assert DOCUMENTED.keys() == answer.keys()
    assert set(DOCUMENTED["steps"][0]) | {"duration"} == set(answer["steps"][0])
    assert set(DOCUMENTED["outputFiles"][0]) == set(answer["outputFiles"][0])


@pytest.mark.parametrize("action", ["stop", "stop_task_and_session"])
async def test_stop_answers_with_the_whole_task(client: Client, drive: Drive, action: str) -> None:
    task_id = await drive.create(session=SESSION)

    response = await client.patch(f"/api/v2/tasks/{task_id}", json={"action": action})

    expected = view(task_id, status="stopped", finishedAt="2023-11-07T05:31:56.000002Z")
    assert (200, expected) == (response.status, await response.json())


async def test_pause_and_resume_answer_with_the_whole_task(client: Client, drive: Drive) -> None:
    task_id = await drive.create(session=SESSION)

    paused = await client.patch(f"/api/v2/tasks/{task_id}", json={"action": "pause"})
    resumed = await client.patch(f"/api/v2/tasks/{task_id}", json={"action": "resume"})

    assert (200, view(task_id, status="started")) == (paused.status, await paused.json())
    assert (200, view(task_id)) == (resumed.status, await resumed.json())


async def test_stopping_what_has_ended_changes_nothing(client: Client, drive: Drive) -> None:
    task_id = await drive.create(session=SESSION)
    await drive.start(task_id)
    await drive.finish(task_id, "done")
    before = await drive.tape(task_id)
    shown = await (await client.get(f"/api/v2/tasks/{task_id}")).json()

    response = await client.patch(f"/api/v2/tasks/{task_id}", json={"action": "stop"})

    assert (200, shown) == (response.status, await response.json())
    assert before == await drive.tape(task_id)


async def test_a_stop_under_the_key_of_a_pause_is_a_stop(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    key = {"Idempotency-Key": "one key for all"}

    for action in ("pause", "resume", "stop"):
        response = await client.patch(f"/api/v2/tasks/{task_id}", json={"action": action}, headers=key)

    assert (200, "stopped") == (response.status, (await response.json())["status"])


async def test_a_stopped_task_is_not_resumed(client: Client, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.ask_stop(task_id)

    response = await client.patch(f"/api/v2/tasks/{task_id}", json={"action": "resume"})

    assert (409, {"detail": "Stopped tasks cannot be resumed"}) == (response.status, await response.json())


@pytest.mark.parametrize(
    ("body", "loc", "msg"),
    [
        ({}, ["body", "action"], "field required"),
        ({"action": "start"}, ["body", "action"], "Invalid enum value 'start'"),
        ({"action": None}, ["body", "action"], "Expected `str`, got `null`"),
        ([], ["body"], "Expected `object`, got `array`"),
    ],
)
async def test_an_action_that_there_is_not_is_refused(
    client: Client, drive: Drive, body: object, loc: list[str], msg: str
) -> None:
    task_id = await drive.create()

    response = await client.patch(f"/api/v2/tasks/{task_id}", json=body)

    kind = "value_error.missing" if msg == "field required" else "value_error"
    assert (422, {"detail": [{"loc": loc, "msg": msg, "type": kind}]}) == (response.status, await response.json())
