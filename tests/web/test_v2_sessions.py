"""v2's sessions: begun, listed, read, entered by tasks, stopped, deleted, purged."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256

import pytest

from api import control, purging, sessions
from api.service import Service
from eventstore import events as e
from eventstore import retention
from eventstore import session as session_decide
from eventstore.store import EventStore
from tests.web.conftest import Client, Drive

SESSIONS, TASKS = "/api/v2/sessions", "/api/v2/tasks"
UNKNOWN = "01890000-0000-7000-8000-000000000000"
NOT_FOUND = (404, {"detail": "Session not found"})
STOPPED = "Browser session is stopped. Please start a new session and try again."
BUSY = "Agent session already has a running task. Please wait for it to finish or stop it manually."


async def begin(client: Client, **body: object) -> str:
    response = await client.post(SESSIONS, json=body)
    assert 201 == response.status, await response.text()
    return str((await response.json())["id"])


async def put_in(client: Client, session: str, **body: object) -> str:
    response = await client.post(TASKS, json={"task": "Open the shop.", "sessionId": session, **body})
    assert 202 == response.status, await response.text()
    answer = await response.json()
    assert session == answer["sessionId"]
    return str(answer["id"])


async def told(service: Service, session: str) -> list[e.Event]:
    return [recorded.event for recorded in await service.store.read_stream(f"session-{session}")]


def moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).isoformat().replace("+00:00", "Z")


async def test_a_session_needs_no_body_at_all(client: Client, service: Service) -> None:
    response = await client.post(SESSIONS)

    answer = await response.json()
    live = answer.pop("liveUrl")
    (recorded,) = await service.store.read_stream(f"session-{answer['id']}")
    expected = {
        "id": answer["id"],
        "status": "active",
        "recordingUrl": None,
        "startedAt": moment(recorded.at),
        "finishedAt": None,
        "persistMemory": True,
        "keepAlive": True,
        "proxyUsedMb": "0",
        "proxyCost": "0",
    }
    assert (201, expected) == (response.status, answer)
    assert live.startswith(f"http://tape.test/live/{answer['id']}?")


async def test_what_a_session_shall_be_is_recorded_and_holds_for_its_tasks(
    client: Client, drive: Drive, service: Service
) -> None:
    session = await begin(
        client,
        startUrl="http://shop.test/",
        browserScreenWidth=1024,
        browserScreenHeight=768,
        persistMemory=False,
        keepAlive=False,
    )
    task = await put_in(client, session, sessionSettings={"browserScreenWidth": 640})

    (created,) = await told(service, session)
    begun = (await drive.tape(task))[0].event
    options = e.Options(viewport_width=1024, viewport_height=768, given='{"persistMemory":false}')
    assert isinstance(created, e.SessionCreated)
    assert (
        e.SessionCreated(
            project="default",
            family="v2",
            keep_alive=False,
            start_url="http://shop.test/",
            seconds=service.settings.session_seconds,
            options=options,
            request_digest=created.request_digest,
        )
        == created
    )
    assert isinstance(begun, e.TaskCreated)
    assert (session, "http://shop.test/", 1024, 768) == (
        begun.session,
        begun.start_url,
        begun.options.viewport_width,
        begun.options.viewport_height,
    )


async def test_only_the_first_task_begins_at_the_sessions_start_url(
    client: Client, drive: Drive, service: Service
) -> None:
    session = await begin(client, startUrl="http://shop.test/")
    first = await put_in(client, session)
    opened = partial(session_decide.opened, opened=e.SessionOpened(runner="r1", browser="Chromium 150"))
    await service.sessions.transact(sessions.stream(session), opened, actor="test")
    await drive.start(first)
    await drive.finish(first)

    second = await put_in(client, session)

    urls = [
        event.start_url
        for task in (first, second)
        if isinstance(event := (await drive.tape(task))[0].event, e.TaskCreated)
    ]
    assert ["http://shop.test/", ""] == urls


async def test_the_task_after_one_that_never_ran_begins_at_the_sessions_start_url(client: Client, drive: Drive) -> None:
    session = await begin(client, startUrl="http://shop.test/")
    first = await put_in(client, session)
    await client.patch(f"{TASKS}/{first}", json={"action": "stop"})

    second = await put_in(client, session)

    begun = (await drive.tape(second))[0].event
    assert isinstance(begun, e.TaskCreated)
    assert "http://shop.test/" == begun.start_url


async def test_a_session_shows_its_tasks_the_newest_first(client: Client, drive: Drive) -> None:
    session = await begin(client)
    first = await put_in(client, session)
    await drive.start(first)
    await drive.finish(first, "one")
    second = await put_in(client, session)

    view = await (await client.get(f"{SESSIONS}/{session}")).json()
    tasks = [await (await client.get(f"{TASKS}/{task}")).json() for task in (second, first)]
    for task in tasks:
        del task["steps"], task["outputFiles"]
    assert tasks == view.pop("tasks")
    assert (session, "active", None) == (view["id"], view["status"], view["publicShareUrl"])


async def test_one_task_at_a_time_is_in_a_session(client: Client, drive: Drive) -> None:
    session = await begin(client)
    first = await put_in(client, session)
    await drive.start(first)

    busy = await client.post(TASKS, json={"task": "Open the shop.", "sessionId": session})
    await drive.finish(first)
    free = await client.post(TASKS, json={"task": "Open the shop.", "sessionId": session})

    assert (400, {"detail": BUSY}, 202) == (busy.status, await busy.json(), free.status)


async def test_of_tasks_that_come_at_the_same_time_one_is_in_the_session(client: Client) -> None:
    session = await begin(client)
    body = {"task": "Open the shop.", "sessionId": session}

    responses = await asyncio.gather(*(client.post(TASKS, json=body) for _ in range(8)))

    assert [202, *[400] * 7] == sorted(response.status for response in responses)


async def test_the_same_request_again_is_the_same_task_though_the_session_is_busy_with_it(client: Client) -> None:
    session = await begin(client)
    body, key = {"task": "Open the shop.", "sessionId": session}, {"Idempotency-Key": "k1"}
    first = await (await client.post(TASKS, json=body, headers=key)).json()

    again = await client.post(TASKS, json=body, headers=key)

    assert (202, first, "true") == (again.status, await again.json(), again.headers["Idempotency-Replayed"])


async def test_the_same_request_at_the_same_time_is_the_same_task(client: Client) -> None:
    session = await begin(client)
    body, key = {"task": "Open the shop.", "sessionId": session}, {"Idempotency-Key": "k1"}

    responses = await asyncio.gather(*(client.post(TASKS, json=body, headers=key) for _ in range(4)))

    assert [202] * 4 == [response.status for response in responses]
    assert 1 == len({(await response.json())["id"] for response in responses})


async def test_the_same_key_is_the_same_session(client: Client) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await (await client.post(SESSIONS, json={"keepAlive": True}, headers=key)).json()

    again = await (await client.post(SESSIONS, json={"keepAlive": True}, headers=key)).json()
    other = await client.post(SESSIONS, json={"keepAlive": False}, headers=key)

    assert first == again
    assert 422 == other.status


async def test_a_task_without_a_session_has_one_that_lives_as_long(client: Client, drive: Drive) -> None:
    answer = await (await client.post(TASKS, json={"task": "Open the shop."})).json()
    path = f"{SESSIONS}/{answer['sessionId']}"

    running = await (await client.get(path)).json()
    busy = await client.post(TASKS, json={"task": "Go on.", "sessionId": answer["sessionId"]})
    await drive.start(answer["id"])
    await drive.finish(answer["id"])
    ended = await (await client.get(path)).json()
    stopped = await client.post(TASKS, json={"task": "Go on.", "sessionId": answer["sessionId"]})

    assert ("active", False) == (running["status"], running["keepAlive"])
    assert ("stopped", True) == (ended["status"], ended["finishedAt"] is not None)
    assert (400, {"detail": BUSY}) == (busy.status, await busy.json())
    assert (400, {"detail": STOPPED}) == (stopped.status, await stopped.json())


async def test_a_session_that_is_not_kept_alive_takes_one_task(client: Client, drive: Drive) -> None:
    session = await begin(client, keepAlive=False)
    first = await put_in(client, session)
    body = {"task": "Open the shop.", "sessionId": session}

    busy = await client.post(TASKS, json=body)
    await drive.start(first)
    await drive.finish(first)
    stopped = await client.post(TASKS, json=body)

    assert (400, {"detail": BUSY}) == (busy.status, await busy.json())
    assert (400, {"detail": STOPPED}) == (stopped.status, await stopped.json())


async def test_sessions_are_listed_by_status_newest_first(client: Client, service: Service) -> None:
    ids = [await begin(client) for _ in range(3)]
    await client.patch(f"{SESSIONS}/{ids[1]}", json={"action": "stop"})

    async def listed(**query: str) -> tuple[list[str], int]:
        page = await (await client.get(SESSIONS, params=query)).json()
        return [item["id"] for item in page["items"]], page["totalItems"]

    assert (ids[::-1], 3) == await listed()
    assert ([ids[2], ids[0]], 2) == await listed(filterBy="active")
    assert ([ids[1]], 1) == await listed(filterBy="stopped")
    assert ([ids[1]], 3) == await listed(pageSize="1", pageNumber="2")
    assert ([], 3) == await listed(pageNumber="9")


async def test_stopping_a_session_stops_its_task_and_twice_is_once(
    client: Client, drive: Drive, service: Service
) -> None:
    session = await begin(client)
    task = await put_in(client, session)

    views = [await (await client.patch(f"{SESSIONS}/{session}", json={"action": "stop"})).json() for _ in range(2)]
    refused = await client.post(TASKS, json={"task": "Open the shop.", "sessionId": session})

    assert views[0] == views[1]
    assert ("stopped", ["stopped"]) == (views[0]["status"], [each["status"] for each in views[0]["tasks"]])
    assert [e.SessionStopped()] == (await told(service, session))[1:]
    assert (400, {"detail": STOPPED}) == (refused.status, await refused.json())
    assert "task.stopped" == (await drive.tape(task))[-1].type


async def test_a_task_can_be_stopped_with_its_session(client: Client) -> None:
    session = await begin(client)
    task = await put_in(client, session)

    view = await (await client.patch(f"{TASKS}/{task}", json={"action": "stop_task_and_session"})).json()

    assert ("stopped", "stopped") == (
        view["status"],
        (await (await client.get(f"{SESSIONS}/{session}")).json())["status"],
    )


async def test_stopping_a_task_leaves_its_session(client: Client) -> None:
    session = await begin(client)
    task = await put_in(client, session)

    await client.patch(f"{TASKS}/{task}", json={"action": "stop"})

    assert "active" == (await (await client.get(f"{SESSIONS}/{session}")).json())["status"]


async def test_a_deleted_session_is_nowhere_and_neither_are_its_tasks(client: Client, drive: Drive) -> None:
    session = await begin(client)
    task = await put_in(client, session)
    other = await drive.create()

    deleted = await client.delete(f"{SESSIONS}/{session}")
    again = await client.delete(f"{SESSIONS}/{session}")
    gone = await client.get(f"{SESSIONS}/{session}")
    tasks = await (await client.get(TASKS)).json()
    v1 = await (await client.get("/api/v1/tasks")).json()

    assert (204, b"") == (deleted.status, await deleted.read())
    assert [NOT_FOUND] * 2 == [(each.status, await each.json()) for each in (again, gone)]
    assert [404] * 3 == [
        (await client.get(path)).status
        for path in (f"{TASKS}/{task}", f"/api/v1/task/{task}", f"/api/tape/tasks/{task}")
    ]
    assert ([other], 1) == ([each["id"] for each in tasks["items"]], tasks["totalItems"])
    assert ([other], 1) == ([each["id"] for each in v1["tasks"]], v1["total_count"])
    assert 0 == (await (await client.get(SESSIONS, params={"filterBy": "stopped"})).json())["totalItems"]
    assert ["task.stopped", "task.deleted"] == [recorded.type for recorded in await drive.tape(task)][-2:]


async def test_a_session_that_a_task_implies_can_be_deleted_too(client: Client, service: Service) -> None:
    answer = await (await client.post(TASKS, json={"task": "Open the shop."})).json()

    response = await client.delete(f"{SESSIONS}/{answer['sessionId']}")

    said = await told(service, answer["sessionId"])
    assert 204 == response.status
    assert [e.SessionCreated, e.SessionStopped, e.SessionDeleted] == list(map(type, said))
    assert 404 == (await client.get(f"{TASKS}/{answer['id']}")).status


async def test_a_session_whose_task_will_not_end_is_not_deleted_yet(
    client: Client, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "END_SECONDS", 0.05)
    session = await begin(client)
    task = await put_in(client, session)
    await drive.start(task)

    early = await client.delete(f"{SESSIONS}/{session}")
    await drive.answer(task)
    later = await client.delete(f"{SESSIONS}/{session}")

    assert (503, "1", 204) == (early.status, early.headers["Retry-After"], later.status)


async def test_a_purge_leaves_nothing_of_what_was_said(client: Client, drive: Drive, service: Service) -> None:
    session = await begin(client, startUrl="http://secret.test/")
    task = await put_in(client, session)
    await drive.start(task)
    await drive.step(task, screenshot=b"a picture")
    await drive.finish(task, "secret.test it was")
    blob, screenshot = await service.blobs.put(b"a file"), sha256(b"a picture").hexdigest()
    file = e.File(id=control.fresh_id(), name="secret.test", blob=blob, size=6)
    upload = await service.sessions.transact(
        sessions.stream(session), lambda state: session_decide.upload(state, file=file), actor="test"
    )
    await service.projector.reached(upload.position)

    purged = await client.post(f"{SESSIONS}/{session}/purge")
    again = await client.post(f"{SESSIONS}/{session}/purge")

    view = await (await client.get(f"{SESSIONS}/{session}")).json()
    texts = [recorded.payload or b"" for recorded in await service.store.read()]
    assert (204, 204) == (purged.status, again.status)
    assert ("stopped", []) == (view["status"], view["tasks"])
    assert not [text for text in texts if b"secret.test" in text]
    assert [None, None] == [await service.blobs.get(each) for each in (blob, screenshot)]
    assert (await service.store.verify()).ok


async def test_a_purge_takes_what_a_deletion_that_was_cut_off_has_hidden(
    client: Client, drive: Drive, service: Service, store: EventStore
) -> None:
    session = await begin(client)
    task = await put_in(client, session, task="Open http://secret.test/.")
    await drive.start(task)
    await drive.finish(task)
    hidden = await service.tasks.transact(control.stream(task), retention.delete, actor="test")
    await service.projector.reached(hidden.position)

    await client.post(f"{SESSIONS}/{session}/purge")

    assert not [each for each in await store.read() if b"secret.test" in (each.payload or b"")]


async def test_a_purge_that_was_cut_off_is_finished_at_the_next_start(
    client: Client, drive: Drive, service: Service, store: EventStore
) -> None:
    session = await begin(client, startUrl="http://secret.test/")
    task = await put_in(client, session)
    await drive.start(task)
    await drive.finish(task, "secret.test it was")
    purge = await service.sessions.transact(sessions.stream(session), session_decide.purge, actor="test")
    await service.projector.reached(purge.position)

    await purging.finish(service)
    await purging.finish(service)

    assert not [each for each in await store.read() if b"secret.test" in (each.payload or b"")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/purge"),
        ("GET", "/public-share"),
        ("POST", "/public-share"),
        ("DELETE", "/public-share"),
    ],
)
async def test_what_belongs_to_another_project_or_to_nobody_does_not_exist(
    client: Client, drive: Drive, method: str, path: str
) -> None:
    session = await begin(client)
    theirs = await drive.key("admin", project="theirs")
    body = {"action": "stop"} if method == "PATCH" else None

    unknown = await client.request(method, f"{SESSIONS}/{UNKNOWN}{path}", json=body)
    foreign = await client.request(method, f"{SESSIONS}/{session}{path}", json=body, headers=theirs)
    nonsense = await client.request(method, f"{SESSIONS}/nonsense{path}", json=body)

    assert NOT_FOUND == (unknown.status, await unknown.json())
    assert NOT_FOUND == (foreign.status, await foreign.json())
    assert (422, ["path", "session_id"]) == (nonsense.status, (await nonsense.json())["detail"][0]["loc"])


async def test_a_task_in_a_session_of_another_project_is_refused_as_in_one_that_does_not_exist(
    client: Client, drive: Drive
) -> None:
    session = await begin(client)
    body = {"task": "Open the shop.", "sessionId": session}

    response = await client.post(TASKS, json=body, headers=await drive.key("admin", project="theirs"))

    assert NOT_FOUND == (response.status, await response.json())


@pytest.mark.parametrize(
    "settings",
    [{"profileId": UNKNOWN}, {"proxyCountryCode": "zz"}, {"enableRecording": True}],
)
async def test_a_task_in_a_session_has_no_settings_of_its_own(client: Client, settings: dict[str, object]) -> None:
    session = await begin(client)

    await put_in(client, session, sessionSettings=settings)


async def test_a_purge_takes_the_password_of_a_sessions_proxy(client: Client, service: Service) -> None:
    proxy = {"host": "a.test", "port": 1, "username": "ada", "password": "correct horse"}
    session = await begin(client, customProxy=proxy)
    created = (await service.sessions.load(f"session-{session}")).created
    assert created is not None
    assert created.options.proxy is not None
    name = created.options.proxy.secret

    before = await service.vault.get(name)
    purged = await client.post(f"{SESSIONS}/{session}/purge")

    assert (True, 204, None) == (before is not None, purged.status, await service.vault.get(name))


async def test_who_brings_a_proxy_needs_none_of_the_country_that_he_names(client: Client, service: Service) -> None:
    session = await begin(client, customProxy={"host": "a.test", "port": 1}, proxyCountryCode="zz")

    created = (await service.sessions.load(f"session-{session}")).created
    assert created is not None
    assert e.Proxy(host="a.test", port=1) == created.options.proxy


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"browserScreenWidth": 1}, ["body", "browserScreenWidth"]),
        ({"startUrl": "file:///etc/passwd"}, ["body", "startUrl"]),
        ({"keepAlive": "yes"}, ["body", "keepAlive"]),
        ({"customProxy": {"host": "a.test"}}, ["body", "customProxy", "port"]),
        ({"proxyCountryCode": "zz"}, ["body", "proxyCountryCode"]),
    ],
)
async def test_what_is_wrong_with_a_session_is_named(client: Client, body: dict[str, object], loc: list[str]) -> None:
    response = await client.post(SESSIONS, json=body)

    assert (422, loc) == (response.status, (await response.json())["detail"][0]["loc"])


async def test_a_session_knows_only_to_be_stopped(client: Client) -> None:
    response = await client.patch(f"{SESSIONS}/{await begin(client)}", json={"action": "pause"})

    assert (422, ["body", "action"]) == (response.status, (await response.json())["detail"][0]["loc"])
