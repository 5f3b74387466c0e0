"""`/openapi.json`, made from the tables of routes and the structs: what is served is described, and nothing else."""

import inspect
import re
from collections.abc import Iterable
from http import HTTPStatus
from importlib.metadata import version

import msgspec
from aiohttp import web

from api.errors import Problem, Unreadable
from api.intake import MAX_SECRET
from api.wire import Route
from eventstore.secrets import Secret

DOCUMENT = web.AppKey("openapi", bytes)
_PATH = re.compile(r"\{([^}]+)\}")
_REF = "#/components/schemas/{name}"

_KNOWN = "the tag of the answer that the client has: where it is still right, 304 comes without a body"
_TAG = "a weak tag of this answer, for If-None-Match"

Json = dict[str, object]


async def openapi(request: web.Request) -> web.Response:
    """The document, made once."""
    return web.Response(body=request.app[DOCUMENT], content_type="application/json")


def document(routes: Iterable[Route]) -> Json:
    """OpenAPI 3.1 of all documented routes."""
    routes = [route for route in routes if route.documented]
    kinds = [kind for route in routes for kind in (route.body, route.reply) if kind is not None]
    queries = [route.query for route in routes if route.query is not None]
    wanted = [Problem, Unreadable, *kinds, *queries]
    schemas, components = msgspec.json.schema_components(wanted, schema_hook=_schema, ref_template=_REF)
    by_kind = dict(zip(map(_identity, wanted), schemas, strict=True))
    paths: dict[str, dict[str, Json]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_kind, components)
    hidden = {kind.__name__ for kind in queries} - {kind.__name__ for kind in kinds if isinstance(kind, type)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tapewright", "version": version("tapewright")},
        "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in hidden},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Browser-Use-API-Key"},
            },
        },
        "security": [{"bearer": []}, {"key": []}],
        "tags": [{"name": name} for name in dict.fromkeys(route.family for route in routes)],
    }


def encode(routes: Iterable[Route]) -> bytes:
    """The document as bytes."""
    return msgspec.json.encode(document(routes))


def _operation(route: Route, schemas: dict[object, Json], components: dict[str, Json]) -> Json:
    operation: Json = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": inspect.getdoc(route.handler) or "",
        "tags": [route.family],
        "parameters": [*_path_parameters(route), *_query_parameters(route, schemas, components), *_headers(route)],
        "responses": _responses(route, schemas),
    }
    if route.body is not None:
        content = {"application/json": {"schema": schemas[_identity(route.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    if route.open:
        operation["security"] = [{}, {"bearer": []}, {"key": []}]
    return operation


def _operation_id(route: Route) -> str:
    """Unique, because a method and a path are: `get_api_v1_task_task_id_status`."""
    return re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_")


def _path_parameters(route: Route) -> list[Json]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": route.paths.get(name, ""),
            "schema": {"type": "string"},
        }
        for name in _PATH.findall(route.path)
    ]


def _query_parameters(route: Route, schemas: dict[object, Json], components: dict[str, Json]) -> list[Json]:
    if route.query is None:
        return []
    schema = components[str(schemas[_identity(route.query)]["$ref"]).rpartition("/")[2]]
    properties, required = schema["properties"], schema.get("required", ())
    if not isinstance(properties, dict) or not isinstance(required, list | tuple):
        raise TypeError(f"{route.query} is not a struct.")
    return [
        {"name": name, "in": "query", "required": name in required, "schema": kind} for name, kind in properties.items()
    ]


def _headers(route: Route) -> list[Json]:
    headers = {**route.headers, "If-None-Match": _KNOWN} if route.tagged else route.headers
    return [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in headers.items()
    ]


def _responses(route: Route, schemas: dict[object, Json]) -> Json:
    told: Json = {"description": HTTPStatus(route.status).phrase}
    if route.reply is not None:
        told["content"] = {route.media: {"schema": schemas[_identity(route.reply)]}}
    elif route.media != "application/json":
        told["content"] = {route.media: {"schema": {"type": "string", "format": "binary"}}}
    responses: Json = {str(route.status): told}
    if route.tagged:
        tag: Json = {"ETag": {"description": _TAG, "schema": {"type": "string"}}}
        told["headers"] = tag
        responses["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase, "headers": tag}
    for status in sorted(_statuses(route)):
        schema = {"const": route.unauthorized} if status == 401 and route.unauthorized is not None else None
        responses[str(status)] = _failure(status, schema or schemas[_identity(Problem)])
    responses["422"] = _failure(422, schemas[_identity(Unreadable)])
    return responses


def _statuses(route: Route) -> set[int]:
    """What may be refused beside an input that is not valid: as `guard.py`, `connections.py` and `wire.body` do it."""
    scoped = {403} if route.scope is not None else set()
    bodied = {408, 413} if route.body is not None else set()
    return {400, 401, 429, 503, *scoped, *bodied, *route.errors}


def _failure(status: int, schema: Json) -> Json:
    return {"description": HTTPStatus(status).phrase, "content": {"application/json": {"schema": schema}}}


def _schema(kind: type) -> Json:
    """For what msgspec has no words of its own: `object` is any JSON value."""
    if kind is object:
        return {"description": "any JSON value"}
    if kind is Secret:
        return {"type": "string", "minLength": 1, "maxLength": MAX_SECRET, "writeOnly": True}
    raise NotImplementedError(kind)


def _identity(kind: object) -> object:
    """Equal for equal types; `list[X]` is made anew each time it is written."""
    return kind if isinstance(kind, type) else repr(kind)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/openapi.json",
        handler=openapi,
        summary="This API, described",
        family="docs",
        scope=None,
        open=True,
        reply=dict[str, object],
    ),
)
