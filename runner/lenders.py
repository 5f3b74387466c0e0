"""Opens the lender of one process: browsers for clients to drive, for the length of a block."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uuid_utils

from eventstore.blobs import Blobs
from eventstore.session import Session
from eventstore.store import EventStore
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.browsers import BrowserSettings
from runner.browser.lent import LentBrowsers
from runner.lending import Lenders, Lending
from runner.profiles import Profiles
from runner.proxies import Countries
from runner.reel import Reels


class LendingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """At most `most` browsers at once, each in a folder of `directory`; `proxies` are those of countries."""

    browser: BrowserSettings
    directory: Path
    most: int = 4
    proxies: Countries = {}


@asynccontextmanager
async def open_lending(
    store: EventStore,
    sessions: Repository[Session],
    blobs: Blobs,
    vault: Vault,
    settings: LendingSettings,
    *,
    lenders: Lenders | None = None,
    reels: Reels | None = None,
) -> AsyncIterator[Lending]:
    """A lender that has taken up the sessions that are active; its `run` is the caller's to start and to end.

    `lenders` take the place of real browsers; in `reels` people watch them. Leaving leaves those that run, for whoever
    starts within the grace.
    """
    name = str(uuid_utils.uuid7())
    browsers = LentBrowsers(settings.browser, settings.directory)
    lending = Lending(
        store,
        sessions,
        lenders or browsers,
        blobs,
        vault,
        Profiles(store, vault, actor=f"runner:{name}"),
        name=name,
        most=settings.most,
        proxies=settings.proxies,
        reels=reels or Reels(),
    )
    await lending.take_up()
    try:
        yield lending
    finally:
        browsers.close()
