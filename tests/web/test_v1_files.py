"""Files of v1 as clients send and fetch them: signed links, what they refuse, what tasks are given and produce."""

import asyncio
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from aiohttp import ClientResponse, FormData

from api import control, uploads
from api.auth import ENVIRONMENT
from api.files import PUT
from api.service import Caller, Service
from eventstore import decide
from eventstore import events as e
from eventstore.folder import Folder, fold
from tests.web.conftest import Client, Drive

NAME = "report of März.pdf"


def local(url: str) -> str:
    """The same on this server: links begin with the public URL."""
    assert url.startswith("http://tape.test/")
    return url.removeprefix("http://tape.test")


async def presigned(client: Client, name: str = NAME, content_type: str = "application/pdf") -> str:
    response = await client.post(
        "/api/v1/uploads/presigned-url", json={"file_name": name, "content_type": content_type}
    )
    assert 200 == response.status, await response.text()
    return local((await response.json())["upload_url"])


async def uploaded(client: Client, anonymous: Client, name: str = NAME, data: bytes = b"%PDF") -> None:
    assert 200 == (await anonymous.put(await presigned(client, name), data=BytesIO(data))).status


async def detail(response: ClientResponse) -> tuple[int, object]:
    return response.status, (await response.json())["detail"]


def left(service: Service) -> list[Path]:
    """What lies in the blobs, half made or whole."""
    return [path for path in (service.settings.data_dir / "blobs").rglob("*") if path.is_file()]


async def kept(service: Service, project: str = "default") -> Folder:
    return fold(recorded.event for recorded in await service.store.read_stream(f"files-{project}"))


# --- up -----------------------------------------------------------------------------------------------------------


async def test_a_file_comes_by_a_link_that_needs_no_key_and_is_on_the_tape(
    service: Service, client: Client, anonymous: Client
) -> None:
    response = await anonymous.put(await presigned(client), data=b"%PDF canary")

    (recorded,) = await service.store.read_stream("files-default")
    file = recorded.event.file if isinstance(recorded.event, e.FileUploaded) else None
    assert (200, b"") == (response.status, await response.read())
    assert file is not None
    assert (NAME, 11, "application/pdf") == (file.name, file.size, file.content_type)
    assert b"%PDF canary" == await service.blobs.get(file.blob)
    assert "key:env" == recorded.actor


async def test_a_link_may_be_used_again_and_a_newer_file_takes_the_place_of_the_older(
    service: Service, client: Client, anonymous: Client
) -> None:
    link = await presigned(client)

    for data in (b"one", b"one", b"two"):
        assert 200 == (await anonymous.put(link, data=data)).status

    events = await service.store.read_stream("files-default")
    assert 2 == len(events)
    assert [(NAME, 3)] == [(file.name, file.size) for file in (await kept(service)).files.values()]
    assert 3 == service.projector.uploads.bytes["default"]


@pytest.mark.parametrize(
    "name",
    [
        "../x.pdf",
        "a/b.pdf",
        "a\\b.pdf",
        "..",
        ".",
        " x.pdf",
        "x.pdf ",
        "x\n.pdf",
        "x\x00.pdf",
        "fdp.\u202eexe",
        "é" * 128,
    ],
)
async def test_names_that_lead_elsewhere_or_deceive_are_refused_by_name(client: Client, name: str) -> None:
    response = await client.post("/api/v1/uploads/presigned-url", json={"file_name": name, "content_type": "text/csv"})

    (flaw,) = (await response.json())["detail"]
    assert (422, ["body", "file_name"]) == (response.status, flaw["loc"])


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"file_name": "a"}, ["body", "content_type"]),
        ({"file_name": "", "content_type": "a/b"}, ["body", "file_name"]),
        ({"file_name": "a", "content_type": "pdf"}, ["body", "content_type"]),
        ({"file_name": "a", "content_type": "a/b\r\nX: y"}, ["body", "content_type"]),
    ],
)
async def test_what_is_wrong_with_a_request_for_a_link_is_named(
    client: Client, body: dict[str, str], loc: list[str]
) -> None:
    response = await client.post("/api/v1/uploads/presigned-url", json=body)

    (flaw,) = (await response.json())["detail"]
    assert (422, loc) == (response.status, flaw["loc"])


async def test_a_link_that_was_changed_or_has_expired_opens_nothing(
    service: Service, client: Client, anonymous: Client
) -> None:
    link = await presigned(client)
    path, _, query = link.partition("?")
    ticket = uploads.read(path.removeprefix(PUT))
    foreign = PUT + uploads.written(msgspec.structs.replace(ticket, stream="files-other", project="other"))
    late = service.signer.sign(path, -1)

    answers = [
        (await anonymous.put(each, data=b"x")).status
        for each in (f"{foreign}?{query}", late, path, f"{path}?expires=9999999999&signature=00", f"{PUT}no?{query}")
    ]

    assert [401] * 5 == answers
    assert [] == left(service)
    assert [] == await service.store.read_stream("files-other")


async def test_too_large_a_file_is_refused_and_nothing_is_left_of_it(
    service: Service, client: Client, anonymous: Client
) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield bytes(1 << 20)

    announced = await anonymous.put(await presigned(client), data=BytesIO(bytes(uploads.MAX_FILE + 1)))
    chunked = await anonymous.put(await presigned(client), data=parts())
    whole = await anonymous.put(await presigned(client), data=BytesIO(bytes(uploads.MAX_FILE)))

    assert [413, 413, 200] == [announced.status, chunked.status, whole.status]
    assert 1 == len(left(service))


async def test_a_form_in_place_of_the_bytes_is_refused(service: Service, client: Client, anonymous: Client) -> None:
    form = FormData()
    form.add_field("file", b"%PDF", filename="a.pdf")

    response = await anonymous.put(await presigned(client), data=form)

    assert 422 == response.status
    assert [] == left(service)


async def test_an_upload_that_breaks_off_leaves_nothing(service: Service, client: Client, anonymous: Client) -> None:
    link = await presigned(client)
    server = anonymous.server
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    writer.write(f"PUT {link} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n".encode() + b"half")
    await writer.drain()
    while not left(service):  # noqa: ASYNC110 - a file system tells nobody
        await asyncio.sleep(0.01)
    writer.close()
    while left(service):  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.01)

    assert [] == await service.store.read_stream("files-default")
    assert reader is not None


# --- a task's ----------------------------------------------------------------------------------------------------


async def test_a_task_names_files_and_is_given_them(service: Service, client: Client, anonymous: Client) -> None:
    await uploaded(client, anonymous, "a.pdf", b"A")
    await uploaded(client, anonymous, "b.csv", b"B")

    response = await client.post(
        "/api/v1/run-task", json={"task": "Open the shop.", "included_file_names": ["b.csv", "a.pdf", "b.csv"]}
    )

    task_id = (await response.json())["id"]
    view = await (await client.get(f"/api/v1/task/{task_id}")).json()
    created = (await service.tasks.load(control.stream(task_id))).created
    assert created is not None
    assert ["b.csv", "a.pdf"] == view["user_uploaded_files"] == [file.name for file in created.uploads]
    assert [b"B", b"A"] == [await service.blobs.get(file.blob) for file in created.uploads]


async def test_a_name_that_was_not_uploaded_is_told(client: Client, anonymous: Client, drive: Drive) -> None:
    await uploaded(client, anonymous, "a.pdf")
    stranger = await drive.key("admin", project="other")
    body = {"task": "Open the shop.", "included_file_names": ["a.pdf", "b.pdf"]}

    mine = await client.post("/api/v1/run-task", json=body)
    theirs = await anonymous.post("/api/v1/run-task", json=body, headers=stranger)

    flaws = [(await each.json())["detail"][0] for each in (mine, theirs)]
    assert [422, 422] == [mine.status, theirs.status]
    assert [["body", "included_file_names", 1], ["body", "included_file_names", 0]] == [flaw["loc"] for flaw in flaws]
    assert "There is no uploaded file 'b.pdf'; upload it first." == flaws[0]["msg"]


async def test_the_files_of_one_task_have_fifty_megabytes_at_most(client: Client, anonymous: Client) -> None:
    names = [f"{number}.bin" for number in range(6)]
    for number, name in enumerate(names):
        await uploaded(client, anonymous, name, bytes([number]) * uploads.MAX_FILE)

    answers = [
        await client.post("/api/v1/run-task", json={"task": "Open the shop.", "included_file_names": some})
        for some in (names, names[1:])
    ]

    assert [422, 200] == [answer.status for answer in answers]
    assert ["body", "included_file_names"] == (await answers[0].json())["detail"][0]["loc"]


# --- down ----------------------------------------------------------------------------------------------------------


async def produced(
    drive: Drive, name: str, data: bytes, content_type: str = "text/csv", project: str = "default"
) -> str:
    """A finished task with one output file and one video."""
    task_id = await drive.create(project=project)
    await drive.start(task_id)
    fence = (await drive.service.tasks.load(control.stream(task_id))).fence
    blob = await drive.service.blobs.put(data)
    file = e.File(id=control.fresh_id(), name=name, blob=blob, size=len(data), content_type=content_type)
    await drive.record(task_id, e.FileProduced(fence=fence, step=1, file=file))
    await drive.finish(task_id)
    video = e.File(
        id=control.fresh_id(),
        name="v.webm",
        blob=await drive.service.blobs.put(b"V"),
        size=1,
        content_type="video/webm",
    )
    saved = e.RecordingSaved(fence=fence, file=video)
    await drive._decide(task_id, lambda task: decide.recorded(task, saved))
    return task_id


async def test_an_output_file_is_had_by_a_link_that_needs_no_key(
    client: Client, anonymous: Client, drive: Drive
) -> None:
    task_id = await produced(drive, "prices (März).csv", b"a,b")
    view = await (await client.get(f"/api/v1/task/{task_id}")).json()

    given = await (await client.get(f"/api/v1/task/{task_id}/output-file/prices (März).csv")).json()
    response = await anonymous.get(local(given["download_url"]))
    part = await anonymous.get(local(given["download_url"]), headers={"Range": "bytes=1-1"})

    assert ["prices (März).csv"] == view["output_files"]
    assert (200, b"a,b", "text/csv") == (response.status, await response.read(), response.content_type)
    assert (206, b",") == (part.status, await part.read())
    headers = response.headers
    assert (
        "attachment; filename=\"prices (M_rz).csv\"; filename*=UTF-8''prices%20%28M%C3%A4rz%29.csv"
        == (headers["Content-Disposition"])
    )
    assert ("nosniff", "sandbox; default-src 'none'") == (
        headers["X-Content-Type-Options"],
        headers["Content-Security-Policy"],
    )


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/svg+xml", "application/xhtml+xml", "text/html;x=text/csv", ""]
)
async def test_what_a_browser_would_run_is_called_bytes(
    client: Client, anonymous: Client, drive: Drive, content_type: str
) -> None:
    task_id = await produced(drive, "x.html", b"<script>", content_type)

    given = await (await client.get(f"/api/v1/task/{task_id}/output-file/x.html")).json()
    response = await anonymous.get(local(given["download_url"]))

    assert ("application/octet-stream", True) == (
        response.headers["Content-Type"],
        response.headers["Content-Disposition"].startswith("attachment;"),
    )


async def test_links_of_others_expired_ones_and_unknown_names_open_nothing(
    service: Service, client: Client, anonymous: Client, drive: Drive
) -> None:
    task_id, foreign = await produced(drive, "a.csv", b"A"), await produced(drive, "b.csv", b"B", project="other")
    given = await (await client.get(f"/api/v1/task/{task_id}/output-file/a.csv")).json()
    path, _, query = local(given["download_url"]).partition("?")
    (other,) = (await control.task(service, _caller("other"), foreign)).produced

    statuses = {
        "unknown": (await client.get(f"/api/v1/task/{task_id}/output-file/b.csv")).status,
        "foreign": (await client.get(f"/api/v1/task/{foreign}/output-file/b.csv")).status,
        "unsigned": (await anonymous.get(path)).status,
        "with a key": (await client.get(path)).status,
        "a key of others": (await client.get(f"/files/tasks/{foreign}/{other.id}")).status,
        "another's signature": (await anonymous.get(f"/files/tasks/{foreign}/{other.id}?{query}")).status,
        "expired": (await anonymous.get(service.signer.sign(path, -1))).status,
    }

    assert {
        "unknown": 404,
        "foreign": 404,
        "unsigned": 401,
        "with a key": 200,
        "a key of others": 404,
        "another's signature": 401,
        "expired": 401,
    } == statuses


async def test_the_videos_of_a_task_are_listed_and_played_in_parts(
    client: Client, anonymous: Client, drive: Drive
) -> None:
    task_id = await produced(drive, "a.csv", b"A")

    listed = await (await client.get(f"/api/v1/task/{task_id}/media")).json()
    (url,) = listed["recordings"]
    response = await anonymous.get(local(url))

    assert (200, b"V", "video/webm") == (response.status, await response.read(), response.content_type)
    assert {"recordings": []} == await (await client.get(f"/api/v1/task/{await drive.create()}/media")).json()


async def test_a_file_that_is_gone_or_damaged_is_not_served(
    service: Service, client: Client, anonymous: Client, drive: Drive
) -> None:
    missing, damaged = await produced(drive, "a.csv", b"AAAA"), await produced(drive, "b.csv", b"BBBB")
    links = [
        (await (await client.get(f"/api/v1/task/{task}/output-file/{name}")).json())["download_url"]
        for task, name in ((missing, "a.csv"), (damaged, "b.csv"))
    ]
    for path in left(service):
        if path.read_bytes() == b"AAAA":
            path.unlink()
        elif path.read_bytes() == b"BBBB":
            path.write_bytes(b"BBBX")

    answers = [await detail(await anonymous.get(local(link))) for link in links]

    assert [
        (410, "The file is missing: it is no longer on the disk."),
        (410, "The file is damaged: it is not the one that was kept."),
    ] == answers


def _caller(project: str) -> Caller:
    return msgspec.structs.replace(ENVIRONMENT, project=project)


async def test_the_tape_tells_a_project_of_its_own_files_alone(client: Client, anonymous: Client, drive: Drive) -> None:
    await uploaded(client, anonymous, "a.pdf")
    stranger = await drive.key("read", project="other")

    mine = await (await client.get("/api/tape/events")).json()
    theirs = await (await anonymous.get("/api/tape/events", headers=stranger)).json()

    assert ["file.uploaded"] == [event["type"] for event in mine["events"] if event["stream"] == "files-default"]
    assert [] == [event for event in theirs["events"] if event["stream"] == "files-default"]
