"""The folds of the views: they agree with the decisions' own fold, and nothing on the tape makes them raise."""

from collections.abc import Iterable
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from eventstore import events as e
from eventstore.codec import TYPES
from eventstore.machine import Desired, Hold, Phase, State
from eventstore.store import Recorded
from eventstore.task import fold
from projections import step_row, task_row
from projections.step_row import StepRow, visible
from projections.task_row import TaskRow
from tests.histories import CREATED, USAGE, histories

CLAIMED = e.TaskClaimed(runner="r1", attempt=1)
STARTED = e.TaskStarted(fence=2, browser="b", viewport_width=9, viewport_height=9)
RUNNING = (CREATED, CLAIMED, STARTED)


def record(events: Iterable[e.Event]) -> list[Recorded]:
    """The events as one stream from position 11, a millisecond apart."""
    return [
        Recorded(
            position=version + 10,
            stream="task-t1",
            version=version,
            type="",
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


def row_of(*events: e.Event) -> TaskRow | None:
    row = None
    for recorded in record(events):
        row = task_row.apply(row, recorded)
    return row


def steps_of(*events: e.Event) -> list[StepRow]:
    rows: list[StepRow] = []
    for recorded in record(events):
        step_row.apply(rows, recorded)
    return visible(rows)


def act(index: int, params: str = "{}", step: int = 1) -> e.ActionStarted:
    return e.ActionStarted(fence=2, step=step, index=index, name="click", params=params, effect="lasting", url="a")


def test_a_finished_task_shows_all_that_the_tape_says_of_it() -> None:
    taken = e.StepTaken(fence=2, number=1, usage=USAGE)
    ended = e.TaskFinished(fence=2, success=True, output="ok", files=("out.txt",))

    row = row_of(*RUNNING, e.StepStarted(fence=2, number=1), taken, e.StepStarted(fence=2, number=2), taken, ended)

    assert row == TaskRow(
        id="t1",
        project="p",
        session="s",
        family="v1",
        instruction="Go to example.com.",
        llm="instructions",
        start_url="",
        limits=e.Limits(),
        options=e.Options(),
        output_schema="",
        metadata={"a": "1"},
        uploads=("in.txt",),
        created=11,
        created_at=1_000,
        version=8,
        position=18,
        phase=Phase.FINISHED,
        desired=Desired.RUN,
        hold=Hold.NONE,
        state=State.FINISHED,
        started_at=3_000,
        ended_at=8_000,
        runner="r1",
        attempt=1,
        steps=2,
        input_tokens=20,
        output_tokens=4,
        cost_usd=Decimal("0.02"),
        success=True,
        output="ok",
        files=("out.txt",),
    )


def test_a_failed_task_did_not_succeed_and_says_why() -> None:
    row = row_of(*RUNNING, e.TaskFailed(fence=2, code="no_target", message="There is no such button."))

    assert row is not None
    assert (State.FAILED, False, "no_target", "There is no such button.", 4_000) == (
        row.state,
        row.success,
        row.error_code,
        row.error_message,
        row.ended_at,
    )


@given(histories())
def test_the_row_has_the_registers_that_decisions_have(events: list[e.Event]) -> None:
    task = fold(events)

    row = row_of(*events)

    assert row is not None
    assert (task.taken, task.ended) == (row.steps, row.ended_at is not None)
    for name in ("version", "state", "phase", "desired", "hold", "runner", "attempt"):
        assert (name, getattr(task, name)) == (name, getattr(row, name))


def test_costs_add_up_exactly_and_what_is_no_number_is_left_out() -> None:
    costs = ("0.1", "0.2", None, "many", "NaN", "9E+999999", "9E+999999", "0.3")

    row = row_of(
        *RUNNING, *(e.StepTaken(fence=2, number=1, usage=e.Usage(model="m", cost_usd=cost)) for cost in costs[:5])
    )

    assert row is not None
    assert Decimal("0.3") == row.cost_usd


def test_steps_show_their_acts_with_results_and_errors() -> None:
    steps = steps_of(
        *RUNNING,
        e.StepStarted(fence=2, number=1),
        act(0, '{"click":{}}'),
        e.ActionEnded(fence=2, step=1, index=0, ok=True, result="clicked", url="b"),
        act(1, '{"wait":{}}'),
        e.ActionEnded(fence=2, step=1, index=1, ok=False, error="timeout"),
        e.StepTaken(
            fence=2,
            number=1,
            url="c",
            title="C",
            evaluation="e",
            memory="m",
            next_goal="n",
            screenshot="ab",
            usage=USAGE,
            duration_ms=7,
        ),
        e.StepStarted(fence=2, number=2),
    )

    assert [
        StepRow(
            number=1,
            started_at=4_000,
            ended_at=9_000,
            duration_ms=7,
            url="c",
            title="C",
            evaluation="e",
            memory="m",
            next_goal="n",
            actions=('{"click":{}}', '{"wait":{}}'),
            results=("clicked", ""),
            errors=("", "timeout"),
            screenshot="ab",
            usage=USAGE,
        )
    ] == steps


def test_an_open_step_shows_as_soon_as_an_act_has_begun() -> None:
    assert [] == steps_of(*RUNNING, e.StepStarted(fence=2, number=1))
    assert [
        StepRow(number=1, started_at=4_000, url="a", actions=("{}",), results=("",), errors=("",), acting=0)
    ] == steps_of(*RUNNING, e.StepStarted(fence=2, number=1), act(0))


def test_an_interrupted_step_names_the_cause_and_the_act_that_is_uncertain() -> None:
    interrupted = e.StepInterrupted(fence=2, number=1, cause="crash", uncertain=(0,))

    steps = steps_of(*RUNNING, e.StepStarted(fence=2, number=1), act(0), interrupted)

    assert [
        StepRow(
            number=1,
            started_at=4_000,
            ended_at=6_000,
            duration_ms=2,
            url="a",
            actions=("{}",),
            results=("",),
            errors=("",),
            acting=0,
            interrupted="crash",
        )
    ] == steps


def test_the_end_of_an_act_whose_beginning_is_redacted_does_not_end_another() -> None:
    redacted = e.Unknown(original="task.action_started")

    steps = steps_of(
        *RUNNING,
        e.StepStarted(fence=2, number=1),
        act(0),
        redacted,
        e.ActionEnded(fence=2, step=1, index=1, ok=True, result="other"),
    )

    assert [("",)] == [step.results for step in steps]


def test_a_task_whose_beginning_cannot_be_read_is_no_task() -> None:
    assert None is row_of(e.Unknown(original="task.created"), CLAIMED, STARTED)


_ANY_EVENT = st.one_of(*(st.from_type(kind) for kind in TYPES.values()), st.builds(e.Unknown, original=st.text()))


@given(st.lists(_ANY_EVENT, max_size=12))
def test_no_history_makes_a_fold_raise(events: list[e.Event]) -> None:
    row = row_of(CREATED, *events)
    steps_of(CREATED, *events)

    assert row is not None
    assert fold([CREATED, *events]).state == row.state
