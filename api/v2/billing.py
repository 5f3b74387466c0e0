"""`GET /api/v2/billing/account`: the configured budget, in the shape of an account. Nothing is charged."""

from uuid import UUID

import uuid_utils
from aiohttp import web

from api import wire
from api.service import SERVICE
from api.v2.schemas import Camel, meant
from api.wire import CALLER, Route

_PROJECTS = uuid_utils.UUID("d6a0e2f4-8d4c-5d3e-9a2b-7c1f0e5b4a39")


class PlanInfo(Camel, frozen=True, kw_only=True):
    """The plan of a server of one's own."""

    plan_name: str = "self-hosted"
    subscription_status: str | None = None
    subscription_id: str | None = None
    subscription_current_period_end: str | None = None
    subscription_canceled_at: str | None = None


class Account(Camel, frozen=True, kw_only=True):
    """Balances in US dollars; `rate_limit` in requests a second; `project_id` is made of the project's name."""

    name: str
    total_credits_balance_usd: float
    monthly_credits_balance_usd: float
    additional_credits_balance_usd: float
    rate_limit: int
    concurrent_session_limit: int
    active_session_count: int
    plan_info: PlanInfo
    is_free_tier: bool
    project_id: UUID


async def account(request: web.Request) -> web.Response:
    """The caller's project as an account."""
    service, caller = request.app[SERVICE], request[CALLER]
    settings = service.settings
    _, running = await service.projector.tasks.page(project=caller.project, states=meant("started"), limit=1)
    answer = Account(
        name=caller.project,
        total_credits_balance_usd=settings.budget_usd,
        monthly_credits_balance_usd=settings.budget_usd,
        additional_credits_balance_usd=0.0,
        rate_limit=round(settings.rate_limit),
        concurrent_session_limit=settings.max_concurrent,
        active_session_count=running,
        plan_info=PlanInfo(),
        is_free_tier=False,
        project_id=UUID(bytes=uuid_utils.uuid5(_PROJECTS, caller.project).bytes),
    )
    return wire.reply(answer)


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/v2/billing/account",
        handler=account,
        summary="Read the budget and the limits of the project",
        family="v2",
        scope="read",
        reply=Account,
    ),
)
