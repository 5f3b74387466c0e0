"""Uploads that come too slowly, too many at once, or when there is no room."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from api import forms, uploads
from api.app import create_app
from api.auth import ENVIRONMENT
from api.service import Service
from api.uploads import AT_ONCE, Desk, Ticket
from api.wire import Route
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.errors import Overloaded
from eventstore.space import Space
from tests.web.conftest import KEY, Client, MakeClient
from tests.web.test_v1_files import left, presigned

FORM = {"Content-Type": "multipart/form-data; boundary=B"}


async def discard(file: e.File, *, check: bool) -> None:
    """To nowhere."""


def ticket(service: Service) -> Ticket:
    return uploads.ticket(service, ENVIRONMENT, "files-default", "a.csv", "text/csv", at="file_name")


async def never() -> AsyncIterator[bytes]:
    yield b"half"
    await asyncio.Event().wait()


async def test_a_file_that_comes_too_slowly_is_given_up_and_leaves_nothing(
    service: Service,
) -> None:
    with pytest.raises(web.HTTPRequestTimeout):
        await uploads.take(service, Desk(), ticket(service), never(), discard, part_seconds=0.01)

    assert [] == left(service)


async def test_so_many_files_come_in_at_once_and_no_more(service: Service) -> None:
    desk = Desk()
    coming = [
        asyncio.create_task(uploads.take(service, desk, ticket(service), never(), discard)) for _ in range(AT_ONCE)
    ]
    while not desk.coming.locked():  # noqa: ASYNC110 - a semaphore tells nobody
        await asyncio.sleep(0)

    with pytest.raises(Overloaded):
        await uploads.take(service, desk, ticket(service), never(), discard)

    for each in coming:
        each.cancel()
    await asyncio.gather(*coming, return_exceptions=True)
    assert ([], False) == (left(service), desk.coming.locked())


async def test_a_full_disk_refuses_files_before_they_come(
    service: Service, client: Client, aiohttp_client: MakeClient, tmp_path: Path
) -> None:
    link = await presigned(client)
    space = Space(tmp_path, reserve=1 << 62)
    full = replace(service, space=space, blobs=Blobs(tmp_path / "blobs", space))
    there = await aiohttp_client(create_app(full))

    asked = await there.post(
        "/api/v1/uploads/presigned-url",
        json={"file_name": "a.csv", "content_type": "text/csv"},
        headers={"Authorization": f"Bearer {KEY}"},
    )
    put = await there.put(link, data=b"A")

    assert ([507, 507], []) == ([asked.status, put.status], left(service))


async def test_a_form_whose_fields_come_too_slowly_is_given_up(service: Service, aiohttp_client: MakeClient) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await forms.opened(request, seconds=0.01)
        return web.Response()

    async def never_a_field() -> AsyncIterator[bytes]:
        yield b"who knows where this leads\r\n"
        await asyncio.Event().wait()

    routes = [Route(method="POST", path="/slow", handler=slow, summary="", family="odd", scope=None, open=True)]
    there = await aiohttp_client(create_app(service, routes))

    answer = await there.post("/slow", data=never_a_field(), headers=FORM)

    assert (408, {"detail": "The form did not arrive in time."}) == (answer.status, await answer.json())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--B\r\nno header\r\n\r\nx\r\n--B--\r\n",
        b"--B\r\nno header: x\r\n\r\nx\r\n--B--\r\n",
        b"--B\r\nX: \x00\r\n\r\nx\r\n--B--\r\n",
        b"--B\r\nX: " + bytes(20_000) + b"\r\n\r\nx\r\n--B--\r\n",
        b"--B\r\n" + 500 * b"X: y\r\n" + b"\r\nx\r\n--B--\r\n",
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--B--\r\n',
        b'--B\r\nContent-Disposition: form-data; name="_charset_"\r\n\r\n' + 99 * b"x" + b"\r\n--B--\r\n",
    ],
)
async def test_what_is_no_form_is_refused_and_no_defect_of_ours(anonymous: Client, body: bytes) -> None:
    answer = await anonymous.post("/files/forms", data=body, headers=FORM)

    (flaw,) = (await answer.json())["detail"]
    assert (422, "The form cannot be read.") == (answer.status, flaw["msg"])
