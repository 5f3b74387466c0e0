"""What every request passes: who calls, may he, not too often, what went wrong, how often. One flat function."""

import asyncio
import math
from collections import defaultdict

import structlog
from aiohttp import web

from api.auth import ANONYMOUS, OPERATORS, Identify
from api.errors import answer, problem, refusal
from api.limits import FAILURES, POLLS, Rate, network
from api.service import Caller, Service
from api.wire import CALLER, POLLED, Handler, Route
from eventstore.errors import Broken, Damaged, Refused

_log = structlog.get_logger("api")


class Rates:
    """What the whole application counts: requests and polls by key, and failures to name a good one by address.

    `per_second` is what one key may do; 0 turns all counting off.
    """

    def __init__(self, per_second: float) -> None:
        self.keys = Rate(per_second) if per_second else None
        self.strangers = Rate(FAILURES) if per_second else None
        self.polls = Rate(per_second * POLLS) if per_second else None


def guard(route: Route, identify: Identify, rates: Rates, statuses: defaultdict[int, int], service: Service) -> Handler:
    """The handler with what every request needs. Once the service is ending, only its health can be asked for.

    A function and not a middleware: three nested ones cost a third of the path that clients poll.
    """
    handler, cost, is_open, anybody = route.handler, route.cost, route.open, not route.operator
    scopes: frozenset[str] = frozenset() if route.scope is None else frozenset((route.scope,))
    rate, strangers = (rates.keys if cost else None), rates.strangers
    polls = rates.polls if cost == POLLED else None
    health = route.family == "health"
    serves = not route.inspects and route.family not in ("health", "docs")
    ending, store = service.ending, service.store

    async def guarded(request: web.Request) -> web.StreamResponse:
        caller = identify(request.headers)
        if ending.is_set() and not health:
            response: web.StreamResponse = problem(503, "The service is ending.", {"Retry-After": "1"})
        elif caller is None or (caller is ANONYMOUS and not is_open):
            response = _unauthorized(route, caller)
        elif rate is not None and caller is not ANONYMOUS and (wait := rate.take(caller.actor, cost)):
            response = _too_many("This key makes too many requests.", wait)
        elif caller is not ANONYMOUS and not (scopes <= caller.scopes and (anybody or caller.project == OPERATORS)):
            response = problem(403, _forbidden(route, caller))
        else:
            request[CALLER] = caller
            try:
                # A client that polls without a pause gets a pace, so that it does not slow the tasks that it asks for.
                if polls is not None and (late := polls.pace(caller.actor)):
                    await asyncio.sleep(late)
                if serves and (failure := store.failure) is not None:
                    raise failure.again()
                response = await handler(request)
            except Refused as error:
                response = refusal(error)
            except web.HTTPException as error:
                response = problem(error.status, error.text or error.reason, _told(error))
            except Damaged as damaged:
                response = problem(503, str(damaged))
            except Broken:
                response = problem(503, "The log has failed; the service is ending.")
            except (ConnectionError, asyncio.CancelledError):
                raise  # the client has gone, or the service ends: nobody reads an answer
            except Exception:
                _log.exception("a request failed", method=route.method, route=route.path)
                response = problem(500, "Internal server error")
        if response.status == 401 and strangers is not None and (wait := strangers.take(network(request.remote))):
            response = _too_many("Too many requests without a good key come from this address.", wait)
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


def _told(error: web.HTTPException) -> dict[str, str]:
    """Of its headers those that a client acts on; the others describe the body that it does not get."""
    return {name: error.headers[name] for name in ("Retry-After", "Upgrade", "Connection") if name in error.headers}


def _too_many(sentence: str, wait: float) -> web.Response:
    return problem(429, sentence, {"Retry-After": str(math.ceil(wait))})
