"""The live page of a task or a session: what a browser shows, for whoever has a signed link. May stand in any frame."""

from functools import partial
from html import escape
from pathlib import Path
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from api import control, sessions
from api.service import SERVICE, Caller, Service
from api.watch_lent import LentNews, LentWishes
from api.watch_link import LONGEST, Watching, watching
from api.watch_news import News
from api.watch_steering import Steering
from api.watcher import Watcher
from api.watchers import WATCHERS, Watchers
from api.wire import Route, query
from eventstore.errors import NotFound
from projections.task_row import TaskRow

TASK = "task"

_STATIC = Path(__file__).parent / "static"
_ASSETS = {name: _STATIC / name for name in ("live.js", "typing.js", "live.css")}
_HEADERS = {
    # 'self' alone: nothing of others, nothing inline. Whoever has the link may put it into a page of his.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; "
        "connect-src 'self'; frame-ancestors *; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the link is a key
}


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What the link carries in place of a key."""

    token: Annotated[str, Meta(max_length=LONGEST)] = ""


async def page(request: web.Request) -> web.StreamResponse:
    """The page. Everything on it comes over the socket."""
    service, identifier = request.app[SERVICE], request.match_info["id"]
    try:
        watch = _let_in(request)
    except web.HTTPUnauthorized as error:
        if "text/html" not in request.headers.get("Accept", ""):
            raise
        return _sorry(error)
    await _shown(service, watch.caller, identifier)
    return web.FileResponse(_STATIC / "live.html", headers={**_HEADERS, "Cache-Control": "no-store"})


async def socket(request: web.Request) -> web.StreamResponse:
    """Pictures and news, and back what a person does.

    The token stands for the caller, no cookie does; so another site has no use of a browser that knows one, and the
    origin of the page is not asked for.
    """
    service, watchers, identifier = request.app[SERVICE], request.app[WATCHERS], request.match_info["id"]
    watch = _let_in(request)
    kind = await _shown(service, watch.caller, identifier)
    if watchers.closing:
        raise web.HTTPServiceUnavailable(text="The service is ending.")
    if kind == sessions.BROWSER:
        watcher = _of_browser(service, watchers, watch, identifier)
    else:
        watcher = _of_tasks(service, watchers, watch, identifier, lasting=kind != TASK)
    with watchers.room(watcher, identifier):
        return await watcher.run(request)


async def asset(request: web.Request) -> web.StreamResponse:
    """A file of the page."""
    path = _ASSETS.get(request.match_info["file"])
    if path is None:
        raise web.HTTPNotFound(text="Not Found")
    return web.FileResponse(path, headers={**_HEADERS, "Cache-Control": "no-cache"})


def _let_in(request: web.Request) -> Watching:
    watch = watching(request.app[SERVICE], request.match_info["id"], query(request, Link).token)
    if watch is None:
        raise web.HTTPUnauthorized(text="This link is not good, or no longer; ask for a new one.")
    return watch


def _sorry(error: web.HTTPException) -> web.Response:
    """The same sentence, for a person who opened the link in a browser."""
    text = (_STATIC / "sorry.html").read_text(encoding="utf-8").format(sentence=escape(error.text or error.reason))
    headers = {**_HEADERS, "Cache-Control": "no-store"}
    return web.Response(status=error.status, text=text, content_type="text/html", headers=headers)


async def _shown(service: Service, caller: Caller, identifier: str) -> str:
    """TASK, or the kind of the session that it is. Raises NotFound for what is neither, or another project's."""
    try:
        await control.task(service, caller, identifier)
    except NotFound:
        return (await sessions.session(service, caller, identifier, kind=None)).kind
    return TASK


def _of_tasks(service: Service, watchers: Watchers, watch: Watching, identifier: str, *, lasting: bool) -> Watcher:
    """`lasting` tells that it is a session, in which there may be another task after one."""
    find = partial(_newest if lasting else control.task, service, watch.caller, identifier)

    def news(watcher: Watcher) -> News:
        return News(
            service,
            watch,
            find=find,
            lasting=lasting,
            drives=partial(watchers.drives, watcher),
            leave=partial(watchers.leave, watcher),
            send=watcher.send,
        )

    return Watcher(service, watchers, watch, news=news, wishes=Steering(service, watch.caller))


def _of_browser(service: Service, watchers: Watchers, watch: Watching, identifier: str) -> Watcher:
    def news(watcher: Watcher) -> LentNews:
        return LentNews(service, watch, identifier.lower(), send=watcher.send)

    return Watcher(service, watchers, watch, news=news, wishes=LentWishes(service, watch.caller))


async def _newest(service: Service, caller: Caller, session_id: str) -> TaskRow | None:
    """The task of the session that began last."""
    row = await sessions.session(service, caller, session_id)
    return next(iter(await sessions.tasks(service, row, limit=1)), None)


_OF = {"id": "The id of a task or a session."}
_route = partial(Route, method="GET", family="live", scope=None, open=True, documented=False)

ROUTES: tuple[Route, ...] = (
    _route(path="/live/assets/{file}", handler=asset, summary="What the live page needs"),
    _route(path="/live/{id}", handler=page, summary="The live page", query=Link, paths=_OF),
    _route(path="/live/{id}/socket", handler=socket, summary="Its web socket", query=Link, paths=_OF),
)
