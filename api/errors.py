"""The one table from words to HTTP statuses, and the bodies that clients of every family read."""

import msgspec
from aiohttp import web

from eventstore.errors import Refused

STATUS = {
    "invalid": 422,
    "session_busy": 400,
    "session_stopped": 400,
    "not_found": 404,
    "not_allowed": 409,
    "conflict": 409,
    "fenced": 409,
    "gone": 410,
    "no_room": 413,
    "overloaded": 503,
    "disk_full": 507,
}
RETRY_AFTER_SECONDS = 1


class Flaw(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a request; `loc` starts with `query`, `path`, `body` or `header`."""

    loc: tuple[str | int, ...]
    msg: str
    type: str


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """The request cannot be read."""

    detail: tuple[Flaw, ...]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, in words."""

    detail: str


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """`{"detail": "text"}`."""
    return answer(status, Problem(detail=detail), headers)


def answer(status: int, value: object, headers: dict[str, str] | None = None) -> web.Response:
    """Any value as JSON under a status."""
    return web.Response(
        status=status, body=msgspec.json.encode(value), content_type="application/json", headers=headers
    )


def refusal(error: Refused) -> web.Response:
    """What a refused request is answered with."""
    status = STATUS[error.code]
    if status == 422:
        return answer(status, flaws(str(error), error.field))
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if error.code == "overloaded" else None
    return problem(status, str(error), headers)


def flaws(message: str, field: tuple[str | int, ...]) -> Unreadable:
    """The shape of a 422. What the log itself refuses, such as too large an event, came with the body."""
    kind = "value_error.missing" if message == "field required" else "value_error"
    return Unreadable(detail=(Flaw(loc=field or ("body",), msg=message, type=kind),))
