"""Public shares: their links, who looks at them how often, and the page itself. Open to whoever has the link."""

import asyncio
import hmac
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from uuid import UUID

import msgspec
import structlog
from aiohttp import web

from api import control, present, sessions, share_page
from api.service import SERVICE, Service
from api.wire import Route
from eventstore import session as decide
from eventstore.blobs import DamagedBlob
from eventstore.clock import microseconds
from eventstore.errors import Gone, NotFound, Refused
from projections.sessions import SessionRow
from projections.step_row import StepRow
from projections.task_row import TaskRow

PATH = "/share/"
COUNT_SECONDS = 60.0
"""What was counted goes on the tape so often, one event for each share: looking cannot flood it."""

MOST_TASKS, MOST_STEPS = 50, 300
"""So much one page shows."""

_TOKEN = re.compile(r"(?P<session>[0-9a-f]{32})(?P<mac>[0-9a-f]{40})")
_log = structlog.get_logger("share")


class Looks(msgspec.Struct, kw_only=True):
    """How often a share was looked at since that was last told, and when last (microseconds since 1970)."""

    share: str
    views: int = 0
    at: int = 0


class Views:
    """Counts in memory, and tells the tape now and then. A crash loses what was counted since."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._looks: dict[str, Looks] = {}

    def of(self, row: SessionRow) -> Looks:
        """What is counted and not on the tape."""
        known = self._looks.get(row.id)
        return known if known and known.share == row.share else Looks(share=row.share)

    def count(self, row: SessionRow) -> None:
        """Somebody looked."""
        looks = self._looks[row.id] = self.of(row)
        looks.views += 1
        looks.at = microseconds()

    async def tell(self) -> None:
        """Put what was counted on the tape; what the log refuses is tried again later."""
        for session_id, looks in list(self._looks.items()):
            views = looks.views
            viewed = partial(decide.viewed, share=looks.share, views=views)
            try:
                done = await self._service.sessions.transact(sessions.stream(session_id), viewed, actor="system")
            except Refused as refused:
                _log.warning("views of a share were not written down yet", reason=str(refused))
                return
            await control.seen(self._service, done.position)
            looks.views -= views
            if not looks.views and self._looks.get(session_id) is looks:
                del self._looks[session_id]


VIEWS = web.AppKey("views", Views)


async def telling(app: web.Application) -> AsyncIterator[None]:
    """Tell the tape for as long as the application runs, and once more at its end."""
    views = app[VIEWS]

    async def now_and_then() -> None:
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            await views.tell()

    task = asyncio.create_task(now_and_then())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await views.tell()


def token(service: Service, row: SessionRow) -> str:
    """What opens the share: derived, and stored nowhere."""
    return UUID(row.id).hex + service.signer.token("share", row.id, row.share)


def url(request: web.Request, session_id: str, share: str) -> str:
    """The absolute link to the page."""
    mac = request.app[SERVICE].signer.token("share", session_id, share)
    return f"{present.origin(request)}{PATH}{UUID(session_id).hex}{mac}"


def of(request: web.Request, session_id: str) -> str | None:
    """The absolute link to the page of a session that is shared."""
    share = request.app[SERVICE].projector.sessions.share(session_id)
    return url(request, session_id, share) if share else None


async def page(request: web.Request) -> web.Response:
    """What the session's tasks did, for everybody who has the link."""
    service = request.app[SERVICE]
    row = await _shared(request)
    told: list[share_page.Told] = []
    left, more = MOST_STEPS, False
    rows = await sessions.tasks(service, row, limit=MOST_TASKS + 1)
    for task in rows[:MOST_TASKS]:
        steps = present.ended(await service.projector.steps.of(task.id))
        told.append((task, steps[:left]))
        more = more or len(steps) > left
        left = max(left - len(steps), 0)
    if request.method == "GET":
        request.app[VIEWS].count(row)

    def picture(task: TaskRow, step: StepRow) -> str:
        return f"{PATH}{request.match_info['token']}/{task.id}/{step.number}.png"

    html = share_page.page(row, told, more=more or len(rows) > MOST_TASKS, picture=picture)
    return web.Response(text=html, content_type="text/html", headers=share_page.HEADERS)


async def picture(request: web.Request) -> web.Response:
    """A picture on such a page."""
    service, task_id, number = request.app[SERVICE], request.match_info["task_id"], request.match_info["number"]
    row = await _shared(request)
    task = await service.projector.tasks.find(task_id)
    if task is None or task.session != row.id or task.shown_in != row.project:
        raise NotFound("There is no such picture.")
    steps = await service.projector.steps.of(task.id)
    hashes = [step.screenshot for step in steps if str(step.number) == number and step.screenshot]
    try:
        data = await service.blobs.get(hashes[0]) if hashes else None
    except DamagedBlob as damaged:
        raise Gone("The picture is damaged.") from damaged
    if data is None:
        raise NotFound("There is no such picture.")
    return web.Response(body=data, content_type="image/png", headers=share_page.HEADERS)


async def _shared(request: web.Request) -> SessionRow:
    """The session that the token opens. Raises NotFound, whatever is wrong with the token."""
    service = request.app[SERVICE]
    found = _TOKEN.fullmatch(request.match_info["token"])
    row = await service.projector.sessions.find(str(UUID(found["session"]))) if found else None
    if found is None or row is None or not row.share or row.deleted or row.purged:
        raise NotFound("This is not shared (any more).")
    if not hmac.compare_digest(service.signer.token("share", row.id, row.share), found["mac"]):
        raise NotFound("This is not shared (any more).")
    return row


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/share/{token}",
        handler=page,
        summary="A shared session, for people",
        family="share",
        scope=None,
        open=True,
        documented=False,
    ),
    Route(
        method="GET",
        path="/share/{token}/{task_id}/{number}.png",
        handler=picture,
        summary="A picture of a shared session",
        family="share",
        scope=None,
        open=True,
        documented=False,
    ),
)
