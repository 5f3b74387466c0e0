"""What is forgotten, and when: the decisions, and the plan as a function of ends and now."""

import pytest

from eventstore import events as e
from eventstore import retention
from eventstore.errors import NotAllowed, NotFound
from eventstore.machine import Desired, Phase, State
from eventstore.retention import DAY, Aged, Going
from eventstore.task import Task, fold
from tests.histories import acted, claim, finish, history, start, step, take

FINISHED = fold(history([claim, start, step, acted, take, finish]))
RUNNING = fold(history([claim, start, step]))
REDACTED = e.TaskRedacted(project="p", request_digest="d", events=FINISHED.version, blobs=1, reason="asked for")


def aged(task: str, *blobs: str, days: float = 40) -> Aged:
    return Aged(task=task, kind="screenshots", ended_at=round(-days * DAY), blobs=blobs)


def test_an_ended_task_is_redacted_and_then_nothing_more() -> None:
    events = retention.redact(FINISHED, blobs=1, reason="asked for")
    task = fold(events, FINISHED)

    assert [REDACTED] == events
    assert [] == retention.redact(task, reason="again")
    assert [] == retention.remove(task, kind="screenshots", blobs=("a",), reason="")


def test_a_redacted_task_remembers_how_it_ended_and_nothing_of_what_it_said() -> None:
    task = fold([REDACTED], FINISHED)

    assert task == Task(
        version=FINISHED.version + 1, phase=Phase.FINISHED, desired=Desired.RUN, created=None, redacted=REDACTED
    )


def test_a_fold_without_payloads_comes_to_the_same() -> None:
    kinds = [event.__struct_config__.tag for event in history([claim, start, step, acted, take, finish])]

    blank = fold([*(e.Unknown(original=str(kind)) for kind in kinds), REDACTED])

    assert fold([REDACTED], FINISHED) == blank
    assert (State.FINISHED, True) == (blank.state, blank.ended)


def test_what_has_no_beginning_that_can_be_read_is_not_claimed() -> None:
    task = fold([e.Unknown(original="task.created")])

    assert (State.QUEUED, False) == (task.state, task.claimable)


def test_only_what_has_ended_loses_anything() -> None:
    with pytest.raises(NotAllowed, match=r"^Running tasks cannot be redacted: stop the task first\.$"):
        retention.redact(RUNNING)
    with pytest.raises(NotAllowed):
        retention.remove(RUNNING, kind="screenshots", blobs=("a",), reason="")
    with pytest.raises(NotFound):
        retention.redact(Task())


def test_a_deleted_task_stays_so_also_when_it_is_redacted() -> None:
    deleted = fold(retention.delete(FINISHED, reason="r"), FINISHED)

    redacted = fold(retention.redact(deleted), deleted)

    assert [e.TaskDeleted(reason="r")] == retention.delete(FINISHED, reason="r")
    assert [] == retention.delete(deleted) == retention.delete(redacted)
    with pytest.raises(NotAllowed, match=r"^Running tasks cannot be deleted: stop the task first\.$"):
        retention.delete(RUNNING)


def test_pictures_are_removed_by_name_and_nothing_is_said_of_none() -> None:
    assert [e.BlobsRemoved(kind="screenshots", blobs=("a", "b"), reason="r")] == retention.remove(
        FINISHED, kind="screenshots", blobs=("a", "b"), reason="r"
    )
    assert [] == retention.remove(FINISHED, kind="screenshots", blobs=(), reason="r")


@pytest.mark.parametrize(
    ("days", "sentence"), [(30, "older than 30 days"), (1, "older than 1 day"), (0.5, "older than 0.5 days")]
)
def test_age_is_told_in_words(days: float, sentence: str) -> None:
    assert sentence == retention.reason(days)


def test_zero_days_are_for_ever() -> None:
    assert None is retention.before(0, 5 * DAY)
    assert 2 * DAY == retention.before(3, 5 * DAY)


def test_the_plan_counts_a_shared_picture_once_and_only_when_nobody_else_names_it() -> None:
    named = {"a": {"t1", "t2"}, "b": {"t1", "young"}, "c": {"t2"}}
    size = {"a": 10, "b": 100, "c": 1}

    going = retention.going(
        "screenshots", "why", [aged("t1", "a", "b"), aged("t2", "a", "c", days=50)], named, size.__getitem__
    )

    assert going == Going(
        kind="screenshots", reason="why", tasks=2, blobs=2, bytes=11, oldest=-50 * DAY, newest=-40 * DAY
    )


def test_a_plan_of_nothing_is_nothing() -> None:
    assert Going(kind="tasks", reason="why") == retention.going("tasks", "why", [], {}, len)
