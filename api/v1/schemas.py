"""The words and shapes of the 2025 v1 API; nothing else knows them."""

from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.intake import MAX_PATTERN, MAX_TASK
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
    included_file_names: list[str] | None = None
    browser_viewport_width: Annotated[int, Meta(ge=320, le=6144)] | None = 1280
    browser_viewport_height: Annotated[int, Meta(ge=320, le=3456)] | None = 960
    max_agent_steps: Annotated[int, Meta(ge=1, le=200)] | None = DEFAULT_STEPS
    enable_public_share: Switch = UNSET
    metadata: dict[str, str] | None = None


class TaskId(msgspec.Struct, frozen=True, kw_only=True):
    """The new task."""

    id: str


class TaskQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which task is meant."""

    task_id: str


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
    browser_data: None
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
