"""When a schedule is due, and what its runs are called. Pure; times are microseconds since 1970, cron is in UTC."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from eventstore.events import ScheduleChanged

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND

CronError = CronSimError
"""What `check` raises; its text says what is wrong."""


def check(expression: str) -> None:
    """Raises CronError for what is no cron expression of five fields, or for one that is never due."""
    if len(expression.split()) != 5:
        raise CronError("it must have five fields: minute, hour, day of the month, month, day of the week")
    if next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)), None) is None:
        raise CronError("it is never due")


def after(schedule: ScheduleChanged, moment: int) -> int | None:
    """The first time due after the moment; None when there is none until its end."""
    if not schedule.active:
        return None
    due = _interval(schedule, moment) if schedule.kind == "interval" else _cron(schedule, moment)
    return due if due is not None and due <= schedule.end_at else None


def between(schedule: ScheduleChanged, moment: int, now: int) -> Iterator[int]:
    """Every time due after the moment and up to now."""
    due = after(schedule, moment)
    while due is not None and due <= now:
        yield due
        due = after(schedule, due)


def run_id(schedule_id: str, due: int) -> str:
    """The id of the task that is due then: the same however often it is asked for, so that none begins twice."""
    return str(uuid.uuid5(uuid.UUID(schedule_id), str(due)))


def session_id(schedule_id: str, due: int) -> str:
    """The session of that task."""
    return str(uuid.uuid5(uuid.UUID(schedule_id), f"session {due}"))


def _interval(schedule: ScheduleChanged, moment: int) -> int:
    """The first run is at the start; then one each so many minutes, wherever the clock was looked at."""
    if moment < schedule.start_at:
        return schedule.start_at
    every = schedule.interval_minutes * _MINUTE
    return schedule.start_at + ((moment - schedule.start_at) // every + 1) * every


def _cron(schedule: ScheduleChanged, moment: int) -> int | None:
    begin = max(moment, schedule.start_at - 1)
    found = next(CronSim(schedule.cron, datetime.fromtimestamp(begin // _SECOND, UTC)), None)
    return None if found is None else int(found.timestamp()) * _SECOND
