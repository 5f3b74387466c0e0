"""Files that clients bring: who may send which one where, taking it in, what a task is given. In no family's words."""

import asyncio
import base64
from collections.abc import AsyncIterator, Collection
from typing import Protocol

import msgspec
from aiohttp import web

from api import control, present
from api.service import Caller, Service
from eventstore import events as e
from eventstore import filenames, folder
from eventstore import session as session_decide
from eventstore.errors import Gone, Invalid, NoRoom, NotFound, Overloaded
from eventstore.incoming import incoming
from eventstore.session import Session
from eventstore.store import Lane
from projections import sessions

MAX_FILE = 10 * 1024 * 1024
MAX_TOGETHER = 50 * 1024 * 1024
MAX_NAMES = 100
MAX_TYPE = 200

TICKET_SECONDS = 120
PART_SECONDS = 30.0
UPLOAD_SECONDS = 300.0
"""How long the next part of a file may take to come, and how long all of it."""

AT_ONCE = 16
"""So many files may be coming in at one time; each has a file on the disk while it does."""


class Record(Protocol):
    """Has a file on the tape, or only sees whether that would be refused."""

    async def __call__(self, file: e.File, *, check: bool) -> None: ...


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What one signed link lets a client send: a file of that name, to `stream`, of at most so many bytes.

    `actor` asked for it. `stream` is that of a project's files or of a session; `id` is the link's own.
    """

    actor: str
    project: str
    stream: str
    name: str
    content_type: str
    most: int
    id: str


class Desk:
    """Where files come in: a bounded number at once, and one after the other once they are whole."""

    def __init__(self) -> None:
        self.coming = asyncio.Semaphore(AT_ONCE)
        self.entering = asyncio.Lock()


DESK = web.AppKey("desk", Desk)


def ticket(
    service: Service, caller: Caller, stream: str, name: str, content_type: str, *, at: str, most: int = MAX_FILE
) -> Ticket:
    """For a file of that name, which stands in the body at `at`. Raises Invalid, NoRoom and DiskFull."""
    if not filenames.good(name):
        raise Invalid(filenames.RULE, field=("body", at))
    _room(service, caller.project, most=0)
    if service.space is not None:
        service.space.check("Files are not taken")
    return Ticket(
        actor=caller.actor,
        project=caller.project,
        stream=stream,
        name=name,
        content_type=content_type,
        most=most,
        id=control.fresh_id(),
    )


def written(given: Ticket) -> str:
    """The ticket as text that can stand in a path."""
    return base64.urlsafe_b64encode(msgspec.json.encode(given)).decode().rstrip("=")


def read(text: str) -> Ticket:
    """The way back. Raises Invalid for what is none; whether it is ours the signature tells."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Ticket)
    except (ValueError, msgspec.DecodeError) as error:
        raise Invalid("This is no link to upload a file to.", field=("path", "ticket")) from error


async def take(
    service: Service,
    desk: Desk,
    given: Ticket,
    parts: AsyncIterator[bytes],
    record: Record,
    *,
    part_seconds: float = PART_SECONDS,
) -> e.File:
    """Keep the file as its parts come, then have it on the tape. Nothing is left of one that is refused or cut off.

    Raises NoRoom, Overloaded, DiskFull, what `record` raises, and HTTPRequestTimeout for one that comes too slowly.
    """
    if desk.coming.locked():
        raise Overloaded("Too many files are being uploaded; try again in a moment.")
    async with desk.coming, incoming(service.blobs) as arriving:
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                while part := await _next(parts, part_seconds):
                    if arriving.size + len(part) > given.most:
                        raise NoRoom(f"The file is larger than the {given.most:,} bytes that were announced.")
                    await arriving.write(part)
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="The file did not arrive in time.") from None
        async with desk.entering:
            _room(service, given.project, most=arriving.size)
            # The same link with the same bytes again is the same file.
            file = e.File(
                id=present.identity(given.id, arriving.digest),
                name=given.name,
                blob=arriving.digest,
                size=arriving.size,
                content_type=given.content_type,
            )
            await record(file, check=True)
            await arriving.keep()
            await record(file, check=False)
    return file


async def into_project(service: Service, given: Ticket, file: e.File, *, check: bool) -> None:
    """Record a file of a project. Raises NoRoom."""
    uploaded = e.FileUploaded(project=given.project, file=file)
    if check:
        folder.upload(await service.folders.fresh(given.stream), uploaded=uploaded)
        return
    done = await service.folders.transact(
        given.stream, lambda kept: folder.upload(kept, uploaded=uploaded), actor=given.actor, lane=Lane.INTAKE
    )
    await control.seen(service, done.position)


async def into_session(service: Service, given: Ticket, file: e.File, *, check: bool) -> None:
    """Record a file of a session. Raises NoRoom, and SessionStopped for one that has ended meanwhile."""
    row = await service.projector.sessions.find(given.stream.removeprefix(sessions.STREAM))
    if row is None or row.deleted:
        raise NotFound("Session not found")
    adopted = row.adoption()

    def decision(session: Session) -> list[e.SessionEvent]:
        others = (each.size for each in session.uploads.values() if each.name != file.name)
        if sum(others) + file.size > MAX_TOGETHER:
            raise NoRoom(f"The files of a session have at most {MAX_TOGETHER:,} bytes together.")
        return session_decide.upload(session, file=file, adopted=adopted)

    if check:
        decision(await service.sessions.fresh(given.stream))
        return
    done = await service.sessions.transact(given.stream, decision, actor=given.actor, lane=Lane.INTAKE)
    await control.seen(service, done.position)


async def of_session(service: Service, session_id: str) -> tuple[e.File, ...]:
    """The files that were brought to a session, for a task in it. Raises Gone."""
    session = await service.sessions.fresh(f"{sessions.STREAM}{session_id}")
    return await ready(service, session.uploads.values(), "sessionId")


async def included(service: Service, project: str, names: Collection[str] | None, at: str) -> tuple[e.File, ...]:
    """The project's files of these names, for a task. Raises Invalid for an unknown one, and above MAX_TOGETHER."""
    if not names:
        return ()
    kept = (await service.folders.fresh(f"{folder.STREAM}{project}")).files
    for index, name in enumerate(names):
        if name not in kept:
            raise Invalid(f"There is no uploaded file {name!r}; upload it first.", field=("body", at, index))
    return await ready(service, [kept[name] for name in dict.fromkeys(names)], at)


async def ready(service: Service, files: Collection[e.File], at: str) -> tuple[e.File, ...]:
    """The same files, which no clean-up takes away before the task that names them is on the tape.

    Raises Invalid above MAX_TOGETHER, and Gone for one that is not on the disk any more.
    """
    total = sum(file.size for file in files)
    if total > MAX_TOGETHER:
        raise Invalid(
            f"The files of a task have at most {MAX_TOGETHER:,} bytes; these have {total:,}.", field=("body", at)
        )
    there = await service.blobs.touch({file.blob for file in files})
    for file in files:
        if file.blob not in there:
            raise Gone(f"The file {file.name!r} is no longer on the disk; upload it again.")
    return tuple(files)


def given(created: e.TaskCreated, files: tuple[e.File, ...]) -> e.TaskCreated:
    """The task with these files."""
    return msgspec.structs.replace(created, files=tuple(file.name for file in files), uploads=files)


def _room(service: Service, project: str, *, most: int) -> None:
    limit, kept = service.settings.uploads_bytes, service.projector.uploads.bytes[project]
    if kept + most > limit or kept >= limit:
        raise NoRoom(
            f"This project keeps {kept:,} bytes of uploads, and {limit:,} is the most that it may"
            " (TAPEWRIGHT_UPLOADS_BYTES)."
        )


async def _next(parts: AsyncIterator[bytes], seconds: float) -> bytes:
    async with asyncio.timeout(seconds):
        return await anext(parts, b"")
