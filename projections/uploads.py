"""The view of what uploads weigh, by project: in memory alone; opening reads them by type, few among many events."""

from collections import Counter

from eventstore import events as e
from eventstore.store import EventStore, Recorded

TYPES = ("file.uploaded", "file.removed", "session.purged")


class Uploads:
    """Every upload that is kept, a project's and its sessions'. `bytes` is how many those of a project have."""

    def __init__(self) -> None:
        self.bytes: Counter[str] = Counter()
        self._kept: dict[str, dict[str, tuple[str, e.File]]] = {}

    def apply(self, recorded: Recorded) -> None:
        """One more event; the same one again changes nothing."""
        stream, event = recorded.stream, recorded.event
        match event:
            case e.FileUploaded(project=project, file=file):
                self._drop(stream, {file.name})
                self._kept.setdefault(stream, {})[file.name] = (project, file)
                self.bytes[project] += file.size
            case e.FilesRemoved(files=gone):
                kept = self._kept.get(stream, {})
                self._drop(stream, {name for name, (_, file) in kept.items() if file.id in gone})
            case e.SessionPurged():
                self._drop(stream, set(self._kept.get(stream, ())))

    async def load(self, store: EventStore) -> None:
        """Read every upload that the log has."""
        position = 0
        while page := await store.read(position, types=TYPES):
            for recorded in page:
                self.apply(recorded)
            position = page[-1].position

    def _drop(self, stream: str, names: set[str]) -> None:
        kept = self._kept.get(stream, {})
        for name in names & kept.keys():
            project, file = kept.pop(name)
            self.bytes[project] -= file.size
            if not self.bytes[project]:
                del self.bytes[project]
        if not kept:
            self._kept.pop(stream, None)
