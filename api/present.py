"""What every family shows alike of a task, in no family's words: times, outcome, identities, links."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

from aiohttp import web

from api.service import SERVICE
from projections.step_row import StepRow
from projections.task_row import TaskRow

PICTURE_SECONDS = 3600

NO_SESSION = "00000000-0000-0000-0000-000000000000"
"""Stands where a session's id is asked for, and the task that had it was redacted."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Microseconds since 1970 UTC as a time; on the wire it ends with Z."""
    return _EPOCH + at * _MICROSECOND


def moment_or_none(at: int | None) -> datetime | None:
    """The same, for what may not have happened."""
    return None if at is None else moment(at)


def microseconds(when: datetime) -> int:
    """The way back; a time without a zone is UTC."""
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def outcome(row: TaskRow) -> str | None:
    """What the task brought, once it has finished; of a failed one the reason, so that its user sees why."""
    if row.success is None:
        return None
    return row.error_message if row.error_code else row.output


def ended(steps: Iterable[StepRow]) -> list[StepRow]:
    """The steps that will not change any more: clients read each one once."""
    return [step for step in steps if step.ended_at is not None]


def identity(task_id: str, *parts: str | int) -> str:
    """A UUID for a part of a task, the same whenever it is asked for."""
    return str(uuid5(NAMESPACE_OID, "/".join(map(str, (task_id, *parts)))))


def picture(request: web.Request, task_id: str, step: StepRow) -> str:
    """An absolute link to the step's screenshot that needs no key and expires."""
    return link(request, f"/api/tape/tasks/{task_id}/screenshots/{step.number}.png", PICTURE_SECONDS)


def link(request: web.Request, path: str, seconds: int) -> str:
    """An absolute link to a path of ours that needs no key and expires."""
    return origin(request) + request.app[SERVICE].signer.sign(path, seconds)


def origin(request: web.Request) -> str:
    """What links begin with: the public URL, or else the origin that this client reached the service under."""
    service = request.app[SERVICE]
    return (service.settings.public_url or f"{request.scheme}://{request.host}").rstrip("/")
