"""How many kills the service survives, and how many acknowledged facts were checked: all of them must be kept.

    python bench/kills.py --kills 1000 --seed 1            # a stage stands for the browser: the service at its fastest
    python bench/kills.py --kills 50 --runner chromium     # all of it

Every life of the service is kept busy by clients and ended with SIGKILL: under load, at a failpoint in its writer, its
checkpoints, its blobs, its vault or its views, in its start, or in its orderly end. Exits with 1 for a broken promise.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.killing import midwife  # noqa: E402 - the tests are beside this folder, and never installed
from tests.trial import Trial, site  # noqa: E402

FRESH = 50
"""Kills of one data directory; then comes a new one, so that the tape stays as long as that of a day."""


async def main(kills: int, seed: int, *, chromium: bool) -> int:
    """Kill so often; print what came of it. Answers the exit code."""
    wrong: list[str] = []
    kinds: Counter[str] = Counter()
    kept, done, began = 0, 0, time.monotonic()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-")))
        forks = await stack.enter_async_context(midwife(folder / "log"))
        pages = await stack.enter_async_context(site()) if chromium else None
        while done < kills:
            directory = folder / str(done)
            directory.mkdir()
            trial = Trial(forks, directory, seed + done, pages)
            for _ in range(min(FRESH, kills - done)):
                await trial.kill()
                done += 1
            await trial.finish()
            wrong += trial.wrong
            kept += trial.kept
            kinds.update(trial.kills)
            print(f"{done} kills, {kept} facts kept, {len(trial.wrong)} wrong", flush=True)
        seconds = time.monotonic() - began
        for sentence in wrong[:50]:
            print(f"  {sentence}")
        logged = (folder / "log").read_text(errors="replace").strip()
        if logged:
            print(f"the services logged:\n{logged[-4000:]}")
    print(f"kills survived            {done}  ({', '.join(f'{kind} {count}' for kind, count in kinds.items())})")
    print(f"acknowledged facts kept   {kept}")
    print(f"promises broken           {len(wrong)}")
    print(f"seconds per kill          {seconds / max(done, 1):.2f}")
    print(f"open files at the end     {len(os.listdir('/proc/self/fd'))}")
    return 1 if wrong else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runner", choices=("script", "chromium"), default="script")
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.kills, asked.seed, chromium=asked.runner == "chromium")))
