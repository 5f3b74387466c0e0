"""From v2's words for browsers to events, and from views to v2's words: here, and only once."""

import msgspec

from api import intake, profiles, sessions
from api.present import moment, moment_or_none
from api.settings import Settings
from api.v2.browser_schemas import BrowserItem, CreateBrowser
from eventstore.events import Options, Proxy, SessionCreated
from projections.profiles import Profile
from projections.sessions import SessionRow

NOTHING = "0"


def wished(asked: CreateBrowser, settings: Settings, profile: Profile | None, proxy: Proxy | None) -> SessionCreated:
    """The event that the request amounts to; whose it is, `sessions.create` fills in. Raises Invalid."""
    intake.unsupported(asked.enable_recording, "enableRecording")
    intake.unsupported(asked.extension_ids, "extensionIds")
    intake.unsupported(asked.solve_captchas, "solveCaptchas")
    intake.unsupported(asked.pdf_renderer_enabled, "pdfRendererEnabled")
    given = intake.sent(asked, ("allow_resizing",))
    if metadata := intake.metadata(asked.metadata, "metadata"):
        given["metadata"] = metadata
    return SessionCreated(
        project="",
        family="v2",
        kind=sessions.BROWSER,
        seconds=60.0 * (asked.timeout or 60),
        options=profiles.begun(
            Options(given=msgspec.json.encode(given).decode(), proxy=proxy),
            settings,
            profile,
            width=asked.browser_screen_width,
            height=asked.browser_screen_height,
            country=None if asked.custom_proxy else asked.proxy_country_code,
            field=("body", "proxyCountryCode"),
        ),
    )


def item(row: SessionRow) -> BrowserItem:
    """A browser as v2 shows it; its links are the caller's to add."""
    given: dict[str, object] = msgspec.json.decode(row.options.given or "{}")
    return BrowserItem(
        id=row.id,
        status="active" if row.active else "stopped",
        live_url=None,
        cdp_url=None,
        timeout_at=moment(row.started_at + int(row.seconds * 1_000_000)),
        started_at=moment(row.started_at),
        finished_at=moment_or_none(row.stopped_at),
        proxy_used_mb=NOTHING,
        proxy_cost=NOTHING,
        browser_cost=NOTHING,
        agent_session_id=None,
        recording_url=None,
        metadata=msgspec.convert(given.get("metadata", {}), dict[str, str]),
    )
