"""v1's routes for files: links to bring one, to take one that a task produced, and to its videos."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from api import control, files, uploads, wire
from api.service import SERVICE
from api.wire import CALLER, Route
from eventstore import folder
from eventstore.errors import NotFound


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be brought: its name, by which tasks include it, and its media type."""

    file_name: Annotated[str, Meta(min_length=1, max_length=255)]
    content_type: Annotated[str, Meta(min_length=1, max_length=uploads.MAX_TYPE, pattern=r"^[!-~]+/[!-~ ]+$")]


class UploadUrl(msgspec.Struct, frozen=True, kw_only=True):
    """An absolute URL that takes the bytes of the file by PUT, without a key, until it expires."""

    upload_url: str


class DownloadUrl(msgspec.Struct, frozen=True, kw_only=True):
    """An absolute URL that gives the bytes of the file, without a key, until it expires."""

    download_url: str


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute URLs of the task's videos, without a key, until they expire."""

    recordings: list[str]


async def presign(request: web.Request) -> web.Response:
    """Give out a link to bring a file by; tasks include it by its name."""
    caller = request[CALLER]
    asked = await wire.body(request, Upload)
    stream = f"{folder.STREAM}{caller.project}"
    ticket = uploads.ticket(request.app[SERVICE], caller, stream, asked.file_name, asked.content_type, at="file_name")
    return wire.reply(UploadUrl(upload_url=files.put_url(request, ticket)))


async def output_file(request: web.Request) -> web.Response:
    """Give out a link to a file that the task produced."""
    row = await control.task(request.app[SERVICE], request[CALLER], request.match_info["task_id"])
    for file in row.produced:
        if file.name == request.match_info["file_name"]:
            return wire.reply(DownloadUrl(download_url=files.take_url(request, row.id, file)))
    raise NotFound("Output file not found")


async def media(request: web.Request) -> web.Response:
    """Give out links to the task's videos; the last one is there a moment after the task has ended."""
    row = await control.task(request.app[SERVICE], request[CALLER], request.match_info["task_id"])
    return wire.reply(Media(recordings=[files.take_url(request, row.id, file) for file in row.recordings]))


_TASK = {"task_id": "the task's id"}

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v1/uploads/presigned-url",
        handler=presign,
        summary="Get a link to upload a file to",
        family="v1",
        scope="control",
        body=Upload,
        reply=UploadUrl,
        errors=(413, 507),
    ),
    Route(
        method="GET",
        path="/api/v1/task/{task_id}/output-file/{file_name}",
        handler=output_file,
        summary="Get a link to a file that a task produced",
        family="v1",
        scope="read",
        reply=DownloadUrl,
        errors=(404,),
        paths={**_TASK, "file_name": "the file's name, as the task has it in output_files"},
    ),
    Route(
        method="GET",
        path="/api/v1/task/{task_id}/media",
        handler=media,
        summary="List the videos of a task",
        family="v1",
        scope="read",
        reply=Media,
        errors=(404,),
        paths=_TASK,
    ),
)
