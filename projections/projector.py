"""Follows the log and applies every event to every view: to memory first, to the views file in batches behind it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

from eventstore import codec, events, machine, naming, parts
from eventstore.errors import DiskFull
from eventstore.events import TaskRedacted, Unknown
from eventstore.store import EventStore, Recorded
from projections import (
    findings,
    hooks,
    references,
    session_files,
    session_row,
    sessions,
    shelf,
    step_row,
    steps,
    task_row,
    tasks,
)
from projections.hooks import Hooks
from projections.keys import Keys
from projections.profiles import Profiles
from projections.references import References
from projections.schedules import Schedules
from projections.session_files import SessionFiles
from projections.sessions import Sessions
from projections.shelf import Checkpoint, Shelf, open_shelf, remove
from projections.steps import Steps
from projections.tasks import Tasks
from projections.uploads import Uploads
from projections.waiters import Waiters

FLUSH_EVERY = 20_000
REMEMBER = 20_000

_log = logging.getLogger(__name__)


class Projector:
    """The views, and how far they have come. `skipped` and `poisoned` count events since the start (see `_apply`)."""

    def __init__(
        self, store: EventStore, file: Shelf, checkpoint: Checkpoint, *, remember: int, old: Sequence[Path] = ()
    ) -> None:
        self._store = store
        self._shelf = file
        self._old = old
        self._goal = store.head
        self._seen = self._kept = checkpoint
        self._flushing = asyncio.Lock()
        self._waiters = Waiters()
        self._redactions = self._forgotten = 0
        self.tasks = Tasks(file, self.flush, remember=remember)
        self.steps = Steps(file)
        self.references = References(file, self.flush)
        self.sessions = Sessions(file, self.flush)
        self.session_files = SessionFiles(file, self.flush)
        self.hooks = Hooks(file, self.flush)
        self.keys = Keys()
        self.profiles = Profiles()
        self.schedules = Schedules()
        self.uploads = Uploads()
        self.skipped = 0
        self.poisoned = 0

    @property
    def position(self) -> int:
        """The last event that is in every view."""
        return self._seen.position

    @property
    def lag(self) -> int:
        """How many events of the log are in no view yet."""
        return max(0, self._store.head - self.position)

    @property
    def waiting(self) -> int:
        """How many wait for a position or for a change of a task."""
        return len(self._waiters) + self.tasks.waiting

    async def load(self) -> None:
        """Bring into memory what must always be there."""
        await self.tasks.load()
        await self.steps.load()
        await self.sessions.load()
        await self.keys.load(self._store)
        await self.profiles.load(self._store)
        await self.schedules.load(self._store)
        await self.uploads.load(self._store)

    async def run(self) -> None:
        """Follow the log for ever. Raises what the store raises; then, and when cancelled, nobody waits in vain."""
        self._waiters.let_in()
        try:
            while True:
                if not await self.advance():
                    await self._store.wait(self.position)
        except BaseException as error:
            self._waiters.stop(self.position, error)
            raise

    async def advance(self) -> int:
        """Apply the next page of the log, if there is one; tells how many events it had.

        Raises what the store raises, and sqlite3.DatabaseError once the views file turned out to be damaged: it is
        deleted when the projector is left, so that the next start builds a sound one.
        """
        if self._shelf.damage is not None:
            raise self._shelf.damage
        page = await self._store.read(self.position)
        if self._old and self.position >= self._goal:
            await self._replace()
        if not page:
            return 0
        absent, trails = self.tasks.absent(page), self.steps.absent(page)
        while absent or trails:
            await self.tasks.load(absent)
            await self.steps.recall(trails)
            # Others may have been forgotten meanwhile. Who is in no file either is no task.
            absent = [each for each in self.tasks.absent(page) if each not in absent]
            trails = self.steps.absent(page)
        self._apply(page)
        if self.position - self._kept.position >= FLUSH_EVERY:
            with suppress(DiskFull):  # Memory is right all the same; the next page tries again.
                await self.flush()
        return len(page)

    async def reached(self, position: int) -> None:
        """Return when every event up to this position is in every view. Raises ViewsStopped; has no limit."""
        if position <= self.position:
            return
        await self._waiters.until(position)

    async def flush(self) -> None:
        """Bring the views file up to what is in memory, unless it is damaged. Raises DiskFull."""
        async with self._flushing:
            seen, redactions = self._seen, self._redactions
            if seen == self._kept or self._shelf.damage is not None:
                return
            writes = [self.tasks.pending(), self.steps.pending()]
            for view in (self.references, self.sessions, self.session_files, self.hooks):
                writes += view.pending()
            await self._shelf.write(writes, seen, residue=redactions > self._forgotten)
            self.tasks.written()
            self.steps.written()
            self.references.written()
            self.sessions.written()
            self.session_files.written()
            self.hooks.written()
            self._kept, self._forgotten = seen, redactions

    async def purge(self) -> None:
        """See that no byte of what was redacted is in the views file. Raises DiskFull.

        Costs as much as writing the file anew, and nothing where nothing was redacted.
        """
        if self._redactions > self._forgotten:
            await self.flush()
        async with self._flushing:
            await self._shelf.purge()

    async def _replace(self) -> None:
        """Files of earlier definitions go once this one has all that the log had when it was opened."""
        try:
            await self.flush()
        except DiskFull:
            return
        for file in self._old:
            remove(file)
        self._old = ()

    def _apply(self, page: Sequence[Recorded]) -> None:
        """Without a pause, so that nobody sees half a page.

        What cannot be read (of a newer type, or redacted) is skipped. A defect of a view must not stop the service:
        it is logged, counted as poison, and the event is passed over for that view.
        """
        views = (
            self.tasks.apply,
            self.steps.apply,
            self.references.apply,
            self.uploads.apply,
            self.sessions.apply,
            self.session_files.apply,
            self.keys.apply,
            self.hooks.apply,
            self.profiles.apply,
            self.schedules.apply,
        )
        for recorded in page:
            self._redactions += type(recorded.event) is TaskRedacted
            if type(recorded.event) is Unknown:
                self.skipped += 1
            for apply in views:
                try:
                    apply(recorded)
                except Exception:
                    self.poisoned += 1
                    _log.exception("a view could not apply the event at position %d", recorded.position)
        self._seen = Checkpoint(position=page[-1].position, hash=page[-1].hash)
        self._waiters.wake(self.position)


@asynccontextmanager
async def open_projector(store: EventStore, path: Path | None, *, remember: int = REMEMBER) -> AsyncIterator[Projector]:
    """The views of this log, with their file in the directory `path`, or in memory alone for None.

    A file that is damaged, of another log, or ahead of this one is built again; so is one of another definition,
    beside the old one. The caller runs `run`. Leaving writes down what the file lacks, so that the next start is quick.
    """

    file, old = _files(path) if path else (None, [])

    async def trust(opened: Shelf) -> Projector | None:
        checkpoint = await opened.checkpoint()
        if not await _is_of(store, checkpoint):
            return None
        projector = Projector(store, opened, checkpoint, remember=remember, old=old)
        await projector.load()
        return projector

    schema = tasks.SCHEMA + steps.SCHEMA + references.SCHEMA + sessions.SCHEMA + session_files.SCHEMA + hooks.SCHEMA
    async with open_shelf(file, schema, trust) as projector:
        try:
            yield projector
        finally:
            with suppress(DiskFull):
                await projector.flush()


async def _is_of(store: EventStore, checkpoint: Checkpoint) -> bool:
    """Whether this log has been at the checkpoint: another one has another hash there, a restored one may lack it."""
    if checkpoint.position == 0:
        return True
    page = await store.read(checkpoint.position - 1, limit=1)
    return [(checkpoint.position, checkpoint.hash)] == [(each.position, each.hash) for each in page]


def _files(directory: Path) -> tuple[Path, list[Path]]:
    """The views file of this definition, and those of others."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = sha256()
    views = (findings, task_row, tasks, step_row, steps, references, session_row, sessions, session_files, hooks)
    for module in (events, parts, codec, machine, naming, shelf, *views):
        digest.update(Path(module.__file__ or "").read_bytes())
    file = directory / f"views-{digest.hexdigest()[:16]}.db"
    return file, [other for other in directory.glob("views-*.db") if other != file]
