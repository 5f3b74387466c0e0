"""The table is whole, and the documented diagram is drawn from it."""

from pathlib import Path

from eventstore import events as e
from eventstore.diagram import state_diagram
from eventstore.machine import DESIRES, ENDED, INTENTIONS, PHASES, SEEN, Desired, Hold, Phase, State, seen, wish

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_every_phase_has_a_row_and_every_row_leads_to_a_phase() -> None:
    assert set(Phase) == set(PHASES)
    assert {after for row in PHASES.values() for after in row.values()} <= set(Phase)


def test_what_has_ended_has_an_empty_row() -> None:
    assert {phase for phase, row in PHASES.items() if not row and phase is not Phase.ABSENT} == ENDED


def test_requests_move_no_phase_and_facts_no_wish() -> None:
    facts = {event for row in PHASES.values() for event in row}

    assert set() == facts & set(DESIRES)


def test_every_phase_and_wish_is_seen_as_something() -> None:
    assert {(phase, desired) for phase in Phase for desired in Desired} == {
        (phase, desired) for phase, row in SEEN.items() for desired in row
    }


def test_every_intention_meets_an_answer_in_every_state() -> None:
    assert dict.fromkeys(INTENTIONS, set(State) - {State.ABSENT}) == {
        request: set(answers) for request, answers in INTENTIONS.items()
    }


def test_a_stop_is_not_taken_back() -> None:
    wishes = {wish(Phase.RUNNING, Desired.STOP, event) for event in (e.ResumeRequested, e.PauseRequested)}

    assert {Desired.STOP} == wishes


def test_a_task_that_parked_itself_is_seen_as_paused() -> None:
    assert State.PAUSED is seen(Phase.PAUSED, Desired.RUN, Hold.BUDGET)


def test_the_diagram_draws_the_table() -> None:
    assert state_diagram() in PAGE.read_text("utf-8")
