"""Rows from the disk become events only when they are what was written: proven here, on every read."""

import asyncio
from collections.abc import Sequence

import msgspec

from eventstore.audit import Stored, flaw
from eventstore.errors import Damaged
from eventstore.rows import Row, recorded
from eventstore.store import Recorded

SLICE = 200
"""How many rows are proven in one go, a few milliseconds; then others run."""


async def page(rows: Sequence[Row], after: int, last: int, genesis: bytes) -> list[Recorded]:
    """The events of rows that begin with the one at `after`, unless that is 0: dense, and each follows the one before.

    Raises Damaged, also when they end before `last`.
    """
    events: list[Recorded] = []
    previous, position = genesis, after - 1 if after else after
    for index, row in enumerate(rows):
        if index % SLICE == SLICE - 1:
            await asyncio.sleep(0)
        position += 1
        stored = _stored(row, position)
        if stored.position != position:
            raise Damaged(f"position {position} is missing", position)
        if position > after:
            _prove(stored, previous)
            events.append(recorded(stored))
        previous = stored.hash
    if position < last:
        raise Damaged(f"position {position + 1} is missing", position + 1)
    return events


async def linked(rows: Sequence[Row], genesis: bytes) -> list[Recorded]:
    """The events of rows that each end with the hash before it. Raises Damaged."""
    events: list[Recorded] = []
    for index, (*row, previous) in enumerate(rows):
        if index % SLICE == SLICE - 1:
            await asyncio.sleep(0)
        stored = _stored(row, None)
        if stored.position == 1:
            previous = genesis
        if not isinstance(previous, bytes):
            raise Damaged(f"position {stored.position - 1} is missing", stored.position - 1)
        _prove(stored, previous)
        events.append(recorded(stored))
    return events


async def of_stream(rows: Sequence[Row], stream: str, after: int, last: int, genesis: bytes) -> list[Recorded]:
    """As `linked`, and these are versions `after + 1` and so on of the stream, at least to `last`."""
    events = await linked(rows, genesis)
    version = after
    for event in events:
        version += 1
        if event.stream != stream or event.version != version:
            raise Damaged(f"version {version} of {stream} is missing")
    if version < last:
        raise Damaged(f"version {version + 1} of {stream} is missing")
    return events


def _prove(stored: Stored, previous: bytes) -> None:
    if problem := flaw(stored, previous):
        raise Damaged(problem, stored.position)


def _stored(row: Row, position: int | None) -> Stored:
    try:
        return msgspec.convert(tuple(row), Stored)
    except msgspec.ValidationError as error:
        raise Damaged(f"it cannot be read: {error}", position) from error
