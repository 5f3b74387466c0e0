"""v2's skills and its marketplace: there are none here, and whatever needs one says so."""

from datetime import datetime
from typing import Annotated

from aiohttp import web
from msgspec import Meta

from api import wire
from api.errors import problem
from api.v2.schemas import Camel
from api.wire import Route

_WHY = "Skills are a service of the vendor's cloud; this server has none."


class SkillQuery(Camel, frozen=True, kw_only=True):
    """Which skills are meant. None is ever found."""

    page_size: Annotated[int, Meta(ge=1, le=100)] = 10
    page_number: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    is_public: bool | None = None
    is_enabled: bool | None = None
    category: str | None = None
    query: Annotated[str, Meta(max_length=100)] | None = None
    from_date: datetime | None = None
    to_date: datetime | None = None


class SkillList(Camel, frozen=True, kw_only=True):
    """A page of skills: always empty."""

    items: tuple[str, ...]
    total_items: int
    page_number: int
    page_size: int


async def list_skills(request: web.Request) -> web.Response:
    """An empty page."""
    asked = wire.query(request, SkillQuery)
    return wire.reply(SkillList(items=(), total_items=0, page_number=asked.page_number, page_size=asked.page_size))


async def refuse(_request: web.Request) -> web.Response:
    """501 for whatever needs a skill."""
    return problem(501, _WHY)


def _list(path: str, summary: str) -> Route:
    return Route(
        method="GET",
        path=path,
        handler=list_skills,
        summary=summary,
        family="v2",
        scope="read",
        query=SkillQuery,
        reply=SkillList,
    )


def _none(method: str, path: str, summary: str) -> Route:
    return Route(
        method=method,
        path=path,
        handler=refuse,
        summary=summary,
        family="v2",
        scope="read" if method == "GET" else "control",
        status=501,
    )


_SKILL, _MARKET = "/api/v2/skills/{skill_id}", "/api/v2/marketplace/skills"

ROUTES: tuple[Route, ...] = (
    _list("/api/v2/skills", "List skills: there are none"),
    _list(_MARKET, "List the marketplace: it is empty"),
    _none("POST", "/api/v2/skills", "Create a skill: not here"),
    _none("GET", _SKILL, "Read a skill: there are none"),
    _none("PATCH", _SKILL, "Change a skill: not here"),
    _none("DELETE", _SKILL, "Delete a skill: not here"),
    _none("POST", f"{_SKILL}/cancel", "Cancel the making of a skill: not here"),
    _none("POST", f"{_SKILL}/rollback", "Roll a skill back: not here"),
    _none("POST", f"{_SKILL}/execute", "Execute a skill: not here"),
    _none("POST", f"{_SKILL}/refine", "Refine a skill: not here"),
    _none("GET", f"{_SKILL}/executions", "List the executions of a skill: there are none"),
    _none("GET", f"{_SKILL}/executions/{{execution_id}}/output", "Read what an execution gave: there are none"),
    _none("GET", f"{_MARKET}/{{skill_slug}}", "Read a skill of the marketplace: there are none"),
    _none("POST", f"{_MARKET}/{{skill_id}}/clone", "Clone a skill of the marketplace: not here"),
    _none("POST", f"{_MARKET}/{{skill_id}}/execute", "Execute a skill of the marketplace: not here"),
)
