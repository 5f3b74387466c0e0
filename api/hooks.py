"""Webhooks as they are made, in no family's words: checked, and their secret in the vault before the event."""

import secrets as random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from typing import Literal, Protocol, TypeAlias

import msgspec
import uuid_utils

from api import hosts
from api.service import Caller, Service
from eventstore import events as e
from eventstore import hook as decide
from eventstore.errors import Conflict, DiskFull, Invalid, Refused
from eventstore.secrets import Secret
from eventstore.store import Lane

MAX_URL = 2_048
MIN_SECRET, MAX_SECRET = 8, 256
TELLING = 8


HookStatus: TypeAlias = Literal["initializing", "started", "paused", "stopped", "finished"]


class Asking(Protocol):
    """What a request for a task says about its webhook, and about its secrets."""

    @property
    def webhook_url(self) -> str | None: ...
    @property
    def webhook_secret(self) -> Secret | None: ...
    @property
    def webhook_events(self) -> list[HookStatus] | None: ...
    @property
    def secrets(self) -> dict[str, Secret] | None: ...


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that a client asks for with its task. No `secret`: one that nobody knows."""

    url: str
    events: tuple[str, ...] = (decide.STATUS_UPDATE,)
    secret: Secret | None = None


async def checked(service: Service, url: str, field: tuple[str, ...]) -> str:
    """The URL, if a request may go there. Raises Invalid, in words that name the setting which would allow it."""
    if len(url) > MAX_URL or not url.startswith(("http://", "https://")) or "#" in url or not hosts.is_web(url):
        raise Invalid(
            f"A webhook's URL is an http or https URL without user name and fragment, of at most {MAX_URL} characters.",
            field=field,
        )
    if reason := await service.refuse_target(url):
        raise Invalid(f"Nothing is sent there: {reason}.", field=field)
    return url


def secret(given: Secret | None, field: tuple[str, ...]) -> Secret:
    """The given one, or a fresh one. Raises Invalid."""
    if given is None:
        return Secret(random.token_urlsafe(32))
    text = given.reveal()
    if not MIN_SECRET <= len(text) <= MAX_SECRET or not text.isascii() or not text.isprintable():
        raise Invalid(f"A secret has {MIN_SECRET} to {MAX_SECRET} printable ASCII characters.", field=field)
    return given


async def wanted(service: Service, asked: Asking, url_field: str, secret_field: str) -> Wanted | None:
    """The webhook that is asked for with a task; the fields are the client's words.

    Raises Invalid, also for a URL that says the value of one of the task's secrets: it stays on the tape.
    """
    if not asked.webhook_url:
        return None
    secrets = (asked.secrets or {}).values()
    if any(len(each.reveal()) >= TELLING and each.reveal() in asked.webhook_url for each in secrets):
        raise Invalid("The URL says the value of a secret.", field=("body", url_field))
    return Wanted(
        url=await checked(service, asked.webhook_url, ("body", url_field)),
        events=tuple(f"{decide.STATUS_UPDATE}.{word}" for word in asked.webhook_events or ())
        or (decide.STATUS_UPDATE,),
        secret=secret(asked.webhook_secret, ("body", secret_field)),
    )


async def make(service: Service, actor: str, hook_id: str, created: e.HookCreated, signing: Secret) -> int:
    """A new webhook, durable; answers its position, 0 where it was there already.

    Raises what `EventStore.append` raises; then nothing of it is left.
    """
    name = decide.vault_name(hook_id)
    known = await service.hooks.load(decide.stream(hook_id))
    if known.version:
        return 0
    try:
        await service.vault.put(name, signing.reveal().encode(), durable=True)
    except OSError as error:
        raise DiskFull(f"The webhook's secret could not be kept: {error.strerror}.") from error
    try:
        done = await service.hooks.transact(
            decide.stream(hook_id), partial(decide.create, created=created), actor=actor, lane=Lane.INTAKE
        )
    except Conflict:  # the same request twice, at the same time: one of them made it, with its secret
        return 0
    except Refused:
        await service.vault.delete(name)
        raise
    return done.position


@asynccontextmanager
async def beside(
    service: Service, caller: Caller, task_id: str, digest: str, wish: Wanted | None
) -> AsyncIterator[None]:
    """The webhook of a task that is made in the block: there before the task, so that it is told of its beginning.

    It goes again where the task is refused. A repeated request makes none.
    """
    if wish is None or (await service.tasks.load(f"task-{task_id}")).version:
        yield
        return
    hook_id = _derived(task_id, digest)
    created = e.HookCreated(project=caller.project, url=wish.url, task=task_id, events=wish.events)
    made = await make(service, caller.actor, hook_id, created, wish.secret or secret(None, ()))
    try:
        yield
    except Refused:
        if made:
            await remove(service, hook_id, actor=caller.actor, reason="the task was refused")
        raise


async def remove(service: Service, hook_id: str, *, actor: str, reason: str = "") -> int:
    """It is told nothing more, and its secret is gone. Raises what `EventStore.append` raises."""
    delete = partial(decide.delete, reason=reason)
    done = await service.hooks.transact(decide.stream(hook_id), delete, actor=actor, lane=Lane.CONTROL)
    await service.vault.delete(decide.vault_name(hook_id))
    return done.position


def _derived(task_id: str, digest: str) -> str:
    """A UUIDv8 out of the task and the request, so that the same request again makes no second one."""
    bits = int.from_bytes(sha256(f"tapewright/webhook\x00{task_id}\x00{digest}".encode()).digest()[:16])
    return str(uuid_utils.uuid8(bits >> 80, bits >> 64 & 0xFFF, bits & (1 << 62) - 1))
