"""What the scheduler knows of one schedule: when it is due next, and what of it is still to be said."""

import msgspec

from eventstore import events as e
from eventstore import rhythm, schedule
from eventstore.schedule import Schedule


class Late(msgspec.Struct, frozen=True):
    """What a schedule had due after `since` when it was changed at `until`."""

    schedule: e.ScheduleChanged
    since: int
    until: int


class Plan(msgspec.Struct):
    """A schedule, and the moment after which the next time due counts.

    Nothing is begun before `again`. `heard` is the schedule by the last event heard; `schedule` may know more. `late`
    has what was due before a change and was not begun by then. `found` is what `next` last found, and of what: every
    event on the log has all plans asked, and cron is slow.
    """

    schedule: Schedule
    since: int
    again: int = 0
    heard: e.ScheduleChanged | None = None
    late: tuple[Late, ...] = ()
    found: tuple[e.ScheduleChanged | None, int, int | None] = (None, 0, None)

    @property
    def next(self) -> int | None:
        """When it is due next."""
        there, since, due = self.found
        if there is not self.schedule.there or since != self.since:
            there = self.schedule.there
            due = rhythm.after(there, self.since) if there else None
            self.found = (there, self.since, due)
        return due

    def vault_name(self, schedule_id: str) -> str:
        """Where the secrets are, by the last event heard."""
        return schedule.vault_name(schedule_id, self.heard.kept if self.heard else "")

    def change(self, changed: e.ScheduleChanged, at: int) -> None:
        """Take the change up. What was due before it and has not begun is late."""
        due = rhythm.after(self.heard, self.since) if self.heard else None
        if self.heard and due is not None and due <= at:
            self.late = (*self.late, Late(self.heard, self.since, at))
        self.heard = changed
        self.since = max(self.since, at)
