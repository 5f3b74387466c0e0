"""Follows the log for browsers that clients drive: opens one for each such session, and ends it with the session.

Nobody calls it. A session that nobody can serve is stopped on the log, with the reason; one whose time is over too.
"""

import asyncio
from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol

import structlog

from eventstore import events as e
from eventstore import session as decide
from eventstore.blobs import Blobs
from eventstore.errors import NotFound, Refused
from eventstore.session import Session
from eventstore.store import EventStore, Lane, Recorded
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.caretaker import Kept
from runner.carrying import Carrier
from runner.loan import LOST, TIMEOUT, Lent, Loan
from runner.ports import Wanted
from runner.profiles import Copy, Profiles
from runner.proxies import Countries, upstream
from runner.reel import Reels
from runner.vocabulary import ActFailed

STREAM = "session-"
KIND = "browser"
TYPES = frozenset({"session.created", "session.opened", "session.closed", "session.stopped", "session.deleted"})
RETRY_SECONDS = 5.0
TOO_MANY = "too_many"

log = structlog.get_logger()


class Lenders(Protocol):
    """Where they come from."""

    async def take_up(self, names: Collection[str]) -> None:
        """Claim the browsers of these names that still run; end all others that an earlier process left."""
        ...

    def lend(self, wanted: Wanted, kept: Kept) -> AbstractAsyncContextManager[Lent]:
        """The browser named `own` if it is still there; a new one only if none is named. Raises ActFailed."""
        ...


class Lending:
    """The lender of one process. `most` browsers at once; `name` stands in every SessionOpened."""

    def __init__(
        self,
        store: EventStore,
        sessions: Repository[Session],
        lenders: Lenders,
        blobs: Blobs,
        vault: Vault,
        profiles: Profiles,
        *,
        name: str,
        most: int,
        proxies: Countries,
        reels: Reels,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._lenders = lenders
        self._vault = vault
        self._profiles = profiles
        self._proxies = proxies
        self._reels = reels
        self._carrier = Carrier(sessions, blobs, actor=f"runner:{name}")
        self._name = name
        self._actor = f"runner:{name}"
        self._most = most
        self._room = asyncio.Semaphore(most)
        self._position = 0
        self._left: dict[str, int] = {}
        self._loans: dict[str, Loan] = {}

    async def take_up(self) -> None:
        """Find the sessions that are active. To be awaited before `run`."""
        self._position = self._store.head
        position, names = 0, set()
        while page := await self._store.read(position, types=TYPES):
            for recorded in page:
                position = recorded.position
                if recorded.position <= self._position:
                    self._note(recorded)
        for stream in list(self._left):
            session = await self._sessions.fresh(stream)
            if not session.active:
                del self._left[stream]
            elif session.opened:
                names.add(session.opened.own)
        await self._lenders.take_up(names)

    async def run(self) -> None:
        """Work until cancelled; then leave the browsers to whoever starts next."""
        self._room = asyncio.Semaphore(max(self._most, len(self._left)))  # there may have been more before
        async with asyncio.TaskGroup() as group:
            for stream, at in self._left.items():
                self._begin(group, stream, at)
            while True:
                page = await self._store.read(self._position)
                for recorded in page:
                    await self._hear(recorded, group)
                    self._position = recorded.position
                if not page:
                    await self._store.wait(self._position)

    def _note(self, recorded: Recorded) -> None:
        match recorded.event:
            case e.SessionCreated(kind=kind) if kind == KIND:
                self._left.setdefault(recorded.stream, recorded.at)
            case e.SessionStopped() | e.SessionDeleted():
                self._left.pop(recorded.stream, None)

    async def _hear(self, recorded: Recorded, group: asyncio.TaskGroup) -> None:
        stream, loan = recorded.stream, self._loans.get(recorded.stream)
        match recorded.event:
            case e.SessionCreated(kind=kind) if kind == KIND and loan is None:
                # One that is about to end counts no more for its client, who may have been told so: it is waited for.
                if sum(not each.stopped.is_set() for each in self._loans.values()) >= self._most:
                    group.create_task(self._stop(stream, TOO_MANY, f"{self._most} browsers run already."))
                else:
                    self._begin(group, stream, recorded.at)
            case e.SessionStopped() | e.SessionDeleted() | e.SessionPurged() if loan:
                loan.stopped.set()
            case e.FileUploaded(file=file) if loan:
                await self._carrier.give(loan.place, file)

    def _begin(self, group: asyncio.TaskGroup, stream: str, at: int) -> None:
        loan = self._loans[stream] = Loan(stream=stream, created_at=at)
        group.create_task(self._serve(loan)).add_done_callback(lambda _: self._loans.pop(stream, None))

    async def _serve(self, loan: Loan) -> None:
        """One session, until it stops; a service that ends before leaves the browser running."""
        try:
            async with self._room:
                cause, reason = await self._lend(loan)
        except ActFailed as failure:
            cause, reason = (LOST if failure.code == "browser_lost" else failure.code), str(failure)
        except Refused as refused:
            cause, reason = LOST, str(refused)
        except OSError as error:
            cause, reason = "no_browser", f"The browser did not start: {error.strerror}."
        if not loan.stopped.is_set():
            await self._stop(loan.stream, cause, reason)

    async def _lend(self, loan: Loan) -> tuple[str, str]:
        session = await self._sessions.fresh(loan.stream)
        created = session.created
        if created is None or not session.active:
            loan.stopped.set()
            return "", ""
        loan.until = loan.created_at / 1e6 + created.seconds
        if loan.left <= 0:
            return TIMEOUT, "Its time was over while the service was away."
        options = created.options
        own = session.opened.own if session.opened else ""
        copy = Copy() if own else await self._profiles.copy(options.profile)
        wanted = Wanted(
            viewport=(options.viewport_width, options.viewport_height),
            state=copy.state,
            own=own,
            proxy=await upstream(self._vault, options, self._proxies),
        )
        async with self._lenders.lend(wanted, partial(self._carrier.take, loan.stream)) as lent:
            opened = e.SessionOpened(runner=self._name, browser=lent.version, own=lent.own)
            loan.place = lent.place
            for file in (await self._sessions.fresh(loan.stream)).uploads.values():
                await self._carrier.give(loan.place, file)
            try:
                await self._sessions.transact(
                    loan.stream, partial(decide.opened, opened=opened), actor=self._actor, lane=Lane.CONTROL
                )
                if not own:
                    await self._profiles.used(options.profile, loan.stream, copy.version)
                async with self._reels.showing(loan.stream.removeprefix(STREAM), lent.show):
                    cause, reason = await loan.over(lent)
            except (Refused, ActFailed):  # it was stopped meanwhile, or the log is full
                lent.keep = False
                raise
            lent.keep = False
            # A log that does not take it keeps no browser beyond its time.
            if cause and await self._stopped(loan.stream, cause, reason):
                loan.stopped.set()
            await self._save(options.profile, loan.stream, lent)
            return cause, reason

    async def _save(self, profile: str, stream: str, lent: Lent) -> None:
        """What the browser has at its end is the profile's next snapshot."""
        if not profile:
            return
        try:
            await self._profiles.save(profile, stream, await lent.state())
        except ActFailed as failure:
            await self._profiles.lost(profile, stream, "no_state", str(failure))

    async def _stop(self, stream: str, cause: str, reason: str) -> None:
        """Tried until the log takes it: a session must not look active that nobody serves."""
        while not await self._stopped(stream, cause, reason):  # noqa: ASYNC110 - no event tells that it would
            await asyncio.sleep(RETRY_SECONDS)

    async def _stopped(self, stream: str, cause: str, reason: str) -> bool:
        """Whether the log took it."""
        try:
            stop = partial(decide.stop, cause=cause, reason=reason)
            await self._sessions.transact(stream, stop, actor=self._actor, lane=Lane.CONTROL)
        except NotFound:
            return True  # it is gone altogether
        except Refused as refused:
            log.error("a session could not be stopped yet", stream=stream, reason=str(refused))
            return False
        return True
