"""The outbox: which statuses of a task a webhook is owed, how often each was tried, which are dead. Pure folds.

Nothing is put into it: what is owed follows from the task's own stream, less what the stream of deliveries says is
settled. So a crash can lose none, whenever it comes. Times are microseconds since 1970.
"""

from collections.abc import Callable, Sequence

import msgspec

from eventstore import events as e
from eventstore.errors import NotFound
from eventstore.hook import TEST, wants
from eventstore.machine import State
from eventstore.store import Recorded
from eventstore.task import Task
from eventstore.task import evolve as lived

RETRY_SECONDS = (10.0, 60.0, 300.0, 1_800.0, 7_200.0)
"""Waits after each attempt in vain but the last, which leaves a dead letter."""

WORDS: dict[State, str] = {
    State.QUEUED: "initializing",
    State.RUNNING: "started",
    State.PAUSED: "paused",
    State.STOPPED: "stopped",
    State.FINISHED: "finished",
    # The vendor's verifiers reject `failed`, and v1 has no such status. That it has ended is what its client waits for.
    State.FAILED: "finished",
}
"""States that are news; on the way from one to another nothing is told."""

TELLING = (
    "task.created",
    "task.pause_requested",
    "task.resume_requested",
    "task.stop_requested",
    "task.input_requested",
    "task.input_provided",
    "task.input_expired",
    "task.control_taken",
    "task.control_returned",
    "task.claimed",
    "task.started",
    "task.paused",
    "task.resumed",
    "task.stopped",
    "task.finished",
    "task.failed",
    "task.requeued",
)
"""The events after which a task's state may be another."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A status to be told of: `source` is the position of the event that brought it, `at` its time."""

    source: int
    at: int
    status: str


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What of a task is news, in order. Once it was redacted, that it was so is all that can be told."""

    version: int = 0
    task: Task = Task()
    told: tuple[Told, ...] = ()

    @property
    def project(self) -> str:
        """Whose task it is; empty where nobody can say."""
        known = self.task.created or self.task.redacted
        return known.project if known else ""


def tell(story: Story, recorded: Recorded) -> Story:
    """The story after one more event of the task's stream. A task that is queued again was told of before."""
    task = lived(story.task, recorded.event)
    status = WORDS.get(task.state, "")
    before = story.told[-1].status if story.told else ""
    told = story.told
    if status and status != before and (status != "initializing" or not before):
        told = (*told, Told(source=recorded.position, at=recorded.at, status=status))
    return Story(version=recorded.version, task=task, told=told)


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """How far one source has come: `next_at` is when it is tried again; `asked` tells of a redelivery not yet tried."""

    attempts: int = 0
    next_at: int = 0
    settled: bool = False
    dead: bool = False
    asked: bool = False


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """What was tried of one task for one webhook, by source."""

    version: int = 0
    tries: dict[int, Try] = {}


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be delivered next. `told` is None for the test."""

    told: Told | None
    attempt: int
    next_at: int = 0

    @property
    def source(self) -> int:
        """The position of the event; 0 for the test."""
        return self.told.source if self.told else 0


def evolve(deliveries: Deliveries, event: e.Event) -> Deliveries:
    """The state after one more event."""
    tries = deliveries.tries
    match event:
        case e.HookDelivered():
            tries = {**tries, event.source: Try(attempts=event.attempt, settled=True)}
        case e.HookFailed(next_at=0):
            tries = {**tries, event.source: Try(attempts=event.attempt, settled=True, dead=True)}
        case e.HookFailed():
            tries = {**tries, event.source: Try(attempts=event.attempt, next_at=event.next_at)}
        case e.RedeliveryRequested():
            tries = {**tries, event.source: Try(asked=True)}
    return Deliveries(version=deliveries.version + 1, tries=tries)


def delivered(deliveries: Deliveries, *, source: int, attempt: int, status: int, duration_ms: int) -> list[e.HookEvent]:
    """That attempt was answered with a status of success. What is settled already stays so."""
    if not _open(deliveries, source, attempt):
        return []
    return [e.HookDelivered(source=source, attempt=attempt, status=status, duration_ms=duration_ms)]


def failed(
    deliveries: Deliveries,
    *,
    source: int,
    attempt: int,
    error: str,
    now: int,
    retry: Sequence[float] = RETRY_SECONDS,
    final: bool = False,
) -> list[e.HookEvent]:
    """That attempt was in vain: it is tried again after its wait, or, after the last one or if `final`, not at all."""
    if not _open(deliveries, source, attempt):
        return []
    again = not final and attempt <= len(retry)
    next_at = now + max(1, round(retry[attempt - 1] * 1_000_000)) if again else 0
    return [e.HookFailed(source=source, attempt=attempt, error=error, next_at=next_at)]


def redeliver(deliveries: Deliveries, *, source: int, command_id: str = "") -> list[e.HookEvent]:
    """Deliver it once more, with all attempts anew; one that waits to be tried again is tried at once.

    Asking twice before it was tried is once. Raises NotFound for what was never tried, but for the test.
    """
    known = deliveries.tries.get(source)
    if known is None and source:
        raise NotFound("This webhook has not been told of that event")
    return [] if known and known.asked else [e.RedeliveryRequested(source=source, command_id=command_id)]


def owed(created: e.HookCreated, since: int, task: str, story: Story, deliveries: Deliveries) -> list[Owed]:
    """What the webhook, created at position `since`, is still owed of the task, the earliest first."""
    found = []
    for told in story.told:
        known = deliveries.tries.get(told.source, Try())
        fresh = told.source > since and wants(created, task, told.status)
        if not known.settled and (fresh or known.asked or known.attempts):
            found.append(Owed(told=told, attempt=known.attempts + 1, next_at=known.next_at))
    return found


def owed_test(created: e.HookCreated, deliveries: Deliveries) -> list[Owed]:
    """The test, where it was asked for at the creation or later and is not settled."""
    known = deliveries.tries.get(0, Try(asked=TEST in created.events))
    if known.settled or not (known.asked or known.attempts):
        return []
    return [Owed(told=None, attempt=known.attempts + 1, next_at=known.next_at)]


def _open(deliveries: Deliveries, source: int, attempt: int) -> bool:
    """Whether this attempt is the next one to be told of."""
    known = deliveries.tries.get(source, Try())
    return not known.settled and attempt == known.attempts + 1


class Tally:
    """What the health page tells, as the follower of the log counts it since its start."""

    def __init__(self) -> None:
        self.count: Callable[[], int] = int
        self.delivered = self.failed = self.dead = 0

    @property
    def owed(self) -> int:
        """How many deliveries are known to be owed now."""
        return self.count()
