"""Removes uploaded files, of projects and of sessions, and blobs that nobody names. Whoever calls holds `removing`."""

from collections.abc import Collection, Sequence
from functools import partial

from api.service import Service
from eventstore import events as e
from eventstore import folder, session
from eventstore.retention import Aged
from eventstore.store import Lane
from projections.sessions import STREAM as SESSION


async def remove_uploads(service: Service, aged: Sequence[Aged], reason: str, actor: str, until: int) -> None:
    """The files go after the events that say so. When this is killed in between, the sweep deletes them."""
    for each in aged:
        await _forget(service, each.task, each.files, reason, actor)
    await delete(service, {blob for each in aged for blob in each.blobs}, until)


async def forget_given(service: Service, created: e.TaskCreated, at: int) -> None:
    """What was uploaded for a task that is redacted, and that no other task names, goes with it."""
    if not created.uploads:
        return
    streams = (f"{folder.STREAM}{created.project}", f"{SESSION}{created.session}")
    named = await service.projector.references.named({file.blob for file in created.uploads})
    alone = [file for file in created.uploads if named.get(file.blob, set()) <= set(streams)]
    for stream in streams if alone else ():
        await _forget(service, stream, [file.id for file in alone], "its task was redacted", "system")
    await delete(service, {file.blob for file in alone}, at)


async def delete(service: Service, blobs: Collection[str], before: int) -> None:
    """Those that nobody names. What was put again later may be about to be named: that is left to the sweep."""
    if blobs:
        named = await service.projector.references.named(blobs)
        await service.blobs.delete([blob for blob in blobs if blob not in named], before=before)


async def _forget(service: Service, stream: str, files: Collection[str], reason: str, actor: str) -> None:
    if stream.startswith(folder.STREAM):
        remove = partial(folder.remove, files=files, reason=reason)
        position = (await service.folders.transact(stream, remove, actor=actor, lane=Lane.CONTROL)).position
    else:
        forget = partial(session.remove, files=files, reason=reason)
        position = (await service.sessions.transact(stream, forget, actor=actor, lane=Lane.CONTROL)).position
    await service.projector.reached(position)
