"""A webhook: who is told what, until it is deleted. Pure.

What was delivered stands in streams of their own, one for each webhook and task (`outbox.py`): that of the webhook
itself stays short however long it is told.
"""

from collections.abc import Iterable
from functools import reduce

import msgspec

from eventstore import events as e
from eventstore.errors import Conflict, NotFound

STREAM = "hook-"
STATUS_UPDATE = "agent.task.status_update"
TEST = "test"
STATUSES = ("initializing", "started", "paused", "stopped", "finished")
EVENTS = (STATUS_UPDATE, *(f"{STATUS_UPDATE}.{status}" for status in STATUSES))
"""What a client may ask to be told of: every status, or some of them."""


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision needs to know. `version` counts the events folded."""

    version: int = 0
    created: e.HookCreated | None = None
    deleted: bool = False

    @property
    def alive(self) -> e.HookCreated | None:
        """What it is about, while there is such a webhook."""
        return None if self.deleted else self.created


def evolve(hook: Hook, event: e.Event) -> Hook:
    """The state after one more event."""
    changes: dict[str, object] = {"version": hook.version + 1}
    match event:
        case e.HookCreated():
            changes["created"] = hook.created or event
        case e.HookDeleted():
            changes["deleted"] = True
    return msgspec.structs.replace(hook, **changes)


def fold(events: Iterable[e.Event], hook: Hook | None = None) -> Hook:
    """The state after all the events, from nothing or from an earlier state."""
    return reduce(evolve, events, hook or Hook())


def create(hook: Hook, *, created: e.HookCreated) -> list[e.HookEvent]:
    """A new webhook. The same again is one; another one in its place is refused."""
    if created == hook.alive:
        return []
    if hook.version:
        raise Conflict("There is a webhook under this id already.")
    return [created]


def delete(hook: Hook, *, reason: str = "") -> list[e.HookEvent]:
    """It is told nothing more. Deleting twice is once."""
    if hook.created is None:
        raise NotFound("Webhook not found")
    return [] if hook.deleted else [e.HookDeleted(reason=reason)]


def wants(created: e.HookCreated, task: str, status: str) -> bool:
    """Whether it is to be told of this status of this task of its project."""
    if created.task not in ("", task):
        return False
    return STATUS_UPDATE in created.events or f"{STATUS_UPDATE}.{status}" in created.events


def vault_name(hook_id: str) -> str:
    """Where the vault has its signing secret."""
    return f"hook/{hook_id}"


def stream(hook_id: str) -> str:
    """The stream of the webhook itself."""
    return f"{STREAM}{hook_id}"


def deliveries(hook_id: str, lane: str) -> str:
    """The stream of what it was told of one task; of its tests for the lane `test`."""
    return f"{STREAM}{hook_id}/{lane}"


def place(stream: str) -> tuple[str, str]:
    """Of either stream the webhook's id and the lane, which is empty for the webhook itself."""
    hook_id, _, lane = stream.removeprefix(STREAM).partition("/")
    return hook_id, lane
