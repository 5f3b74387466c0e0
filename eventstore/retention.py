"""What is forgotten of a task, and when: what may be asked for, and which blobs go. Pure; `now` is an argument."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from eventstore import events as e
from eventstore.errors import NotAllowed, NotFound
from eventstore.machine import Phase
from eventstore.task import Task

TASKS = "tasks"
SCREENSHOTS = "screenshots"
FILES = "files"
RECORDINGS = "recordings"
UPLOADS = "uploads"

DAY = 86_400_000_000


class Aged(msgspec.Struct, frozen=True, kw_only=True):
    """A task that ended so long ago that something of it goes: of which class, and which blobs of its own.

    `ended_at` is microseconds since 1970 UTC. Of the class `uploads`, `task` is the stream that they were uploaded to,
    `files` their ids, and `ended_at` when the last of them came.
    """

    task: str
    kind: str
    ended_at: int
    blobs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Going(msgspec.Struct, frozen=True, kw_only=True):
    """What goes, or went, of one class: tasks, blobs and their bytes; times of end, microseconds, None without tasks.

    `kind` is `tasks` (all that they said and their blobs), `screenshots`, `files` (what tasks were given and what they
    produced), `recordings`, or `uploads` (that no task names; `tasks` counts the places that they were uploaded to).
    """

    kind: str
    reason: str
    tasks: int = 0
    blobs: int = 0
    bytes: int = 0
    oldest: int | None = None
    newest: int | None = None


def before(days: float, now: int) -> int | None:
    """The latest end, in microseconds, at which a task is too old when this is kept for `days`; None: for ever."""
    return now - round(days * DAY) if days else None


def reason(days: float) -> str:
    """Why it went, as the tape says it."""
    return f"older than {days:g} day{'' if days == 1 else 's'}"


def going(
    kind: str, why: str, aged: Sequence[Aged], named: Mapping[str, Collection[str]], size: Callable[[str], int]
) -> Going:
    """What goes with these tasks. `named` tells which tasks name a blob: one that another task names stays.

    `size` is how many bytes a blob has on the disk.
    """
    tasks = {each.task for each in aged}
    blobs = freed(aged, named, tasks)
    ends = [each.ended_at for each in aged]
    return Going(
        kind=kind,
        reason=why,
        tasks=len(tasks),
        blobs=len(blobs),
        bytes=sum(map(size, blobs)),
        oldest=min(ends, default=None),
        newest=max(ends, default=None),
    )


def freed(aged: Iterable[Aged], named: Mapping[str, Collection[str]], tasks: Collection[str]) -> list[str]:
    """The blobs of these that nobody but `tasks` names, each once."""
    blobs = dict.fromkeys(blob for each in aged for blob in each.blobs)
    return [blob for blob in blobs if all(task in tasks for task in named.get(blob, ()))]


def redact(task: Task, *, blobs: int = 0, reason: str = "") -> list[e.Event]:
    """Whatever the task said is to be removed; what it is for and how it ended stays. Twice changes nothing.

    Raises NotFound, and NotAllowed for a task that has not ended.
    """
    if task.redacted is not None:
        return []
    _check(task, "redacted")
    if task.created is None:
        raise NotAllowed("This task was written by another version, which alone can redact it.")
    return [
        e.TaskRedacted(
            project=task.created.project,
            request_digest=task.created.request_digest,
            events=task.version,
            blobs=blobs,
            reason=reason,
        )
    ]


def remove(task: Task, *, kind: str, blobs: Sequence[str], reason: str) -> list[e.Event]:
    """These blobs of the task are to be deleted. Raises NotFound, and NotAllowed for a task that has not ended."""
    if task.redacted is not None or not blobs:
        return []
    _check(task, "emptied")
    return [e.BlobsRemoved(kind=kind, blobs=tuple(blobs), reason=reason)]


def delete(task: Task, *, reason: str = "") -> list[e.Event]:
    """The task is to be shown no more. Twice changes nothing. Raises NotFound, and NotAllowed for one not ended."""
    if task.deleted:
        return []
    _check(task, "deleted")
    return [e.TaskDeleted(reason=reason)]


def _check(task: Task, participle: str) -> None:
    if task.phase is Phase.ABSENT:
        raise NotFound
    if not task.ended:
        raise NotAllowed(f"{task.state.capitalize()} tasks cannot be {participle}: stop the task first.")
