"""A schedule: what begins again and again, until it ends or is deleted. Pure; `rhythm.py` says when."""

from collections.abc import Iterable
from functools import reduce

import msgspec

from eventstore import events as e
from eventstore.errors import Conflict, NotFound

STREAM = "schedule-"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision needs to know. `version` counts the events folded.

    `current` is the schedule as it was created or last changed, `handled` the last time due that was run or missed in
    microseconds since 1970, 0 for none; `last` the id of the task that was begun last.
    """

    version: int = 0
    created: e.ScheduleCreated | None = None
    current: e.ScheduleChanged | None = None
    handled: int = 0
    last: str = ""
    deleted: bool = False

    @property
    def there(self) -> e.ScheduleChanged | None:
        """What it is now, while there is such a schedule."""
        return None if self.deleted else self.current


def evolve(schedule: Schedule, event: e.Event) -> Schedule:
    """The state after one more event."""
    changes: dict[str, object] = {"version": schedule.version + 1}
    match event:
        case e.ScheduleCreated() if schedule.created is None:
            changes |= {"created": event, "current": changed(event)}
        case e.ScheduleChanged():
            changes["current"] = event
        case e.ScheduleRun(due=due, task=task):
            changes |= {"handled": max(schedule.handled, due), "last": task}
        case e.ScheduleMissed(last=last):
            changes["handled"] = max(schedule.handled, last)
        case e.ScheduleDeleted():
            changes["deleted"] = True
    return msgspec.structs.replace(schedule, **changes)


def fold(events: Iterable[e.Event], schedule: Schedule | None = None) -> Schedule:
    """The state after all the events, from nothing or from an earlier state."""
    return reduce(evolve, events, schedule or Schedule())


def changed(created: e.ScheduleCreated) -> e.ScheduleChanged:
    """What a new schedule is, in the words of one that was changed."""
    return e.ScheduleChanged(
        **{field: getattr(created, field) for field in e.ScheduleChanged.__struct_fields__}  # the same names in both
    )


def create(schedule: Schedule, *, created: e.ScheduleCreated) -> list[e.ScheduleEvent]:
    """A new schedule. The same again is one; another one in its place is refused."""
    if not schedule.version:
        return [created]
    if schedule.created == created:
        return []
    raise Conflict("There is a scheduled task under this id already.")


def change(schedule: Schedule, *, change: e.ScheduleChanged) -> list[e.ScheduleEvent]:
    """As it is from now on; one that brings no secrets keeps those that there are. Raises NotFound."""
    there = _there(schedule)
    wanted = msgspec.structs.replace(change, kept=change.kept or there.kept)
    return [] if there == wanted else [wanted]


def delete(schedule: Schedule, *, reason: str = "") -> list[e.ScheduleEvent]:
    """Nothing begins any more; what has begun goes on. Deleting twice is once."""
    if schedule.created is None:
        raise NotFound("Scheduled task not found")
    return [] if schedule.deleted else [e.ScheduleDeleted(reason=reason)]


def run(schedule: Schedule, *, due: int, task: str) -> list[e.ScheduleEvent]:
    """The run that was due then has begun. Nothing to say when it was said, or when nobody wants it any more."""
    if schedule.there is None or due <= schedule.handled:
        return []
    return [e.ScheduleRun(due=due, task=task)]


def miss(schedule: Schedule, *, missed: e.ScheduleMissed) -> list[e.ScheduleEvent]:
    """Those runs are not made up for."""
    if schedule.there is None or missed.last <= schedule.handled:
        return []
    return [missed]


def _there(schedule: Schedule) -> e.ScheduleChanged:
    if schedule.there is None:
        raise NotFound("Scheduled task not found")
    return schedule.there


def vault_name(schedule_id: str, kept: str) -> str:
    """Where the vault has the secrets that its tasks begin with. Those of a change do not overwrite the ones before."""
    return f"schedule/{schedule_id}/{kept}" if kept else f"schedule/{schedule_id}"
