"""Random histories of a task that could have happened: intentions and facts, each as the decisions allow it."""

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from eventstore import decide
from eventstore import events as e
from eventstore.errors import Refused
from eventstore.task import Task, fold

Move = Callable[[Task], list[e.Event]]

CREATED = e.TaskCreated(
    instruction="Go to example.com.",
    llm="instructions",
    session="s",
    project="p",
    family="v1",
    request_digest="d",
    metadata={"a": "1"},
    files=("in.txt",),
)
USAGE = e.Usage(model="m", input_tokens=10, output_tokens=2, cost_usd="0.01")


def start(task: Task) -> list[e.Event]:
    return decide.record(task, e.TaskStarted(fence=task.fence, browser="b", viewport_width=9, viewport_height=9))


def step(task: Task) -> list[e.Event]:
    return decide.record(task, e.StepStarted(fence=task.fence, number=task.step + 1))


def act(task: Task) -> list[e.Event]:
    params = f'{{"click":{{"count":{task.version}}}}}'
    return decide.record(
        task,
        e.ActionStarted(fence=task.fence, step=task.step, index=0, name="click", params=params, effect="lasting"),
    )


def acted(task: Task) -> list[e.Event]:
    ok = task.version % 2 == 0
    return decide.record(
        task, e.ActionEnded(fence=task.fence, step=task.step, index=0, ok=ok, error="" if ok else "timeout", url="u")
    )


def take(task: Task) -> list[e.Event]:
    return decide.record(
        task, e.StepTaken(fence=task.fence, number=task.step, title="t", screenshot="ab", usage=USAGE, duration_ms=5)
    )


def finish(task: Task) -> list[e.Event]:
    return decide.record(task, e.TaskFinished(fence=task.fence, success=True, output="ok", files=("out.txt",)))


def fail(task: Task) -> list[e.Event]:
    return decide.record(task, e.TaskFailed(fence=task.fence, code="no_target", message="There is no such button."))


def claim(task: Task) -> list[e.Event]:
    return decide.claim(task, runner=f"r{task.version}")


def park(task: Task) -> list[e.Event]:
    return decide.park(task, fence=task.fence)


def ask(task: Task) -> list[e.Event]:
    request = f"q{len(task.asked) + 1}"
    question = e.InputRequested(
        fence=task.fence, step=task.step, request=request, kind="code", prompt="Which code?", seconds=60.0
    )
    return decide.ask(task, question)


def act_by_hand(task: Task) -> list[e.Event]:
    return decide.human_acted(task, e.HumanActed(fence=task.fence, name="click", params='{"x":1,"y":2}', url="u"))


def spend(task: Task) -> list[e.Event]:
    return decide.record(task, e.CostRecorded(fence=task.fence, step=task.step, purpose="step", usage=USAGE))


def judge(task: Task) -> list[e.Event]:
    report = '{"reasoning":"r","reached_captcha":true}'
    return decide.record(task, e.JudgementRecorded(fence=task.fence, model="m", verdict=False, report=report))


def exhaust(task: Task) -> list[e.Event]:
    return decide.exhaust(task, fence=task.fence, limit="max_tokens")


# What happens often in a task's life stands here more than once, so that histories become long.
MOVES: Sequence[Move] = (
    *[claim, start, step, act, acted, take] * 4,
    *[decide.pause, decide.resume, park] * 2,
    *[lambda task: decide.unpark(task, fence=task.fence), lambda task: decide.lose(task, runner=task.runner)] * 2,
    *[ask, decide.take_control, act_by_hand, decide.return_control],
    *[spend, judge, exhaust],
    lambda task: decide.provide(task, request=task.asking),
    lambda task: decide.expire(task, request=task.asking),
    lambda task: decide.interrupt(task, fence=task.fence, cause="pause"),
    lambda task: decide.record(task, e.NavigationBlocked(fence=task.fence, url="u", reason="r")),
    lambda task: decide.stopped(task, fence=task.fence),
    decide.stop,
    finish,
    fail,
)


def history(moves: Sequence[Move]) -> list[e.Event]:
    """A task is created, then each move happens if it may."""
    events: list[e.Event] = [CREATED]
    for move in moves:
        try:
            events += move(fold(events))
        except Refused:
            continue
    return events


def histories() -> st.SearchStrategy[list[e.Event]]:
    """Valid histories of one task."""
    return st.lists(st.sampled_from(MOVES), max_size=60).map(history)
