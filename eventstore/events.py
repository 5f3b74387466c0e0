"""Every event of every stream, on one page: what happened, in the past tense, never edited once written.

The tag is the storage format. Add a field with a default or a new event; never rename, retype or remove one.
Durations are milliseconds. No event holds a clock, a secret, a cookie, a picture or a page body.
"""

from typing import TypeAlias

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A value inside an event."""


class Limits(Part, frozen=True, kw_only=True):
    """How far a task may go. Seconds; paused time eats none of them."""

    max_steps: int = 75
    task_seconds: float = 3600.0
    step_seconds: float = 180.0
    action_seconds: float = 10.0


class Options(Part, frozen=True, kw_only=True):
    """What the client chose about the browser. `given` keeps wire fields that have no effect here yet, as JSON text."""

    viewport_width: int = 1280
    viewport_height: int = 960
    given: str = "{}"


class Target(Part, frozen=True, kw_only=True):
    """The one element that an act resolved to.

    `selector` is Playwright's normalised selector, so that a rerun finds the same element or says that it cannot.
    `box` is (x, y, width, height) in CSS pixels of the viewport.
    """

    selector: str
    role: str = ""
    name: str = ""
    frame: str = ""
    box: tuple[int, int, int, int] | None = None


class Usage(Part, frozen=True, kw_only=True):
    """What a model call cost. `cost_usd` is a decimal string, or None where the price is unknown."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: str | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact about one stream, named in the past tense."""


# --- a task: what was asked -------------------------------------------------------------------------------------


class TaskCreated(Event, frozen=True, kw_only=True, tag="task.created"):
    """`output_schema` is JSON Schema text or empty; `secrets` are names only; `request_digest` is SHA-256 hex."""

    instruction: str
    llm: str
    session: str
    project: str
    family: str
    request_digest: str
    start_url: str = ""
    limits: Limits = Limits()
    options: Options = Options()
    output_schema: str = ""
    allowed_domains: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    files: tuple[str, ...] = ()
    rerun_of: str = ""
    forked_from: str = ""
    schedule: str = ""


class PauseRequested(Event, frozen=True, kw_only=True, tag="task.pause_requested"):
    reason: str = ""
    command_id: str = ""


class ResumeRequested(Event, frozen=True, kw_only=True, tag="task.resume_requested"):
    reason: str = ""
    command_id: str = ""


class StopRequested(Event, frozen=True, kw_only=True, tag="task.stop_requested"):
    reason: str = ""
    command_id: str = ""


# --- a task: what its runner did; `fence` is the version of the claim it acts under -----------------------------


class TaskClaimed(Event, frozen=True, kw_only=True, tag="task.claimed"):
    runner: str
    attempt: int


class TaskStarted(Event, frozen=True, kw_only=True, tag="task.started"):
    """`restored` and `lost` say what of an earlier attempt's browser came back and what did not."""

    fence: int
    browser: str
    viewport_width: int
    viewport_height: int
    restored: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


class StepStarted(Event, frozen=True, kw_only=True, tag="task.step_started"):
    fence: int
    number: int


class ActionStarted(Event, frozen=True, kw_only=True, tag="task.action_started"):
    """Written before the act. `params` is JSON text with secrets masked; `effect` is a word of `runner.vocabulary`."""

    fence: int
    step: int
    index: int
    name: str
    params: str
    effect: str
    url: str = ""
    target: Target | None = None


class ActionEnded(Event, frozen=True, kw_only=True, tag="task.action_ended"):
    fence: int
    step: int
    index: int
    ok: bool
    result: str = ""
    error: str = ""
    url: str = ""
    duration_ms: int = 0


class StepTaken(Event, frozen=True, kw_only=True, tag="task.step_taken"):
    """`screenshot` is the SHA-256 hex of a PNG in the blobs, or empty."""

    fence: int
    number: int
    url: str = ""
    title: str = ""
    evaluation: str = ""
    memory: str = ""
    next_goal: str = ""
    screenshot: str = ""
    usage: Usage | None = None
    duration_ms: int = 0


class StepInterrupted(Event, frozen=True, kw_only=True, tag="task.step_interrupted"):
    """`uncertain` are the indexes of acts that began and of which nobody can say whether they took effect."""

    fence: int
    number: int
    cause: str
    uncertain: tuple[int, ...] = ()


class TaskPaused(Event, frozen=True, kw_only=True, tag="task.paused"):
    """`answers` is the version of the request that this is the effect of."""

    fence: int
    step: int
    cause: str = "pause"
    answers: int = 0


class TaskResumed(Event, frozen=True, kw_only=True, tag="task.resumed"):
    fence: int
    step: int
    answers: int = 0


class TaskStopped(Event, frozen=True, kw_only=True, tag="task.stopped"):
    fence: int
    step: int
    cause: str = "stop"
    answers: int = 0


class NavigationBlocked(Event, frozen=True, kw_only=True, tag="task.navigation_blocked"):
    fence: int
    url: str
    reason: str


class RunnerLost(Event, frozen=True, kw_only=True, tag="task.runner_lost"):
    """`cause` is `crash` or `shutdown`."""

    runner: str
    attempt: int
    cause: str = "crash"


class TaskRequeued(Event, frozen=True, kw_only=True, tag="task.requeued"):
    attempt: int
    reason: str = ""


class TaskFinished(Event, frozen=True, kw_only=True, tag="task.finished"):
    fence: int
    success: bool
    output: str = ""
    files: tuple[str, ...] = ()


class TaskFailed(Event, frozen=True, kw_only=True, tag="task.failed"):
    """`code` is a word for programs, `message` a sentence for a person."""

    fence: int
    code: str
    message: str


# --- an API key -------------------------------------------------------------------------------------------------


class KeyCreated(Event, frozen=True, kw_only=True, tag="key.created"):
    """`digest` is the SHA-256 hex of the key; the key itself is shown once and never stored."""

    digest: str
    project: str
    name: str = ""


class Unknown(Event, frozen=True, kw_only=True, tag="unknown"):
    """Of a type or shape that this version does not know, or with a redacted payload. Carried, not read."""

    original: str


TaskEvent: TypeAlias = (
    TaskCreated
    | PauseRequested
    | ResumeRequested
    | StopRequested
    | TaskClaimed
    | TaskStarted
    | StepStarted
    | ActionStarted
    | ActionEnded
    | StepTaken
    | StepInterrupted
    | TaskPaused
    | TaskResumed
    | TaskStopped
    | NavigationBlocked
    | RunnerLost
    | TaskRequeued
    | TaskFinished
    | TaskFailed
)
KeyEvent: TypeAlias = KeyCreated
AnyEvent: TypeAlias = TaskEvent | KeyEvent
