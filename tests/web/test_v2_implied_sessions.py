"""Which session that a task implies a new v2 task may run in: none, since such a session ends with its task."""

import pytest

from api.service import Service
from tests.web.conftest import Client, Drive

TASKS = "/api/v2/tasks"
UNKNOWN = "01890000-0000-7000-8000-000000000000"
BUSY = "Agent session already has a running task. Please wait for it to finish or stop it manually."
STOPPED = "Browser session is stopped. Please start a new session and try again."


async def test_an_unknown_session_is_not_found(client: Client, service: Service) -> None:
    response = await client.post(TASKS, json={"task": "Open the shop.", "sessionId": UNKNOWN})

    assert (404, {"detail": "Session not found"}, 0) == (response.status, await response.json(), service.store.head)


async def test_a_session_of_another_project_is_not_found(client: Client, drive: Drive) -> None:
    await drive.create(project="another", session=UNKNOWN)

    response = await client.post(TASKS, json={"task": "Open the shop.", "sessionId": UNKNOWN})

    assert (404, {"detail": "Session not found"}) == (response.status, await response.json())


@pytest.mark.parametrize("end", ["create", "start", "pause"])
async def test_the_session_of_a_live_task_is_busy(client: Client, drive: Drive, end: str) -> None:
    task_id = await drive.create(session=UNKNOWN)
    if end != "create":
        await drive.start(task_id)
    if end == "pause":
        await drive.pause(task_id)

    response = await client.post(TASKS, json={"task": "Open the shop.", "sessionId": UNKNOWN})

    assert (400, {"detail": BUSY}) == (response.status, await response.json())


@pytest.mark.parametrize("end", ["finish", "fail", "stop"])
async def test_the_session_of_an_ended_task_is_stopped(client: Client, drive: Drive, end: str) -> None:
    task_id = await drive.create(session=UNKNOWN)
    await drive.start(task_id)
    match end:
        case "finish":
            await drive.finish(task_id)
        case "fail":
            await drive.fail(task_id)
        case _:
            await drive.stop(task_id)

    response = await client.post(TASKS, json={"task": "Open the shop.", "sessionId": UNKNOWN.upper()})

    assert (400, {"detail": STOPPED}) == (response.status, await response.json())
