"""Files of sessions that clients drive: uploads to where their browser may be given them, downloads onto the tape."""

import asyncio
import mimetypes
import shutil
from functools import partial
from pathlib import Path

import msgspec
import structlog
import uuid_utils

from eventstore import events as e
from eventstore import session as decide
from eventstore.blobs import Blobs
from eventstore.errors import Refused
from eventstore.filenames import made_safe
from eventstore.incoming import put_file
from eventstore.lent import UPLOADS
from eventstore.session import Session
from eventstore.transact import Repository

MOST_BYTES = 1 << 30
"""Of all downloads of one session."""

log = structlog.get_logger()


class Carrier:
    """Of one runner."""

    def __init__(self, sessions: Repository[Session], blobs: Blobs, *, actor: str) -> None:
        self._sessions = sessions
        self._blobs = blobs
        self._actor = actor

    async def give(self, place: Path | None, file: e.File) -> None:
        """Put an upload into the folder of the browser at `place`, whole; without a browser it waits for one."""
        if place is None:
            return
        folder, name = place / UPLOADS, made_safe(file.name)
        try:
            await asyncio.to_thread(shutil.copyfile, self._blobs.path(file.blob), folder / f".{file.id}")
            await asyncio.to_thread((folder / f".{file.id}").replace, folder / name)
        except (OSError, Refused) as failure:
            log.error("an upload could not be given to a browser", browser=place.name, reason=str(failure))

    async def take(self, stream: str, path: Path, name: str) -> None:
        """Keep a complete download, and remove it from where the browser put it."""
        try:
            blob, size = await put_file(self._blobs, path)
            file = e.File(
                id=str(uuid_utils.uuid7()),
                name=made_safe(name),
                blob=blob,
                size=size,
                content_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            )
            await self._sessions.transact(stream, partial(downloaded, file=file), actor=self._actor)
        except (OSError, Refused) as failure:
            log.error("a download could not be kept", stream=stream, reason=str(failure))
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def downloaded(session: Session, *, file: e.File) -> list[e.SessionEvent]:
    """The file beside those that there are: of one name, they are numbered. Too many bytes in all are dropped."""
    known = session.downloads.values()
    if sum(each.size for each in known) + file.size > MOST_BYTES:
        log.warning("a session has downloaded too much; a file is dropped", size=file.size)
        return []
    names = {each.name for each in known}
    stem, dot, ending = file.name.rpartition(".")
    stem, ending = (stem, dot + ending) if stem else (file.name, "")
    numbered = (f"{stem} ({number}){ending}" if number else file.name for number in range(len(names) + 1))
    name = next(name for name in numbered if name not in names)
    return decide.download(session, file=msgspec.structs.replace(file, name=name))
