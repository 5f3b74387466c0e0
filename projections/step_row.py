"""The steps of a task, folded from its events. Pure and total: no clock, no I/O, and no history makes it raise."""

import copy
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import msgspec

from eventstore import events as e
from eventstore.codec import kind_of
from eventstore.store import Recorded


class StepRow(msgspec.Struct, kw_only=True, gc=False):
    """One step, begun or taken. Times are microseconds since 1970 UTC, `ended_at` is None while it is open.

    `actions` are JSON texts such as `{"click": {...}}`, in the order in which the acts began; `results` and `errors`
    stand beside them, empty texts for what an act did not bring. `acting` is the index of an act that began and did
    not end: in an interrupted step the one of which nobody can say whether it took effect.
    `screenshot` is a SHA-256 hex or empty, `removed` why there is none any more. `interrupted` is the cause (pause,
    stop, crash, timeout), or empty. Of what was redacted there are numbers and times, and `redacted` for any cause.
    """

    number: int
    started_at: int
    ended_at: int | None = None
    duration_ms: int = 0
    url: str = ""
    title: str = ""
    evaluation: str = ""
    memory: str = ""
    next_goal: str = ""
    actions: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    acting: int | None = None
    screenshot: str = ""
    usage: e.Usage | None = None
    interrupted: str = ""
    removed: str = ""


ENDINGS = frozenset({e.TaskFinished, e.TaskFailed, e.TaskStopped})
REMOVALS = frozenset({e.BlobsRemoved, e.TaskRedacted})


def after_the_end(rows: list[StepRow], event: e.Event) -> bool:
    """What was removed of a task that has ended: any row may change; tells whether one did."""
    match event:
        case e.TaskRedacted():
            rows[:] = [_redacted(number, row) for number, row in enumerate(rows, 1)]
        case e.BlobsRemoved(kind="screenshots", blobs=blobs, reason=reason):
            for row in rows:
                if row.screenshot in blobs:
                    row.screenshot, row.removed = "", reason or "removed"
        case _:
            return False
    return True


def apply(rows: list[StepRow], recorded: Recorded) -> bool:
    """One more event of the task that is not ended. Only the last row ever changes; tells whether anything did."""
    event = recorded.event
    if isinstance(event, e.Unknown):
        return _payloadless(rows, kind_of(event), recorded.at)
    match event:
        case e.ActionStarted():
            return _act(rows, event)
        case e.ActionEnded():
            return _acted(rows, event)
        case e.StepStarted(number=number):
            rows.append(StepRow(number=number, started_at=recorded.at))
        case e.CostRecorded(step=number, usage=usage):
            row = _open(rows, number)
            if row is None:
                return False
            row.usage = plus(row.usage, usage)
        case e.StepTaken():
            _take(rows, event, recorded.at)
        case e.StepInterrupted(number=number, cause=cause):
            row = _open(rows, number)
            if row is None:
                return False
            row.interrupted = cause
            row.ended_at = recorded.at
            row.duration_ms = (recorded.at - row.started_at) // 1_000
        case _:
            return False
    return True


def visible(rows: Iterable[StepRow]) -> list[StepRow]:
    """What people see, as copies: every step that ended, and the open one once it has begun an act."""
    return [copy.copy(row) for row in rows if row.ended_at is not None or row.actions]


def _open(rows: list[StepRow], number: int) -> StepRow | None:
    if rows and rows[-1].number == number and rows[-1].ended_at is None:
        return rows[-1]
    return None


def plus(before: e.Usage | None, usage: e.Usage) -> e.Usage:
    """Both together, under the newer one's model; the cost is unknown where one of them is, or is no number."""
    if before is None:
        return usage
    costs = [_decimal(each.cost_usd) for each in (before, usage)]
    known = [cost for cost in costs if cost is not None]
    return e.Usage(
        model=usage.model,
        input_tokens=before.input_tokens + usage.input_tokens,
        output_tokens=before.output_tokens + usage.output_tokens,
        cost_usd=f"{sum(known, Decimal()):f}" if len(known) == len(costs) else None,
        cached_tokens=before.cached_tokens + usage.cached_tokens,
    )


def _decimal(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text) if text is not None else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _payloadless(rows: list[StepRow], kind: type[e.Event], at: int) -> bool:
    """A step whose events have lost their payloads: that it was, from when to when, and whether it was interrupted."""
    last = rows[-1] if rows and rows[-1].ended_at is None else None
    if kind is e.StepStarted or (kind is e.StepTaken and last is None):
        last = StepRow(number=len(rows) + 1, started_at=at)
        rows.append(last)
    if last is None or kind not in (e.StepStarted, e.StepTaken, e.StepInterrupted):
        return False
    if kind is not e.StepStarted:
        last.ended_at = at
        last.duration_ms = (at - last.started_at) // 1_000
        last.interrupted = "redacted" if kind is e.StepInterrupted else ""
    return True


def _redacted(number: int, row: StepRow) -> StepRow:
    """What `_payloadless` makes of the same step."""
    return StepRow(
        number=number,
        started_at=row.started_at,
        ended_at=row.ended_at,
        duration_ms=0 if row.ended_at is None else (row.ended_at - row.started_at) // 1_000,
        interrupted="redacted" if row.interrupted else "",
    )


def _act(rows: list[StepRow], event: e.ActionStarted) -> bool:
    row = _open(rows, event.step)
    if row is None:
        return False
    row.actions = (*row.actions, event.params)
    row.results = (*row.results, "")
    row.errors = (*row.errors, "")
    row.acting = event.index
    row.url = event.url or row.url
    return True


def _acted(rows: list[StepRow], event: e.ActionEnded) -> bool:
    row = _open(rows, event.step)
    if row is None or row.acting != event.index:
        return False
    row.results = (*row.results[:-1], event.result)
    row.errors = (*row.errors[:-1], "" if event.ok else event.error or "failed")
    row.acting = None
    row.url = event.url or row.url
    return True


def _take(rows: list[StepRow], event: e.StepTaken, at: int) -> None:
    row = _open(rows, event.number)
    if row is None:
        row = StepRow(number=event.number, started_at=at)
        rows.append(row)
    row.ended_at = at
    row.duration_ms = event.duration_ms
    row.url = event.url or row.url
    row.title = event.title
    row.evaluation = event.evaluation
    row.memory = event.memory
    row.next_goal = event.next_goal
    row.screenshot = event.screenshot
    row.usage = row.usage or event.usage
