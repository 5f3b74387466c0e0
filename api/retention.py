"""Removes what is asked for and what is too old: said on the tape first, then done, and finished after a crash.

A redaction goes: TaskRedacted on the tape; views and caches forget; blobs; the vault; last the payloads, by which a
start knows that all before them is done. What is killed in between is done again from there, and changes nothing twice.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from functools import partial

import msgspec
import structlog

from api import control
from api.file_retention import delete, forget_given, remove_uploads
from api.service import Service
from eventstore import answers, naming, retention
from eventstore import events as e
from eventstore.blobs import PARTS
from eventstore.clock import microseconds
from eventstore.errors import NotFound, Refused
from eventstore.retention import FILES, RECORDINGS, SCREENSHOTS, TASKS, UPLOADS, Aged, Going
from eventstore.secrets import vault_name
from eventstore.snapshots import cookies_name
from eventstore.store import PAGE, Lane, Recorded
from projections.waiters import ViewsStopped

ALL = 1_000_000
TURN = 50
"""So many tasks are looked after in one go; then others have the lock."""

EVERY_SECONDS = 3600.0
AGAIN_SECONDS = 5.0
UNFINISHED = 64
"""So many of the last redactions are looked at after a start. One at most can be unfinished: see `Service.removing`."""

YOUNG = 24 * 3600 * 1_000_000
"""What nobody names is kept for a day: an event that names it may be on its way."""

PARTS_A_TURN = 11
"""Of the 256 parts of the blobs: with a turn each hour, all of them within a day."""

_BROWSER = "browser/"
_log = structlog.get_logger("retention")


class Redacted(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed of a task: payloads of events, blobs that it named; and why."""

    events: int
    blobs: int
    reason: str


async def redact(service: Service, task_id: str, *, reason: str, actor: str) -> Redacted:
    """Remove whatever the task said, from every file; when it answers, it is gone. Twice changes nothing.

    Raises NotFound, NotAllowed for a task that has not ended, and what the store raises.
    """
    async with service.removing:
        redacted = await _redact(service, task_id, reason=reason, actor=actor)
        await service.projector.purge()
    return Redacted(events=redacted.events, blobs=redacted.blobs, reason=redacted.reason)


async def finish(service: Service) -> int:
    """Finish what a killed process left: a redaction that is on the tape, and whose payloads are so too."""
    last: deque[Recorded] = deque(maxlen=UNFINISHED)
    after = 0
    while page := await service.store.read(after, types={"task.redacted"}):
        last += page
        after = page[-1].position
    finished = 0
    async with service.removing:
        for recorded in last:
            if isinstance(recorded.event, e.TaskRedacted):
                finished += await _erase(service, recorded.stream, recorded.event)
        await service.projector.purge()
    return finished


async def plan(service: Service, now: int) -> list[Going]:
    """What `prune` would remove now (microseconds since 1970), by class."""
    return [
        await _going(service, kind, days, await _aged(service, kind, days, now, ALL)) for kind, days in _kept(service)
    ]


async def prune(service: Service, now: int, *, actor: str, size: int = TURN, turns: int = ALL) -> list[Going]:
    """Remove what is too old, `size` tasks of a class in a turn and the oldest first; tells what went."""
    gone: dict[str, Going] = {}
    for _ in range(turns):
        more = False
        async with service.removing:
            for kind, days in _kept(service):
                aged = await _aged(service, kind, days, now, size)
                going = await _going(service, kind, days, aged)
                until = retention.before(days, now) or 0
                await _REMOVERS.get(kind, _remove)(service, aged, going.reason, actor, until)
                gone[kind] = _sum(gone.get(kind), going)
                more = more or len(aged) == size
            await service.projector.purge()
        if not more:
            break
        await asyncio.sleep(0)
    return list(gone.values())


async def sweep(service: Service, part: int, now: int) -> int:
    """Delete the blobs of one part that are a day old and named by nobody; tells how many."""
    async with service.removing:
        old = await service.blobs.old(part, before=now - YOUNG)
        await service.projector.reached(service.store.head)
        named = await service.projector.references.named(old)
        return await service.blobs.delete([blob for blob in old if blob not in named], before=now - YOUNG)


async def sweep_vault(service: Service, now: int) -> int:
    """Delete what the vault has had for a day, of tasks that have ended or never were; tells how many."""
    async with service.removing:
        await service.projector.reached(service.store.head)
        keep: list[str] = []
        for task_id in service.projector.tasks.live():
            stream = control.stream(task_id)
            task = await service.tasks.load(stream)
            if created := task.created:
                keep += [_BROWSER + created.session, vault_name(stream, created)]
                keep += [answers.vault_name(stream, request) for request in task.asked]
        return await service.vault.sweep(keep, before=now - YOUNG)


async def run(service: Service) -> None:
    """Keep house for as long as the service runs: a bounded turn each hour, more of them while there is more to do."""
    part = 0
    while True:
        wait = EVERY_SECONDS
        try:
            gone = await prune(service, microseconds(), actor="system", turns=1)
            if any(each.tasks for each in gone):
                _log.info("removed what was too old", **{each.kind: each.tasks for each in gone})
            if any(each.tasks >= TURN for each in gone):
                wait = AGAIN_SECONDS
            else:
                for each in range(part, part + PARTS_A_TURN):
                    await sweep(service, each % PARTS, microseconds())
                part = (part + PARTS_A_TURN) % PARTS
                await sweep_vault(service, microseconds())
        except (Refused, OSError, ViewsStopped) as failure:
            _log.warning("what is too old could not be removed; it is tried again", reason=str(failure))
        await asyncio.sleep(wait)


def _kept(service: Service) -> list[tuple[str, float]]:
    """The classes, and for how many days each is kept. A file that no task names any more goes in the same turn."""
    settings = service.settings
    return [
        (SCREENSHOTS, settings.keep_screenshots_days),
        (FILES, settings.keep_files_days),
        (RECORDINGS, settings.keep_recordings_days),
        (UPLOADS, settings.keep_files_days),
        (TASKS, settings.keep_tasks_days),
    ]


async def _aged(service: Service, kind: str, days: float, now: int, limit: int) -> Sequence[Aged]:
    before = retention.before(days, now)
    return [] if before is None else await service.projector.references.aged(kind, before, limit=limit)


async def _going(service: Service, kind: str, days: float, aged: Sequence[Aged]) -> Going:
    blobs = {blob for each in aged for blob in each.blobs}
    named = await service.projector.references.named(blobs) if blobs else {}
    sizes = await service.blobs.sizes(blobs) if blobs else {}
    return retention.going(kind, retention.reason(days), aged, named, lambda blob: sizes.get(blob, 0))


def _sum(before: Going | None, more: Going) -> Going:
    if before is None or not before.tasks:
        return more
    return msgspec.structs.replace(
        before,
        tasks=before.tasks + more.tasks,
        blobs=before.blobs + more.blobs,
        bytes=before.bytes + more.bytes,
        newest=more.newest or before.newest,
    )


async def _remove(service: Service, aged: Sequence[Aged], reason: str, actor: str, until: int) -> None:
    """The files go after the events that say so. When this is killed in between, the sweep deletes them."""
    for each in aged:
        decision = partial(retention.remove, kind=each.kind, blobs=each.blobs, reason=reason)
        done = await service.tasks.transact(control.stream(each.task), decision, actor=actor)
        await service.projector.reached(done.position)
    await delete(service, {blob for each in aged for blob in each.blobs}, until)


async def _redact_all(service: Service, aged: Sequence[Aged], reason: str, actor: str, _until: int) -> None:
    for each in aged:
        await _redact(service, each.task, reason=reason, actor=actor)


async def _redact(service: Service, task_id: str, *, reason: str, actor: str) -> e.TaskRedacted:
    stream = control.stream(task_id)
    blobs = _blobs(await _said(service, stream))
    decision = partial(retention.redact, blobs=len(blobs), reason=reason)
    done = await service.tasks.transact(stream, decision, actor=actor, lane=Lane.CONTROL)
    if done.state.redacted is None:
        raise NotFound
    await service.projector.reached(done.position)
    await _erase(service, stream, done.state.redacted)
    return done.state.redacted


async def _erase(service: Service, stream: str, redacted: e.TaskRedacted) -> bool:
    """Everything after the event; tells whether anything was left to do."""
    first = await service.store.read_stream(stream, limit=1)
    if not first or first[0].payload is None:
        return False
    await service.projector.reached(service.store.head)
    said = [recorded for recorded in await _said(service, stream) if recorded.version <= redacted.events]
    await delete(service, _blobs(said), said[-1].at)
    if isinstance(created := first[0].event, e.TaskCreated):
        await forget_given(service, created, first[0].at)
        await service.vault.delete(_BROWSER + created.session)
        await service.vault.delete(vault_name(stream, created))
    for recorded in said:
        if isinstance(recorded.event, e.InputRequested):
            await service.vault.delete(answers.vault_name(stream, recorded.event.request))
        await service.vault.delete(cookies_name(stream.removeprefix("task-")))
    await service.store.redact(stream, redacted.events)
    return True


def _blobs(said: Sequence[Recorded]) -> set[str]:
    return {named.blob for each in said for named in naming.named(each.event)}


async def _said(service: Service, stream: str) -> list[Recorded]:
    events: list[Recorded] = []
    while page := await service.store.read_stream(stream, len(events)):
        events += page
        if len(page) < PAGE:
            break
    return events


_REMOVERS = {TASKS: _redact_all, UPLOADS: remove_uploads}
