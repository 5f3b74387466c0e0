"""The files of a task at work: those that it was given, in a folder of its own, and those that its browser brings."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from eventstore import events as e
from eventstore.blobs import Blobs, DamagedBlob
from eventstore.errors import DiskFull
from eventstore.filenames import good
from eventstore.incoming import put_file
from runner.files import described
from runner.past import Past
from runner.tape import Tape
from runner.vocabulary import ActFailed

log = structlog.get_logger()


@asynccontextmanager
async def given(root: Path | None, files: Sequence[e.File], blobs: Blobs) -> AsyncIterator[Path | None]:
    """A folder with these files for the length of the block; None without a root. Raises ActFailed: file_lost."""
    if root is None:
        yield None
        return
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=root))
    try:
        for file in files:
            await _lay(folder, file, blobs)
        yield folder
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))


def sweep(root: Path) -> None:
    """Make the folder for all these folders, empty: a killed service may have left some."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o700, parents=True)


class Bringing:
    """Puts whole downloads into the blobs and then on the tape, beside what the task does."""

    def __init__(self, tape: Tape, past: Past, blobs: Blobs) -> None:
        self._tape = tape
        self._past = past
        self._blobs = blobs
        self._early: list[tuple[str, Path]] | None = []

    def keep(self, name: str, path: Path) -> None:
        """Keep the file of that name that lies there. Before the task has started on its tape it waits."""
        if self._early is not None:
            self._early.append((name, path))
        else:
            self._tape.follow_up(self._produced(name, path))

    def start(self) -> None:
        """The tape may have files from now on."""
        early, self._early = self._early or [], None
        for name, path in early:
            self.keep(name, path)

    async def _produced(self, name: str, path: Path) -> list[e.Event]:
        try:
            blob, size = await put_file(self._blobs, path)
            await asyncio.to_thread(path.unlink, missing_ok=True)
        except (DiskFull, OSError) as failure:
            log.warning("a download was not kept", stream=self._tape.stream, reason=str(failure))
            return []
        step = (await self._tape.state()).step
        produced = e.FileProduced(fence=self._tape.fence, step=step, file=described(name, blob, size))
        self._past.note([produced])
        return [produced]


async def _lay(folder: Path, file: e.File, blobs: Blobs) -> None:
    try:
        data = await blobs.get(file.blob) if good(file.name) else None
        if data is not None:
            await asyncio.to_thread((folder / file.name).write_bytes, data)
            return
    except (DamagedBlob, OSError) as failure:
        raise ActFailed("file_lost", f"The file {file.name} could not be given to the task: {failure}") from failure
    raise ActFailed("file_lost", f"The file {file.name} that the task was given is no longer on the disk.")
