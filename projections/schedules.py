"""The view of schedules: in memory alone; opening reads them by type, few among many events."""

import msgspec

from eventstore import events as e
from eventstore import schedule
from eventstore.schedule import STREAM
from eventstore.store import EventStore, Recorded

TYPES = frozenset({"schedule.created", "schedule.changed", "schedule.deleted"})


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as people see it. Times are microseconds since 1970 UTC; `created` is its first position."""

    id: str
    project: str
    current: e.ScheduleChanged
    created: int
    created_at: int
    updated_at: int


class Schedules:
    """All schedules by id but those that were deleted, of which only the project is known."""

    def __init__(self) -> None:
        self._all: dict[str, Schedule] = {}
        self._projects: dict[str, str] = {}

    def find(self, schedule_id: str) -> Schedule | None:
        """The schedule, unless it was deleted."""
        return self._all.get(schedule_id)

    def project(self, schedule_id: str) -> str:
        """Whose it is or was; empty for one that never was."""
        return self._projects.get(schedule_id, "")

    def of(self, project: str) -> list[Schedule]:
        """The schedules of a project, the newest first."""
        mine = [each for each in self._all.values() if each.project == project]
        return sorted(mine, key=lambda each: each.created, reverse=True)

    def apply(self, recorded: Recorded) -> None:
        """One more event; the same one again changes nothing."""
        schedule_id, event = recorded.stream.removeprefix(STREAM), recorded.event
        known = self._all.get(schedule_id)
        if isinstance(event, e.ScheduleCreated) and schedule_id not in self._projects:
            self._projects[schedule_id] = event.project
            self._all[schedule_id] = Schedule(
                id=schedule_id,
                project=event.project,
                current=schedule.changed(event),
                created=recorded.position,
                created_at=recorded.at,
                updated_at=recorded.at,
            )
        elif isinstance(event, e.ScheduleChanged) and known is not None:
            self._all[schedule_id] = msgspec.structs.replace(known, current=event, updated_at=recorded.at)
        elif isinstance(event, e.ScheduleDeleted):
            self._all.pop(schedule_id, None)

    async def load(self, store: EventStore) -> None:
        """Read every schedule that the log has."""
        position = 0
        while page := await store.read(position, types=TYPES):
            for recorded in page:
                self.apply(recorded)
            position = page[-1].position
