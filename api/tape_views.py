"""The words and shapes of our own family: events as they lie on the tape, a task as it stood."""

from collections.abc import Callable, Sequence

import msgspec

from api.present import moment
from eventstore import events as e
from eventstore.store import Recorded
from projections.step_row import StepRow
from projections.suggestions import Suggestion, suggestions
from projections.task_row import TaskRow

_NOTHING = msgspec.Raw(b"null")


class TapeEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event. `at` is ISO 8601 in UTC with microseconds, `data` what was stored (null once redacted), `hash` hex.

    `redacted` stands there once it is true.
    """

    position: int
    stream: str
    version: int
    type: str
    at: str
    actor: str
    command_id: str
    data: msgspec.Raw
    hash: str
    redacted: bool = False


class EventPage(msgspec.Struct, frozen=True, kw_only=True):
    """Events in the order of the log. `next` is the `after` of the next page; at `head` or beyond there is none yet.

    Events of other projects are passed over, so that a page can have fewer events than its limit, or none.
    """

    events: Sequence[TapeEvent]
    next: int
    head: int


class StepAsOf(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step. `actions` are JSON objects such as `{"click": {...}}`; `screenshot_url` is signed and expires.

    `screenshot_removed` stands there once the picture was removed, and is why.
    """

    number: int
    started_at: str
    ended_at: str | None
    duration_ms: int
    url: str
    title: str
    evaluation: str
    memory: str
    next_goal: str
    actions: Sequence[msgspec.Raw]
    results: Sequence[str]
    errors: Sequence[str]
    interrupted: str
    usage: e.Usage | None
    screenshot_url: str | None
    screenshot_removed: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a task asks a person. `kind` is text, code, captcha or confirm; after `expires_at` nobody waits any more."""

    request: str
    kind: str
    prompt: str
    asked_at: str
    expires_at: str


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said of the outcome. `verdict` is null where there is none; `report` is an object that says why."""

    verdict: bool | None
    report: msgspec.Raw


class TaskAsOf(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A task as it stood: the three registers, what people saw of them, and all that had happened by then.

    `question` is what it asks a person, `controlled` that one drives its browser, `judgement` what a judge said of it,
    `suggestions` what its user could change, each with its evidence as positions. `rerun_of` or `forked_from` is the id
    of the task whose acts it plays. Of one that was `redacted` there are states, times and counts; `redaction` is why.
    Each of these stands there only while it is so.
    """

    id: str
    instruction: str
    llm: str
    session: str
    family: str
    state: str
    phase: str
    desired: str
    hold: str
    position: int
    version: int
    created_at: str
    started_at: str | None
    ended_at: str | None
    runner: str
    attempt: int
    success: bool | None
    output: str
    files: Sequence[str]
    error_code: str
    error_message: str
    metadata: dict[str, str]
    input_tokens: int
    output_tokens: int
    cost_usd: str | None
    steps: Sequence[StepAsOf]
    question: Question | None = None
    controlled: bool = False
    rerun_of: str = ""
    forked_from: str = ""
    judgement: Judgement | None = None
    suggestions: Sequence[Suggestion] = ()
    redacted: bool = False
    redaction: str = ""


def iso(microseconds: int) -> str:
    """Microseconds since 1970 UTC as `2026-01-31T12:00:00.000000Z`."""
    return moment(microseconds).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def shown(recorded: Recorded) -> TapeEvent:
    """An event as the API tells it."""
    return TapeEvent(
        position=recorded.position,
        stream=recorded.stream,
        version=recorded.version,
        type=recorded.type,
        at=iso(recorded.at),
        actor=recorded.actor,
        command_id=recorded.command_id,
        data=_NOTHING if recorded.payload is None else msgspec.Raw(recorded.payload),
        hash=recorded.hash.hex(),
        redacted=recorded.payload is None,
    )


def as_of(row: TaskRow, steps: Sequence[StepRow], *, picture: Callable[[StepRow], str]) -> TaskAsOf:
    """A task as the API tells it. `picture` makes the URL of a step's screenshot."""
    return TaskAsOf(
        id=row.id,
        instruction=row.instruction,
        llm=row.llm,
        session=row.session,
        family=row.family,
        state=row.state.value,
        phase=row.phase.value,
        desired=row.desired.value,
        hold=row.hold.value,
        position=row.position,
        version=row.version,
        created_at=iso(row.created_at),
        started_at=_maybe(row.started_at),
        ended_at=_maybe(row.ended_at),
        runner=row.runner,
        attempt=row.attempt,
        success=row.success,
        output=row.output,
        files=row.files,
        error_code=row.error_code,
        error_message=row.error_message,
        metadata=row.metadata,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost_usd=None if row.cost_usd is None else str(row.cost_usd),
        steps=[_step(step, picture(step) if step.screenshot else None) for step in steps],
        question=asked_of(row),
        controlled=row.controlled,
        rerun_of=row.rerun_of,
        forked_from=row.forked_from,
        judgement=Judgement(verdict=row.verdict, report=_json(row.judgement)) if row.judgement else None,
        suggestions=tuple(suggestions(row)),
        redacted=row.redacted,
        redaction=row.redaction,
    )


def asked_of(row: TaskRow) -> Question | None:
    """What the task asks, if it does."""
    if row.question is None or row.asked_at is None:
        return None
    return Question(
        request=row.question.request,
        kind=row.question.kind,
        prompt=row.question.prompt,
        asked_at=iso(row.asked_at),
        expires_at=iso(row.asked_at + round(row.question.seconds * 1_000_000)),
    )


def _step(step: StepRow, picture: str | None) -> StepAsOf:
    return StepAsOf(
        number=step.number,
        started_at=iso(step.started_at),
        ended_at=_maybe(step.ended_at),
        duration_ms=step.duration_ms,
        url=step.url,
        title=step.title,
        evaluation=step.evaluation,
        memory=step.memory,
        next_goal=step.next_goal,
        actions=[_json(action) for action in step.actions],
        results=step.results,
        errors=step.errors,
        interrupted=step.interrupted,
        usage=step.usage,
        screenshot_url=picture,
        screenshot_removed=step.removed,
    )


def _json(text: str) -> msgspec.Raw:
    """The text as the JSON that it is; as a string, where a writer put something else there."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return msgspec.Raw(msgspec.json.encode(text))
    return msgspec.Raw(text.encode())


def _maybe(microseconds: int | None) -> str | None:
    return None if microseconds is None else iso(microseconds)
