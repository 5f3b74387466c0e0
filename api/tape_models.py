"""Our own family: which models tasks may name. Neither their keys nor their addresses are told."""

import msgspec
from aiohttp import web

from api.models import Models
from api.service import SERVICE
from api.wire import Route, reply


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """One model: what tasks call it, whose it is, and what that calls it. A `*` in its name stands for any letters.

    `vision` tells whether it takes pictures, null where that is not known. Tasks that name none get the `default`.
    """

    name: str
    provider: str
    model: str
    vision: bool | None
    default: bool
    fallback: str | None = None


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """All that are configured, the default first. `aliases` are other names and what they stand for, `*` any other."""

    models: list[ModelView]
    aliases: dict[str, str]


async def models(request: web.Request) -> web.Response:
    """What `llm`, `llm_model` and `judgeLlm` may be."""
    return reply(shown(request.app[SERVICE].models))


def shown(models: Models) -> ModelList:
    """As the answer shows them."""
    return ModelList(models=[_view(models, name) for name in models.names()], aliases=dict(models.stand_ins))


def _view(models: Models, name: str) -> ModelView:
    default = name == models.default
    found = {each.name: each for each in models.table}.get(name) or models.find(name)
    if found is None:  # of the names that there are, the one that needs no model
        return ModelView(name=name, provider="tapewright", model=name, vision=False, default=default)
    return ModelView(
        name=name,
        provider=found.provider,
        model=found.model,
        vision=found.vision,
        default=default,
        fallback=found.fallback or None,
    )


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/tape/models",
        handler=models,
        summary="List the models that tasks may name, the default first",
        family="tape",
        scope="read",
        reply=ModelList,
    ),
)
