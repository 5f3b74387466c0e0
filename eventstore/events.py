"""Every event of every stream, on one page: what happened, in the past tense, never edited once written.

The tag is the storage format. Add a field with a default or a new event; never rename, retype or remove one.
Durations are milliseconds. No event holds a clock, a secret, a cookie, a picture or a page body.
"""

from typing import TypeAlias

import msgspec

from eventstore.parts import Agent as Agent
from eventstore.parts import File as File
from eventstore.parts import Limits as Limits
from eventstore.parts import Options as Options
from eventstore.parts import Proxy as Proxy
from eventstore.parts import Replay as Replay
from eventstore.parts import Target as Target
from eventstore.parts import Usage as Usage


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """A fact about one stream, named in the past tense."""


# --- a task: what was asked -------------------------------------------------------------------------------------


class TaskCreated(Event, frozen=True, kw_only=True, tag="task.created"):
    """`output_schema` is JSON Schema text or empty; `secrets` are names only; `request_digest` is SHA-256 hex.

    `files` are the names of those that it is given, `uploads` the same files with their blobs.
    """

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
    uploads: tuple[File, ...] = ()
    agent: Agent = Agent()
    replay: Replay | None = None


class PauseRequested(Event, frozen=True, kw_only=True, tag="task.pause_requested"):
    reason: str = ""
    command_id: str = ""


class ResumeRequested(Event, frozen=True, kw_only=True, tag="task.resume_requested"):
    reason: str = ""
    command_id: str = ""


class StopRequested(Event, frozen=True, kw_only=True, tag="task.stop_requested"):
    reason: str = ""
    command_id: str = ""


class InputProvided(Event, frozen=True, kw_only=True, tag="task.input_provided"):
    """Somebody answered the question of that id. The value is in the vault until the runner has taken it."""

    request: str
    command_id: str = ""


class ControlTaken(Event, frozen=True, kw_only=True, tag="task.control_taken"):
    """From here on a person drives the browser of the paused task; the envelope's actor tells who."""

    command_id: str = ""


class ControlReturned(Event, frozen=True, kw_only=True, tag="task.control_returned"):
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
    """Written before the act. `params` is JSON text with secrets masked; `effect` is a word of `runner.vocabulary`.

    `onto` is where a drag goes.
    """

    fence: int
    step: int
    index: int
    name: str
    params: str
    effect: str
    url: str = ""
    target: Target | None = None
    onto: Target | None = None


class ActionEnded(Event, frozen=True, kw_only=True, tag="task.action_ended"):
    """`error` is a sentence for a person, `code` its word for programs, such as `no_target`; older tapes have none.

    `moved` tells that plans for the page hold no more: it, or the tab, is another one, or it has asked something.
    """

    fence: int
    step: int
    index: int
    ok: bool
    result: str = ""
    error: str = ""
    url: str = ""
    duration_ms: int = 0
    code: str = ""
    moved: bool = False


class StepTaken(Event, frozen=True, kw_only=True, tag="task.step_taken"):
    """`screenshot` is the SHA-256 hex of a PNG in the blobs, or empty.

    `dropped` are acts that the model wanted in this step and that were not begun, as JSON text: the page had changed,
    or the act before them failed. What the step's model calls cost is in CostRecorded; `usage` is of older tapes.
    `saw` is a short digest of the page's tree that the step was planned on, empty where the model saw none.
    """

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
    dropped: tuple[str, ...] = ()
    saw: str = ""


class StepInterrupted(Event, frozen=True, kw_only=True, tag="task.step_interrupted"):
    """`uncertain` are the indexes of acts that began and of which nobody can say whether they took effect."""

    fence: int
    number: int
    cause: str
    uncertain: tuple[int, ...] = ()


class TaskPaused(Event, frozen=True, kw_only=True, tag="task.paused"):
    """`answers` is the version of the request that this is the effect of.

    For the cause `budget` `limit` is what is used up: max_steps, max_tokens or max_cost.
    """

    fence: int
    step: int
    cause: str = "pause"
    answers: int = 0
    limit: str = ""


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


class InputRequested(Event, frozen=True, kw_only=True, tag="task.input_requested"):
    """The task asks a person. `kind` is `text`, `code`, `captcha` or `confirm`; it waits for at most `seconds`."""

    fence: int
    step: int
    request: str
    kind: str
    prompt: str
    seconds: float


class InputExpired(Event, frozen=True, kw_only=True, tag="task.input_expired"):
    """Nobody answered in time."""

    fence: int
    request: str


class HumanActed(Event, frozen=True, kw_only=True, tag="task.human_acted"):
    """What a person did in the browser while he had control: `name` and masked `params`, as an act has them."""

    fence: int
    name: str
    params: str
    url: str = ""
    target: Target | None = None


class CostRecorded(Event, frozen=True, kw_only=True, tag="task.cost_recorded"):
    """One call of a model, whatever became of its answer. `purpose` is a word such as `step`, `repair` or `judge`."""

    fence: int
    step: int
    purpose: str
    usage: Usage
    duration_ms: int = 0


class JudgementRecorded(Event, frozen=True, kw_only=True, tag="task.judgement_recorded"):
    """What a model says of the task's outcome. `verdict` is None where there is none; `report` is JSON text."""

    fence: int
    model: str
    verdict: bool | None
    report: str


class FileProduced(Event, frozen=True, kw_only=True, tag="task.file_produced"):
    """Something that the task downloaded or wrote. The same name again is a newer file in its place."""

    fence: int
    step: int
    file: File


class RecordingSaved(Event, frozen=True, kw_only=True, tag="task.recording_saved"):
    """A video of the task; it may come after the task's end, and changes nothing of it."""

    fence: int
    file: File
    duration_ms: int = 0


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


class TaskDeleted(Event, frozen=True, kw_only=True, tag="task.deleted"):
    """It is shown no more. What it said stays on the tape until it is redacted."""

    reason: str = ""


# --- a session: a browser that tasks share, or that a client drives by itself -----------------------------------


class SessionCreated(Event, frozen=True, kw_only=True, tag="session.created"):
    """`kind` is `agent` (tasks run in it) or `browser` (a client connects to it); `seconds` limits it, 0 does not.

    With `keep_alive` it outlives its tasks. One that is not `explicit` was made for one task, and lives as long.
    """

    project: str
    family: str
    kind: str = "agent"
    explicit: bool = True
    keep_alive: bool = True
    start_url: str = ""
    seconds: float = 0.0
    options: Options = Options()
    request_digest: str = ""


class SessionOpened(Event, frozen=True, kw_only=True, tag="session.opened"):
    """A runner has a browser for it; `own` names a browser of its own in the data directory."""

    runner: str
    browser: str
    own: str = ""


class SessionClosed(Event, frozen=True, kw_only=True, tag="session.closed"):
    """Its browser is gone; `cause` is a word such as `idle`, `lost` or `shutdown`. Another one may be opened."""

    runner: str
    cause: str


class SessionStopped(Event, frozen=True, kw_only=True, tag="session.stopped"):
    """For good: nothing runs in it any more. `cause` is a word such as `stop`, `timeout` or `task_ended`."""

    cause: str = "stop"
    reason: str = ""


class SessionDeleted(Event, frozen=True, kw_only=True, tag="session.deleted"):
    """It is shown no more."""

    reason: str = ""


class SessionPurged(Event, frozen=True, kw_only=True, tag="session.purged"):
    """Its tasks were redacted and its files removed: the payloads of its first `events` events, and `blobs` of them."""

    project: str
    events: int = 0
    blobs: int = 0
    reason: str = ""


class SessionShared(Event, frozen=True, kw_only=True, tag="session.shared"):
    """Whoever has the link may look. `share` is its id; the link's token is derived from it and stored nowhere."""

    share: str


class SessionUnshared(Event, frozen=True, kw_only=True, tag="session.unshared"):
    share: str


class ShareViewed(Event, frozen=True, kw_only=True, tag="session.share_viewed"):
    """Looked at `views` more times."""

    share: str
    views: int = 1


class FileUploaded(Event, frozen=True, kw_only=True, tag="file.uploaded"):
    """On the stream of a session or of a project's files. The same name again is a newer file in its place."""

    project: str
    file: File


class FileDownloaded(Event, frozen=True, kw_only=True, tag="session.file_downloaded"):
    """The browser of the session downloaded it."""

    file: File


class FilesRemoved(Event, frozen=True, kw_only=True, tag="file.removed"):
    """Uploaded or downloaded files of this stream that are gone, by their ids."""

    files: tuple[str, ...]
    reason: str = ""


# --- a profile: cookies and storage to begin with ------------------------------------------------------------------


class ProfileCreated(Event, frozen=True, kw_only=True, tag="profile.created"):
    """`settings` is JSON text of what the client's family knows about it; `persist` has sessions save to it."""

    project: str
    family: str
    name: str = ""
    description: str = ""
    persist: bool = True
    settings: str = "{}"


class ProfileChanged(Event, frozen=True, kw_only=True, tag="profile.changed"):
    """As it is from now on, whole."""

    name: str
    description: str
    persist: bool
    settings: str


class ProfileSaved(Event, frozen=True, kw_only=True, tag="profile.saved"):
    """The snapshot `version` is in the vault; `stream` is the task or session whose browser it is of."""

    version: int
    stream: str
    cookie_domains: tuple[str, ...] = ()
    size: int = 0


class ProfileUsed(Event, frozen=True, kw_only=True, tag="profile.used"):
    """The browser of `stream`, a task or a session, begins with a copy of the snapshot `version`; 0: with nothing."""

    stream: str
    version: int = 0


class ProfileSaveFailed(Event, frozen=True, kw_only=True, tag="profile.save_failed"):
    """What the browser of `stream` had is lost to the profile. `cause` is a word, `message` a sentence for a person."""

    stream: str
    cause: str
    message: str = ""


class ProfileDeleted(Event, frozen=True, kw_only=True, tag="profile.deleted"):
    reason: str = ""


# --- a schedule: tasks at times ------------------------------------------------------------------------------------


class ScheduleCreated(Event, frozen=True, kw_only=True, tag="schedule.created"):
    """`task` is what each run begins with; `kind` is `interval` or `cron` (UTC). Times: microseconds since 1970.

    `asked` is JSON text of the request in the words of its family, without secrets. Runs of one that
    is `shared` are public from their beginning. `kept` is what tells its secrets in the vault from earlier ones.
    """

    project: str
    family: str
    task: TaskCreated
    kind: str
    start_at: int
    end_at: int
    interval_minutes: int = 0
    cron: str = ""
    active: bool = True
    asked: str = "{}"
    shared: bool = False
    kept: str = ""


class ScheduleChanged(Event, frozen=True, kw_only=True, tag="schedule.changed"):
    """As it is from now on, whole."""

    task: TaskCreated
    kind: str
    start_at: int
    end_at: int
    interval_minutes: int = 0
    cron: str = ""
    active: bool = True
    asked: str = "{}"
    shared: bool = False
    kept: str = ""


class ScheduleRun(Event, frozen=True, kw_only=True, tag="schedule.run"):
    """The run that was due then is the task of that id, which follows from the two."""

    due: int
    task: str


class ScheduleMissed(Event, frozen=True, kw_only=True, tag="schedule.missed"):
    """Runs that were due while nobody could start them, and are not made up for: from `due` to `last`."""

    due: int
    last: int
    count: int
    cause: str = ""


class ScheduleDeleted(Event, frozen=True, kw_only=True, tag="schedule.deleted"):
    reason: str = ""


# --- a webhook: who is told, and whether he was ---------------------------------------------------------------------


class HookCreated(Event, frozen=True, kw_only=True, tag="hook.created"):
    """`task` narrows it to one task, empty means all of the project's. Its signing secret is in the vault."""

    project: str
    url: str
    task: str = ""
    events: tuple[str, ...] = ("agent.task.status_update",)


class HookDelivered(Event, frozen=True, kw_only=True, tag="hook.delivered"):
    """`source` is the position of the event that it tells of (0: the test); `status` is that of HTTP."""

    source: int
    attempt: int
    status: int
    duration_ms: int = 0


class HookFailed(Event, frozen=True, kw_only=True, tag="hook.failed"):
    """One attempt in vain; `next_at` is when it is tried again (microseconds), 0 that it is not: a dead letter."""

    source: int
    attempt: int
    error: str
    next_at: int = 0


class RedeliveryRequested(Event, frozen=True, kw_only=True, tag="hook.redelivery_requested"):
    source: int
    command_id: str = ""


class HookDeleted(Event, frozen=True, kw_only=True, tag="hook.deleted"):
    reason: str = ""


class OutboxSettled(Event, frozen=True, kw_only=True, tag="hook.outbox_settled"):
    """Of events up to that position nothing is owed to any webhook: the next start reads on from there."""

    through: int


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
    | InputRequested
    | InputProvided
    | InputExpired
    | ControlTaken
    | ControlReturned
    | HumanActed
    | CostRecorded
    | JudgementRecorded
    | FileProduced
    | RecordingSaved
    | RunnerLost
    | TaskRequeued
    | TaskFinished
    | TaskFailed
    | BlobsRemoved
    | TaskRedacted
    | TaskDeleted
)
SessionEvent: TypeAlias = (
    SessionCreated
    | SessionOpened
    | SessionClosed
    | SessionStopped
    | SessionDeleted
    | SessionPurged
    | SessionShared
    | SessionUnshared
    | ShareViewed
    | FileUploaded
    | FileDownloaded
    | FilesRemoved
)
ProfileEvent: TypeAlias = (
    ProfileCreated | ProfileChanged | ProfileUsed | ProfileSaved | ProfileSaveFailed | ProfileDeleted
)
ScheduleEvent: TypeAlias = ScheduleCreated | ScheduleChanged | ScheduleRun | ScheduleMissed | ScheduleDeleted
HookEvent: TypeAlias = HookCreated | HookDelivered | HookFailed | RedeliveryRequested | HookDeleted | OutboxSettled
KeyEvent: TypeAlias = KeyCreated | KeyRevoked
AnyEvent: TypeAlias = TaskEvent | SessionEvent | ProfileEvent | ScheduleEvent | HookEvent | KeyEvent
