"""The shapes of webhooks in our own family of the API."""

from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from api.hooks import MAX_URL
from eventstore.secrets import Secret

Word: TypeAlias = Literal[
    "agent.task.status_update",
    "agent.task.status_update.initializing",
    "agent.task.status_update.started",
    "agent.task.status_update.paused",
    "agent.task.status_update.stopped",
    "agent.task.status_update.finished",
]


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to tell: of all tasks of the project, or of one. Without a secret one is made."""

    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL)]
    task_id: UUID | None = None
    events: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=6)] = ("agent.task.status_update",)
    secret: Secret | None = None


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook without its secret. `waiting` deliveries are to be tried again, `dead_letters` are not."""

    id: str
    url: str
    task_id: str | None
    events: Sequence[str]
    created_at: str
    waiting: int
    dead_letters: int


class MadeWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A new webhook with its secret, here for the only time."""

    id: str
    url: str
    task_id: str | None
    events: Sequence[str]
    secret: str


class Webhooks(msgspec.Struct, frozen=True, kw_only=True):
    """The webhooks of a project, those for all its tasks first, then those of single ones: a thousand of them all."""

    webhooks: Sequence[Webhook]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """How far one message has come. `source` is the position on the tape of what it tells of, 0 for a test."""

    source: int
    task_id: str | None
    attempts: int
    status: int | None
    error: str | None
    at: str
    next_at: str | None
    duration_ms: int


class WebhookWhole(Webhook, frozen=True, kw_only=True):
    """A webhook and what became of its messages, the latest first: a hundred of them, a thousand in vain."""

    deliveries: Sequence[Delivery]
    retries: Sequence[Delivery]
    dead: Sequence[Delivery]


class Redelivery(msgspec.Struct, frozen=True, kw_only=True):
    """Which message to deliver once more."""

    source: Annotated[int, Meta(ge=1, le=2**63 - 1)]
