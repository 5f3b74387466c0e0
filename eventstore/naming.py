"""Which blobs an event of a task or a schedule names, and as what: who keeps count of blobs reads it here. Pure."""

import msgspec

from eventstore import events as e
from eventstore.retention import FILES, RECORDINGS, SCREENSHOTS

NAMES = frozenset({e.StepTaken, e.TaskCreated, e.FileProduced, e.RecordingSaved, e.ScheduleCreated, e.ScheduleChanged})
ANEW = frozenset({e.TaskRedacted, e.ScheduleChanged, e.ScheduleDeleted})
"""After these their stream names nothing that it named before."""


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """A blob by its SHA-256 hex, and the class that it goes with."""

    kind: str
    blob: str


def named(event: e.Event) -> list[Naming]:
    """What the event names. A task names the files that it was given as well as those that it produced."""
    match event:
        case e.StepTaken(screenshot=blob) if blob:
            return [Naming(kind=SCREENSHOTS, blob=blob)]
        case e.TaskCreated(uploads=uploads) | e.ScheduleCreated(task=e.TaskCreated(uploads=uploads)):
            return [Naming(kind=FILES, blob=file.blob) for file in uploads]
        case e.ScheduleChanged(task=e.TaskCreated(uploads=uploads)):
            return [Naming(kind=FILES, blob=file.blob) for file in uploads]
        case e.FileProduced(file=file):
            return [Naming(kind=FILES, blob=file.blob)]
        case e.RecordingSaved(file=file):
            return [Naming(kind=RECORDINGS, blob=file.blob)]
    return []
