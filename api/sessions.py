"""What every family does with a session: find one of the caller's, begin, enter and end it. In no family's words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from api import control
from api.control import fresh_id, seen
from api.service import Caller, Service
from eventstore import decide
from eventstore import retention as retention_decide
from eventstore import session as session_decide
from eventstore.errors import NotFound, Overloaded, Refused, SessionBusy, SessionStopped
from eventstore.events import Proxy, SessionCreated, SessionEvent, TaskCreated
from eventstore.machine import ENDED, SEEN, Phase
from eventstore.session import Session
from eventstore.store import Lane
from projections.sessions import STREAM, SessionRow
from projections.task_row import TaskRow

AGENT, BROWSER = "agent", "browser"
LIVE = frozenset(state for phase, row in SEEN.items() if phase not in ENDED | {Phase.ABSENT} for state in row.values())
MOST_TASKS = 500
"""So many tasks of a session are shown with it, the newest."""

END_SECONDS = 15.0
"""How long the tasks of a session may take to end before it can be deleted."""

_TURN = 100


def stream(session_id: str) -> str:
    """The stream of a session."""
    return STREAM + session_id


async def session(service: Service, caller: Caller, session_id: str, *, kind: str | None = AGENT) -> SessionRow:
    """The caller's session of that kind, or of any, as the view has it.

    Raises NotFound; what is another project's does not exist.
    """
    row = await service.projector.sessions.find(session_id.lower())
    if row is None or row.project != caller.project or kind not in (None, row.kind) or row.deleted:
        raise NotFound("Session not found")
    return row


async def create(
    service: Service, caller: Caller, created: SessionCreated, *, digest: str, idempotency_key: str = ""
) -> SessionRow:
    """Put a new session on the tape, in the caller's project; answer when it is durable and in the view.

    The same `idempotency_key` with the same digest is the same session. Raises Invalid for another digest.
    """
    session_id = control.derived(caller.project, idempotency_key, "session") if idempotency_key else fresh_id()
    wish = msgspec.structs.replace(
        created, project=caller.project, request_digest=service.signer.digest(digest.encode())
    )
    begin = partial(session_decide.create, created=wish)
    try:
        done = await service.sessions.transact(stream(session_id), begin, actor=caller.actor, lane=Lane.INTAKE)
    except Refused:
        await _keep_only_needed(service, session_id, wish.options.proxy)
        raise
    await _keep_only_needed(service, session_id, wish.options.proxy)
    await seen(service, done.position)
    return await session(service, caller, session_id, kind=created.kind)


async def _keep_only_needed(service: Service, session_id: str, proxy: Proxy | None) -> None:
    """The password of a proxy goes, unless a session that lives names it: it was refused, or has stopped since."""
    if proxy is None or not proxy.secret:
        return
    state = await service.sessions.fresh(stream(session_id))
    if not state.active or state.created is None or state.created.options.proxy != proxy:
        await service.vault.delete(proxy.secret)


async def tasks(service: Service, row: SessionRow, *, limit: int = MOST_TASKS) -> list[TaskRow]:
    """The tasks of the session, newest first."""
    rows: list[TaskRow] = []
    while len(rows) < limit:
        page, total = await service.projector.tasks.page(
            project=row.project, session=row.id, offset=len(rows), limit=min(_TURN, limit - len(rows))
        )
        rows += page
        if not page or len(rows) >= total:
            break
    return rows


@asynccontextmanager
async def entering(service: Service, caller: Caller, session_id: str) -> AsyncIterator[SessionRow]:
    """The session, into which a task may be put while the block lasts: nobody else puts one in, or ends it, meanwhile.

    Raises NotFound, SessionStopped, also where its one task has ended, and SessionBusy where a task of it has not.
    """
    async with _lock(service, session_id.lower()):
        row = await session(service, caller, session_id)
        _, live = await service.projector.tasks.page(project=row.project, session=row.id, states=LIVE, limit=1)
        _, known = await service.projector.tasks.page(project=row.project, session=row.id, limit=1)
        if not row.active or (known and not live and not row.keep_alive):  # the runner is about to say that it stopped
            raise SessionStopped
        if live or not row.explicit:
            raise SessionBusy
        yield row


async def inside(service: Service, row: SessionRow, wish: TaskCreated) -> TaskCreated:
    """The task as it is in this session: in its browser, which begins at the session's start URL."""
    begun = (await service.sessions.fresh(stream(row.id))).visited
    return msgspec.structs.replace(
        wish,
        session=row.id,
        start_url=wish.start_url or ("" if begun else row.start_url),
        options=msgspec.structs.replace(row.options, given=wish.options.given),
    )


async def stop(service: Service, caller: Caller, session_id: str) -> SessionRow:
    """End the session for good, and what runs in it; answer when that is so, or after a moment. Twice is once."""
    async with _lock(service, session_id.lower()):
        row = await session(service, caller, session_id)
        await _stop(service, caller, row, "stop", seconds=control.EFFECT_SECONDS)
    return await session(service, caller, row.id)


async def delete(service: Service, caller: Caller, session_id: str) -> None:
    """Show the session and its tasks no more. Raises Overloaded while a task of it is still about to end."""
    async with _lock(service, session_id.lower()):
        row = await session(service, caller, session_id)
        await _stop(service, caller, row, "delete", seconds=END_SECONDS)
        # The tasks first: whoever finds the session may try again.
        while page := await tasks(service, row, limit=_TURN):
            for each in page:
                if each.ended_at is None:
                    raise Overloaded("A task of this session has not ended yet; try again in a moment.")
                forget = partial(retention_decide.delete, reason="with its session")
                done = await service.tasks.transact(control.stream(each.id), forget, actor=caller.actor)
                await service.projector.reached(done.position)
        end = partial(session_decide.delete, adopted=row.adoption())
        done_ = await service.sessions.transact(stream(row.id), end, actor=caller.actor, lane=Lane.CONTROL)
        await seen(service, done_.position)


async def share(service: Service, caller: Caller, row: SessionRow) -> SessionRow:
    """Let whoever has the link look. What is shared stays so, under the same link."""
    decision = partial(session_decide.share, share=fresh_id(), adopted=row.adoption())
    done = await service.sessions.transact(stream(row.id), decision, actor=caller.actor, lane=Lane.CONTROL)
    await seen(service, done.position)
    return await session(service, caller, row.id)


async def share_once(service: Service, caller: Caller, session_id: str) -> None:
    """Share the session of a new task, unless something was said of it before: it may have been unshared since."""
    row = await service.projector.sessions.find(session_id)
    if row is None:
        return

    def decision(state: Session) -> list[SessionEvent]:
        return [] if state.version else session_decide.share(state, share=fresh_id(), adopted=row.adoption())

    done = await service.sessions.transact(stream(row.id), decision, actor=caller.actor, lane=Lane.CONTROL)
    await seen(service, done.position)


async def unshare(service: Service, caller: Caller, row: SessionRow) -> None:
    """The link opens nothing any more."""
    decision = partial(session_decide.unshare, adopted=row.adoption())
    done = await service.sessions.transact(stream(row.id), decision, actor=caller.actor, lane=Lane.CONTROL)
    await seen(service, done.position)


@asynccontextmanager
async def held(service: Service, caller: Caller, session_id: str) -> AsyncIterator[SessionRow]:
    """The session, stopped with all its tasks, and nobody begins one meanwhile. Raises NotFound and Overloaded."""
    async with _lock(service, session_id.lower()):
        row = await session(service, caller, session_id)
        await _stop(service, caller, row, "purge", seconds=END_SECONDS)
        if any(each.ended_at is None for each in await tasks(service, row)):
            raise Overloaded("A task of this session has not ended yet; try again in a moment.")
        yield await session(service, caller, row.id)


async def _stop(service: Service, caller: Caller, row: SessionRow, cause: str, *, seconds: float) -> None:
    """The session first, so that nothing new begins in it; then its tasks. Waits for their end for so long at most."""
    if row.active:
        decision = partial(session_decide.stop, cause=cause, adopted=row.adoption())
        done = await service.sessions.transact(stream(row.id), decision, actor=caller.actor, lane=Lane.CONTROL)
        await seen(service, done.position)
    live, _ = await service.projector.tasks.page(project=row.project, session=row.id, states=LIVE, limit=_TURN)
    for each in live:
        ending = partial(decide.stop, reason="The session was stopped.", command_id=fresh_id())
        stopped = await service.tasks.transact(control.stream(each.id), ending, actor=caller.actor, lane=Lane.CONTROL)
        await seen(service, stopped.position)
    try:
        async with asyncio.timeout(seconds):
            for each in live:
                await service.projector.tasks.until(each.id, lambda row: row.ended_at is not None, timeout=seconds)
    except TimeoutError:
        return  # it says so itself


def _lock(service: Service, session_id: str) -> asyncio.Lock:
    return service.entering.setdefault(session_id, asyncio.Lock())
