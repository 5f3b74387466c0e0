"""Every event of every stream, on one page: what happened, in the past tense, never edited once written.

The tag is the storage format. Add a field with a default or a new event; never rename, retype or remove one.
Durations are milliseconds. No event holds a clock, a secret, a cookie, a picture or a page body.
"""

from typing import TypeAlias

import msgspec

from eventstore.parts import Limits as Limits
from eventstore.parts import Options as Options
from eventstore.parts import Target as Target
from eventstore.parts import Usage as Usage


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


class BrowserOpened(Event, frozen=True, kw_only=True, tag="task.browser_opened"):
    """The task has a browser of its own, which outlives its runner; `browser` is its name in the data directory."""

    fence: int
    browser: str


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


class SecretUsed(Event, frozen=True, kw_only=True, tag="task.secret_used"):
    """The secret of that `name` was about to be typed into a page of `host`. Its value is nowhere on the tape."""

    fence: int
    step: int
    index: int
    name: str
    host: str


class RunnerLost(Event, frozen=True, kw_only=True, tag="task.runner_lost"):
    """`cause` is a word such as `crash`, `shutdown` or `browser_lost`."""

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


# --- a task: what was removed of it later, and why ---------------------------------------------------------------


class BlobsRemoved(Event, frozen=True, kw_only=True, tag="task.blobs_removed"):
    """`kind` is what they were, such as `screenshots`; `blobs` are their SHA-256 hex digests."""

    kind: str
    blobs: tuple[str, ...]
    reason: str = ""


class TaskRedacted(Event, frozen=True, kw_only=True, tag="task.redacted"):
    """Whatever this stream said before was removed: the payloads of its first `events` events, and its `blobs`.

    Types, times, actors and hashes stay. `request_digest` still tells a repeated request from another one.
    """

    project: str
    request_digest: str
    events: int
    blobs: int = 0
    reason: str = ""


# --- an API key -------------------------------------------------------------------------------------------------


class KeyCreated(Event, frozen=True, kw_only=True, tag="key.created"):
    """`digest` is the SHA-256 hex of the key, which is shown once and never stored; `scopes` say what it opens."""

    digest: str
    project: str
    name: str = ""
    scopes: tuple[str, ...] = ("read", "control", "admin")


class KeyRevoked(Event, frozen=True, kw_only=True, tag="key.revoked"):
    """The key opens nothing any more."""

    reason: str = ""


class Unknown(Event, frozen=True, kw_only=True, tag="unknown"):
    """Of a type or shape that this version does not know, or with a redacted payload. Carried, not read."""

    original: str


TaskEvent: TypeAlias = (
    TaskCreated
    | PauseRequested
    | ResumeRequested
    | StopRequested
    | TaskClaimed
    | BrowserOpened
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
    | SecretUsed
    | RunnerLost
    | TaskRequeued
    | TaskFinished
    | TaskFailed
    | BlobsRemoved
    | TaskRedacted
)
KeyEvent: TypeAlias = KeyCreated | KeyRevoked
AnyEvent: TypeAlias = TaskEvent | KeyEvent
