"""v2's words for browsers that clients drive by themselves. Every key is always there, null where nothing is."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from api.v2.proxy_schemas import CustomProxy
from api.v2.schemas import Camel

BrowserStatus: TypeAlias = Literal["active", "stopped"]


class CreateBrowser(Camel, frozen=True, kw_only=True):
    """The browser that is wanted; `timeout` is in minutes. A field that is null counts as one that was left out."""

    profile_id: UUID | None = None
    proxy_country_code: Annotated[str, Meta(max_length=10)] | UnsetType | None = UNSET
    timeout: Annotated[int, Meta(ge=1, le=240)] | None = 60
    browser_screen_width: Annotated[int, Meta(ge=320, le=6144)] | None = None
    browser_screen_height: Annotated[int, Meta(ge=320, le=3456)] | None = None
    allow_resizing: bool | UnsetType | None = UNSET
    custom_proxy: CustomProxy | None = None
    enable_recording: bool | None = False
    extension_ids: Annotated[list[str], Meta(max_length=100)] | None = None
    solve_captchas: bool | None = None
    pdf_renderer_enabled: bool | None = None
    metadata: dict[str, str] | None = None


class UpdateBrowser(Camel, frozen=True, kw_only=True):
    """What to do with it."""

    action: Literal["stop"]


class BrowsersQuery(Camel, frozen=True, kw_only=True):
    """Which page of which browsers."""

    page_size: Annotated[int, Meta(ge=1, le=100)] = 10
    page_number: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    filter_by: BrowserStatus | None = None
    agent_session_id: UUID | None = None


class BrowserItem(Camel, frozen=True, kw_only=True):
    """A browser; `cdp_url` holds the key to it: null for who may only read. `live_url` is a page to watch it on.

    Both are null once it has stopped. Costs are in USD, as decimal strings.
    """

    id: str
    status: BrowserStatus
    live_url: str | None
    cdp_url: str | None
    timeout_at: datetime
    started_at: datetime
    finished_at: datetime | None
    proxy_used_mb: str
    proxy_cost: str
    browser_cost: str
    agent_session_id: str | None
    recording_url: str | None
    metadata: dict[str, str]


class BrowserList(Camel, frozen=True, kw_only=True):
    """A page of browsers, newest first."""

    items: list[BrowserItem]
    total_items: int
    page_number: int
    page_size: int


class DownloadsQuery(Camel, frozen=True, kw_only=True):
    """Which page of downloads: `cursor` is the last answer's `nextCursor`."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    cursor: str | None = None
    include_urls: bool = False


class BrowserDownload(Camel, frozen=True, kw_only=True):
    """A file that the browser downloaded, by its name; `size` is in bytes. `url` needs no key and expires."""

    path: str
    size: int
    last_modified: datetime
    url: str | None


class BrowserDownloads(Camel, frozen=True, kw_only=True):
    """A page of downloads, the oldest first."""

    files: list[BrowserDownload]
    next_cursor: str | None
    has_more: bool
