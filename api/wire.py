"""HTTP in, structs out, and back: what every family shares of reading a request and writing a reply."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from api.service import Caller
from eventstore.errors import Invalid
from eventstore.key import Scope
from eventstore.secrets import Secret

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CALLER = web.RequestKey("caller", Caller)

BODY_SECONDS = 30.0

POLLED = 0.05
"""The cost of what clients ask for without a delay: it is one look into memory, about as cheap as to refuse it."""

MAX_KEY = 100
"""So many characters of a client's own key are told it again."""

_encoder = msgspec.json.Encoder()
_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]+)`")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One path and method, with what the OpenAPI document says of it.

    `path` is aiohttp's form (`/api/v1/task/{task_id}`). `query`, `body` and `reply` are struct types, or None; `reply`
    may be any type that msgspec can describe. `scope` is what a key must have to open the route; None: any good key
    does. `open` routes need no key (a wrong one is refused all the same, and so is one that lacks the scope).
    `operator` routes tell of the whole log, so that only keys of the project `default` open them. `cost` is how many
    requests one of these counts as, against the limit of its key. `errors` are the statuses that the route may answer
    with beside those that any may (see `openapi.py`). `paths` describes path parameters, `headers` those that the route
    reads. A `tagged` reply has an ETag, and may be 304 (see `etag.py`). `media` is the content type of a reply that is
    not JSON; `unauthorized` the whole body of its 401, where that is not a `detail`. A route that is not `documented`
    serves people, not programs; one that `inspects` answers even when the tape is damaged.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    family: str
    scope: Scope | None
    cost: float = 1.0
    open: bool = False
    operator: bool = False
    query: type | None = None
    body: type | None = None
    reply: object = None
    status: int = 200
    errors: tuple[int, ...] = ()
    paths: dict[str, str] = {}
    headers: dict[str, str] = {}
    tagged: bool = False
    media: str = "application/json"
    unauthorized: object = None
    documented: bool = True
    inspects: bool = False


class Empty(msgspec.Struct, frozen=True, kw_only=True):
    """`{}`"""


async def body(request: web.Request, kind: type[T], *, empty: bytes = b"", seconds: float = BODY_SECONDS) -> T:
    """The request's body as a struct. Raises Invalid, naming the field by its path from `body`.

    A client that has not sent all of it after `seconds` gets 408. `empty` is what no body at all stands for.
    """
    try:
        async with asyncio.timeout(seconds):
            data = await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="The body did not arrive in time.") from None
    except web.RequestPayloadError:
        raise Invalid("The body is not encoded as its headers say.", field=("body",)) from None
    return decode(data or empty, kind)


def decode(data: bytes, kind: type[T]) -> T:
    """JSON bytes as a struct. Raises Invalid, naming the field by its path from `body`."""
    if not data:
        raise Invalid("A JSON body is required.", field=("body",))
    try:
        return msgspec.json.decode(data, type=kind, dec_hook=_hook)
    except msgspec.ValidationError as error:
        raise _invalid("body", error, data) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"The body is not valid JSON: {error}", field=("body",)) from error


def query(request: web.Request, kind: type[T]) -> T:
    """The query string as a struct; numbers and booleans are read from their text. Raises Invalid from `query`.

    A name that stands there twice is refused: which of the two a client meant is not for us to guess.
    """
    given = dict(request.query)
    if len(given) != len(request.query):
        twice = next(name for name in given if len(request.query.getall(name)) > 1)
        raise Invalid("given more than once", field=("query", twice))
    try:
        return msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid("query", error) from error


def reply(value: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """The value as JSON."""
    return web.Response(body=_encoder.encode(value), status=status, content_type="application/json", headers=headers)


def _hook(kind: type, value: object) -> object:
    """The types that msgspec does not know. A ValueError becomes a ValidationError, which says where it was."""
    if kind is object:  # any value will do
        return value
    if kind is not Secret:
        raise NotImplementedError(kind)
    if not isinstance(value, str):
        raise ValueError("A secret's value must be a string.")
    return Secret(value)


def _invalid(source: str, error: msgspec.ValidationError, data: bytes = b"") -> Invalid:
    """msgspec says `Expected ... - at $.a[0]`; the wire says `loc` and `msg`."""
    match = _PLACE.match(str(error))
    what, where = (match["what"], match["where"] or "") if match else (str(error), "")
    path: list[str | int] = [source]
    for name, index in _STEP.findall(where):
        path.append(name or (int(index) if index.isdigit() else _key(data, path[1:]) or index))
    if missing := _MISSING.match(what):
        return Invalid("field required", field=(*path, missing["name"]))
    return Invalid(what, field=tuple(path))


def _key(data: bytes, path: list[str | int]) -> str:
    """The key that msgspec does not tell: it says `[...]` for a value of an object, which for us is always a text."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    values = found.items() if isinstance(found, dict) else ()
    key = next((key for key, value in values if not isinstance(value, str)), "")
    return key if len(key) <= MAX_KEY else f"{key[:MAX_KEY]}…"
