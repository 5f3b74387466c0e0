"""A task as people see it, folded from its events. Pure and total: no clock, no I/O, and no history makes it raise."""

from decimal import Decimal

import msgspec

from eventstore import events as e
from eventstore.machine import DESIRES, ENDED, PHASES, Desired, Hold, Phase, State, after, seen, wish
from eventstore.store import Recorded

STREAM = "task-"


class TaskRow(msgspec.Struct, kw_only=True, gc=False):
    """What the API families show of a task. Times are microseconds since 1970 UTC, None for what has not happened.

    `created` is the position of its first event, `version` and `position` those of its last one. `state` is what the
    three registers amount to. `uploads` are files it was given, `files` those it produced; `steps` counts the steps
    that were taken. `success` is None until it finished or failed. `cost_usd` adds up the model calls whose price is
    known, None when there was none. `runner` is empty when nobody holds it.
    """

    id: str
    project: str
    session: str
    family: str
    instruction: str
    llm: str
    start_url: str
    limits: e.Limits
    options: e.Options
    output_schema: str
    metadata: dict[str, str]
    uploads: tuple[str, ...]
    created: int
    created_at: int
    version: int
    position: int
    phase: Phase = Phase.QUEUED
    desired: Desired = Desired.RUN
    hold: Hold = Hold.NONE
    state: State = State.QUEUED
    started_at: int | None = None
    ended_at: int | None = None
    runner: str = ""
    attempt: int = 0
    steps: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    success: bool | None = None
    output: str = ""
    files: tuple[str, ...] = ()
    error_code: str = ""
    error_message: str = ""


def apply(row: TaskRow | None, recorded: Recorded) -> TaskRow | None:
    """One more event of this task's stream: the row changes in place, or begins; None while there is no task."""
    event = recorded.event
    kind = type(event)
    if row is None:
        return _begin(event, recorded) if isinstance(event, e.TaskCreated) else None
    row.version = recorded.version
    row.position = recorded.position
    if kind in _QUIET or row.ended_at is not None:
        return row
    match event:
        case e.StepTaken(usage=usage):
            row.steps += 1
            if usage is not None:
                _spend(row, usage)
        case e.TaskClaimed(runner=runner, attempt=attempt):
            row.runner = runner
            row.attempt = attempt
        case e.TaskStarted():
            row.started_at = row.started_at or recorded.at
        case e.TaskPaused(cause=cause):
            row.hold = _HOLDS.get(cause, Hold.NONE)
        case e.ResumeRequested():
            row.hold = Hold.NONE
        case e.RunnerLost():
            row.runner = ""
    if kind in _MOVING:
        _move(row, event, recorded.at)
    return row


_MOVING = {kind for phase, moves in PHASES.items() for kind, to in moves.items() if to is not phase} | DESIRES.keys()
_QUIET = frozenset({e.StepStarted, e.ActionStarted, e.ActionEnded, e.StepInterrupted, e.NavigationBlocked})
_HOLDS = {hold.value: hold for hold in Hold if hold is not Hold.NONE}


def _begin(event: e.TaskCreated, recorded: Recorded) -> TaskRow:
    return TaskRow(
        id=recorded.stream.removeprefix(STREAM),
        project=event.project,
        session=event.session,
        family=event.family,
        instruction=event.instruction,
        llm=event.llm,
        start_url=event.start_url,
        limits=event.limits,
        options=event.options,
        output_schema=event.output_schema,
        metadata=event.metadata,
        uploads=event.files,
        created=recorded.position,
        created_at=recorded.at,
        version=recorded.version,
        position=recorded.position,
    )


def _move(row: TaskRow, event: e.Event, at: int) -> None:
    kind = type(event)
    row.desired = wish(row.phase, row.desired, kind)
    row.phase = after(row.phase, kind)
    row.state = seen(row.phase, row.desired, row.hold)
    if row.phase in ENDED:
        row.ended_at = at
        match event:
            case e.TaskFinished(success=success, output=output, files=files):
                row.success, row.output, row.files = success, output, files
            case e.TaskFailed(code=code, message=message):
                row.success, row.error_code, row.error_message = False, code, message


def _spend(row: TaskRow, usage: e.Usage) -> None:
    row.input_tokens += usage.input_tokens
    row.output_tokens += usage.output_tokens
    if usage.cost_usd is None:
        return
    try:
        cost = (row.cost_usd or Decimal()) + Decimal(usage.cost_usd)
    except ArithmeticError:
        return  # No number: the tape tells what it was, and a sum cannot.
    if cost.is_finite():
        row.cost_usd = cost
