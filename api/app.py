"""One application out of the tables of routes; what every request passes is in `guard.py`."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from functools import partial

import msgspec
from aiohttp import HttpVersion11, hdrs, web

from api import (
    cdp,
    diffs,
    docs,
    downloads,
    files,
    health,
    keys,
    openapi,
    removals,
    reruns,
    share,
    tape,
    tape_models,
    tape_pages,
    tape_people,
    task_log,
    watching,
)
from api.auth import identifier
from api.cdp_key import IDENTIFY
from api.cors import CORS, Cors
from api.errors import Problem, problem
from api.guard import Rates, guard
from api.health import FOUND_AT_START, REQUESTS
from api.relays import RELAYS, Relays
from api.service import SERVICE, Caller, Service
from api.sse import STREAMS, Streams
from api.uploads import DESK, Desk
from api.v1 import account, search
from api.v1 import files as v1_files
from api.v1 import profiles as v1_profiles
from api.v1 import schedules as v1_schedules
from api.v1 import tasks as v1_tasks
from api.v2 import billing, ping, skills
from api.v2 import browsers as v2_browsers
from api.v2 import files as v2_files
from api.v2 import profiles as v2_profiles
from api.v2 import sessions as v2_sessions
from api.v2 import shares as v2_shares
from api.v2 import tasks as v2_tasks
from api.watchers import WATCHERS, Watchers
from api.webhooks import ROUTES as WEBHOOKS
from api.wire import Route

ROUTES: tuple[Route, ...] = (
    *v1_tasks.ROUTES,
    *v1_profiles.ROUTES,
    *v1_files.ROUTES,
    *v1_schedules.ROUTES,
    *account.ROUTES,
    *search.ROUTES,
    *v2_tasks.ROUTES,
    *v2_profiles.ROUTES,
    *v2_sessions.ROUTES,
    *v2_shares.ROUTES,
    *v2_files.ROUTES,
    *share.ROUTES,
    *task_log.ROUTES,
    *ping.ROUTES,
    *billing.ROUTES,
    *skills.ROUTES,
    *tape.ROUTES,
    *tape_models.ROUTES,
    *tape_people.ROUTES,
    *reruns.ROUTES,
    *diffs.ROUTES,
    *files.ROUTES,
    *removals.ROUTES,
    *cdp.ROUTES,
    *downloads.ROUTES,
    *v2_browsers.ROUTES,
    *keys.ROUTES,
    *WEBHOOKS,
    *watching.ROUTES,
    *health.ROUTES,
    *openapi.ROUTES,
    *docs.ROUTES,
)


def create_app(service: Service, routes: Iterable[Route] = ROUTES) -> web.Application:
    """The application, ready to be run. It owns nothing: whoever assembled the service closes it."""
    app = web.Application(client_max_size=service.settings.max_body_bytes)
    app[SERVICE] = service
    app[STREAMS] = Streams(each=service.settings.max_connections // 2)
    app[WATCHERS] = Watchers()
    app[tape.VERIFYING] = asyncio.Lock()
    app[diffs.COMPARING] = asyncio.Lock()
    app[tape_pages.MESSAGES] = tape_pages.Messages()
    app[DESK] = Desk()
    app[keys.KEYS] = keys.Ring(service.store)
    app[share.VIEWS] = share.Views(service)
    app.cleanup_ctx.append(share.telling)
    app[RELAYS] = Relays()
    app[CORS] = Cors(service.settings.cors_origins)
    app[REQUESTS] = {}
    app[FOUND_AT_START] = service.store.head
    app.on_shutdown.append(_end_streams)
    if app[CORS].origins:
        app.on_response_prepare.append(app[CORS].mark)
    routes = tuple(routes)
    app[openapi.DOCUMENT] = openapi.encode(routes)
    rates = Rates(service.settings.rate_limit)
    identify = app[IDENTIFY] = identifier(service.settings.api_key, partial(_keyholder, service))
    for route in (*routes, _UNKNOWN):
        statuses = app[REQUESTS].setdefault((route.method, route.path), defaultdict(int))
        guarded = guard(route, identify, rates, statuses, service)
        app.router.add_route(route.method, route.path, guarded, expect_handler=_expected)
        if route.method == "GET":
            app.router.add_route("HEAD", route.path, guarded, expect_handler=_expected)
    return app


def _keyholder(service: Service, digest: str) -> Caller | None:
    key = service.projector.keys.get(digest)
    return None if key is None else Caller(actor=f"key:{key.id}", project=key.project, scopes=key.opens)


async def _expected(request: web.Request) -> None:
    """`Expect: 100-continue` asks whether to send the body; nothing else is known, and nothing at all to HTTP/1.0."""
    if request.version < HttpVersion11:
        return
    if request.headers.get(hdrs.EXPECT, "").lower() != "100-continue":
        body = msgspec.json.encode(Problem(detail="The only known expectation is 100-continue."))
        raise web.HTTPExpectationFailed(text=body.decode(), content_type="application/json")
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # as aiohttp's own handler does: no part of the answer was sent yet


async def _missing(request: web.Request) -> web.StreamResponse:
    """No such path, or no such method there."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource.canonical != "/{path}":  # our own, which takes every method
            allowed |= (await resource.resolve(request))[1]
    if allowed and (preflight := request.app[CORS].preflight(request, allowed)):
        return preflight
    if allowed:
        return problem(405, "Method Not Allowed", {"Allow": ", ".join(sorted(allowed))})
    return problem(404, "Not Found")


_UNKNOWN = Route(
    method="*",
    path="/{path:.*}",
    handler=_missing,
    summary="What is no route",
    family="none",
    scope=None,
    open=True,
    documented=False,
)


async def _end_streams(app: web.Application) -> None:
    app[STREAMS].close()
    app[WATCHERS].close()
    await app[RELAYS].close()
