"""How soon a killed service is back: 100 unfinished tasks on the tape, kill -9, and the time until it answers again.

    python bench/restart.py

Measured from the start of a new interpreter: to `ready` (the views have caught up, every lost task is in the queue
again, the port listens), and to the moment when the tape shows all 100 tasks claimed by the new runner. A stage stands
for the browser, and 100 tasks may run at once: so it is the service that is measured, and not a hundred pages.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from noise import spread, table  # noqa: E402 - what is beside this folder is never installed

from tests.killing import HEADERS, KEY, Life, midwife  # noqa: E402
from tests.promises import Copy  # noqa: E402
from tests.serving import Order  # noqa: E402

TASKS = 100
LIMIT = 60.0


def order(folder: Path, life: int) -> Order:
    """A service whose acts never end."""
    settings = {
        "data_dir": str(folder / "data"),
        "port": "0",
        "api_key": KEY,
        "log_level": "error",
        "rate_limit": "0",
        "max_concurrent": str(TASKS),
        "max_attempts": "1000",
    }
    return Order(mark=f"restart-{life}", settings=settings, effects=str(folder / "effects"), hangs=True)


async def claimed(copy: Copy, attempt: int) -> None:
    """Return when every task has begun that attempt."""
    async with asyncio.timeout(LIMIT):
        while True:
            if problems := await asyncio.to_thread(lambda: list(copy.read())):
                raise AssertionError(problems)
            if sum(1 for task in copy.tasks.values() if task.runner and task.attempt == attempt) == TASKS:
                return
            await asyncio.sleep(0.005)


async def fill(url: str) -> None:
    """Make the tasks."""
    async with aiohttp.ClientSession(url, headers=HEADERS) as http:
        for _ in range(TASKS):
            body = {"task": "Go to http://shop.test/. Extract the main heading."}
            async with http.post("/api/v2/tasks", json=body) as response:
                response.raise_for_status()


async def killed(life: Life) -> None:
    """End it as a power switch would."""
    life.kill(signal.SIGKILL)
    await life.ended()


async def main(restarts: int) -> None:
    """Restart so often and print the medians."""
    ready, all_claimed, head = [], [], 0
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as temporary:
        folder = Path(temporary)
        copy = Copy(folder / "data")
        async with midwife(folder / "log") as forks:
            life = await forks.bear(order(folder, 0))
            url = await life.ready()
            assert url is not None
            await fill(url)
            await claimed(copy, 1)
            await killed(life)
        for number in range(1, restarts + 1):
            began = time.perf_counter()
            async with midwife(folder / "log") as forks:
                life = await forks.bear(order(folder, number))
                if await life.ready() is None:
                    raise AssertionError((folder / "log").read_text())
                ready.append(time.perf_counter() - began)
                await claimed(copy, number + 1)
                all_claimed.append(time.perf_counter() - began)
                head = copy.position
                await killed(life)
    print(f"tasks {TASKS}, events on the tape at the end {head}, restarts {restarts}")
    rows: list[tuple[object, ...]] = [("from the start of the process", "median", "worst", "noise")]
    for name, values in (("to ready", ready), ("to all claimed again", all_claimed)):
        rows.append((name, f"{statistics.median(values):.2f} s", f"{max(values):.2f} s", spread(values)))
    table(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--restarts", type=int, default=7)
    asyncio.run(main(parser.parse_args().restarts))
