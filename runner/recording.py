"""The video of one attempt at a task: it watches as people do, while the task is not paused, and is kept at the end."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import file_digest
from pathlib import Path

import structlog
import uuid_utils

from eventstore import decide
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.errors import Refused
from eventstore.files import NEW
from runner.film import CONTENT_TYPE, PRESENT, SUFFIX, Film
from runner.reel import Picture, Reel
from runner.tape import Tape

log = structlog.get_logger()

FRAME_SECONDS = 0.25
"""From one picture of a video to the next."""

MOST_SECONDS = 3600.0
MOST_BYTES = 100 * 1024 * 1024
"""A video ends where it would be longer or larger; the task goes on."""

KEEP_SECONDS = 10.0

Acting = Callable[[], bool]


ASKED, ALL = "asked", "all"

Records = Callable[[e.Options], bool]


def unrecorded(_options: e.Options) -> bool:
    """There are no videos."""
    return False


def records(setting: str) -> Records:
    """Of which tasks there are videos: of those that ask for one, of all, or of none; of none without `av`."""
    if not PRESENT or setting not in (ASKED, ALL):
        return unrecorded
    return lambda options: setting == ALL or options.record


class Recorder:
    """Films a reel. `acting` tells whether the task may act now: time in which it may not is left out."""

    def __init__(self, film: Film, reel: Reel, acting: Acting) -> None:
        self._film = film
        self._reel = reel
        self._acting = acting
        self._seconds = 0.0
        self._picture: Picture | None = None
        self._filmed: Picture | None = None

    async def run(self) -> None:
        """Until cancelled, or there are no more pictures, or it is long enough."""
        now = asyncio.get_running_loop().time
        last = now()
        async with self._reel.watch():
            while self._seconds < MOST_SECONDS and self._film.size < MOST_BYTES:
                number = self._picture.number if self._picture else 0
                fresh = await self._fresh(number)
                acting, last, passed = self._acting(), now(), now() - last
                if self._picture is not None and acting:
                    self._seconds += passed
                self._picture = fresh or self._picture
                if acting and self._picture is not None and self._picture is not self._filmed:
                    self._filmed = self._picture
                    await self._add(self._filmed)
                await asyncio.sleep(FRAME_SECONDS)

    async def last(self) -> None:
        """The film ends with what was seen last while the task might act."""
        if self._filmed is not None:
            await self._add(self._filmed)

    async def _fresh(self, number: int) -> Picture | None:
        with suppress(TimeoutError):
            async with asyncio.timeout(FRAME_SECONDS):
                return await self._reel.newest(number)
        return None

    async def _add(self, picture: Picture) -> None:
        await asyncio.to_thread(self._film.add, picture.data, int(self._seconds * 1000))


class Recording:
    """Use `recording`. Its pictures are those of the reel that it is told of, until the block is left."""

    def __init__(self, film: Film, acting: Acting) -> None:
        self._film = film
        self._acting = acting
        self._recorder: Recorder | None = None
        self._running: asyncio.Task[None] | None = None

    def begin(self, reel: Reel) -> None:
        """There is something to see."""
        self._recorder = Recorder(self._film, reel, self._acting)
        self._running = asyncio.create_task(self._recorder.run())

    async def end(self) -> None:
        """The film is whole."""
        if self._running is not None and self._recorder is not None:
            self._running.cancel()
            await asyncio.wait({self._running})
            if not self._running.cancelled() and (error := self._running.exception()):
                log.warning("a video ends early", reason=str(error))
            await self._recorder.last()
        await asyncio.to_thread(self._film.close)


@asynccontextmanager
async def recording(tape: Tape, blobs: Blobs, acting: Acting, *, name: str) -> AsyncIterator[Recording | None]:
    """Room for a video; when the block is left it is in the blobs and on the tape. What fails is only told."""
    try:
        path = await asyncio.to_thread(_room, blobs)
    except (Refused, OSError) as failure:
        log.warning("a task is not recorded", stream=tape.stream, reason=str(failure))
        yield None
        return
    try:
        film = await asyncio.to_thread(Film, path)
        record = Recording(film, acting)
        try:
            yield record
        finally:
            await _kept(record, film, tape, blobs, path, name)
    finally:
        path.unlink(missing_ok=True)


async def _kept(record: Recording, film: Film, tape: Tape, blobs: Blobs, path: Path, name: str) -> None:
    try:
        async with asyncio.timeout(KEEP_SECONDS):
            await record.end()
            if film.frames:
                await _keep(tape, blobs, path, film, name)
    except (Refused, OSError, ValueError, TimeoutError) as failure:
        log.warning("the video of a task could not be kept", stream=tape.stream, reason=str(failure))


async def _keep(tape: Tape, blobs: Blobs, path: Path, film: Film, name: str) -> None:
    digest, size = await asyncio.to_thread(_digest, path)
    await asyncio.to_thread(blobs.adopt, path, digest)
    file = e.File(id=str(uuid_utils.uuid7()), name=f"{name}{SUFFIX}", blob=digest, size=size, content_type=CONTENT_TYPE)
    saved = e.RecordingSaved(fence=tape.fence, file=file, duration_ms=film.milliseconds)
    await tape.decide(lambda task: decide.recorded(task, saved))


def _room(blobs: Blobs) -> Path:
    descriptor, name = tempfile.mkstemp(dir=blobs.ready(), prefix=NEW)
    os.close(descriptor)
    return Path(name)


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest(), file.tell()
