"""The real decisions on a real store, against a small reference model, in thousands of interleavings.

`MODEL_RUNS` in the environment is how many; without it, as many as the continuous integration has time for.
"""

import os
from collections.abc import Coroutine
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from tests.machine import ASKED, Everything, play
from tests.world import Interleaved, Result, Together, World

RUNS = int(os.environ.get("MODEL_RUNS", "10000"))
SETTINGS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
MOVES = 20

Work = Coroutine[Any, Any, Any]
ENDS = {"task.finished", "task.failed", "task.stopped"}


class InMemory(Everything):
    """Two at once take turns as the example says, from one wait to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Interleaved(clock=lambda: 0)
        self.world = World(self.store, at_once)

    def together(self, order: int) -> Together:
        return lambda works: take_turns(works, order)

    def reopened(self) -> None:
        self.world.restart(self.store)


def at_once(work: Work) -> Any:
    """Run to its end on no loop at all: nothing in memory waits for anything."""
    while True:
        try:
            work.send(None)
        except StopIteration as stop:
            return stop.value


def take_turns(works: list[Work], order: int) -> list[Result]:
    """Each goes on until it would wait; then the rest of `order` says whose turn it is."""
    results: dict[int, Result] = {}
    left = list(range(len(works)))
    while left:
        order, turn = divmod(order, len(left))
        mine = left[turn]
        try:
            works[mine].send(None)
        except StopIteration as stop:
            results[mine] = stop.value
            left.remove(mine)
    return [results[number] for number in range(len(works))]


def test_whatever_happens_in_whatever_order_the_tape_is_as_the_model_says() -> None:
    runs = 0

    @settings(SETTINGS, max_examples=RUNS)
    @given(st.binary(min_size=3 * MOVES // 2, max_size=3 * MOVES))
    def one_run(program: bytes) -> None:
        nonlocal runs
        runs += 1
        play(InMemory(), program)

    one_run()

    print(f"{runs} interleavings")
    assert runs >= RUNS


def test_the_same_holds_move_by_move() -> None:
    run_state_machine_as_test(InMemory, settings=settings(SETTINGS, max_examples=RUNS // 40, stateful_step_count=25))


@settings(SETTINGS, max_examples=RUNS // 20)
@given(order=st.integers(0, 2**16 - 1), steps=st.integers(1, 9), end=st.sampled_from(["finished", "failed"]))
def test_of_a_stop_and_an_end_at_the_same_time_exactly_one_ends_the_task(order: int, steps: int, end: str) -> None:
    machine = InMemory()
    machine.begin()
    machine.claim("r1", 0)
    machine.work_on(steps, 0)
    world = machine.world

    world.at_once(machine.together(order), world.ask("stop"), world.work(end), world.effect("stopped", "r1"))
    machine.take_effect("stopped", 1)
    for late in ("stopped", "finished", "failed"):
        machine.come_late(late, 0, 1)

    tape = [recorded.type for recorded in at_once(machine.store.read())]
    assert 1 == sum(kind in ENDS for kind in tape)


@settings(SETTINGS, max_examples=RUNS // 20)
@given(
    order=st.integers(0, 2**20 - 1),
    steps=st.integers(0, 3),
    before=st.lists(st.sampled_from([*ASKED, "park"]), max_size=4),
    three=st.permutations(ASKED),
)
def test_a_pause_a_resume_and_a_stop_at_the_same_time_are_as_if_one_after_the_other(
    order: int, steps: int, before: list[str], three: list[str]
) -> None:
    machine = InMemory()
    machine.begin()
    if steps:
        machine.claim("r1", 0)
        machine.work_on(steps, 0)
    for name in before:
        if name in ASKED:
            machine.ask(name, 1)
        elif machine.working:
            machine.take_effect(name, 0)

    machine.world.at_once(machine.together(order), *(machine.world.ask(name) for name in three))
    for runner in ("r1", "r2"):
        machine.lose_anyone(runner, 1)
