"""Whether the service stays as it is over many short tasks: memory, open files, threads, zombies, and data on the disk.

python bench/soak.py [--tasks 1000]      about 20 minutes for a thousand; the first quarter warms up and is not judged

The service is a process of its own, as the command line starts it, with a real Chromium and a local page; every task
opens the page, fills in a field and presses a button. Memory is PSS, so that shared pages count once.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import linear_regression, median

import aiohttp
import msgspec
import uvloop
from aiohttp import web
from noise import table

from api.demo.child import Ready, descendants, service

AT_ONCE = 8
SAMPLES = 40
TASK_SECONDS = 120.0
PROC = Path("/proc")

SERVICE_KIB = 40.0
"""What the service's own memory may grow by a task, in KiB: rows of ended tasks, of which it keeps 20,000."""

BROWSER = 1.25
"""How many times the memory of driver and Chromium may be at the end of what it was after the warm-up."""

FILES, THREADS = 16, 8
"""How many more open files and threads there may be at the end."""

PAGE = """<!doctype html><title>A form</title><h1>A form</h1><form onsubmit="out.textContent = 'Thanks'; return false">
<label>Name <input name=name></label> <button>Send</button> <output id=out></output></form>"""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """How things stood after so many tasks; memory and data in KiB."""

    tasks: int
    service: float
    driver: float
    browser: float
    files: int
    threads: int
    processes: int
    zombies: int
    tape: float
    log: float
    data: float


def sampled(pid: int, tasks: int, data: Path) -> Sample:
    """The service's process and all below it, and its data directory."""
    memory = {"service": 0.0, "driver": 0.0, "browser": 0.0}
    files = threads = zombies = 0
    family = descendants(pid)
    for each in family:
        place = PROC / str(each)
        try:
            words = (place / "status").read_text()
            name = (place / "comm").read_text().strip()
            if "State:\tZ" in words:
                zombies += 1
                continue
            pss = _field((place / "smaps_rollup").read_text(), "Pss:")
            open_ = len(list((place / "fd").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        who = "service" if each == pid else "driver" if name.startswith(("node", "MainThread")) else "browser"
        memory[who] += pss
        if who != "browser":
            files += open_
            threads += _field(words, "Threads:")
    tape = data / "tape.db"
    return Sample(
        tasks=tasks,
        **memory,
        files=files,
        threads=threads,
        processes=len(family),
        zombies=zombies,
        tape=tape.stat().st_size / 1024,
        log=tape.with_name("tape.db-wal").stat().st_size / 1024,
        data=sum(each.stat().st_size for each in data.rglob("*") if each.is_file()) / 1024,
    )


def _field(text: str, name: str) -> int:
    for line in text.splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise LookupError(name)


async def one(http: aiohttp.ClientSession, page: str) -> None:
    """A task from its creation to its end, which must be a good one."""
    sentence = f'Go to {page}. Type "Ada" into "Name". Click "Send".'
    async with http.post("/api/v2/tasks", json={"task": sentence}) as created:
        assert created.status in (200, 201, 202), await created.text()
        task_id = (await created.json())["id"]
    last = ""
    async with http.get(f"/api/tape/tasks/{task_id}/events", headers={"Accept": "text/event-stream"}) as told:
        async for line in told.content:
            last = line.decode().strip() if line.startswith(b"event: ") else last
    assert last == "event: task.finished", f"the task {task_id} ended with {last}"


async def soak(ready: Ready, pid: int, page: str, tasks: int) -> list[Sample]:
    """A sample after every so many tasks."""
    samples: list[Sample] = []
    done = 0
    numbers = iter(range(tasks))
    headers = {"Authorization": f"Bearer {ready.api_key}"}
    async with aiohttp.ClientSession(ready.url, headers=headers) as http:

        async def work(numbers: Iterator[int]) -> None:
            nonlocal done
            for _ in numbers:
                async with asyncio.timeout(TASK_SECONDS):
                    await one(http, page)
                done += 1
                if done % max(1, tasks // SAMPLES) == 0:
                    samples.append(sampled(pid, done, Path(ready.data)))

        await asyncio.gather(*(work(numbers) for _ in range(AT_ONCE)))
    return samples


def report(samples: Sequence[Sample], seconds: float) -> list[str]:
    """Print start, end and slope of each figure; answers what has grown too far."""
    warm = samples[len(samples) // 4 :]
    third = max(1, len(warm) // 3)

    def both(figure: Callable[[Sample], float]) -> tuple[float, float, float]:
        values = [figure(each) for each in warm]
        slope = linear_regression([each.tasks for each in warm], values).slope
        return median(values[:third]), median(values[-third:]), slope

    rows: list[tuple[str, str, str, str]] = [("figure", "after the warm-up", "at the end", "a task")]
    for name in ("service", "driver", "browser", "tape", "log", "data"):
        start, end, slope = both(lambda each, name=name: getattr(each, name))  # type: ignore[misc]  # bound at once
        rows.append((f"{name}, MiB", f"{start / 1024:.1f}", f"{end / 1024:.1f}", f"{slope:+.1f} KiB"))
    for name in ("files", "threads", "processes", "zombies"):
        start, end, slope = both(lambda each, name=name: getattr(each, name))  # type: ignore[misc]  # as above
        rows.append((name, f"{start:g}", f"{end:g}", f"{slope:+.3f}"))
    print(f"{samples[-1].tasks} tasks in {seconds:.0f} s, by thirds of the samples after the first quarter\n")
    table(rows)
    service, files, threads = (
        both(lambda each: each.service),
        both(lambda each: each.files),
        both(lambda each: each.threads),
    )
    browser = both(lambda each: each.driver + each.browser)
    found = {
        f"the service grows by {service[2]:.0f} KiB a task": service[2] > SERVICE_KIB,
        f"driver and browser grew {browser[1] / browser[0]:.2f} times": browser[1] > BROWSER * browser[0],
        f"{files[1] - files[0]:g} more open files": files[1] - files[0] > FILES,
        f"{threads[1] - threads[0]:g} more threads": threads[1] - threads[0] > THREADS,
        f"{samples[-1].zombies} zombies": samples[-1].zombies > 0,
    }
    return [sentence for sentence, grown in found.items() if grown]


async def main(tasks: int) -> list[str]:
    async def form(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", form)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix=".bench-") as folder:
            async with service(Path(folder) / "data", Path(folder) / "log") as child:
                begun = time.perf_counter()
                page = f"http://127.0.0.1:{runner.addresses[0][1]}/"
                samples = await soak(child.ready, child.pid, page, tasks)
                grown = report(samples, time.perf_counter() - begun)
            if child.left:
                grown.append(f"{len(child.left)} processes outlived the service")
    finally:
        await runner.cleanup()
    return grown


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Many short tasks, and what grows meanwhile.")
    asked.add_argument("--tasks", type=int, default=1_000)
    if grown := uvloop.run(main(asked.parse_args().tasks)):
        raise SystemExit("GROWN: " + "; ".join(grown))
    print("\nflat")
