"""Purges sessions: said on the tape first, then done, and finished after a crash. Twice changes nothing.

A purge goes: the session and its tasks end; SessionPurged on the tape, which takes its files out of the views; its
tasks are redacted; its blobs; last the payloads of its own stream, by which a start knows that all is done.
"""

from functools import partial

from api import retention, sessions
from api.service import Caller, Service
from eventstore import events as e
from eventstore import session as decide
from eventstore.errors import NotFound
from eventstore.store import PAGE, Lane, Recorded
from projections.sessions import STREAM, SessionRow

REASON = "purged with its session"


async def purge(service: Service, caller: Caller, session_id: str) -> None:
    """Remove whatever the session and its tasks said, and their files; when it answers, it is gone.

    Raises NotFound, and Overloaded while a task of it is still about to end.
    """
    async with sessions.held(service, caller, session_id) as row:
        stream = sessions.stream(row.id)
        blobs = {each.file.blob for each in await service.projector.session_files.of(stream)}
        decision = partial(decide.purge, blobs=len(blobs), reason="asked for", adopted=row.adoption())
        done = await service.sessions.transact(stream, decision, actor=caller.actor, lane=Lane.CONTROL)
        if done.state.purged is None:
            raise NotFound("Session not found")
        await service.projector.reached(done.position)
        await _erase(service, row, done.state.purged, actor=caller.actor)


async def finish(service: Service) -> None:
    """Finish what a killed process left: a purge that is on the tape, and whose payloads are so too."""
    after = 0
    while page := await service.store.read(after, types={"session.purged"}):
        after = page[-1].position
        for recorded in page:
            row = await service.projector.sessions.find(recorded.stream.removeprefix(STREAM))
            if row is not None and isinstance(recorded.event, e.SessionPurged):
                await _erase(service, row, recorded.event, actor="system")


async def _erase(service: Service, row: SessionRow, purged: e.SessionPurged, *, actor: str) -> None:
    """Everything after the event, unless it is done."""
    stream = sessions.stream(row.id)
    said = [recorded for recorded in await _said(service, stream) if recorded.version <= purged.events]
    if not said or said[0].payload is None:
        return
    for project in (row.project, ""):  # deleted ones are in none: there are some when a deletion was cut off
        while page := (await service.projector.tasks.page(project=project, session=row.id))[0]:
            for task in page:  # one that is redacted is in no session any more
                await retention.redact(service, task.id, reason=REASON, actor=actor)
    async with service.removing:
        if blobs := {blob for recorded in said for blob in _blobs(recorded.event)}:
            named = await service.projector.references.named(blobs)
            await service.blobs.delete([blob for blob in blobs if blob not in named], before=said[-1].at)
        created = said[0].event  # whoever hears of the stop later cannot read there what the password is called
        if isinstance(created, e.SessionCreated) and created.options.proxy and created.options.proxy.secret:
            await service.vault.delete(created.options.proxy.secret)
        await service.store.redact(stream, purged.events)
        await service.projector.purge()


def _blobs(event: e.Event) -> list[str]:
    return [event.file.blob] if isinstance(event, e.FileUploaded | e.FileDownloaded) else []


async def _said(service: Service, stream: str) -> list[Recorded]:
    events: list[Recorded] = []
    while page := await service.store.read_stream(stream, len(events)):
        events += page
        if len(page) < PAGE:
            break
    return events
