"""What goes wrong is told in the wire's shapes, in words, and never says more than the client may know."""

from collections.abc import Iterable
from io import BytesIO

import pytest
from aiohttp import web

from api.app import create_app
from api.errors import STATUS, refusal
from api.service import Service
from api.settings import Settings
from api.wire import Route
from eventstore import errors
from tests.web.conftest import KEY, Client, Drive, MakeClient


def kinds(base: type[errors.Refused] = errors.Refused) -> Iterable[type[errors.Refused]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_word_has_a_status() -> None:
    assert {kind.code for kind in kinds()} == set(STATUS)


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (errors.NotFound(), 404, b'{"detail":"Task not found"}'),
        (errors.NotAllowed("Stopped tasks cannot be resumed"), 409, b'{"detail":"Stopped tasks cannot be resumed"}'),
        (
            errors.Invalid("field required", field=("query", "task_id")),
            422,
            b'{"detail":[{"loc":["query","task_id"],"msg":"field required","type":"value_error.missing"}]}',
        ),
        (
            errors.Invalid("Expected `int`", field=("body", "steps", 0)),
            422,
            b'{"detail":[{"loc":["body","steps",0],"msg":"Expected `int`","type":"value_error"}]}',
        ),
        (errors.DiskFull(), 507, b'{"detail":"The disk is full; nothing was written."}'),
        (errors.SessionBusy("Busy."), 400, b'{"detail":"Busy."}'),
    ],
)
def test_a_refusal_is_told_in_the_shape_of_the_wire(error: errors.Refused, status: int, body: bytes) -> None:
    response = refusal(error)

    assert (status, body, "application/json") == (response.status, response.body, response.content_type)


def test_an_overloaded_log_says_when_to_come_again() -> None:
    response = refusal(errors.Overloaded())

    assert (503, "1") == (response.status, response.headers["Retry-After"])


async def fails(request: web.Request) -> web.StreamResponse:
    raise RuntimeError("the password is swordfish")


async def breaks(request: web.Request) -> web.StreamResponse:
    raise errors.Broken("fsync failed on /var/tape.db")


ODD = tuple(
    Route(method="GET", path=f"/{handler.__name__}", handler=handler, summary="", family="odd", scope=None)
    for handler in (fails, breaks)
)


async def test_a_defect_is_logged_and_the_client_is_told_nothing_of_it(
    service: Service, aiohttp_client: MakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await aiohttp_client(create_app(service, ODD), headers={"X-Browser-Use-API-Key": KEY})

    defect = await client.get("/fails")
    broken = await client.get("/breaks")

    assert (500, {"detail": "Internal server error"}) == (defect.status, await defect.json())
    assert (503, {"detail": "The log has failed; the service is ending."}) == (broken.status, await broken.json())
    assert "swordfish" in "".join(capsys.readouterr())


@pytest.mark.parametrize("path", ["/api/v1", "/api/v1/tasks/", "/api/v1/task//status", "/api/v3/tasks", "/%2e%2e/x"])
async def test_an_unknown_path_is_not_found(client: Client, path: str) -> None:
    response = await client.get(path)

    assert (404, {"detail": "Not Found"}) == (response.status, await response.json())


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS", "PATCH"])
async def test_a_wrong_method_is_told_the_right_ones(client: Client, method: str) -> None:
    response = await client.request(method, "/api/v1/tasks")

    told = (response.status, await response.json(), response.headers["Allow"])
    assert (405, {"detail": "Method Not Allowed"}, "GET, HEAD") == told


async def test_head_answers_as_get_without_a_body(client: Client, anonymous: Client) -> None:
    head, refused = await client.head("/api/v1/tasks"), await anonymous.head("/api/v1/tasks")

    assert (200, "application/json", b"") == (head.status, head.content_type, await head.read())
    assert 401 == refused.status


BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"task": 1}',
    b'{"task": NaN}',
    b'{"task": "\\ud800"}',
    b'{"task": "\xff"}',
    b'{"task": ' + b"[" * 100_000,
    b'{"task": "t", "metadata": ' + b'{"a":' * 50_000,
    b"\xef\xbb\xbf{}",
    b'{"task": "t", "unknown": 1e400}',
    b'{"task": "t", "unknown": ' + b"9" * 5_000 + b"}",
    b'{"task": "t", "unknown": "\xff"}',
]


@pytest.mark.parametrize("data", BODIES, ids=range(len(BODIES)))
async def test_a_body_that_cannot_be_read_is_refused_in_words(client: Client, data: bytes) -> None:
    response = await client.post("/api/v1/run-task", data=data, headers={"Content-Type": "application/json"})

    (flaw,) = (await response.json())["detail"]
    assert (422, "body", {"loc", "msg", "type"}) == (response.status, flaw["loc"][0], set(flaw))


async def test_a_body_that_is_not_encoded_as_it_says_is_refused(client: Client) -> None:
    response = await client.post("/api/v1/run-task", data=b'{"task": "t"}', headers={"Content-Encoding": "gzip"})

    flaw = {"loc": ["body"], "msg": "The body is not encoded as its headers say.", "type": "value_error"}
    assert (422, {"detail": [flaw]}) == (response.status, await response.json())


async def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    data = b'{"task": "' + b"x" * Settings().max_body_bytes + b'"}'

    response = await client.post("/api/v1/run-task", data=BytesIO(data))

    assert 413 == response.status
    assert ["detail"] == list(await response.json())


async def test_a_body_that_makes_too_large_an_event_is_refused_by_its_place(client: Client) -> None:
    schema = {"description": "x" * 300_000}

    response = await client.post("/api/v1/run-task", json={"task": "t", "structured_output_json": schema})

    (flaw,) = (await response.json())["detail"]
    assert (422, ["body"], "value_error") == (response.status, flaw["loc"], flaw["type"])


async def test_a_missing_parameter_is_named(client: Client) -> None:
    response = await client.put("/api/v1/pause-task")

    flaw = {"loc": ["query", "task_id"], "msg": "field required", "type": "value_error.missing"}
    assert (422, {"detail": [flaw]}) == (response.status, await response.json())


ODDITIES = ["%00", "%ff", "..%2f..", "%20", "a" * 4000, "%F0%9F%98%80", "{task_id}", "ABC", "%25", "a?b=%ff"]


@pytest.mark.parametrize("task_id", ODDITIES, ids=range(len(ODDITIES)))
@pytest.mark.parametrize("path", ["/api/v1/task/{}/status", "/api/v2/tasks/{}", "/api/tape/tasks/{}/events"])
async def test_no_odd_id_breaks_anything(client: Client, path: str, task_id: str) -> None:
    response = await client.get(path.replace("{}", task_id))

    assert response.status in (404, 422)
    assert ["detail"] == list(await response.json())


async def test_an_id_is_the_same_in_either_case(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    response = await client.get(f"/api/v1/task/{task_id.upper()}/status")

    assert (200, "created") == (response.status, await response.json())
