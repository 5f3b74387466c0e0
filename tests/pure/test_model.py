"""The real decisions on a real store, against a small reference model, in thousands of interleavings.

`MODEL_RUNS` in the environment is how many; without it, as many as the continuous integration has time for.
"""

import os
from collections.abc import Coroutine
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from tests.machine import Everything, play
from tests.world import Both, Interleaved, Result, World

RUNS = int(os.environ.get("MODEL_RUNS", "10000"))
SETTINGS = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
MOVES = 24

Work = Coroutine[Any, Any, Any]


class InMemory(Everything):
    """Two at once take turns as the example says, from one wait to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.store = Interleaved(clock=lambda: 0)
        self.world = World(self.store, at_once)

    def together(self, order: int) -> Both:
        return lambda one, other: take_turns([one, other], order)

    def reopened(self) -> None:
        self.world.restart(self.store)


def at_once(work: Work) -> Any:
    """Run to its end on no loop at all: nothing in memory waits for anything."""
    while True:
        try:
            work.send(None)
        except StopIteration as stop:
            return stop.value


def take_turns(works: list[Work], order: int) -> tuple[Result, Result]:
    """Each goes on until it would wait; then the next bit says whose turn it is."""
    results: dict[int, Result] = {}
    left = [0, 1]
    while left:
        mine, order = left[order % len(left)], order >> 1
        try:
            works[mine].send(None)
        except StopIteration as stop:
            results[mine] = stop.value
            left.remove(mine)
    return results[0], results[1]


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
    run_state_machine_as_test(InMemory, settings=settings(SETTINGS, max_examples=RUNS // 20, stateful_step_count=25))
