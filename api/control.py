"""What every family does with a task: find one of the caller's own, begin one, steer one. In no family's words."""

import asyncio
import copy
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from hashlib import sha256
from typing import Protocol

import msgspec
import uuid_utils

from api import hooks
from api.service import Caller, Service
from eventstore import decide
from eventstore import secrets as sealed
from eventstore.errors import DiskFull, Invalid, NotFound, Refused
from eventstore.events import Event, TaskCreated
from eventstore.machine import State
from eventstore.secrets import Secrets
from eventstore.store import Lane
from eventstore.task import Task
from projections.task_row import TaskRow

MAX_IDEMPOTENCY_KEY = 255
EFFECT_SECONDS = 2.0
VIEWS_SECONDS = 5.0
UNDER_WAY = frozenset({State.PAUSING, State.RESUMING, State.STOPPING})


class Intention(Protocol):
    """`decide.pause`, `decide.resume` or `decide.stop`."""

    __name__: str

    def __call__(self, task: Task, *, command_id: str) -> Sequence[Event]: ...


class Created(msgspec.Struct, frozen=True, kw_only=True):
    """The task's id; `replayed` when an earlier request with the same key had made it already."""

    id: str
    replayed: bool


def stream(task_id: str) -> str:
    """The stream of a task."""
    return f"task-{task_id}"


def fresh_id() -> str:
    """An id that sorts by time: a UUIDv7."""
    return str(uuid_utils.uuid7())


async def task(service: Service, caller: Caller, task_id: str) -> TaskRow:
    """The caller's task as the view has it. Raises NotFound; a task of another project does not exist."""
    return copy.copy(await glance(service, caller, task_id))


async def glance(service: Service, caller: Caller, task_id: str) -> TaskRow:
    """The same, but no copy: it changes with the next event, so that it must be read before anything is awaited."""
    tasks = service.projector.tasks
    row = tasks.peek(task_id) or await tasks.find(task_id.lower())  # UUIDs are the same in either case
    if row is None or row.shown_in != caller.project:
        raise NotFound
    return row


async def create(
    service: Service,
    caller: Caller,
    created: TaskCreated,
    *,
    digest: str,
    idempotency_key: str = "",
    secrets: Secrets | None = None,
    webhook: hooks.Wanted | None = None,
) -> Created:
    """Put a new task on the tape, in the caller's project; answer when it is durable and in the view.

    `digest` tells this request from others; it is kept under the service's secret, because a request may hold
    passwords that could be guessed from a bare hash. The same `idempotency_key` with the same digest is the same
    task. Raises Invalid for another digest under that key, and what `EventStore.append` raises.
    """
    task_id = derived(caller.project, idempotency_key) if idempotency_key else fresh_id()
    wish = msgspec.structs.replace(
        created, project=caller.project, request_digest=service.signer.digest(digest.encode())
    )
    async with (
        hooks.beside(service, caller, task_id, wish.request_digest, webhook),
        _kept(service, stream(task_id), wish, secrets or {}),
    ):
        done = await service.tasks.transact(
            stream(task_id), partial(decide.create, created=wish), actor=caller.actor, lane=Lane.INTAKE
        )
    await seen(service, done.position)
    return Created(id=task_id, replayed=not done.appended)


@asynccontextmanager
async def _kept(service: Service, stream: str, wish: TaskCreated, secrets: Secrets) -> AsyncIterator[None]:
    """The secrets are in the vault before the event that names them, and not for longer than a task needs them.

    Raises DiskFull.
    """
    task = await service.tasks.load(stream)
    if not secrets or task.created is not None:  # the first request has put them, or was another one
        yield
        return
    name = sealed.vault_name(stream, wish)
    try:
        await sealed.put(service.vault, name, secrets)
    except OSError as error:
        raise DiskFull(f"The secrets could not be kept: {error.strerror}.") from error
    try:
        yield
    except Refused:
        task = await service.tasks.load(stream)
        if task.created is None or sealed.vault_name(stream, task.created) != name:
            await service.vault.delete(name)
        raise
    if (await service.tasks.load(stream)).ended:  # it was repeated, and the first one has come to its end meanwhile
        await service.vault.delete(name)


async def control(
    service: Service,
    caller: Caller,
    task_id: str,
    decision: Intention,
    *,
    command_id: str = "",
    wait_seconds: float = EFFECT_SECONDS,
) -> TaskRow:
    """Steer the caller's task, wait for the effect, and answer with the task as it then stands.

    When the effect takes longer than `wait_seconds` the state still says so (pausing, resuming, stopping). The same
    `command_id` with the same decision again changes nothing; without one every call is a command of its own.
    Raises NotFound, NotAllowed in words, and what `EventStore.append` raises.
    """
    row = await task(service, caller, task_id)
    name = command(decision.__name__, command_id)
    wish = partial(decision, command_id=name)
    async with _hands_off(service, row.id):
        done = await service.tasks.transact(
            stream(row.id), wish, actor=caller.actor, command_id=name, lane=Lane.CONTROL
        )
    await effect(service, row.id, done.position, wait_seconds=wait_seconds)
    return await task(service, caller, row.id)


def command(verb: str, key: str) -> str:
    """The command that a client's key makes of a verb; without a key, one of its own. Raises Invalid for no key.

    With its verb, so that a stop is never taken for a repeated pause because both came under one key.
    """
    return f"{verb}:{_checked(key)}" if key else fresh_id()


@asynccontextmanager
async def _hands_off(service: Service, task_id: str) -> AsyncIterator[None]:
    """Where a person drives the task's browser, nothing is done by hand while its state changes."""
    human = service.door.acting(task_id)
    if human is None or not (await service.tasks.load(stream(task_id))).controlled:
        yield
        return
    async with human.apart():
        yield


async def effect(service: Service, task_id: str, position: int, *, wait_seconds: float = EFFECT_SECONDS) -> None:
    """Wait until the views have what was just written, and for a while until it has taken effect."""
    await seen(service, position)
    await service.projector.tasks.until(task_id, _settled, timeout=wait_seconds)


async def seen(service: Service, position: int) -> None:
    """Wait until the views have what was just written; what is durable is answered for even when they are late."""
    with suppress(TimeoutError):
        async with asyncio.timeout(VIEWS_SECONDS):
            await service.projector.reached(position)


def _settled(row: TaskRow) -> bool:
    return row.state not in UNDER_WAY


async def repeated(service: Service, caller: Caller, idempotency_key: str) -> bool:
    """Whether a task was begun under this key already. Raises Invalid for what is no key."""
    if not idempotency_key:
        return False
    return (await service.tasks.load(stream(derived(caller.project, idempotency_key)))).version > 0


def derived(project: str, key: str, noun: str = "task") -> str:
    """A UUIDv8 out of the key and the project: the same key in another project is another task."""
    name = f"tapewright/{noun}\x00{project}\x00{_checked(key)}".encode()
    bits = int.from_bytes(sha256(name).digest()[:16])
    return str(uuid_utils.uuid8(bits >> 80, bits >> 64 & 0xFFF, bits & (1 << 62) - 1))


def _checked(key: str) -> str:
    if len(key) > MAX_IDEMPOTENCY_KEY or not key.isprintable() or not key.isascii():
        raise Invalid(
            f"An Idempotency-Key has at most {MAX_IDEMPOTENCY_KEY} printable ASCII characters.",
            field=("header", "Idempotency-Key"),
        )
    return key
