"""What belongs to another project does not exist: every route that is served is asked for it, with every kind of id."""

import re
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec
import pytest

from api import control, hooks, profiles, sessions
from api.app import ROUTES, create_app
from api.auth import ENVIRONMENT
from api.service import Service
from api.signing import Signer
from api.wire import Route
from eventstore import events as e
from eventstore.secrets import Secret
from tests.web.conftest import Client, Drive, MakeClient
from tests.web.walk import BODIES, CANARY, WALKED, Ids, ask, names, nobodys, nothing, statuses

PICTURE = b"\x89PNG canary"
# The session is busy, and only a paused task can be resumed; nobody has opened the browser, which wants a web socket:
# that is said of what exists.
ANSWERED = (200, 201, 202, 204, 302, 400, 409, 426, 503)
OWNED = {
    ("POST", "/files/forms"): (422,),  # no form
    ("POST", "/api/tape/webhooks/{webhook_id}/redeliver"): (404,),  # it was told of nothing yet
    ("GET", "/api/tape/tasks/{task_id}/rerun"): (404,),  # it plays no other one
}


@pytest.fixture
async def theirs(drive: Drive) -> Ids:
    """What the project `default` has: a task with a step and a picture, running in a session, and a key."""
    await drive.key("admin")
    (key,) = (each.id for each in drive.service.projector.keys.every("default"))
    session = control.fresh_id()
    task = await drive.create(instruction=CANARY, session=session, metadata={CANARY: CANARY})
    await drive.start(task)
    await drive.step(task, title=CANARY, screenshot=PICTURE)
    kept = e.File(
        id=control.fresh_id(), name=f"{CANARY}.txt", blob=await drive.service.blobs.put(PICTURE), size=len(PICTURE)
    )
    fence = (await drive.service.tasks.load(control.stream(task))).fence
    await drive.record(task, e.FileProduced(fence=fence, step=1, file=kept))
    owner = msgspec.structs.replace(ENVIRONMENT, project="default")
    profile = await profiles.create(
        drive.service, owner, profiles.Details(), family="v2", name=CANARY, description=CANARY, persist=True
    )
    browser, schedule, webhook = control.fresh_id(), control.fresh_id(), control.fresh_id()
    lent = e.SessionCreated(project="default", family="v2", kind="browser", seconds=3600)
    await drive.service.store.append(f"session-{browser}", 0, [lent, e.FileDownloaded(file=kept)], actor="system")
    wish = e.TaskCreated(
        instruction=CANARY, llm="instructions", session=session, family="v1", project="default", request_digest=""
    )
    asked = msgspec.json.encode(BODIES["POST", "/api/v1/scheduled-task"]).decode()
    times = {"kind": "interval", "interval_minutes": 5, "start_at": 0, "end_at": 2**52, "asked": asked}
    made = msgspec.convert({"project": "default", "family": "v1", "task": wish, **times}, e.ScheduleCreated)
    await drive.service.store.append(f"schedule-{schedule}", 0, [made], actor="system")
    hook = e.HookCreated(project="default", url=f"http://{CANARY}.test/")
    await sessions.share_once(drive.service, owner, session)
    position = await hooks.make(drive.service, "system", webhook, hook, Secret("a-secret-of-a-hook"))
    await drive.service.projector.reached(position)
    return Ids(task, key, session, profile.id, browser, kept.id, schedule, webhook)


@pytest.fixture
async def stranger(drive: Drive, anonymous: Client) -> Client:
    """An admin of another project."""
    anonymous.session.headers.update(await drive.key("admin", project="shop"))
    return anonymous


def test_every_route_that_reads_a_body_is_sent_one() -> None:
    assert {(route.method, route.path) for route in ROUTES if route.body is not None} == set(BODIES)


@pytest.mark.parametrize("route", WALKED, ids=lambda route: f"{route.method} {route.path}")
async def test_a_stranger_learns_nothing_and_changes_nothing(
    stranger: Client, theirs: Ids, drive: Drive, route: Route
) -> None:
    before = await drive.tape(theirs.task)

    for method in (route.method, "HEAD") if route.method == "GET" else (route.method,):
        status, body, headers = await ask(stranger, route, theirs, method)
        absent = await ask(stranger, route, nothing(), method)

        assert not re.search(f"{CANARY}|{theirs.session}", body + headers)
        assert before == await drive.tape(theirs.task)
        assert drive.service.projector.keys.find(theirs.key).revoked_at is None  # type: ignore[union-attr]  # it is there
        if names(route):
            assert (status, theirs.hide(body)) == absent[:2]
            assert status in statuses(route)


@pytest.mark.parametrize("route", WALKED, ids=lambda route: f"{route.method} {route.path}")
async def test_whom_it_belongs_to_is_answered_by_the_same_requests(
    client: Client, theirs: Ids, route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "END_SECONDS", 0.05)  # nobody runs the task in the session, so it does not end

    status, _, _ = await ask(client, route, theirs, route.method)

    assert status in (statuses(route) if nobodys(route) else OWNED.get((route.method, route.path), ANSWERED))


async def test_the_tape_of_a_project_has_its_own_events_alone(stranger: Client, theirs: Ids, drive: Drive) -> None:
    mine = await drive.create(project="shop")

    page = await (await stranger.get("/api/tape/events", params={"limit": 1000})).json()
    async with stranger.get("/api/tape/events", headers={"Accept": "text/event-stream", "Last-Event-ID": "1"}) as told:
        streamed = [await told.content.readuntil(b"\n\n") for _ in range(2)][1:]

    assert ["key.created", "task.created"] == [each["type"] for each in page["events"]]
    assert [f"task-{mine}"] == [each["stream"] for each in page["events"] if each["type"] == "task.created"]
    assert [b"task.created"] == [re.findall(rb"event: (.*)", each)[0] for each in streamed]
    assert theirs.task.encode() not in b"".join(streamed)


async def test_the_same_idempotency_key_is_another_one_in_another_project(stranger: Client, client: Client) -> None:
    headers = {"Idempotency-Key": "order-1"}

    ids = [
        (await (await each.post("/api/v1/run-task", json={"task": f"Open {number}."}, headers=headers)).json())["id"]
        for number, each in enumerate((client, stranger))
    ]

    assert len(set(ids)) == 2


async def test_a_signed_link_opens_its_picture_to_all_and_nothing_else(
    service: Service, anonymous: Client, client: Client, theirs: Ids, drive: Drive, aiohttp_client: MakeClient
) -> None:
    other = await drive.create()
    await drive.start(other)
    await drive.step(other, screenshot=PICTURE)
    (link,) = (await (await client.get(f"/api/v1/task/{theirs.task}/screenshots")).json())["screenshots"]
    path, query = urlsplit(link).path, urlsplit(link).query
    later = query.replace("expires=", "expires=9")
    rotated = await aiohttp_client(create_app(replace(service, signer=Signer(b"another"))))

    good = await anonymous.get(f"{path}?{query}")
    head = await anonymous.head(f"{path}?{query}")
    written = [(await anonymous.request(method, f"{path}?{query}")).status for method in ("POST", "PUT", "DELETE")]
    refused = [
        (await each.get(url)).status
        for each, url in (
            (anonymous, path),
            (anonymous, f"{path}?{later}"),
            (anonymous, f"{path.replace(theirs.task, other)}?{query}"),
            (anonymous, f"{path.replace('1.png', '01.png')}?{query}"),
            (anonymous, f"/api/v1/task/{theirs.task}?{query}"),
            (anonymous, path + service.signer.sign(path, -1).removeprefix(path)),
            (rotated, f"{path}?{query}"),
        )
    ]

    assert (200, PICTURE, "image/png", "nosniff") == (
        good.status,
        await good.read(),
        good.content_type,
        good.headers["X-Content-Type-Options"],
    )
    assert (200, [405] * 3) == (head.status, written)
    assert [401] * 7 == refused


@pytest.mark.parametrize(
    "name",
    [
        "..%2f1",
        "..%2f..%2fsigning.key%00",
        "%2e%2e%2f%2e%2e%2ftape.db%23",
        "1%00",
        "%2fetc%2fpasswd",
        "1.png%2f..%2f1",
        "\u0661",
    ],
)
async def test_no_name_of_a_picture_leads_out_of_the_pictures(client: Client, theirs: Ids, name: str) -> None:
    for path in (f"/api/tape/tasks/{theirs.task}/screenshots/{name}.png", f"/api/tape/tasks/{name}/screenshots/1.png"):
        response = await client.get(path)

        assert 404 == response.status
        assert ["detail"] == list(await response.json())
