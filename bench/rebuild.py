"""How fast the views are built again from the tape, against only reading it; and whether memory stays flat meanwhile.

python bench/rebuild.py [events]      a million by default: about 25,000 tasks of 40 events, 64 of them at a time
"""

import asyncio
import random
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median

import uvloop
from noise import spread, table

from eventstore import events as e
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore
from projections.projector import open_projector

AT_A_TIME = 64
STEPS = 8
ROUNDS = 3
TARGET = 0.25

Seconds = tuple[float, float]


def life(number: int, chance: random.Random) -> Iterator[list[e.Event]]:
    """One task of 40 events, as the bursts in which a runner writes them."""
    created = e.TaskCreated(
        instruction=f"Go to https://shop.example/{number}, search for a lamp under 40 euros and put it in the basket.",
        llm="instructions",
        session=f"s{number}",
        project="default",
        family="v2",
        request_digest=chance.randbytes(32).hex(),
        metadata={"order": str(number)},
    )
    yield [created]
    yield [
        e.TaskClaimed(runner="runner-1", attempt=1),
        e.TaskStarted(fence=2, browser="Chromium 140.0", viewport_width=1280, viewport_height=960),
    ]
    for step in range(1, STEPS + 1):
        yield list(one_step(step, chance))
    yield [e.PauseRequested(), e.TaskPaused(fence=2, step=STEPS, answers=36)]
    yield [e.ResumeRequested(), e.TaskResumed(fence=2, step=STEPS, answers=38)]
    yield [e.TaskFinished(fence=2, success=True, output="The lamp is in the basket.")]


def one_step(step: int, chance: random.Random) -> Iterator[e.Event]:
    yield e.StepStarted(fence=2, number=step)
    name = f"Add to basket {step}"
    yield e.ActionStarted(
        fence=2,
        step=step,
        index=0,
        name="click",
        params=f'{{"click":{{"target":{{"text":"{name}","kind":"button","row":"Lamp"}}}}}}',
        effect="lasting",
        url=f"https://shop.example/search?page={step}",
        target=e.Target(
            selector=f'internal:role=button[name="{name}"i]', role="button", name=name, box=(9, 9, 120, 32)
        ),
    )
    yield e.ActionEnded(fence=2, step=step, index=0, ok=True, url=f"https://shop.example/item/{step}", duration_ms=230)
    yield e.StepTaken(
        fence=2,
        number=step,
        url=f"https://shop.example/item/{step}",
        title="Lamps and lights - The Shop",
        evaluation="The last step worked: the list of lamps is shown.",
        memory=f"Looked at {step} lamps so far; the cheapest costs 34 euros.",
        next_goal="Look at the next lamp and compare its price.",
        screenshot=chance.randbytes(32).hex(),
        usage=e.Usage(model="gpt-4.1", input_tokens=3_200, output_tokens=180, cost_usd="0.0078"),
        duration_ms=2_100,
    )


async def write(store: EventStore, events: int) -> None:
    """Fill the tape; as many tasks at a time as a busy service has."""
    chance = random.Random(7)  # noqa: S311  # the same tape every time

    async def work(numbers: Iterator[int]) -> None:
        for number in numbers:
            version = 0
            for burst in life(number, chance):
                await store.append(f"task-{number:036d}", version, burst, actor="bench")
                version += len(burst)

    numbers = iter(range(events // 40))
    await asyncio.gather(*(work(numbers) for _ in range(AT_A_TIME)))


async def pages(store: EventStore) -> AsyncIterator[int]:
    """Only reading: every page of the tape, decoded."""
    position = 0
    while page := await store.read(position):
        position = page[-1].position
        yield position


class Clock:
    """Seconds since it was made: of the day, and of this process's use of the processor."""

    def __init__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    def read(self) -> Seconds:
        return time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]


async def reading(store: EventStore) -> Seconds:
    """Seconds for the whole tape."""
    clock = Clock()
    async for _ in pages(store):
        pass
    return clock.read()


async def rebuilding(store: EventStore, memory: list[list[object]]) -> Seconds:
    """Seconds for the whole tape, into a new views file; the first round also notes the memory after each quarter."""
    quarters = iter((1, 2, 3, 4)) if len(memory) == 1 else iter(())
    mark = next(quarters, None)
    with tempfile.TemporaryDirectory() as folder:
        clock = Clock()
        async with open_projector(store, Path(folder)) as projector:
            while await projector.advance():
                if mark and projector.position >= store.head * mark // 4:
                    memory.append([f"{mark * 25} %", f"{resident() >> 20} MiB"])
                    mark = next(quarters, None)
            await projector.flush()
            seconds = clock.read()
            assert (store.head // 40, 0, 0) == (projector.tasks.counts.total(), projector.skipped, projector.poisoned)
    return seconds


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def main(events: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_sqlite(Path(folder) / "tape.db", durability="normal") as store:
            begun = time.perf_counter()
            await write(store, events)
            print(f"{store.head:,} events written in {time.perf_counter() - begun:.0f} s")
            memory: list[list[object]] = [["of the tape", "resident"]]
            reads, rebuilds = [], []
            for _ in range(ROUNDS):
                reads.append(await reading(store))
                rebuilds.append(await rebuilding(store, memory))
            report(store.head, reads, rebuilds, memory)


def report(events: int, reads: list[Seconds], rebuilds: list[Seconds], memory: list[list[object]]) -> None:
    lines: list[list[object]] = [["events/s, median", "reading alone", "noise", "rebuilding", "noise", "ratio"]]
    for which, name in enumerate(("by the clock", "by processor time")):
        read, built = ([events / seconds[which] for seconds in each] for each in (reads, rebuilds))
        ratio = median(built) / median(read)
        lines.append(
            [name, f"{median(read):,.0f}", spread(read), f"{median(built):,.0f}", spread(built), f"{ratio:.2f}"]
        )
    table(lines)
    print(f"the ratio must be at least {TARGET}")
    table(memory)


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
