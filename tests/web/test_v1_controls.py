"""Pause, resume and stop, as the v1 documents have them, and as clients of the bridges send them."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from api.control import stream
from api.service import Service
from eventstore import decide
from eventstore import events as e
from tests.web.conftest import Client, Drive

UNKNOWN = "01890000-0000-7000-8000-000000000000"
MISSING = {"detail": [{"loc": ["query", "task_id"], "msg": "field required", "type": "value_error.missing"}]}
FORMS = ["/api/v1/{verb}-task?task_id={task_id}", "/api/v1/{verb}-task/{task_id}"]
Call = Callable[[str, str], str]
Effect = Callable[..., list[e.Event]]


@pytest.fixture(params=FORMS, ids=["query", "path"])
def path(request: pytest.FixtureRequest) -> Call:
    """The path of a verb and a task, in each form."""
    form: str = request.param
    return lambda verb, task_id: form.format(verb=verb, task_id=task_id)


async def words(drive: Drive, task_id: str) -> list[str]:
    """What stands on the task's tape."""
    return [recorded.type.removeprefix("task.") for recorded in await drive.tape(task_id)]


async def test_pause_answers_an_empty_object_and_the_status_becomes_paused(
    client: Client, drive: Drive, path: Call
) -> None:
    task_id = await drive.create()

    paused = await client.put(path("pause", task_id))
    status = await client.get(f"/api/v1/task/{task_id}/status")

    assert (200, {}, '"paused"') == (paused.status, await paused.json(), await status.text())
    assert ["created", "pause_requested"] == await words(drive, task_id)


async def test_resume_answers_an_empty_object_and_the_status_goes_on(client: Client, drive: Drive, path: Call) -> None:
    task_id = await drive.create()
    await drive.ask_pause(task_id)

    resumed = await client.put(path("resume", task_id))
    status = await client.get(f"/api/v1/task/{task_id}/status")

    assert (200, {}, '"created"') == (resumed.status, await resumed.json(), await status.text())
    assert ["created", "pause_requested", "resume_requested"] == await words(drive, task_id)


async def test_stop_answers_an_empty_object_and_the_status_becomes_stopped(
    client: Client, drive: Drive, path: Call
) -> None:
    task_id = await drive.create()

    stopped = await client.put(path("stop", task_id))
    status = await client.get(f"/api/v1/task/{task_id}/status")

    assert (200, {}, '"stopped"') == (stopped.status, await stopped.json(), await status.text())
    assert ["created", "stop_requested", "stopped"] == await words(drive, task_id)


@pytest.mark.parametrize(
    ("verb", "effect", "status"),
    [
        ("pause", decide.park, "paused"),
        ("resume", decide.unpark, "running"),
        ("stop", decide.stopped, "stopped"),
    ],
)
async def test_the_answer_waits_for_the_runner(
    client: Client, drive: Drive, service: Service, verb: str, effect: Effect, status: str
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    if verb == "resume":
        await drive.pause(task_id)
    fence = (await service.tasks.load(stream(task_id))).fence
    head = service.store.head

    call = asyncio.create_task(client.put(f"/api/v1/{verb}-task?task_id={task_id}"))
    await service.store.wait(head)
    waiting = not call.done()
    await service.tasks.transact(stream(task_id), partial(effect, fence=fence), actor="runner:r1")
    answer = await call
    then = await client.get(f"/api/v1/task/{task_id}/status")

    assert (True, 200, {}, f'"{status}"') == (waiting, answer.status, await answer.json(), await then.text())


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
async def test_a_missing_task_id_is_answered_as_in_the_documents(client: Client, verb: str) -> None:
    response = await client.put(f"/api/v1/{verb}-task")

    assert (422, MISSING) == (response.status, await response.json())


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
@pytest.mark.parametrize("task_id", [UNKNOWN, "task_1234567890abcdef", "x", "%ff", "%00", "a" * 4_000])
async def test_an_unknown_task_is_not_found(client: Client, path: Call, verb: str, task_id: str) -> None:
    response = await client.put(path(verb, task_id))

    assert (404, {"detail": "Task not found"}) == (response.status, await response.json())


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
async def test_an_empty_task_id_is_not_found(client: Client, verb: str) -> None:
    response = await client.put(f"/api/v1/{verb}-task?task_id=")

    assert (404, {"detail": "Task not found"}) == (response.status, await response.json())


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
async def test_a_task_of_another_project_is_not_found(client: Client, drive: Drive, path: Call, verb: str) -> None:
    task_id = await drive.create(project="another")

    response = await client.put(path(verb, task_id))

    assert (404, {"detail": "Task not found"}) == (response.status, await response.json())


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
async def test_without_a_key_nothing_is_steered(anonymous: Client, drive: Drive, path: Call, verb: str) -> None:
    task_id = await drive.create()

    response = await anonymous.put(path(verb, task_id))

    assert 401 == response.status
    assert ["created"] == await words(drive, task_id)


@pytest.mark.parametrize(
    ("verb", "end", "sentence"),
    [
        ("resume", "stop", "Stopped tasks cannot be resumed"),
        ("resume", "finish", "Finished tasks cannot be resumed"),
        ("resume", "fail", "Failed tasks cannot be resumed"),
        ("pause", "stop", "Stopped tasks cannot be paused"),
        ("pause", "finish", "Finished tasks cannot be paused"),
        ("pause", "fail", "Failed tasks cannot be paused"),
    ],
)
async def test_what_has_ended_is_neither_paused_nor_resumed(
    client: Client, drive: Drive, path: Call, verb: str, end: str, sentence: str
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await {"stop": drive.stop, "finish": drive.finish, "fail": drive.fail}[end](task_id)
    before = await words(drive, task_id)

    response = await client.put(path(verb, task_id))

    assert (409, {"detail": sentence}) == (response.status, await response.json())
    assert before == await words(drive, task_id)


@pytest.mark.parametrize("before", ["create", "start"])
async def test_only_a_paused_task_is_resumed(client: Client, drive: Drive, path: Call, before: str) -> None:
    task_id = await drive.create()
    if before == "start":
        await drive.start(task_id)

    response = await client.put(path("resume", task_id))

    sentence = {"create": "Queued tasks cannot be resumed", "start": "Running tasks cannot be resumed"}[before]
    assert (409, {"detail": sentence}) == (response.status, await response.json())


@pytest.mark.parametrize("end", ["stop", "finish", "fail"])
async def test_stopping_what_has_ended_changes_nothing(client: Client, drive: Drive, path: Call, end: str) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await {"stop": drive.stop, "finish": drive.finish, "fail": drive.fail}[end](task_id)
    before = await words(drive, task_id)

    response = await client.put(path("stop", task_id))

    assert (200, {}) == (response.status, await response.json())
    assert before == await words(drive, task_id)


async def test_pausing_a_paused_task_changes_nothing(client: Client, drive: Drive, path: Call) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.pause(task_id)
    before = await words(drive, task_id)

    response = await client.put(path("pause", task_id))

    assert (200, {}) == (response.status, await response.json())
    assert before == await words(drive, task_id)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"{broken", b"\xff\xfe", b"task_id=nothing"])
async def test_a_body_is_ignored(client: Client, drive: Drive, path: Call, body: bytes) -> None:
    task_id = await drive.create()

    response = await client.put(path("pause", task_id), data=body)

    assert (200, {}) == (response.status, await response.json())


async def test_a_pause_that_is_sent_again_after_a_resume_does_not_pause_again(
    client: Client, drive: Drive, path: Call
) -> None:
    task_id = await drive.create()
    retried = {"Idempotency-Key": "one pause"}

    for verb, headers in (("pause", retried), ("resume", {}), ("pause", retried)):
        response = await client.put(path(verb, task_id), headers=headers)
        assert (200, {}) == (response.status, await response.json())

    assert ["created", "pause_requested", "resume_requested"] == await words(drive, task_id)


async def test_the_tape_says_who_steered_and_by_which_command(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    await client.put(f"/api/v1/pause-task?task_id={task_id}", headers={"Idempotency-Key": "my command"})

    recorded = (await drive.tape(task_id))[-1]
    assert ("key:env", "pause:my command", e.PauseRequested(command_id="pause:my command")) == (
        recorded.actor,
        recorded.command_id,
        recorded.event,
    )


async def test_a_task_id_that_stands_there_twice_is_refused(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    response = await client.put(f"/api/v1/pause-task?task_id={task_id}&task_id={UNKNOWN}")

    detail = {"loc": ["query", "task_id"], "msg": "given more than once", "type": "value_error"}
    assert (422, {"detail": [detail]}) == (response.status, await response.json())


@pytest.mark.parametrize("verb", ["pause", "resume", "stop"])
async def test_another_method_is_not_allowed(client: Client, path: Call, verb: str) -> None:
    response = await client.post(path(verb, UNKNOWN))

    assert (405, {"detail": "Method Not Allowed"}) == (response.status, await response.json())
