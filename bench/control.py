"""Pause and stop over HTTP while tasks run in real browsers and every model call is slow: how soon the answer is true.

Reach: p50 under 100 ms, p99 under 300 ms, and nothing acts afterwards.
Usage: `python bench/control.py [tasks] [rounds]`.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from statistics import median, quantiles

import aiohttp
import uvloop
from noise import spread, table
from service import served

from api.settings import Settings
from eventstore import events as e
from eventstore.store import EventStore
from runner.model import Done, Observation, PastStep, Reply
from runner.vocabulary import AnyAction, Scroll

MODEL_SECONDS = 30.0
LIMIT = 60.0


class Slow:
    """Two quick acts, then a call that takes far longer than anybody wants to wait; and so on."""

    needs_tree, needs_picture = True, False

    def ended(self, past: Sequence[PastStep]) -> Done | None:
        return None

    async def next(self, observation: Observation, past: Sequence[PastStep]) -> Reply:
        if len(past) >= 2:
            await asyncio.sleep(MODEL_SECONDS)
        return Reply(actions=(Scroll(direction="down"),), next_goal="look around")

    def recall(self, step: int) -> Sequence[AnyAction]:
        return ()


async def in_call(store: EventStore, task_id: str, step: int = 3) -> None:
    """Return when the task's model has been asked for that step."""
    async with asyncio.timeout(LIMIT):
        while True:
            head = store.head
            events = [recorded.event for recorded in await store.read_stream(f"task-{task_id}")]
            if any(isinstance(event, e.StepStarted) and event.number >= step for event in events):
                return
            await store.wait(head)


async def put(http: aiohttp.ClientSession, verb: str, task_id: str) -> float:
    """Milliseconds until the answer, which must be true."""
    began = time.perf_counter()
    async with http.put(f"/api/v1/{verb}-task", params={"task_id": task_id}) as response:
        assert response.status == 200, await response.text()
    took = (time.perf_counter() - began) * 1000
    async with http.get(f"/api/v1/task/{task_id}/status") as response:
        word = await response.json()
    assert word == {"pause": "paused", "resume": "running", "stop": "stopped"}[verb], (verb, word)
    return took


async def act_after(store: EventStore, task_id: str) -> int:
    """How many acts or steps began between a pause and its resume, or after the end."""
    quiet, broken = False, 0
    for recorded in await store.read_stream(f"task-{task_id}"):
        match recorded.event:
            case e.TaskPaused() | e.TaskStopped():
                quiet = True
            case e.TaskResumed():
                quiet = False
            case e.StepStarted() | e.ActionStarted() | e.ActionEnded() if quiet:
                broken += 1
    return broken


async def round_of(http: aiohttp.ClientSession, store: EventStore, tasks: int) -> tuple[list[float], list[float], int]:
    """Pause all at once, resume, then stop all at once, while all of them wait for their models."""
    ids = []
    for _ in range(tasks):
        async with http.post("/api/v1/run-task", json={"task": "Look around."}) as response:
            ids.append((await response.json())["id"])
    await asyncio.gather(*(in_call(store, task_id) for task_id in ids))
    pauses = [await put(http, "pause", task_id) for task_id in ids]
    for task_id in ids:
        await put(http, "resume", task_id)
    stops = [await put(http, "stop", task_id) for task_id in ids]
    return pauses, stops, sum([await act_after(store, task_id) for task_id in ids])


async def main(tasks: int, rounds: int) -> None:
    async with served(Settings(max_concurrent=tasks), models=lambda assignment: Slow()) as (store, http):
        runs = [await round_of(http, store, tasks) for _ in range(rounds)]
    rows: list[tuple[object, ...]] = [("answer to", "p50 ms", "p99 ms", "reach p50", "reach p99", "noise of p50")]
    for name, answers in (("pause", [run[0] for run in runs]), ("stop", [run[1] for run in runs])):
        every = [value for values in answers for value in values]
        p99 = quantiles(every, n=100, method="inclusive")[98]
        noise = spread([median(values) for values in answers])
        rows.append((name, f"{median(every):.1f}", f"{p99:.1f}", "100", "300", noise))
    print(f"{tasks} tasks in real browsers, {rounds} rounds, a model call of {MODEL_SECONDS:.0f} s in flight in each")
    table(rows)
    print(f"acts after a pause or a stop: {sum(run[2] for run in runs)} (reach 0)")


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    uvloop.run(main(*(given + [20, 5][len(given) :])))
