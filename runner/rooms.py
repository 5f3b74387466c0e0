"""Browsers that stay open between the tasks of a session: one task at a time in each, a bounded number of idle ones.

A browser is opened and closed by a task of its own, because who opens it has to close it. Whoever leaves it with
`keep` leaves it open, unless it was left by an exception: then nobody knows what it holds.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Mapping
from contextlib import asynccontextmanager
from functools import partial
from weakref import WeakValueDictionary

import msgspec
import structlog

from eventstore import events as e
from eventstore import session as decide
from eventstore.errors import NotFound, Refused, SessionStopped
from eventstore.session import Session as Lodger
from eventstore.store import Lane
from eventstore.transact import Repository
from runner.parking import LetGo
from runner.ports import Session, Sessions, Wanted
from runner.room import Room
from runner.vocabulary import ActFailed
from runner.wallet import Wallet

STREAM = "session-"
CLOSE_SECONDS = 5.0
"""How long all of them together may take to close when the service ends."""

log = structlog.get_logger()


class Rooms:
    """The browsers of this runner. `most` may be idle; each for `idle_seconds`, then it is let go."""

    def __init__(
        self, browsers: Sessions, sessions: Repository[Lodger], *, runner: str, idle_seconds: float, most: int
    ) -> None:
        self._browsers = browsers
        self._sessions = sessions
        self._runner = runner
        self._idle_seconds = idle_seconds
        self._most = most
        self._rooms: dict[str, Room] = {}
        self._left: dict[str, str] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._owners: dict[Room, asyncio.Task[None]] = {}
        self._beside: set[asyncio.Task[None]] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def idle(self) -> list[str]:
        """The sessions whose browsers are open and free, the one that is so for longest first."""
        return [room.name for room in self._rooms.values() if room.free]

    @asynccontextmanager
    async def session(self, wanted: Wanted) -> AsyncIterator[Session]:
        """As the browsers give it; with `room` the one that is open there, if there is one and it fits.

        Waits until nobody else is in the room. Raises ActFailed, also for a session that was stopped, and Refused.
        """
        if not wanted.room:
            async with self._browsers.session(wanted) as session:
                yield session
            return
        async with self._locks.setdefault(wanted.room, asyncio.Lock()):
            room, session = await self._enter(wanted)
            try:
                yield session
            except BaseException as error:
                room.end(_cause(error))
                raise
            finally:
                await asyncio.shield(self._leave(room, session))

    def recall(self, left: Mapping[str, str]) -> None:
        """Browsers of their own that an earlier process left, by session. They are waited for as idle ones are."""
        self._left.update(left)
        loop = asyncio.get_running_loop()
        for name in left:
            self._timers[name] = loop.call_later(self._idle_seconds, self.close_room, name, "idle")

    async def take_up(self, names: Collection[str], seconds: float) -> None:
        """As the browsers do, with those that were left in rooms."""
        longest = max(seconds, self._idle_seconds) if self._left else seconds
        await self._browsers.take_up({*names, *self._left.values()}, longest)

    def end(self, name: str) -> None:
        """As the browsers do."""
        self._browsers.end(name)

    def close_room(self, name: str, cause: str) -> None:
        """Nobody comes back to the browser of that session: it closes, or does so when its task has left it."""
        if own := self._forget_left(name):
            self._browsers.end(own)
            self._spawn(self._closed(name, cause))
        if (room := self._rooms.get(name)) is not None:
            if room.free:
                room.end(cause, keep=False)
            else:
                room.cause = cause

    async def close(self) -> None:
        """The service ends: those in processes of their own are left running, for as long as such are."""
        for timer in self._timers.values():
            timer.cancel()
        for room in self._owners:
            room.end("shutdown", keep=True)
        waited = {*self._owners.values(), *self._beside}
        if waited:
            _, late = await asyncio.wait(waited, timeout=CLOSE_SECONDS)
            for task in late:
                task.cancel()

    async def _enter(self, wanted: Wanted) -> tuple[Room, Session]:
        room = self._rooms.get(wanted.room)
        if room is not None and (wanted.again or not room.fits(wanted) or not await room.answers()):
            room.end("replaced", keep=False)
        if room is not None and room.over.is_set():  # as it may be by now though it answered
            if owner := self._owners.get(room):
                await asyncio.wait({owner})
            room = None
        if room is None:
            own = self._forget_left(wanted.room)
            room = Room(wanted if wanted.own else msgspec.structs.replace(wanted, own=own))
            return room, await self._open(room)
        session = room.opened.result()
        if room.timer is not None:
            room.timer.cancel()
        room.visitor, room.free = wanted, False
        session.uploads, session.inbox = wanted.uploads, wanted.inbox if room.receives else None
        session.highlight = wanted.highlight
        session.attached = session.keep = True
        return room, session

    async def _open(self, room: Room) -> Session:
        owner = asyncio.create_task(self._own(room))
        self._owners[room] = owner
        owner.add_done_callback(lambda _: self._owners.pop(room, None))
        try:
            session = await asyncio.shield(room.opened)
            opened = e.SessionOpened(runner=self._runner, browser=session.version, own=session.own)
            await self._sessions.transact(
                STREAM + room.name, partial(decide.opened, opened=opened), actor=f"runner:{self._runner}"
            )
        except BaseException as error:
            room.end("refused", keep=False)
            if not room.opened.done():
                owner.cancel()
            await asyncio.shield(asyncio.wait({owner}, timeout=CLOSE_SECONDS))
            if isinstance(error, SessionStopped | NotFound):
                raise ActFailed("session_stopped", str(SessionStopped())) from error
            raise
        room.said, room.receives = True, session.inbox is not None
        self._rooms[room.name] = room
        return session

    async def _own(self, room: Room) -> None:
        """Open the browser, wait until it is over, close it; and say so, unless it is left running."""
        left = False
        try:
            async with self._browsers.session(room.relaying()) as session:
                room.opened.set_result(session)
                await room.over.wait()
                if room.keep is not None:
                    session.keep = room.keep
                left = bool(session.own) and session.keep
        except asyncio.CancelledError:
            room.opened.cancel()
            raise
        except Exception as error:
            if room.opened.done():
                log.exception("the browser of a session did not close in order", session=room.name)
            else:
                room.opened.set_exception(error)
        finally:
            if self._rooms.get(room.name) is room:
                del self._rooms[room.name]
            if room.said and not left:
                await self._closed(room.name, room.cause)

    async def _leave(self, room: Room, session: Session) -> None:
        """The task has left: the browser waits for the next one, or closes."""
        session.wallet, session.uploads, session.inbox = Wallet(), None, None
        if room.over.is_set() or not session.keep or room.cause:
            room.end(room.cause or "left", keep=False if room.cause else None)
            if owner := self._owners.get(room):
                await asyncio.wait({owner})
            return
        room.visitor, room.free = Wanted(viewport=room.wanted.viewport), True
        room.timer = asyncio.get_running_loop().call_later(self._idle_seconds, self.close_room, room.name, "idle")
        self._rooms[room.name] = self._rooms.pop(room.name)
        for name in self.idle[: max(len(self.idle) - self._most, 0)]:
            self.close_room(name, "crowded")

    async def _closed(self, name: str, cause: str) -> None:
        def closed(session: Lodger) -> list[e.SessionEvent]:
            runner = session.opened.runner if session.opened else ""
            return decide.closed(session, runner=runner, cause=cause)

        try:
            await self._sessions.transact(STREAM + name, closed, actor=f"runner:{self._runner}", lane=Lane.CONTROL)
        except Refused as refused:
            log.warning("that a session's browser is closed could not be written down", reason=str(refused))

    def _forget_left(self, name: str) -> str:
        if timer := self._timers.pop(name, None):
            timer.cancel()
        return self._left.pop(name, "")

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)


def _cause(error: BaseException) -> str:
    match error:
        case LetGo(cause=cause):
            return cause
        case ActFailed(code=code):
            return code
    return "shutdown" if isinstance(error, asyncio.CancelledError) else "left"
