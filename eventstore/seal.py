"""From a wish to events on the tape: checked, encoded, then given their place and hash. All stores share it."""

import os
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from eventstore import chain, codec
from eventstore.errors import Conflict, Invalid
from eventstore.events import Event
from eventstore.store import MAX_PAYLOAD, PAGE, Recorded

SALT = 16
MAX_NAMES = 1_024

_TAGS = {event: kind for kind, event in codec.TYPES.items()}


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the tape. `at` is microseconds since 1970 UTC; an empty tape has position 0 and the genesis hash."""

    position: int
    hash: bytes
    at: int


# What the next event follows: the last one, or the head as it was read when the tape was opened.
Place: TypeAlias = Head | Recorded


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one caller wants written after version `expected` of a stream: all of it or nothing. `size` is in bytes."""

    stream: str
    expected: int
    actor: str
    command_id: str
    events: Sequence[Event]
    payloads: Sequence[bytes]
    size: int


def empty(log_id: bytes) -> Head:
    """The head of a tape on which nothing is written yet."""
    return Head(position=0, hash=chain.genesis(log_id), at=0)


def entry(stream: str, expected: int, events: Sequence[Event], *, actor: str, command_id: str) -> Entry:
    """Check and encode. Raises Invalid for what cannot be stored, so that it never disturbs what others write."""
    if len(events) > PAGE:
        raise Invalid(f"{len(events):,} events in one append; at most {PAGE:,} are allowed.")
    _check_names(stream, actor, command_id)
    payloads = [_encode(event) for event in events]
    return Entry(
        stream=stream,
        expected=expected,
        actor=actor,
        command_id=command_id,
        events=events,
        payloads=payloads,
        size=sum(map(len, payloads)),
    )


def check(wish: Entry, version: int) -> None:
    """Raises Conflict when the stream is at another version than the wish expects."""
    if wish.expected != version:
        raise Conflict(f"The stream {wish.stream} is at version {version}, not {wish.expected}.")


def salts(count: int) -> Iterator[bytes]:
    """One for each of so many events, from one call for randomness."""
    random = os.urandom(SALT * count)
    return iter([random[start : start + SALT] for start in range(0, len(random), SALT)])


def seal(head: Place, wish: Entry, *, now: int, salts: Iterator[bytes]) -> list[Recorded]:
    """The wish's events as they follow the head, with a salt for each; `now` may go back, `at` never does."""
    stream, actor, command_id = wish.stream, wish.actor, wish.command_id
    position, version, at, previous = head.position, wish.expected, head.at, head.hash
    sealed = []
    # The salts come last: zip takes none of them for the event after the last.
    for event, payload, salt in zip(wish.events, wish.payloads, salts, strict=False):
        position += 1
        version += 1
        at = now if now > at else at + 1
        kind = _TAGS.get(type(event)) or codec.type_of(event)
        commitment = chain.commit(salt, payload)
        leaf = chain.leaf(position, stream, version, kind, at, actor, command_id, commitment)
        previous = chain.link(previous, leaf)
        sealed.append(
            Recorded(
                position=position,
                stream=stream,
                version=version,
                type=kind,
                at=at,
                actor=actor,
                command_id=command_id,
                event=event,
                payload=payload,
                salt=salt,
                commitment=commitment,
                hash=previous,
            )
        )
    return sealed


def _encode(event: Event) -> bytes:
    try:
        payload = codec.encode(event)
    except (ValueError, TypeError, OverflowError) as error:
        raise Invalid(f"{type(event).__name__} cannot be stored as JSON text: {error}") from error
    if len(payload) > MAX_PAYLOAD:
        raise Invalid(f"{type(event).__name__} has {len(payload):,} bytes; at most {MAX_PAYLOAD:,} are allowed.")
    return payload


def _check_names(stream: str, actor: str, command_id: str) -> None:
    names = f"{stream} {actor} {command_id}"
    try:
        length = len(names.encode())
    except UnicodeEncodeError as error:
        raise Invalid(f"Stream, actor or command id is not text: {error}") from error
    if length > MAX_NAMES or "\x00" in names:
        raise Invalid(f"Stream, actor and command id must have at most {MAX_NAMES} bytes together, and no NUL.")
