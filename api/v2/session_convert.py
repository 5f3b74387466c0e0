"""From v2's words for sessions to events, and from views to v2's words: here, and only once."""

from collections.abc import Sequence

import msgspec

from api import intake, profiles, recordings
from api.present import moment, moment_or_none
from api.settings import Settings
from api.v2 import convert
from api.v2.session_schemas import CreateSession, SessionItem, SessionView
from eventstore.events import Options, Proxy, SessionCreated
from projections.profiles import Profile
from projections.sessions import SessionRow
from projections.task_row import TaskRow

NO_EFFECT_YET = ("persist_memory",)


def wished(
    asked: CreateSession, settings: Settings, profile: Profile | None = None, proxy: Proxy | None = None
) -> SessionCreated:
    """The event that the request amounts to; whose it is, `sessions.create` fills in. Raises Invalid."""
    given = msgspec.json.encode(intake.sent(asked, NO_EFFECT_YET)).decode()
    record = recordings.wanted(settings, asked.enable_recording, "enableRecording")
    return SessionCreated(
        project="",
        family="v2",
        keep_alive=asked.keep_alive is not False,
        start_url=intake.start_url(asked.start_url, "startUrl"),
        seconds=settings.session_seconds,
        options=profiles.begun(
            Options(given=given, proxy=proxy, record=record),
            settings,
            profile,
            width=asked.browser_screen_width,
            height=asked.browser_screen_height,
            country=None if asked.custom_proxy else asked.proxy_country_code,
            field=("body", "proxyCountryCode"),
        ),
    )


def item(row: SessionRow) -> SessionItem:
    """A session as lists show it."""
    return SessionItem(
        id=row.id,
        status="active" if row.active else "stopped",
        live_url=None,
        recording_url=None,
        started_at=moment(row.started_at),
        finished_at=moment_or_none(row.stopped_at),
        persist_memory=_remembers(row),
        keep_alive=row.keep_alive,
        proxy_used_mb="0",
        proxy_cost="0",
    )


def view(row: SessionRow, tasks: Sequence[TaskRow], share_url: str | None) -> SessionView:
    """A session as a whole."""
    return SessionView(
        **msgspec.structs.asdict(item(row)),
        tasks=[convert.item(task) for task in tasks],
        public_share_url=share_url,
    )


def _remembers(row: SessionRow) -> bool:
    given = msgspec.json.decode(row.options.given, type=dict[str, object])
    return given.get("persistMemory") is not False
