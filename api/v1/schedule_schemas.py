"""v1's words and shapes for scheduled tasks."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from api.v1.schemas import RunTask
from eventstore.secrets import Secret

MAX_MINUTES = 60 * 24 * 366

Kind = Literal["interval", "cron"]
Minutes = Annotated[int, Meta(ge=1, le=MAX_MINUTES)]
Cron = Annotated[str, Meta(max_length=200)]


class CreateSchedule(RunTask, frozen=True, kw_only=True):
    """A task, and when it runs. A field that is null counts as one that was left out. Cron is in UTC."""

    schedule_type: Kind
    interval_minutes: Minutes | None = None
    cron_expression: Cron | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    is_active: bool | None = True


class UpdateSchedule(CreateSchedule, frozen=True, kw_only=True):
    """What shall be otherwise; what is left out, or null, stays as it is, and so do secrets given by their names."""

    secrets: dict[str, Secret] | list[str] | None = None  # type: ignore[assignment] # names, as the view has them
    task: Annotated[str, Meta(min_length=1)] | None = None  # type: ignore[assignment] # required to create one alone
    schedule_type: Kind | None = None  # type: ignore[assignment] # likewise


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled task. `secrets` are names alone; `next_run_at` is null when there is no next run."""

    id: str
    task: str
    secrets: list[str]
    allowed_domains: list[str]
    browser_profile_id: str | None
    save_browser_data: bool
    structured_output_json: str | dict[str, object] | None
    llm_model: str
    use_adblock: bool
    use_proxy: bool
    proxy_country_code: str | None
    highlight_elements: bool
    included_file_names: list[str]
    browser_viewport_width: int
    browser_viewport_height: int
    max_agent_steps: int
    enable_public_share: bool
    metadata: dict[str, str]
    schedule_type: str
    interval_minutes: int | None
    cron_expression: str | None
    start_at: datetime
    next_run_at: datetime | None
    end_at: datetime
    is_active: bool
    created_at: datetime
    updated_at: datetime


class ScheduleList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of scheduled tasks, newest first."""

    tasks: list[ScheduleView]
    total_pages: int
    page: int
    limit: int
    total_count: int
