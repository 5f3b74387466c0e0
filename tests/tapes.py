"""Events as one stream of a log, for folds that need positions."""

from collections.abc import Iterable

from eventstore import events as e
from eventstore.codec import type_of
from eventstore.store import Recorded


def recorded_all(events: Iterable[e.Event], stream: str = "task-t1") -> list[Recorded]:
    """The events as one stream from position 11, a millisecond apart."""
    return [
        Recorded(
            position=version + 10,
            stream=stream,
            version=version,
            type=type_of(event),
            at=version * 1_000,
            actor="",
            command_id="",
            event=event,
            payload=b"{}",
            salt=None,
            commitment=b"",
            hash=b"",
        )
        for version, event in enumerate(events, start=1)
    ]
