"""What handlers may use: the log, the views, the blobs. Assembled in `wiring.py`, found under one key."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import msgspec
from aiohttp import web

from api.human import Closed, Door
from api.models import Models
from api.reels import Dark, Reels
from api.settings import Settings
from api.signing import Signer
from eventstore.blobs import Blobs
from eventstore.folder import Folder
from eventstore.hook import Hook
from eventstore.outbox import Deliveries, Tally
from eventstore.profile import Profile
from eventstore.schedule import Schedule
from eventstore.session import Session
from eventstore.space import Space
from eventstore.store import EventStore
from eventstore.task import Task
from eventstore.transact import Repository
from eventstore.vault import Vault
from projections.projector import Projector


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: `actor` as it stands on the tape (`key:…`), the project of the key, and all the scopes it opens."""

    actor: str
    project: str
    scopes: frozenset[str] = frozenset()


async def anywhere(url: str) -> str:
    """Refuses no target of webhooks: for a service that nobody sends them for."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything a handler needs, and nothing that acts. Once it is `ending`, requests are refused.

    It `lends` where a runner opens browsers for clients: who asks for one waits for it.

    Whoever removes something holds `removing`, so that a crash leaves one removal unfinished at most. Whoever begins a
    task in a session, or ends the session, holds its lock of `entering`; whoever answers a task holds its stream's of
    `answering`.
    """

    settings: Settings
    store: EventStore
    tasks: Repository[Task]
    sessions: Repository[Session]
    profiles: Repository[Profile]
    schedules: Repository[Schedule]
    folders: Repository[Folder]
    hooks: Repository[Hook]
    deliveries: Repository[Deliveries]
    projector: Projector
    blobs: Blobs
    vault: Vault
    signer: Signer
    space: Space | None = None
    models: Models = field(default_factory=Models)
    reels: Reels = field(default_factory=Dark)
    lends: bool = False
    refuse_target: Callable[[str], Awaitable[str]] = anywhere
    tally: Tally = field(default_factory=Tally)
    door: Door = field(default_factory=Closed)
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    answering: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    entering: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)
    removing: asyncio.Lock = field(default_factory=asyncio.Lock)


SERVICE = web.AppKey("service", Service)
