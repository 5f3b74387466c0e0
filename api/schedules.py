"""What every family does with a schedule: makes, changes and deletes it. In no family's words."""

from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from api import wire
from api.control import fresh_id, seen
from api.present import microseconds, moment
from api.service import Caller, Service
from eventstore import rhythm, secrets
from eventstore import schedule as decide
from eventstore.clock import microseconds as now
from eventstore.errors import DiskFull, Invalid, NotFound, Refused
from eventstore.events import ScheduleChanged, ScheduleCreated
from eventstore.schedule import STREAM
from eventstore.secrets import Secrets
from eventstore.store import Lane
from projections.schedules import Schedule

MAX_SCHEDULES = 1_000
"""Of one project; every one is kept in memory."""

LASTS = timedelta(days=365)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """When runs are due. Exactly one of `minutes` and `cron` counts, by `kind`."""

    kind: str
    minutes: int | None
    cron: str | None
    start_at: datetime | None
    end_at: datetime | None
    active: bool


def find(service: Service, caller: Caller, schedule_id: str) -> Schedule:
    """The caller's schedule. Raises NotFound; what is another project's does not exist."""
    found = service.projector.schedules.find(schedule_id.lower())
    if found is None or found.project != caller.project:
        raise NotFound("Scheduled task not found")
    return found


def next_run(schedule: Schedule) -> int | None:
    """When it is due next, in microseconds since 1970."""
    return rhythm.after(schedule.current, now())


def timed(times: Times, change: ScheduleChanged) -> ScheduleChanged:
    """The schedule with these times. Raises Invalid, in v1's words for the fields."""
    start, end = _bounds(times.start_at, times.end_at)
    if end <= start:
        raise _wrong("end_at", "The schedule must end after it starts.")
    interval = times.kind == "interval"
    if interval and not times.minutes:
        raise _wrong("interval_minutes", "An interval needs a number of minutes.")
    if not interval and not times.cron:
        raise _wrong("cron_expression", "A cron schedule needs an expression, such as 0 9 * * 1-5 (in UTC).")
    try:
        if times.cron and not interval:
            rhythm.check(times.cron)
    except rhythm.CronError as error:
        raise _wrong("cron_expression", f"This is not a cron expression: {error}") from error
    return msgspec.structs.replace(
        change,
        kind=times.kind,
        start_at=start,
        end_at=end,
        interval_minutes=times.minutes or 0 if interval else 0,
        cron="" if interval else " ".join((times.cron or "").split()),
        active=times.active,
    )


async def create(service: Service, caller: Caller, wish: ScheduleChanged, given: Secrets) -> Schedule:
    """A new schedule of the caller's project. Raises Invalid beyond MAX_SCHEDULES, DiskFull."""
    if len(service.projector.schedules.of(caller.project)) >= MAX_SCHEDULES:
        raise Invalid(f"A project has at most {MAX_SCHEDULES} schedules; delete one first.", field=("body",))
    schedule_id = fresh_id()
    fields = {name: getattr(wish, name) for name in ScheduleChanged.__struct_fields__}
    created = ScheduleCreated(project=caller.project, family=wish.task.family, **fields)
    if given:
        await _put(service, decide.vault_name(schedule_id, ""), given)
    try:
        done = await service.schedules.transact(
            f"{STREAM}{schedule_id}",
            partial(decide.create, created=created),
            actor=caller.actor,
            lane=Lane.INTAKE,
        )
    except Refused:  # one that was cut off may stand on the tape all the same
        await service.vault.delete(decide.vault_name(schedule_id, ""))
        raise
    await seen(service, done.position)
    return find(service, caller, schedule_id)


async def change(
    service: Service, caller: Caller, schedule: Schedule, wish: ScheduleChanged, given: Secrets | None
) -> Schedule:
    """The schedule as it is wished from now on; `given` takes the place of its secrets. Raises NotFound, DiskFull.

    Until the log has the change, the secrets from before are the schedule's; the scheduler forgets them afterwards.
    """
    if given is not None:
        wish = msgspec.structs.replace(wish, kept=fresh_id())
        await _put(service, decide.vault_name(schedule.id, wish.kept), given)
    try:
        done = await service.schedules.transact(
            f"{STREAM}{schedule.id}", partial(decide.change, change=wish), actor=caller.actor, lane=Lane.CONTROL
        )
    except Refused:
        if given is not None:
            await service.vault.delete(decide.vault_name(schedule.id, wish.kept))
        raise
    await seen(service, done.position)
    return find(service, caller, schedule.id)


async def delete(service: Service, caller: Caller, schedule: Schedule) -> None:
    """Nothing begins any more; a task that has begun goes on."""
    done = await service.schedules.transact(
        f"{STREAM}{schedule.id}", decide.delete, actor=caller.actor, lane=Lane.CONTROL
    )
    await service.vault.delete(decide.vault_name(schedule.id, schedule.current.kept))
    await seen(service, done.position)


async def kept(service: Service, schedule: Schedule) -> Secrets:
    """The secrets that its tasks begin with."""
    if not schedule.current.task.secrets:
        return {}
    return await secrets.get(service.vault, decide.vault_name(schedule.id, schedule.current.kept)) or {}


def as_sent(data: bytes) -> dict[str, object]:
    """The fields that a client sent, but for those that are null: they count as left out. Raises Invalid."""
    sent = wire.decode(data, object)
    if not isinstance(sent, dict):
        raise Invalid("The body must be a JSON object.", field=("body",))
    return {str(name): value for name, value in sent.items() if value is not None}


def _bounds(start: datetime | None, end: datetime | None) -> tuple[int, int]:
    """From now, and for a year, where nothing else was asked for; in microseconds since 1970."""
    for field, when in (("start_at", start), ("end_at", end)):
        if when is not None and not 0 <= microseconds(when) <= microseconds(LATEST):
            raise _wrong(field, f"The time must lie between 1970 and {LATEST.year}.")
    begin = start or moment(now())
    return microseconds(begin), microseconds(end or begin + LASTS)


async def _put(service: Service, name: str, given: Secrets) -> None:
    try:
        await secrets.put(service.vault, name, given)
    except OSError as error:
        raise DiskFull(f"The secrets could not be kept: {error.strerror}.") from error


def _wrong(field: str, message: str) -> Invalid:
    return Invalid(message, field=("body", field))
