"""Whether a model goes round in circles."""

import pytest

from runner.llm.loops import SAME_MOST, STILL_MOST, failing, nudge
from runner.model import PastAct, PastStep
from runner.vocabulary import ActFailed


def step(params: str = "click 1", *, saw: str = "page", name: str = "click", ok: bool = True) -> PastStep:
    return PastStep(number=1, acts=(PastAct(name=name, params=params, ok=ok, effect="lasting"),), saw=saw)


def test_the_same_acts_on_the_same_page_are_told_and_then_end_the_task() -> None:
    assert "" == nudge([step()] * 2)
    assert "You have done the same 3 times in a row and the page is as it was. Do something else." == nudge(
        [step()] * 3
    )
    with pytest.raises(ActFailed) as ended:
        nudge([step()] * SAME_MOST)
    assert ("loop", "The same acts were done 6 times in a row, and the page stayed as it was.") == (
        ended.value.code,
        str(ended.value),
    )


def test_the_same_acts_on_a_page_that_changes_are_told_and_never_end_the_task() -> None:
    past = [step(saw=str(number)) for number in range(100)]

    assert "" == nudge(past[:4])
    assert nudge(past).startswith("You have done the same 100 times in a row.")


def test_a_page_that_stays_as_it_was_whatever_is_done_is_told_and_then_ends_the_task() -> None:
    past = [step(f"click {number}") for number in range(STILL_MOST)]

    assert "" == nudge(past[:5])
    assert nudge(past[:6]).startswith("The page is as it was 6 steps ago.")
    with pytest.raises(ActFailed, match="stayed as it was over 12 steps"):
        nudge(past)


@pytest.mark.parametrize("name", ["write_file", "extract", "ask"])
def test_what_needs_no_change_of_the_page_is_no_standstill(name: str) -> None:
    assert "" == nudge([step(f"write {number}", name=name) for number in range(50)])


def test_older_tapes_that_do_not_say_what_was_seen_end_no_task() -> None:
    assert nudge([step(saw="")] * 50).startswith("You have done the same 50 times in a row.")


def test_steps_that_failed_are_counted_from_the_last_one_back() -> None:
    assert 2 == failing([step(ok=False), step(), step(ok=False), step(ok=False)])
    assert 0 == failing([step(ok=False), step()])
