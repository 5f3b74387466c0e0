"""Uploads that come too slowly, too many at once, or when there is no room."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from api import uploads
from api.app import create_app
from api.auth import ENVIRONMENT
from api.service import Service
from api.uploads import AT_ONCE, Desk, Ticket
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.errors import Overloaded
from eventstore.space import Space
from tests.web.conftest import KEY, Client, MakeClient
from tests.web.test_v1_files import left, presigned


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
