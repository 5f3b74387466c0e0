"""A task as people see it, folded from its events. Pure and total: no clock, no I/O, and no history makes it raise."""

from decimal import Decimal

import msgspec

from eventstore import events as e
from eventstore.codec import kind_of
from eventstore.machine import DESIRES, ENDED, PHASES, Desired, Hold, Phase, State, after, seen, wish
from eventstore.store import Recorded
from projections.findings import Findings, noted

STREAM = "task-"


class TaskRow(msgspec.Struct, kw_only=True, gc=False):
    """What the API families show of a task. Times are microseconds since 1970 UTC, None for what has not happened.

    `created` is the position of its first event, `version` and `position` those of its last one. `state` is what the
    three registers amount to. `uploads` are the names of files it was given, `files` of those it produced: `produced`
    has the newest of each name, `recordings` its videos, and `removed` why what is gone of a class went. `steps` counts
    the steps that were taken. `success` is None until it finished or failed. `cost_usd` adds up the model calls whose
    price is known, None when there was none. `runner` is empty when nobody holds it. `question` is what it asks a
    person and waits to be answered, since `asked_at`; `controlled` that a person drives its browser. `judgement` is the
    report of its judge as JSON text, empty without one, `verdict` what that amounts to; `findings` is what went wrong.
    `rerun_of` is the id of the task whose acts it plays again, `forked_from` that of the one whose first steps it does.
    Of a task that was `redacted` there are the project, the states and the times; `redaction` is why.
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
    question: e.InputRequested | None = None
    asked_at: int | None = None
    controlled: bool = False
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
    produced: tuple[e.File, ...] = ()
    recordings: tuple[e.File, ...] = ()
    removed: dict[str, str] = {}
    error_code: str = ""
    error_message: str = ""
    judgement: str = ""
    verdict: bool | None = None
    findings: Findings = Findings()
    redacted: bool = False
    redaction: str = ""
    deleted: bool = False
    rerun_of: str = ""
    forked_from: str = ""

    @property
    def shown_in(self) -> str:
        """The project whose lists show it; none shows a deleted one."""
        return "" if self.deleted else self.project


def apply(row: TaskRow | None, recorded: Recorded) -> TaskRow | None:
    """One more event of this task's stream: the row changes in place, or begins; None while there is no task."""
    event = recorded.event
    kind = kind_of(event)
    if row is None:
        return _begin(recorded) if kind is e.TaskCreated else None
    row.version = recorded.version
    row.position = recorded.position
    if isinstance(event, e.TaskRedacted):
        return _redact(row, event)
    row.deleted = row.deleted or kind is e.TaskDeleted
    _file(row, event)
    if row.ended_at is None and kind in _NOTED:
        row.findings = noted(row.findings, recorded, row.llm)
    if kind in _QUIET or row.ended_at is not None:
        return row
    _take(row, recorded)
    if kind in (e.ControlTaken, e.ControlReturned):
        row.controlled = kind is e.ControlTaken
    if kind is e.TaskStarted:
        row.started_at = row.started_at or recorded.at
    if kind in _MOVING:
        _move(row, event, recorded.at)
    return row


_MOVING = {kind for phase, moves in PHASES.items() for kind, to in moves.items() if to is not phase} | DESIRES.keys()
_MOVING |= {e.InputProvided, e.InputExpired, e.ControlTaken, e.ControlReturned, e.RunnerLost}
_QUIET = frozenset({e.StepStarted, e.ActionStarted, e.ActionEnded, e.StepInterrupted, e.NavigationBlocked})
_NOTED = frozenset({e.ActionStarted, e.ActionEnded, e.NavigationBlocked, e.TaskPaused, e.InputExpired, e.RunnerLost})
_NOTED |= {e.StepInterrupted, e.JudgementRecorded, e.TaskFinished, e.TaskFailed, e.TaskStopped}
_HOLDS = {hold.value: hold for hold in Hold if hold is not Hold.NONE}


def _begin(recorded: Recorded) -> TaskRow | None:
    """What was redacted begins a row that is nobody's until its TaskRedacted says whose it is."""
    event = recorded.event
    if isinstance(event, e.TaskCreated):
        return _row(recorded, event)
    return _row(recorded, _NOBODYS, redacted=True) if recorded.payload is None else None


_NOBODYS = e.TaskCreated(instruction="", llm="", session="", project="", family="", request_digest="")


def _row(recorded: Recorded, created: e.TaskCreated, *, redacted: bool = False) -> TaskRow:
    return TaskRow(
        id=recorded.stream.removeprefix(STREAM),
        project=created.project,
        session=created.session,
        family=created.family,
        instruction=created.instruction,
        llm=created.llm,
        start_url=created.start_url,
        limits=created.limits,
        options=created.options,
        output_schema=created.output_schema,
        metadata=created.metadata,
        uploads=created.files,
        created=recorded.position,
        created_at=recorded.at,
        version=recorded.version,
        position=recorded.position,
        rerun_of=created.rerun_of,
        forked_from=created.forked_from,
        redacted=redacted,
    )


def _file(row: TaskRow, event: e.Event) -> None:
    """Files may come, and go, when the task has ended."""
    match event:
        case e.FileProduced(file=file):
            row.produced = (*(each for each in row.produced if each.name != file.name), file)
            row.files = tuple(each.name for each in row.produced)
        case e.RecordingSaved(file=file):
            row.recordings = (*row.recordings, file)
        case e.BlobsRemoved(kind=kind, reason=reason):
            row.removed = {**row.removed, kind: reason or "removed"}


def _take(row: TaskRow, recorded: Recorded) -> None:
    """What the event itself says."""
    event = recorded.event
    match event:
        case e.Unknown():
            _count(row, kind_of(event))
        case e.CostRecorded(usage=usage) | e.StepTaken(usage=usage):
            row.steps += isinstance(event, e.StepTaken)
            if usage is not None:
                _spend(row, usage)
        case e.JudgementRecorded(report=report, verdict=verdict):
            row.judgement, row.verdict = report, verdict
        case e.TaskClaimed(runner=runner, attempt=attempt):
            row.runner = runner
            row.attempt = attempt
        case e.TaskPaused(cause=cause):
            row.hold = _HOLDS.get(cause, Hold.NONE)
        case e.InputRequested():
            row.question, row.asked_at = event, recorded.at
        case e.ResumeRequested() | e.InputProvided() | e.InputExpired():
            row.hold, row.question, row.asked_at = Hold.NONE, None, None
        case e.RunnerLost():
            row.runner, row.controlled = "", False


def _count(row: TaskRow, kind: type[e.Event]) -> None:
    """What the type alone tells of an event whose payload is gone."""
    row.steps += kind is e.StepTaken
    row.attempt += kind is e.TaskClaimed


def _redact(row: TaskRow, event: e.TaskRedacted) -> TaskRow:
    """As if all before it had been read without its payload: so it is when the log is read again."""
    row.project = event.project
    row.session = row.family = row.instruction = row.llm = row.start_url = row.output_schema = ""
    row.rerun_of = row.forked_from = ""
    row.limits, row.options = e.Limits(), e.Options()
    row.metadata = {}
    row.uploads = row.files = row.produced = row.recordings = ()
    row.removed = {}
    _leave(row)
    row.state = seen(row.phase, row.desired)
    row.runner = row.output = row.error_code = row.error_message = ""
    row.input_tokens = row.output_tokens = 0
    row.cost_usd = None
    row.success = False if row.phase is Phase.FAILED else None
    row.judgement, row.verdict, row.findings = "", None, Findings()
    row.redacted = True
    row.redaction = event.reason
    return row


def _move(row: TaskRow, event: e.Event, at: int) -> None:
    kind = kind_of(event)
    row.desired = wish(row.phase, row.desired, kind)
    row.phase = after(row.phase, kind)
    row.state = seen(row.phase, row.desired, Hold.CONTROL if row.controlled else row.hold)
    if row.phase in ENDED:
        _leave(row)
        row.ended_at = at
        match event:
            case e.TaskFinished(success=success, output=output, files=files):
                row.success, row.output, row.files = success, output, row.files or files
            case e.TaskFailed(code=code, message=message):
                row.success, row.error_code, row.error_message = False, code, message
            case e.Unknown() if row.phase is Phase.FAILED:
                row.success = False


def _leave(row: TaskRow) -> None:
    """Nobody is asked any more, and nobody drives."""
    row.hold, row.question, row.asked_at, row.controlled = Hold.NONE, None, None, False


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
