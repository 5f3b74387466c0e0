"""The words and shapes of the 2025 v1 API; nothing else knows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.hooks import MAX_URL as MAX_WEBHOOK
from api.hooks import HookStatus
from api.intake import MAX_PATTERN, MAX_TASK
from api.long_poll import Seconds
from api.uploads import MAX_NAMES
from eventstore.machine import State
from eventstore.secrets import Secret

WORDS: dict[State, str] = {
    State.QUEUED: "created",
    State.CLAIMED: "running",
    State.RUNNING: "running",
    State.PAUSING: "running",
    State.PAUSED: "paused",
    State.RESUMING: "running",
    State.STOPPING: "running",
    State.FINISHED: "finished",
    State.FAILED: "failed",
    State.STOPPED: "stopped",
}

DEFAULT_STEPS = 75

Switch: TypeAlias = bool | UnsetType | None


class RunTask(msgspec.Struct, frozen=True, kw_only=True):
    """What to do. A field that is null counts as one that was left out."""

    task: Annotated[str, Meta(min_length=1, max_length=MAX_TASK)]
    secrets: dict[str, Secret] | None = None
    allowed_domains: list[Annotated[str, Meta(max_length=MAX_PATTERN)]] | None = None
    browser_profile_id: str | None = None
    save_browser_data: bool | None = False
    structured_output_json: str | dict[str, object] | None = None
    llm_model: Annotated[str, Meta(max_length=200)] | None = None
    use_adblock: Switch = UNSET
    use_proxy: Switch = UNSET
    proxy_country_code: Annotated[str, Meta(max_length=10)] | UnsetType | None = UNSET
    highlight_elements: Switch = UNSET
    included_file_names: Annotated[list[str], Meta(max_length=MAX_NAMES)] | None = None
    browser_viewport_width: Annotated[int, Meta(ge=320, le=6144, extra_json_schema={"default": 1280})] | None = None
    browser_viewport_height: Annotated[int, Meta(ge=320, le=3456, extra_json_schema={"default": 960})] | None = None
    max_agent_steps: Annotated[int, Meta(ge=1, le=200)] | None = DEFAULT_STEPS
    enable_public_share: Switch = UNSET
    metadata: dict[str, str] | None = None
    webhook_url: Annotated[str, Meta(max_length=MAX_WEBHOOK)] | None = None
    webhook_secret: Secret | None = None
    webhook_events: list[HookStatus] | None = None


class TaskId(msgspec.Struct, frozen=True, kw_only=True):
    """The new task."""

    id: str


class TaskQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which task is meant."""

    task_id: str


class StatusQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Answer once the status is not `known` any more, or the task has ended; after `wait` seconds anyway.

    Without `known`, it is the status at the time of the request.
    """

    wait: Seconds = 0.0
    known: Literal["created", "running", "paused", "finished", "failed", "stopped"] | None = None


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a list is meant."""

    page: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    limit: Annotated[int, Meta(ge=1, le=100)] = 10


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step that the task took."""

    id: str
    step: int
    evaluation_previous_goal: str
    next_goal: str
    url: str


class BrowserData(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser of a task had at its end."""

    cookies: Sequence[msgspec.Raw]


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole task."""

    id: str
    task: str
    live_url: str | None
    output: str | None
    status: str
    created_at: datetime
    finished_at: datetime | None
    steps: list[Step]
    browser_data: BrowserData | None
    user_uploaded_files: list[str]
    output_files: list[str]
    public_share_url: str | None
    metadata: dict[str, str]


class TaskItem(msgspec.Struct, frozen=True, kw_only=True):
    """A task in a list."""

    id: str
    task: str
    output: str | None
    status: str
    created_at: datetime
    finished_at: datetime | None
    live_url: str | None


class TaskList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of tasks, newest first."""

    tasks: list[TaskItem]
    total_pages: int
    page: int
    limit: int
    total_count: int


class Screenshots(msgspec.Struct, frozen=True, kw_only=True):
    """Absolute URLs of PNG pictures, one a step, in order."""

    screenshots: list[str]
