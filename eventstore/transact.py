"""Load the folded state, decide, append at the version that was read, again on conflict. The only way to write."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from eventstore.errors import Conflict, Refused
from eventstore.events import Event
from eventstore.store import PAGE, EventStore, Lane, Recorded

ATTEMPTS = 64


class Versioned(Protocol):
    """A folded state that counts its events."""

    @property
    def version(self) -> int: ...


S = TypeVar("S", bound=Versioned)
Decision = Callable[[S], Sequence[Event]]


class Transacted(msgspec.Struct, Generic[S], frozen=True, kw_only=True):
    """The state after the decision, what was appended (nothing, when it was so already), and where the stream stands.

    `position` is that of the last event appended; where nothing was, it is the head that the decision had seen at
    least: wait for it before reading a view.
    """

    state: S
    appended: Sequence[Recorded]
    position: int


class Repository(Generic[S]):
    """The streams of one kind, with a bounded cache of folded states; a miss is folded again from the log."""

    def __init__(
        self, store: EventStore, initial: S, evolve: Callable[[S, Event], S], *, remember: int = 2_000
    ) -> None:
        self._store = store
        self._initial = initial
        self._evolve = evolve
        self._remember = remember
        self._cache: OrderedDict[str, S] = OrderedDict()

    async def load(self, stream: str) -> S:
        """The state as it was last seen: without what another repository, or a cancelled caller, has appended since."""
        return self._cache[stream] if stream in self._cache else await self._refresh(stream)

    async def fresh(self, stream: str) -> S:
        """The state with all that is on the tape by now."""
        return await self._refresh(stream)

    async def transact(
        self,
        stream: str,
        decision: Decision[S],
        *,
        actor: str,
        command_id: str = "",
        lane: Lane = Lane.FACT,
    ) -> Transacted[S]:
        """Raises what the decision refuses with, and what `EventStore.append` raises."""
        state = await self.load(stream)
        for _ in range(ATTEMPTS):
            seen = self._store.head
            events, state = await self._decide(stream, decision, state)
            if not events:
                return Transacted(state=state, appended=(), position=seen)
            try:
                appended = await self._store.append(
                    stream, state.version, events, actor=actor, command_id=command_id, lane=lane
                )
            except Conflict:
                state = await self._refresh(stream)
                continue
            for event in events:
                state = self._evolve(state, event)
            self._keep(stream, state)
            return Transacted(state=state, appended=appended, position=appended[-1].position)
        raise Conflict(f"The stream {stream} changed under every one of {ATTEMPTS} attempts.")

    async def _decide(self, stream: str, decision: Decision[S], state: S) -> tuple[Sequence[Event], S]:
        """An append proves that the state was fresh; a refusal or an agreement proves nothing, so it is made again."""
        try:
            if events := decision(state):
                return events, state
        except Refused:
            pass
        fresh = await self._refresh(stream)
        return decision(fresh), fresh

    async def _refresh(self, stream: str) -> S:
        state = self._cache.get(stream, self._initial)
        while page := await self._store.read_stream(stream, state.version):
            for recorded in page:
                state = self._evolve(state, recorded.event)
            if len(page) < PAGE:
                break
        self._keep(stream, state)
        return state

    def _keep(self, stream: str, state: S) -> None:
        known = self._cache.get(stream)
        if known is None or known.version <= state.version:
            self._cache[stream] = state
        self._cache.move_to_end(stream)
        if len(self._cache) > self._remember:
            self._cache.popitem(last=False)
