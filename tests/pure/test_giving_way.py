"""Whatever a runner was doing, a stop ends its task and its loss frees it; and the tables have every fact of that."""

from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore import decide
from eventstore import events as e
from eventstore.machine import Phase, check
from eventstore.task import Task, evolve, fold
from tests.histories import MOVES, act, claim, history, park, start, step

BEGINNINGS = (
    [claim],
    [claim, start, step],
    [claim, start, step, act],
    [claim, start, step, act, decide.pause, park],
    [claim, start, step, decide.pause, park, decide.resume],
)


def held() -> st.SearchStrategy[Task]:
    """Tasks that somebody runs, in the middle of something."""
    beginnings, moves = st.sampled_from(BEGINNINGS), st.lists(st.sampled_from(MOVES), max_size=30)
    tasks = st.builds(lambda begun, more: fold(history([*begun, *more])), beginnings, moves)
    return tasks.filter(lambda task: bool(task.runner) and not task.ended)


@given(held())
@settings(max_examples=300, deadline=None)
def test_a_stop_takes_effect_whatever_the_runner_was_doing(task: Task) -> None:
    stopping = fold(decide.stop(task), task)

    stopped = fold(decide.stopped(stopping, fence=task.fence), stopping)

    assert (Phase.STOPPED, False) == (stopped.phase, stopped.step_open)


@given(held())
@settings(max_examples=300, deadline=None)
def test_the_loss_of_a_runner_frees_its_task_by_facts_that_the_tables_have(task: Task) -> None:
    for fact in decide.lose(task, runner=task.runner):
        check(task.phase, task.desired, type(fact))
        task = evolve(task, fact)

    assert ("", False) == (task.runner, task.step_open)
    given_up = {Phase.FAILED} if task.lost >= decide.MAX_ATTEMPTS else {Phase.QUEUED}
    assert task.phase in given_up | {Phase.PAUSED, Phase.STOPPED}


def test_a_step_in_which_a_task_was_parked_is_interrupted_by_a_stop() -> None:
    paused = fold(history([claim, start, step, decide.pause, park]))
    stopping = fold(decide.stop(paused), paused)

    events = decide.stopped(stopping, fence=2)

    assert [
        e.StepInterrupted(fence=2, number=1, cause="stop"),
        e.TaskStopped(fence=2, step=1, answers=7),
    ] == events


def test_what_a_page_was_refused_while_it_is_brought_back_is_a_fact() -> None:
    claimed = fold(history([claim]))
    blocked = e.NavigationBlocked(fence=2, url="https://elsewhere.example/", reason="not among the allowed domains")

    assert [blocked] == decide.record(claimed, blocked)
