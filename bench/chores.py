"""A chore on every build of TodoMVC by `instructions`, and each recording run again: solved, failed, wrongly claimed.

Run: `.venv/bin/python bench/chores.py [build ...]`; it wants npm's package `todomvc`, which `make test` installs.
What is claimed is compared with what the list showed at the end, as a witness in the page tells; one wrong claim and
it fails.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from noise import table
from service import served

from api.settings import Settings

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.todomvc import CHORE, DONE, LEFT, TodoSite, todo_site  # noqa: E402 - beside this folder, never installed

SECONDS = 120.0
"""For one task, which has its turn when those before it are done."""

SOLVED, FAILED, WRONG = "solved", "failed", "WRONG"


async def ended(http: aiohttp.ClientSession, task: str) -> dict[str, object]:
    """The task, once it has ended."""
    async with asyncio.timeout(SECONDS):
        while True:
            async with http.get(f"/api/v2/tasks/{task}/status", params={"wait": "20"}) as answer:
                status: dict[str, object] = await answer.json()
            if status["status"] in ("finished", "stopped"):
                return status


async def judged(http: aiohttp.ClientSession, site: TodoSite, build: str, task: str) -> tuple[str, str]:
    """What became of the task: a word, and what it said where it is not solved."""
    status = await ended(http, task)
    right = site.lists.get(build, ()) == DONE and status["output"] == LEFT
    if status["isSuccess"]:
        return (SOLVED, "") if right else (WRONG, f"{status['output']}; the list: {site.lists.get(build)}")
    return FAILED, str(status["output"])


async def chore(http: aiohttp.ClientSession, site: TodoSite, build: str) -> tuple[str, str, str, str]:
    """The build, the word for the task and for its rerun, and what was said."""
    body = {"task": CHORE.format(url=site.address(build)), "llm": "instructions"}
    async with http.post("/api/v2/tasks", json=body) as answer:
        task = str((await answer.json())["id"])
    word, said = await judged(http, site, build, task)
    if word != SOLVED:
        return build, word, "", said
    site.lists.pop(build)
    async with http.post(f"/api/tape/tasks/{task}/rerun", json={}) as answer:
        again = str((await answer.json())["id"])
    second, said = await judged(http, site, build, again)
    return build, word, second, said


async def main(names: Sequence[str]) -> int:
    """Every build, or those named; 1 where something was wrongly claimed."""
    settings = Settings(allow_private="loopback", max_concurrent=2, screenshots=False)
    async with todo_site() as site, served(settings) as (_, http):
        builds = list(names) or site.builds
        if not builds:
            print("npm's package todomvc is not there; `make test` installs it where there is npm.", file=sys.stderr)
            return 2
        turns = asyncio.Semaphore(2)

        async def one(build: str) -> tuple[str, str, str, str]:
            async with turns:
                row = await chore(http, site, build)
                print(*row, flush=True)
                return row

        rows = await asyncio.gather(*map(one, builds))
    words = [Counter(row[column] for row in rows if row[column]) for column in (1, 2)]
    table([("", SOLVED, FAILED, "wrongly claimed", "of")] + [
        (name, count[SOLVED], count[FAILED], count[WRONG], count.total())
        for name, count in zip(("by instructions", "run again"), words, strict=True)
    ])  # fmt: skip
    return int(any(count[WRONG] for count in words))


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
