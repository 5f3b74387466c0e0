"""v2's words and shapes for sessions and their public shares."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from api.v2.proxy_schemas import CustomProxy
from api.v2.schemas import Camel, TaskItem

SessionStatus: TypeAlias = Literal["active", "stopped"]


class CreateSession(Camel, frozen=True, kw_only=True):
    """The browser that tasks shall share. A field that is null counts as one that was left out."""

    profile_id: UUID | None = None
    proxy_country_code: Annotated[str, Meta(max_length=10)] | UnsetType | None = UNSET
    start_url: str | None = None
    browser_screen_width: Annotated[int, Meta(ge=320, le=6144)] | None = None
    browser_screen_height: Annotated[int, Meta(ge=320, le=3456)] | None = None
    persist_memory: bool | None = True
    keep_alive: bool | None = True
    custom_proxy: CustomProxy | None = None
    enable_recording: bool | None = False


class UpdateSession(Camel, frozen=True, kw_only=True):
    """What shall happen to the session."""

    action: Literal["stop"]


class SessionQuery(Camel, frozen=True, kw_only=True):
    """Which sessions are meant, and which part of the list."""

    page_size: Annotated[int, Meta(ge=1, le=100)] = 10
    page_number: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    filter_by: SessionStatus | None = None


class SessionItem(Camel, frozen=True, kw_only=True):
    """A session in a list. What a proxy used and cost is not counted here."""

    id: str
    status: SessionStatus
    live_url: str | None
    recording_url: str | None
    started_at: datetime
    finished_at: datetime | None
    persist_memory: bool
    keep_alive: bool
    proxy_used_mb: str
    proxy_cost: str


class SessionView(SessionItem, frozen=True, kw_only=True):
    """The whole session, with its newest tasks."""

    tasks: list[TaskItem]
    public_share_url: str | None


class SessionList(Camel, frozen=True, kw_only=True):
    """A page of sessions, newest first."""

    items: list[SessionItem]
    total_items: int
    page_number: int
    page_size: int


class Share(Camel, frozen=True, kw_only=True):
    """Where everybody may look, and how often somebody has."""

    share_token: str
    share_url: str
    view_count: int
    last_viewed_at: datetime | None


class LogFile(Camel, frozen=True, kw_only=True):
    """Where the log can be read for a while, without a key."""

    download_url: str
