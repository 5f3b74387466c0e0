"""Ends sessions when they are due, and tells which open browser a task belongs in. Nobody calls it: it hears the log.

A session ends when its time is over, and one that is not kept alive with its first task. With a session's end its
browser closes, what runs in it is stopped, and what the vault has of it is forgotten.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import msgspec
import structlog

from eventstore import events as e
from eventstore import session as decide
from eventstore.clock import microseconds
from eventstore.errors import Refused, SessionStopped
from eventstore.session import Session, evolve
from eventstore.store import EventStore, Lane, Recorded
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.keeping import forget, session_state
from runner.rooms import STREAM, Rooms
from runner.vocabulary import ActFailed

KIND = "agent"
LOOK_SECONDS = 30.0
"""Between looks at the clock, at most: it may jump, and a machine may sleep."""

RETRY_SECONDS = 5.0
_TYPES = frozenset({"session.created", "session.opened", "session.closed", "session.stopped", "session.purged"})
_ENDS = frozenset({"task.finished", "task.failed", "task.stopped"})

log = structlog.get_logger()


class Lodging(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task runs: in the `room` of its session, or (empty) in a browser that ends with it.

    `visited`: the session has had a browser before.
    """

    room: str = ""
    visited: bool = False


class Housekeeping:
    """Of one runner. `stop` ends the tasks of a session, and tells whether one of them is at work in it."""

    def __init__(
        self,
        store: EventStore,
        sessions: Repository[Session],
        rooms: Rooms,
        vault: Vault,
        *,
        actor: str,
        stop: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._rooms = rooms
        self._vault = vault
        self._actor = actor
        self._stop = stop
        self._due: dict[str, int] = {}
        self._changed = asyncio.Event()

    async def take_up(self) -> None:
        """Find the sessions that are active, and what is left of them. To be awaited before the browsers are.

        Raises OSError when the vault cannot be swept.
        """
        found: dict[str, tuple[int, Session]] = {}
        after = 0
        while page := await self._store.read(after, types=_TYPES):
            after = page[-1].position
            for recorded in page:
                at, session = found.get(recorded.stream, (recorded.at, Session()))
                session = evolve(session, recorded.event)
                if session.active and _is_ours(session):
                    found[recorded.stream] = at, session
                else:
                    found.pop(recorded.stream, None)
        owns: dict[str, str] = {}
        for stream, (at, session) in found.items():
            self._remember(stream, session.created, at)
            if session.opened is not None and session.opened.own:
                owns[stream.removeprefix(STREAM)] = session.opened.own
            elif session.opened is not None:
                await self._say(stream, partial(decide.closed, runner=session.opened.runner, cause="crash"))
        self._rooms.recall(owns)
        await self._end_what_ended({stream for stream, (_, session) in found.items() if not _is_kept(session)})
        await self._vault.sweep(map(session_state, (stream.removeprefix(STREAM) for stream in found)), kind="session")

    async def over(self, session: str) -> bool:
        """Whether nothing can run in the session any more."""
        now = await self._now(STREAM + session)
        return now.version > 0 and not now.active

    async def lodging(self, created: e.TaskCreated) -> Lodging:
        """Where the task runs. Raises ActFailed (session_stopped)."""
        session = await self._now(STREAM + created.session)
        if session.version == 0:
            return Lodging()
        if not session.active:
            raise ActFailed("session_stopped", str(SessionStopped()))
        return Lodging(room=created.session, visited=session.visited) if _is_kept(session) else Lodging()

    async def kept_name(self, created: e.TaskCreated) -> str:
        """What the vault calls the state of the session's browser, if that outlives the task; else nothing."""
        session = await self._now(STREAM + created.session)
        return session_state(created.session) if _is_kept(session) else ""  # also once it has ended: the last use of it

    async def hear(self, recorded: Recorded) -> None:
        """One more event of the log."""
        match recorded.event:
            case e.SessionCreated():
                self._remember(recorded.stream, recorded.event, recorded.at)
            case e.SessionStopped():
                self._due.pop(recorded.stream, None)
                session = recorded.stream.removeprefix(STREAM)
                self._rooms.close_room(session, "stopped")
                if not await self._stop(session):
                    await forget(self._vault, session_state(session))

    async def ended(self, created: e.TaskCreated) -> None:
        """A task has ended: so does a session that is not kept alive, and what is known of one that has ended goes."""
        stream = STREAM + created.session
        session = await self._now(stream)
        if session.active and _is_ours(session) and not _is_kept(session):
            await self._end(stream, "task_ended")
        elif session.stopped:
            await forget(self._vault, session_state(created.session))

    async def run(self) -> None:
        """Stop what is due, for ever."""
        while True:
            now, wait = microseconds(), LOOK_SECONDS
            for stream in [stream for stream, due in self._due.items() if due <= now]:
                if not await self._end(stream, "timeout"):
                    wait = RETRY_SECONDS
            if self._due:
                wait = min(wait, max((min(self._due.values()) - now) / 1_000_000, RETRY_SECONDS / 100))
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue
            self._changed.clear()

    async def _end(self, stream: str, cause: str) -> bool:
        done = await self._say(stream, partial(decide.stop, cause=cause))
        if done:
            self._due.pop(stream, None)
        return done

    async def _end_what_ended(self, streams: set[str]) -> None:
        """Sessions that should have ended with a task, when nobody was there to say so."""
        inside: dict[str, str] = {}
        after = 0
        while streams and (page := await self._store.read(after, types={"task.created", *_ENDS})):
            after = page[-1].position
            for recorded in page:
                if isinstance(recorded.event, e.TaskCreated) and STREAM + recorded.event.session in streams:
                    inside[recorded.stream] = STREAM + recorded.event.session
                elif recorded.type in _ENDS and recorded.stream in inside:
                    await self._end(inside.pop(recorded.stream), "task_ended")

    async def _say(self, stream: str, decision: Callable[[Session], list[e.SessionEvent]]) -> bool:
        try:
            await self._sessions.transact(stream, decision, actor=self._actor, lane=Lane.CONTROL)
        except Refused as refused:
            log.error("what became of a session could not be written down", stream=stream, reason=str(refused))
            return False
        return True

    async def _now(self, stream: str) -> Session:
        """The session as the log has it: others write to it too."""
        return (await self._sessions.transact(stream, lambda _: (), actor=self._actor)).state

    def _remember(self, stream: str, created: e.SessionCreated | None, at: int) -> None:
        if created is not None and created.kind == KIND and created.explicit and created.seconds:
            self._due[stream] = at + round(created.seconds * 1_000_000)
            self._changed.set()


def _is_ours(session: Session) -> bool:
    """Whether it was made for tasks, and by itself."""
    return session.created is not None and session.created.kind == KIND and session.created.explicit


def _is_kept(session: Session) -> bool:
    return _is_ours(session) and session.created is not None and session.created.keep_alive
