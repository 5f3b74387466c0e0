"""The whole chain recomputed from stored bytes, one event after the other; the first thing wrong is named. Pure."""

from typing import Annotated

import msgspec

from eventstore import chain, codec
from eventstore.events import SessionPurged, TaskRedacted
from eventstore.seal import Head, empty
from eventstore.store import Verdict

Count = Annotated[int, msgspec.Meta(ge=0)]


class Stored(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An event as it lies in the store, not decoded."""

    position: Count
    stream: str
    version: Count
    type: str
    at: Count
    actor: str
    command_id: str
    payload: bytes | None
    salt: bytes | None
    commitment: bytes
    hash: bytes


class _Tag(msgspec.Struct, frozen=True):
    type: str
    original: str = ""


_REDACTIONS = frozenset({"task.redacted", "session.purged"})
_tag = msgspec.json.Decoder(_Tag)


class Audit:
    """Feed it every event in order. It holds a number or two per stream, and nothing else that grows."""

    def __init__(self, log_id: bytes) -> None:
        self.head: Head = empty(log_id)
        self.redacted = 0
        self._versions: dict[str, int] = {}
        self._bare: dict[str, tuple[Head, int]] = {}

    @property
    def uncovered(self) -> bool:
        """Whether a payload is gone for which no redaction was found yet: it comes later in the stream, or never."""
        return bool(self._bare)

    def take(self, stored: Stored) -> str | None:
        """What is wrong with the next event, or None."""
        problem = self._place(stored) or _altered(stored) or _mistagged(stored) or _unlinked(stored, self.head.hash)
        if problem is None:
            self._cover(stored)
            self.head = Head(position=stored.position, hash=stored.hash, at=stored.at)
            self._versions[stored.stream] = stored.version
            self.redacted += stored.payload is None
        return problem

    def passed(self) -> Verdict:
        """All is well as far as it was fed, unless a payload is gone and no redaction says why."""
        if self._bare:
            self.head, _ = min(self._bare.values(), key=lambda bare: bare[0].position)
            return self.failed("the payload is missing without a redaction", first_bad=self.head.position + 1)
        return Verdict(ok=True, head=self.head.position, hash=self.head.hash.hex(), redacted=self.redacted)

    def failed(self, problem: str, *, first_bad: int | None) -> Verdict:
        """All was well until here. `head` is the last position that verifies."""
        return Verdict(
            ok=False,
            head=self.head.position,
            hash=self.head.hash.hex(),
            redacted=self.redacted,
            first_bad=first_bad,
            problem=problem,
        )

    def _cover(self, stored: Stored) -> None:
        """Remember the first bare event of a stream and the last; a redaction later in the stream covers them."""
        first, last = self._bare.get(stored.stream, (self.head, 0))
        if stored.payload is None:
            self._bare[stored.stream] = (first, stored.version)
        elif last and stored.type in _REDACTIONS:
            event = codec.decode(stored.type, stored.payload)
            if isinstance(event, TaskRedacted | SessionPurged) and last <= event.events:
                del self._bare[stored.stream]

    def _place(self, stored: Stored) -> str | None:
        if stored.position != self.head.position + 1:
            return f"position {self.head.position + 1} is missing"
        version = self._versions.get(stored.stream, 0) + 1
        if stored.version != version:
            return f"version {stored.version} of {stored.stream} where {version} should be"
        if stored.at <= self.head.at:
            return "its time is not after that of the event before it"
        return None


def flaw(stored: Stored, previous: bytes) -> str | None:
    """What is wrong with an event that follows the hash `previous`, or None."""
    return _altered(stored) or _unlinked(stored, previous)


def _altered(stored: Stored) -> str | None:
    if (stored.payload is None) is not (stored.salt is None):
        return "only one of payload and salt is there"
    if stored.payload is None or stored.salt is None:
        return None
    if chain.commit(stored.salt, stored.payload) != stored.commitment:
        return "the payload is not the one that was committed to"
    return None


def _unlinked(stored: Stored, previous: bytes) -> str | None:
    leaf = chain.leaf(
        stored.position,
        stored.stream,
        stored.version,
        stored.type,
        stored.at,
        stored.actor,
        stored.command_id,
        stored.commitment,
    )
    if chain.link(previous, leaf) != stored.hash:
        return "its hash does not follow from its content and the hash before it"
    return None


def _mistagged(stored: Stored) -> str | None:
    """Who could reseal the chain could still not pass one event for another."""
    if stored.payload is None or _tagged(stored.payload, stored.type):
        return None
    return "the payload is of another type than the event"


def _tagged(payload: bytes, kind: str) -> bool:
    try:
        tag = _tag.decode(payload)
    except codec.UNREADABLE:
        return False
    return kind in (tag.type, tag.original)
