"""What belongs to another project does not exist: every route that is served is asked for it, with every kind of id."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

import msgspec
import pytest

from api import control, profiles
from api.app import ROUTES, create_app
from api.auth import ENVIRONMENT
from api.service import Service
from api.signing import Signer
from api.wire import Route
from eventstore import events as e
from tests.web.conftest import Client, Drive, MakeClient

CANARY = "canary"
PICTURE = b"\x89PNG canary"
# What a route is sent that reads a body, so that it comes as far as looking for what it names.
BODIES: Mapping[tuple[str, str], object] = {
    ("POST", "/api/v1/run-task"): {"task": "Open the shop."},
    ("POST", "/api/v2/tasks"): {"task": "Open the shop.", "sessionId": "{session}"},
    ("PATCH", "/api/v2/tasks/{task_id}"): {"action": "stop"},
    ("POST", "/api/v1/browser-profiles"): {"profile_name": "Bank"},
    ("PUT", "/api/v1/browser-profiles/{profile_id}"): {"profile_name": "Bank"},
    ("POST", "/api/v2/profiles"): {"name": "Bank"},
    ("PATCH", "/api/v2/profiles/{profile_id}"): {"name": "Bank"},
    ("POST", "/api/v2/browsers"): {"timeout": 5},
    ("PATCH", "/api/v2/browsers/{session_id}"): {"action": "stop"},
    ("POST", "/api/tape/keys"): {"name": "mine"},
    ("POST", "/api/tape/prune"): {"dry_run": True},
    ("POST", "/api/tape/tasks/{task_id}/redact"): {"reason": "asked for"},
}
WALKED = [route for route in ROUTES if not route.operator]


class Ids(msgspec.Struct, frozen=True):
    """Something of each kind that a request can name."""

    task: str
    key: str
    session: str
    profile: str
    browser: str
    file: str

    def put(self, text: str) -> str:
        """The text with its placeholders filled; an unknown one fails the test, so that it is thought of here."""
        known = {
            "profile_id": self.profile,
            "task_id": self.task,
            "key_id": self.key,
            "session": self.session,
            "session_id": self.browser if re.search("/browsers/|/cdp/", text) else self.session,
            "file_id": self.file,
            "number": "1",
            "file": "docs.js",
        }
        return re.sub(r"\{(\w+)\}", lambda match: known[match[1]], text)

    def hide(self, text: str) -> str:
        """The text without the ids, to compare what was said of these with what was said of others."""
        for value in msgspec.structs.astuple(self):
            text = text.replace(value, "ID")
        return text


def nothing() -> Ids:
    """Ids that nobody has."""
    return Ids(*(control.fresh_id() for _ in Ids.__struct_fields__))


@pytest.fixture
async def theirs(drive: Drive) -> Ids:
    """What the project `default` has: a task with a step and a picture, running in a session, and a key."""
    await drive.key("admin")
    (key,) = (each.id for each in drive.service.projector.keys.every("default"))
    session = control.fresh_id()
    task = await drive.create(instruction=CANARY, session=session, metadata={CANARY: CANARY})
    await drive.start(task)
    await drive.step(task, title=CANARY, screenshot=PICTURE)
    owner = msgspec.structs.replace(ENVIRONMENT, project="default")
    profile = await profiles.create(
        drive.service, owner, profiles.Details(), family="v2", name=CANARY, description=CANARY, persist=True
    )
    kept = e.File(id=control.fresh_id(), name=CANARY, blob=await drive.service.blobs.put(PICTURE), size=len(PICTURE))
    browser = control.fresh_id()
    lent = e.SessionCreated(project="default", family="v2", kind="browser", seconds=3600)
    said = [lent, e.FileDownloaded(file=kept)]
    *_, last = await drive.service.store.append(f"session-{browser}", 0, said, actor="system")
    await drive.service.projector.reached(last.position)
    return Ids(task, key, session, profile.id, browser, kept.id)


@pytest.fixture
async def stranger(drive: Drive, anonymous: Client) -> Client:
    """An admin of another project."""
    anonymous.session.headers.update(await drive.key("admin", project="shop"))
    return anonymous


async def ask(client: Client, route: Route, ids: Ids, method: str) -> tuple[int, str, str]:
    """Status, body and headers of the answer to a request that names these ids in its path, its query and its body."""
    fields = () if route.query is None else msgspec.structs.fields(route.query)
    named = {"task_id": ids.task, "taskId": ids.task, "session_id": ids.session, "sessionId": ids.session}
    query = {field.encode_name: named[field.encode_name] for field in fields if field.encode_name in named}
    body = BODIES.get((route.method, route.path))
    data = None if body is None else ids.put(msgspec.json.encode(body).decode())
    headers = {"Accept": "application/json"}
    response = await client.request(
        method, ids.put(route.path), params=query, data=data, headers=headers, allow_redirects=False
    )
    return response.status, await response.text(errors="replace"), str(response.headers)


def names(route: Route) -> bool:
    """Whether a request names something that may be another project's."""
    asks = "" if route.query is None else " ".join(field.encode_name for field in msgspec.structs.fields(route.query))
    return bool(re.search(r"task_?id|session_?id|key_?id|profile_?id", f"{route.path} {asks}", re.IGNORECASE))


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
            # A filter leaves nothing over; whatever else names a thing finds none.
            assert status == 404 or (status, route.path) in ((200, "/api/v2/tasks"), (200, "/api/v2/browsers"))


@pytest.mark.parametrize("route", WALKED, ids=lambda route: f"{route.method} {route.path}")
async def test_whom_it_belongs_to_is_answered_by_the_same_requests(client: Client, theirs: Ids, route: Route) -> None:
    status, _, _ = await ask(client, route, theirs, route.method)

    # The session is busy, and only a paused task can be resumed; nobody has opened the browser, which wants a web
    # socket: that is said of what exists.
    assert status in (200, 201, 204, 302, 400, 409, 426, 503)


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
