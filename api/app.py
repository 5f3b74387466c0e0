"""One application out of the tables of routes; whatever every request needs is done here, once, in one function."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from functools import partial

import structlog
from aiohttp import web

from api import docs, health, openapi, tape
from api.auth import ANONYMOUS, OPERATORS, Identify, identifier
from api.errors import answer, problem, refusal
from api.health import FOUND_AT_START, REQUESTS
from api.service import SERVICE, Caller, Service
from api.sse import STREAMS, Streams
from api.v1 import account
from api.v1 import tasks as v1_tasks
from api.v2 import ping
from api.v2 import tasks as v2_tasks
from api.wire import CALLER, Handler, Route
from eventstore.errors import Broken, Refused

_log = structlog.get_logger("api")

ROUTES: tuple[Route, ...] = (
    *v1_tasks.ROUTES,
    *account.ROUTES,
    *v2_tasks.ROUTES,
    *ping.ROUTES,
    *tape.ROUTES,
    *health.ROUTES,
    *openapi.ROUTES,
    *docs.ROUTES,
)


def create_app(service: Service, routes: Iterable[Route] = ROUTES) -> web.Application:
    """The application, ready to be run. It owns nothing: whoever assembled the service closes it."""
    app = web.Application(client_max_size=service.settings.max_body_bytes)
    app[SERVICE] = service
    app[STREAMS] = Streams()
    app[tape.VERIFYING] = asyncio.Lock()
    app[REQUESTS] = {}
    app[FOUND_AT_START] = service.store.head
    app.on_shutdown.append(_end_streams)
    routes = tuple(routes)
    app[openapi.DOCUMENT] = openapi.encode(routes)
    identify = identifier(service.settings.api_key, partial(_keyholder, service))
    for route in (*routes, _UNKNOWN):
        statuses = app[REQUESTS].setdefault((route.method, route.path), Counter())
        guarded = guard(route, identify, statuses)
        app.router.add_route(route.method, route.path, guarded)
        if route.method == "GET":
            app.router.add_route("HEAD", route.path, guarded)
    return app


def guard(route: Route, identify: Identify, statuses: Counter[int]) -> Handler:
    """The handler with what every request needs: who calls, what is refused, what went wrong, how often.

    A function and not a middleware: three nested ones cost a third of the path that clients poll.
    """
    handler = route.handler
    is_open = route.open
    anybody = not route.operator
    scopes: frozenset[str] = frozenset() if route.scope is None else frozenset((route.scope,))

    async def guarded(request: web.Request) -> web.StreamResponse:
        caller = identify(request.headers)
        if caller is None or (caller is ANONYMOUS and not is_open):
            response: web.StreamResponse = _unauthorized(route, caller)
        elif caller is not ANONYMOUS and not (scopes <= caller.scopes and (anybody or caller.project == OPERATORS)):
            response = problem(403, _forbidden(route, caller))
        else:
            request[CALLER] = caller
            try:
                response = await handler(request)
            except Refused as error:
                response = refusal(error)
            except web.HTTPException as error:
                response = problem(error.status, error.text or error.reason)
            except Broken:
                response = problem(503, "The log has failed; the service is ending.")
            except (ConnectionError, asyncio.CancelledError):
                raise  # the client has gone, or the service ends: nobody reads an answer
            except Exception:
                _log.exception("a request failed", method=route.method, route=route.path)
                response = problem(500, "Internal server error")
        statuses[response.status] += 1
        return response

    return guarded


def _unauthorized(route: Route, caller: Caller | None) -> web.Response:
    headers = {"WWW-Authenticate": "Bearer"}
    if route.unauthorized is not None:
        return answer(401, route.unauthorized, headers)
    sentence = "The API key is not valid." if caller is None else "An API key is required."
    return problem(401, sentence, headers)


def _forbidden(route: Route, caller: Caller) -> str:
    if route.scope is not None and route.scope not in caller.scopes:
        return f"This needs a key with the scope {route.scope}."
    return f"This tells of all projects, so it needs a key of the project {OPERATORS}."


def _keyholder(service: Service, digest: str) -> Caller | None:
    key = service.projector.keys.get(digest)
    return None if key is None else Caller(actor=f"key:{key.id}", project=key.project, scopes=key.opens)


async def _missing(request: web.Request) -> web.StreamResponse:
    """No such path, or no such method there."""
    allowed: set[str] = set()
    for resource in request.app.router.resources():
        if resource.canonical != "/{path}":  # our own, which takes every method
            allowed |= (await resource.resolve(request))[1]
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
