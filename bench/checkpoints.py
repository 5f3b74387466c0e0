"""Whether moving the write-ahead log into the file holds up appends: their times with checkpoints and without.

python bench/checkpoints.py [rounds]      five by default; about half a minute

Windows with and without take turns, each on a new tape, on the disk that the repository lies on.
"""

import asyncio
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import uvloop
from appends import AT_ONCE, EVENT
from noise import spread, table

from eventstore.checkpoints import FRAMES
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore

ROUNDS = 5
SECONDS = 2.5
NEVER = 10**9
_RESTARTS = slice(12, 16)


async def window(folder: Path, frames: int) -> tuple[list[float], int, int]:
    """The seconds of every append, how often the log began anew, and its length in bytes."""
    path = folder / "tape.db"
    async with open_sqlite(path, checkpoint_frames=frames) as store:
        took = await appending(store)
        log = path.with_name("tape.db-wal")
        with log.open("rb") as file:
            restarts = int.from_bytes(file.read(32)[_RESTARTS], "big") - 1  # the first log has number 1
        return took, restarts, log.stat().st_size


async def appending(store: EventStore) -> list[float]:
    """AT_ONCE appenders, each on a stream of its own."""
    took: list[float] = []
    end = time.perf_counter() + SECONDS

    async def one(stream: str) -> None:
        for version in count():
            begun = time.perf_counter()
            if begun > end:
                return
            await store.append(stream, version, (EVENT,), actor="runner:1")
            took.append(time.perf_counter() - begun)

    await asyncio.gather(*(one(f"task-{number:036d}") for number in range(AT_ONCE)))
    return took


def main(rounds: int) -> None:
    rows: list[tuple[str, ...]] = [("median of the windows", "p50", "p99", "p99.9", "max", "noise of max", "log", "")]
    longest: dict[str, list[float]] = {}
    windows: dict[str, list[tuple[list[float], int, int]]] = {"without": [], "with": []}
    for _ in range(rounds):
        for name, frames in (("without", NEVER), ("with", FRAMES)):
            with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix=".bench-") as folder:
                windows[name].append(uvloop.run(window(Path(folder), frames)))
    for name, each in windows.items():
        longest[name] = [max(took) for took, _, _ in each]
        cuts = [quantiles(took, n=1_000) for took, _, _ in each]
        rows.append(
            (
                f"{name} checkpoints",
                *(f"{median(cut[at] for cut in cuts) * 1_000:.1f} ms" for at in (499, 989, 998)),
                f"{median(longest[name]) * 1_000:.1f} ms",
                spread(longest[name]),
                f"{max(size for _, _, size in each) >> 20} MiB",
                f"{median(len(took) for took, _, _ in each) / SECONDS:,.0f} a second, "
                f"{median(restarts for _, restarts, _ in each):g} checkpoints",
            )
        )
    batch = median(median(took) for took, _, _ in windows["with"])
    table(rows)
    stall = median(longest["with"]) - median(longest["without"])
    print(f"\nlongest with, less longest without: {stall * 1_000:.1f} ms; a batch takes {batch * 1_000:.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
