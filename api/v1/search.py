"""v1's searches in one request: they need a language model, and this version has none."""

from typing import Annotated

from aiohttp import web
from msgspec import Meta, Struct

from api import wire
from api.errors import problem
from api.wire import Route

_WHY = 'Searching needs a language model, and none is configured. A task of the model "instructions" can read a page.'

Depth = Annotated[int, Meta(ge=2, le=5)]


class SearchUrl(Struct, frozen=True, kw_only=True):
    """What to look for on one site, and how deep."""

    url: Annotated[str, Meta(min_length=1, max_length=8_192)]
    query: Annotated[str, Meta(min_length=1, max_length=10_000)]
    depth: Depth = 2


class SimpleSearch(Struct, frozen=True, kw_only=True):
    """What to look for on how many sites, and how deep."""

    query: Annotated[str, Meta(min_length=1, max_length=10_000)]
    max_websites: Annotated[int, Meta(ge=1, le=10)] = 5
    depth: Depth = 2


async def search_url(request: web.Request) -> web.Response:
    """501, once the request is understood."""
    await wire.body(request, SearchUrl)
    return problem(501, _WHY)


async def simple_search(request: web.Request) -> web.Response:
    """501, once the request is understood."""
    await wire.body(request, SimpleSearch)
    return problem(501, _WHY)


ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v1/search-url",
        handler=search_url,
        summary="Search one site: not without a language model",
        family="v1",
        scope="control",
        body=SearchUrl,
        status=501,
    ),
    Route(
        method="POST",
        path="/api/v1/simple-search",
        handler=simple_search,
        summary="Search the web: not without a language model",
        family="v1",
        scope="control",
        body=SimpleSearch,
        status=501,
    ),
)
