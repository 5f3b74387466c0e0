"""What a webhook is owed follows from the tape; whatever is cut off or repeated, each message is settled, in order."""

from functools import partial
from itertools import product
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstore import codec, hook, outbox
from eventstore import events as e
from eventstore.errors import Conflict, NotFound
from eventstore.hook import Hook
from eventstore.machine import Desired, Hold, Phase, State
from eventstore.outbox import RETRY_SECONDS, Deliveries, Owed, Story, Told
from eventstore.store import Recorded
from eventstore.task import Task, evolve

CREATED = e.HookCreated(project="p", url="https://a.test/")
TASK = e.TaskCreated(instruction="i", llm="l", session="s", project="p", family="v1", request_digest="")
STARTED = e.TaskStarted(fence=2, browser="b", viewport_width=1, viewport_height=1)
CLAIMED = e.TaskClaimed(runner="r", attempt=1)
SECOND = 1_000_000


def story(*events: e.Event) -> Story:
    """The story of a task whose events stand at the positions 10, 20, 30 and so on."""
    told = Story()
    for version, event in enumerate(events, 1):
        recorded = Recorded(
            position=10 * version,
            stream="task-t",
            version=version,
            type="",
            at=version * SECOND,
            actor="",
            command_id="",
            event=event,
            payload=b"",
            salt=b"",
            commitment=b"",
            hash=b"",
        )
        told = outbox.tell(told, recorded)
    return told


def statuses(*events: e.Event) -> list[tuple[int, str]]:
    return [(told.source, told.status) for told in story(*events).told]


def fold(*events: e.Event) -> Deliveries:
    deliveries = Deliveries()
    for event in events:
        deliveries = outbox.evolve(deliveries, event)
    return deliveries


def test_a_webhook_is_made_and_deleted_once() -> None:
    alive, gone = hook.fold([CREATED]), hook.fold([CREATED, e.HookDeleted()])

    assert [CREATED] == hook.create(Hook(), created=CREATED)
    assert [] == hook.create(alive, created=CREATED)
    assert [e.HookDeleted(reason="r")] == hook.delete(alive, reason="r")
    assert [] == hook.delete(gone)
    assert (CREATED, None) == (alive.alive, gone.alive)


def test_another_webhook_in_its_place_and_a_deletion_of_none_are_refused() -> None:
    for before in ([CREATED, e.HookDeleted()], [e.HookCreated(project="q", url="u")]):
        with pytest.raises(Conflict):
            hook.create(hook.fold(before), created=CREATED)
    with pytest.raises(NotFound):
        hook.delete(Hook())


def test_every_state_is_told_by_a_word_of_the_contract_or_on_the_way() -> None:
    under_way = {State.ABSENT, State.CLAIMED, State.PAUSING, State.RESUMING, State.STOPPING}

    assert set(State) - under_way == set(outbox.WORDS)
    assert set(hook.STATUSES) == set(outbox.WORDS.values())


def test_a_task_is_told_of_when_what_people_see_changes() -> None:
    assert [(10, "initializing"), (30, "started"), (50, "paused"), (70, "started"), (80, "finished")] == statuses(
        TASK,
        CLAIMED,
        STARTED,
        e.PauseRequested(),
        e.TaskPaused(fence=2, step=1),
        e.ResumeRequested(),
        e.TaskResumed(fence=2, step=1),
        e.TaskFinished(fence=2, success=True),
    )


def test_a_task_that_is_lost_and_begun_again_has_started_once() -> None:
    lost = e.RunnerLost(runner="r", attempt=1)

    assert [(10, "initializing"), (30, "started"), (80, "stopped")] == statuses(
        TASK,
        CLAIMED,
        STARTED,
        lost,
        e.TaskRequeued(attempt=2),
        CLAIMED,
        e.StopRequested(),
        e.TaskStopped(fence=6, step=0),
    )


def test_a_pause_before_the_start_and_a_question_are_pauses() -> None:
    assert [(10, "initializing"), (20, "paused"), (50, "started"), (70, "paused"), (90, "started")] == statuses(
        TASK,
        e.PauseRequested(),
        e.ResumeRequested(),
        CLAIMED,
        STARTED,
        e.InputRequested(fence=4, step=1, request="q", kind="text", prompt="?", seconds=1),
        e.TaskPaused(fence=4, step=1, cause="input"),
        e.InputProvided(request="q"),
        e.TaskResumed(fence=4, step=1),
    )


def test_a_failed_task_is_told_as_finished_as_verifiers_know_no_failure() -> None:
    assert [(10, "initializing"), (30, "started"), (40, "finished")] == statuses(
        TASK, CLAIMED, STARTED, e.TaskFailed(fence=2, code="timeout", message="m")
    )


WHOLE = story(TASK, CLAIMED, STARTED, e.TaskFinished(fence=2, success=True))


def left(deliveries: Deliveries, created: e.HookCreated = CREATED, since: int = 0) -> list[tuple[int, int]]:
    """Sources and the attempts that are next."""
    return [(owed.source, owed.attempt) for owed in outbox.owed(created, since, "t", WHOLE, deliveries)]


def test_what_came_after_the_webhook_is_owed_in_order() -> None:
    assert [(10, 1), (30, 1), (40, 1)] == left(fold())
    assert [(40, 1)] == left(fold(), since=30)
    assert [] == left(fold(), e.HookCreated(project="p", url="u", task="other"))
    assert [(40, 1)] == left(fold(), e.HookCreated(project="p", url="u", events=(f"{hook.STATUS_UPDATE}.finished",)))


def test_what_was_delivered_or_given_up_is_settled_and_what_failed_is_not() -> None:
    deliveries = fold(
        e.HookDelivered(source=10, attempt=1, status=200), e.HookFailed(source=30, attempt=1, error="x", next_at=7)
    )

    assert [(30, 2), (40, 1)] == left(deliveries)
    assert [7, 0] == [owed.next_at for owed in outbox.owed(CREATED, 0, "t", WHOLE, deliveries)]
    assert [(40, 1)] == left(outbox.evolve(deliveries, e.HookFailed(source=30, attempt=2, error="x")))


def test_the_waits_grow_and_the_sixth_attempt_in_vain_is_the_last() -> None:
    deliveries, waits = Deliveries(), []
    for attempt in range(1, 7):
        (failed,) = outbox.failed(deliveries, source=10, attempt=attempt, error="x", now=SECOND)
        assert isinstance(failed, e.HookFailed)
        waits.append(failed.next_at and failed.next_at - SECOND)
        deliveries = outbox.evolve(deliveries, failed)

    assert [*(round(seconds * SECOND) for seconds in RETRY_SECONDS), 0] == waits
    assert sorted(RETRY_SECONDS) == list(RETRY_SECONDS)
    assert [] == outbox.failed(deliveries, source=10, attempt=7, error="x", now=SECOND)


def test_saying_an_outcome_twice_changes_nothing() -> None:
    said = partial(outbox.delivered, source=10, attempt=1, status=200, duration_ms=1)
    vain = partial(outbox.failed, source=10, attempt=1, error="x", now=0)
    (delivered,) = said(Deliveries())
    (failed,) = vain(Deliveries())

    assert [[], []] == [decision(fold(delivered)) for decision in (said, vain)]
    assert [[], []] == [decision(fold(failed)) for decision in (said, vain)]


def test_a_redelivery_begins_anew_once_and_what_was_never_tried_is_not_there() -> None:
    dead = fold(e.HookFailed(source=10, attempt=6, error="x"))
    again = partial(outbox.redeliver, source=10)

    assert [e.RedeliveryRequested(source=10)] == again(dead)
    asked = outbox.evolve(dead, e.RedeliveryRequested(source=10))
    assert [] == again(asked)
    assert [(10, 1), (30, 1), (40, 1)] == left(asked)
    assert [(10, 1), (40, 1)] == left(asked, since=30), "asked for, though it is older than the webhook"
    with pytest.raises(NotFound):
        again(Deliveries())


def test_the_test_is_owed_where_it_was_asked_for() -> None:
    tested = e.HookCreated(project="p", url="u", events=(hook.STATUS_UPDATE, hook.TEST))
    done = e.HookDelivered(source=0, attempt=1, status=200)

    assert [Owed(told=None, attempt=1)] == outbox.owed_test(tested, fold())
    assert [] == outbox.owed_test(tested, fold(done))
    assert [] == outbox.owed_test(CREATED, fold())
    assert [Owed(told=None, attempt=1)] == outbox.owed_test(CREATED, fold(*outbox.redeliver(fold(), source=0)))


def test_what_is_kept_where_can_be_told_from_its_name() -> None:
    assert ("h", "") == hook.place(hook.stream("h"))
    assert ("h", "t") == hook.place(hook.deliveries("h", "t"))


ANSWERS = st.lists(st.sampled_from(["ok", "fail", "cut off before", "cut off after"]), max_size=80)


@given(ANSWERS, st.integers(0, 4))
def test_whatever_is_cut_off_or_fails_every_message_is_told_in_order_or_dead(answers: list[str], retries: int) -> None:
    tape: list[e.Event] = []
    heard: list[int] = []
    replies = iter(answers)
    retry = RETRY_SECONDS[:retries]

    while owed := outbox.owed(CREATED, 0, "t", WHOLE, fold(*tape)):
        # Nothing is remembered from one turn to the next but the tape: each is a restart.
        message, answer = owed[0], next(replies, "ok")
        if answer == "cut off before":
            continue
        if answer in ("ok", "cut off after"):
            heard.append(message.source)
        if answer == "ok":
            tape += outbox.delivered(
                fold(*tape), source=message.source, attempt=message.attempt, status=200, duration_ms=1
            )
        elif answer == "fail":
            tape += outbox.failed(
                fold(*tape), source=message.source, attempt=message.attempt, error="x", now=0, retry=retry
            )

    told = [event.source for event in tape if isinstance(event, e.HookDelivered)]
    dead = [event.source for event in tape if isinstance(event, e.HookFailed) and not event.next_at]
    assert [source.source for source in WHOLE.told] == sorted(told + dead)
    assert heard == sorted(heard), "a later one waits for the earlier"
    assert set(told) <= set(heard), "at least once"
    assert all(sum(isinstance(x, e.HookFailed) and x.source == source for x in tape) == retries + 1 for source in dead)


def test_a_message_tells_when_it_was_so() -> None:
    assert Told(source=10, at=SECOND, status="initializing") == WHOLE.told[0]


GOLDEN = (Path(__file__).parents[1] / "golden" / "events.jsonl").read_bytes().splitlines()


def test_every_event_that_can_change_what_people_see_is_listened_for() -> None:
    events = {kind: codec.decode(kind, line) for line in GOLDEN if (kind := msgspec.json.decode(line)["type"])}
    tasks = [
        Task(phase=phase, desired=desired, hold=hold, controlled=controlled, asking="q")
        for phase, desired, hold, controlled in product(Phase, Desired, Hold, (False, True))
    ]

    telling = {
        kind
        for kind, event in events.items()
        if kind.startswith("task.")
        for task in tasks
        if evolve(task, event).state in outbox.WORDS and evolve(task, event).state != task.state
    }

    assert set() == telling - set(outbox.TELLING)
