"""The words and shapes of the v2 API; nothing else knows them. Every key is always there, null where nothing is."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.hooks import MAX_URL as MAX_WEBHOOK
from api.hooks import HookStatus
from api.intake import MAX_PATTERN, MAX_TASK
from api.long_poll import Seconds
from eventstore.machine import State
from eventstore.secrets import Secret

Status: TypeAlias = Literal["created", "started", "finished", "failed", "stopped"]

# The official clients poll for ever on words beside these: what is paused has started, what has failed is finished.
WORDS: dict[State, Status] = {
    State.QUEUED: "created",
    State.CLAIMED: "started",
    State.RUNNING: "started",
    State.PAUSING: "started",
    State.PAUSED: "started",
    State.RESUMING: "started",
    State.STOPPING: "started",
    State.FINISHED: "finished",
    State.FAILED: "finished",
    State.STOPPED: "stopped",
}

DEFAULT_STEPS = 100

Switch: TypeAlias = bool | UnsetType | None
Pattern: TypeAlias = Annotated[str, Meta(max_length=MAX_PATTERN)]
Word: TypeAlias = Annotated[str, Meta(max_length=200)]


def meant(status: Status) -> frozenset[State]:
    """The states that a filter asks for: those shown under this word; `failed` is narrower than what it is shown as."""
    if status == "failed":
        return frozenset({State.FAILED})
    return frozenset(state for state, word in WORDS.items() if word == status)


class Camel(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """camelCase on the wire."""


class SessionSettings(Camel, frozen=True, kw_only=True):
    """The browser that the task gets."""

    profile_id: UUID | None = None
    proxy_country_code: Annotated[str, Meta(max_length=10)] | UnsetType | None = UNSET
    browser_screen_width: Annotated[int, Meta(ge=320, le=6144)] | None = None
    browser_screen_height: Annotated[int, Meta(ge=320, le=3456)] | None = None
    enable_recording: bool | None = False


class CreateTask(Camel, frozen=True, kw_only=True):
    """What to do. A field that is null counts as one that was left out."""

    task: Annotated[str, Meta(min_length=1, max_length=MAX_TASK)]
    llm: Word | None = None
    start_url: str | None = None
    max_steps: Annotated[int, Meta(ge=1, le=10_000)] | None = DEFAULT_STEPS
    structured_output: str | None = None
    session_id: UUID | None = None
    metadata: dict[str, str] | None = None
    secrets: dict[str, Secret] | None = None
    allowed_domains: list[Pattern] | None = None
    op_vault_id: str | None = None
    session_settings: SessionSettings | None = None
    highlight_elements: Switch = UNSET
    flash_mode: Switch = UNSET
    thinking: Switch = UNSET
    thinking_level: Word | UnsetType | None = UNSET
    vision: bool | Literal["auto"] | UnsetType | None = UNSET
    system_prompt_extension: Annotated[str, Meta(max_length=2_000)] | None = ""
    judge: bool | None = False
    judge_ground_truth: Annotated[str, Meta(max_length=10_000)] | UnsetType | None = UNSET
    judge_llm: Word | UnsetType | None = UNSET
    skill_ids: list[str] | None = None
    webhook_url: Annotated[str, Meta(max_length=MAX_WEBHOOK)] | None = None
    webhook_secret: Secret | None = None
    webhook_events: list[HookStatus] | None = None


class TaskCreatedResponse(Camel, frozen=True, kw_only=True):
    """The new task and the session that it runs in."""

    id: str
    session_id: str


class UpdateTask(Camel, frozen=True, kw_only=True):
    """What shall happen to the task. `pause` and `resume` are this service's own words."""

    action: Literal["stop", "stop_task_and_session", "pause", "resume"]


class Stopped(Camel, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the vendor's n8n node says `stop`: it names the status, and nothing else."""

    status: Literal["stopped"]


class TaskStatusQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Answer once the status is not `known` any more, or the task has ended; after `wait` seconds anyway.

    Without `known`, it is the status at the time of the request.
    """

    wait: Seconds = 0.0
    known: Status | None = None


class ListQuery(Camel, frozen=True, kw_only=True):
    """Which tasks are meant, by session, status and time of creation, and which part of the list."""

    page_size: Annotated[int, Meta(ge=1, le=100)] = 10
    page_number: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    session_id: UUID | None = None
    filter_by: Status | None = None
    after: datetime | None = None
    before: datetime | None = None


class TaskStep(Camel, frozen=True, kw_only=True):
    """One step that the task took; `duration` is in seconds, `actions` are JSON texts."""

    number: int
    memory: str
    evaluation_previous_goal: str
    next_goal: str
    url: str
    actions: list[str]
    screenshot_url: str | None
    duration: float | None


class OutputFile(Camel, frozen=True, kw_only=True):
    """A file that the task produced."""

    id: str
    file_name: str


class TaskItem(Camel, frozen=True, kw_only=True):
    """A task in a list; `cost` is in USD, as a decimal string.

    `judgement` is the judge's report as JSON text. A suggestion has `type`, `message` and `evidence`: positions of the
    log with commas between.
    """

    id: str
    session_id: str
    llm: str
    task: str
    status: Status
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    metadata: dict[str, str]
    output: str | None
    browser_use_version: str | None
    is_success: bool | None
    judgement: str | None
    judge_verdict: bool | None
    cost: str | None
    suggestions: list[dict[str, str]] | None


class TaskView(TaskItem, frozen=True, kw_only=True):
    """The whole task."""

    steps: list[TaskStep]
    output_files: list[OutputFile]


class TaskStatus(Camel, frozen=True, kw_only=True):
    """What clients poll until it is finished or stopped."""

    id: str
    status: Status
    output: str | None
    finished_at: datetime | None
    is_success: bool | None
    cost: str | None


class TaskList(Camel, frozen=True, kw_only=True):
    """A page of tasks, newest first."""

    items: list[TaskItem]
    total_items: int
    page_number: int
    page_size: int
