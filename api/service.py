"""What handlers may use: the log, the views, the blobs. Assembled in `wiring.py`, found under one key."""

import asyncio
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from api.settings import Settings
from api.signing import Signer
from eventstore.blobs import Blobs
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


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything a handler needs, and nothing that acts. Once it is `ending`, requests are refused.

    Whoever removes something holds `removing`, so that a crash leaves one removal unfinished at most.
    """

    settings: Settings
    store: EventStore
    tasks: Repository[Task]
    projector: Projector
    blobs: Blobs
    vault: Vault
    signer: Signer
    space: Space | None = None
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    removing: asyncio.Lock = field(default_factory=asyncio.Lock)


SERVICE = web.AppKey("service", Service)
