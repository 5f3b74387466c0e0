"""A schedule says each thing once, and is due when a calendar says so."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given as generated
from hypothesis import strategies as st

from eventstore import events as e
from eventstore import rhythm, schedule
from eventstore.errors import Conflict, NotFound
from eventstore.schedule import fold

MINUTE = 60_000_000
TASK = e.TaskCreated(instruction="Look.", llm="instructions", session="", project="p", family="v1", request_digest="")
CREATED = e.ScheduleCreated(
    project="p", family="v1", task=TASK, kind="interval", interval_minutes=5, start_at=0, end_at=100 * MINUTE
)
CHANGED = msgspec.structs.replace(schedule.changed(CREATED), active=False)
ID = "019a0000-1234-7abc-8def-000000000001"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def cron(expression: str, *, start: str = "2026-01-01", end: str = "2027-01-01") -> e.ScheduleChanged:
    return msgspec.structs.replace(
        schedule.changed(CREATED), kind="cron", cron=expression, start_at=at(start), end_at=at(end)
    )


def test_creating_the_same_again_is_one_schedule_and_another_in_its_place_is_refused() -> None:
    made = fold([CREATED])

    assert [CREATED] == schedule.create(fold([]), created=CREATED)
    assert [] == schedule.create(made, created=CREATED)
    with pytest.raises(Conflict):
        schedule.create(made, created=msgspec.structs.replace(CREATED, interval_minutes=6))


def test_a_change_is_said_once() -> None:
    assert [CHANGED] == schedule.change(fold([CREATED]), change=CHANGED)
    assert [] == schedule.change(fold([CREATED, CHANGED]), change=CHANGED)


def test_a_run_is_said_once_and_nothing_before_it_any_more() -> None:
    made = fold([CREATED, e.ScheduleRun(due=5 * MINUTE, task="t")])

    assert [] == schedule.run(made, due=5 * MINUTE, task="t")
    assert [] == schedule.run(made, due=MINUTE, task="s")
    assert [] == schedule.miss(made, missed=e.ScheduleMissed(due=MINUTE, last=5 * MINUTE, count=2))
    assert [e.ScheduleRun(due=10 * MINUTE, task="u")] == schedule.run(made, due=10 * MINUTE, task="u")


def test_of_a_deleted_schedule_nothing_begins() -> None:
    gone = fold([CREATED, e.ScheduleDeleted()])

    assert [] == schedule.delete(gone)
    assert [] == schedule.run(gone, due=5 * MINUTE, task="t")
    with pytest.raises(NotFound):
        schedule.change(gone, change=CHANGED)


def test_what_never_was_cannot_be_changed_or_deleted() -> None:
    with pytest.raises(NotFound):
        schedule.delete(fold([]))
    with pytest.raises(NotFound):
        schedule.change(fold([]), change=CHANGED)


def test_an_interval_is_counted_from_its_start() -> None:
    every = msgspec.structs.replace(schedule.changed(CREATED), start_at=3 * MINUTE)

    dues = [rhythm.after(every, moment) for moment in (0, 3 * MINUTE, 7 * MINUTE + 1, 8 * MINUTE)]

    assert [3 * MINUTE, 8 * MINUTE, 8 * MINUTE, 13 * MINUTE] == dues


def test_nothing_is_due_after_the_end_or_while_it_is_not_active() -> None:
    every = schedule.changed(CREATED)

    assert 100 * MINUTE == rhythm.after(every, 99 * MINUTE)
    assert rhythm.after(every, 100 * MINUTE) is None
    assert rhythm.after(CHANGED, 0) is None


def test_cron_is_in_utc_and_begins_at_the_start() -> None:
    weekdays = cron("30 9 * * 1-5", start="2026-11-21")

    assert at("2026-11-23 09:30") == rhythm.after(weekdays, at("2026-01-01"))
    assert at("2026-11-24 09:30") == rhythm.after(weekdays, at("2026-11-23 09:30"))


def test_a_run_at_the_very_start_counts() -> None:
    assert at("2026-11-21") == rhythm.after(cron("0 0 * * *", start="2026-11-21"), at("2026-01-01"))


@pytest.mark.parametrize("expression", ["", "often", "* * * *", "61 * * * *", "0 0 31 2 *", "* * * * * *"])
def test_what_is_no_cron_expression_is_refused(expression: str) -> None:
    with pytest.raises(rhythm.CronError):
        rhythm.check(expression)


@generated(st.integers(0, 200), st.integers(1, 50), st.integers(0, 60))
def test_between_has_every_time_due_once_and_in_order(moment: int, minutes: int, start: int) -> None:
    every = msgspec.structs.replace(
        schedule.changed(CREATED), interval_minutes=minutes, start_at=start * MINUTE, end_at=300 * MINUTE
    )

    dues = list(rhythm.between(every, moment * MINUTE, 250 * MINUTE))

    assert [due * MINUTE for due in range(start, 251, minutes) if due > moment] == dues


def test_a_run_has_the_same_id_whenever_it_is_asked_for() -> None:
    ids = {rhythm.run_id(ID, MINUTE), rhythm.run_id(ID, MINUTE), rhythm.session_id(ID, MINUTE)}

    assert 2 == len(ids)
    assert rhythm.run_id(ID, MINUTE) != rhythm.run_id(ID, 2 * MINUTE)
