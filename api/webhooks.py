"""Webhooks over HTTP: made, listed, tested, told once more, deleted. A secret is shown once, to whoever made it."""

from collections.abc import Sequence
from functools import partial

import msgspec
from aiohttp import web

from api import control, hooks, wire
from api.keys import NO_STORE
from api.service import SERVICE, Caller, Service
from api.tape_views import iso
from api.webhook_schemas import Delivery, MadeWebhook, NewWebhook, Redelivery, Webhook, Webhooks, WebhookWhole
from api.wire import CALLER, Empty, Route
from eventstore import events as e
from eventstore import hook as decide
from eventstore import outbox
from eventstore.errors import NotAllowed, NotFound
from eventstore.store import Lane
from projections.hooks import DEAD, DELIVERED, WAITING, HookRow, ToldRow

MOST = 100
"""Webhooks of a project that are for all its tasks, and those of one task."""


async def make_webhook(request: web.Request) -> web.Response:
    """Make a webhook and test it. The answer alone shows its secret."""
    service, caller = request.app[SERVICE], request[CALLER]
    asked = await wire.body(request, NewWebhook)
    url = await hooks.checked(service, asked.url, ("body", "url"))
    signing = hooks.secret(asked.secret, ("body", "secret"))
    task_id = ""
    if asked.task_id is not None:
        row = await control.task(service, caller, str(asked.task_id))
        task_id = row.id
        if row.ended_at is not None:
            raise NotAllowed("The task has ended: there is nothing more to tell of it.")
    if len(await service.projector.hooks.of(caller.project, task=task_id, limit=MOST)) >= MOST:
        raise NotAllowed(f"There are at most {MOST} webhooks for all tasks of a project, or for one: delete one first.")
    hook_id = control.fresh_id()
    created = e.HookCreated(
        project=caller.project, url=url, task=task_id, events=(*dict.fromkeys(asked.events), decide.TEST)
    )
    await control.seen(service, await hooks.make(service, caller.actor, hook_id, created, signing))
    made = MadeWebhook(
        id=hook_id, url=url, task_id=task_id or None, events=_words(created.events), secret=signing.reveal()
    )
    return wire.reply(made, status=201, headers=NO_STORE)


async def list_webhooks(request: web.Request) -> web.Response:
    """The webhooks of the caller's project."""
    rows = await request.app[SERVICE].projector.hooks.of(request[CALLER].project)
    return wire.reply(Webhooks(webhooks=[shown(row) for row in rows]))


async def get_webhook(request: web.Request) -> web.Response:
    """One webhook, with its deliveries."""
    service = request.app[SERVICE]
    row = await _mine(service, request[CALLER], request.match_info["webhook_id"])
    told = {
        state: [_delivery(each) for each in await service.projector.hooks.told(row.id, state)]
        for state in (DELIVERED, WAITING, DEAD)
    }
    whole = WebhookWhole(
        **msgspec.structs.asdict(shown(row)), deliveries=told[DELIVERED], retries=told[WAITING], dead=told[DEAD]
    )
    return wire.reply(whole)


async def delete_webhook(request: web.Request) -> web.Response:
    """Delete a webhook: no message to it is begun any more."""
    service, caller = request.app[SERVICE], request[CALLER]
    row = await _mine(service, caller, request.match_info["webhook_id"])
    await control.seen(service, await hooks.remove(service, row.id, actor=caller.actor))
    return wire.reply(Empty())


async def redeliver(request: web.Request) -> web.Response:
    """Deliver a message once more, with all its attempts anew."""
    service, caller = request.app[SERVICE], request[CALLER]
    row = await _mine(service, caller, request.match_info["webhook_id"])
    asked = await wire.body(request, Redelivery)
    page = await service.store.read(asked.source - 1, limit=1)
    stream = page[0].stream if page and page[0].position == asked.source else ""
    if not stream.startswith("task-"):
        raise NotFound("This webhook has not been told of that event")
    return await _again(service, caller, row.id, stream.removeprefix("task-"), asked.source)


async def ping_webhook(request: web.Request) -> web.Response:
    """Send a test."""
    service, caller = request.app[SERVICE], request[CALLER]
    row = await _mine(service, caller, request.match_info["webhook_id"])
    return await _again(service, caller, row.id, decide.TEST, 0)


async def _again(service: Service, caller: Caller, hook_id: str, lane: str, source: int) -> web.Response:
    done = await service.deliveries.transact(
        decide.deliveries(hook_id, lane),
        partial(outbox.redeliver, source=source),
        actor=caller.actor,
        lane=Lane.CONTROL,
    )
    await control.seen(service, done.position)
    return wire.reply(Empty(), status=202)


def shown(row: HookRow) -> Webhook:
    """A webhook as the API tells it."""
    return Webhook(
        id=row.id,
        url=row.url,
        task_id=row.task or None,
        events=_words(row.events),
        created_at=iso(row.at),
        waiting=row.waiting,
        dead_letters=row.dead,
    )


def _words(events: Sequence[str]) -> list[str]:
    return [event for event in events if event != decide.TEST]


def _delivery(row: ToldRow) -> Delivery:
    return Delivery(
        source=row.source,
        task_id=None if row.lane == decide.TEST else row.lane,
        attempts=row.attempts,
        status=row.status or None,
        error=row.error or None,
        at=iso(row.at),
        next_at=iso(row.next_at) if row.next_at else None,
        duration_ms=row.duration_ms,
    )


async def _mine(service: Service, caller: Caller, hook_id: str) -> HookRow:
    """Raises NotFound: what belongs to another project does not exist."""
    row = await service.projector.hooks.find(hook_id.lower())
    if row is None or row.project != caller.project:
        raise NotFound("Webhook not found")
    return row


PATH = "/api/tape/webhooks"
_route = partial(Route, family="tape", scope="control", paths={"webhook_id": "The webhook's id, as listed."})

ROUTES: tuple[Route, ...] = (
    _route(
        method="POST",
        path=PATH,
        handler=make_webhook,
        summary="Make a webhook and test it",
        body=NewWebhook,
        reply=MadeWebhook,
        status=201,
        errors=(404, 409, 413, 503),
        paths={},
    ),
    _route(
        method="GET",
        path=PATH,
        handler=list_webhooks,
        summary="List the webhooks",
        scope="read",
        reply=Webhooks,
        paths={},
    ),
    _route(
        method="GET",
        path=f"{PATH}/{{webhook_id}}",
        handler=get_webhook,
        summary="Read a webhook, its deliveries and its dead letters",
        scope="read",
        reply=WebhookWhole,
        errors=(404,),
    ),
    _route(
        method="DELETE",
        path=f"{PATH}/{{webhook_id}}",
        handler=delete_webhook,
        summary="Delete a webhook",
        reply=Empty,
        errors=(404, 503),
    ),
    _route(
        method="POST",
        path=f"{PATH}/{{webhook_id}}/redeliver",
        handler=redeliver,
        summary="Deliver a message once more",
        body=Redelivery,
        reply=Empty,
        status=202,
        errors=(404, 413, 503),
    ),
    _route(
        method="POST",
        path=f"{PATH}/{{webhook_id}}/test",
        handler=ping_webhook,
        summary="Send a test to a webhook",
        reply=Empty,
        status=202,
        errors=(404, 503),
    ),
)
