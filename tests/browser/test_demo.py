"""The demonstration keeps its promises, and leaves nothing behind."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from pathlib import Path

import pytest

from api.demo.child import descendants

LIMIT = 240.0


async def begin(place: Path) -> Process:
    environ = {**os.environ, "TMPDIR": str(place), "NO_COLOR": "1"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "api", "demo", env=environ, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )


async def said(process: Process) -> list[str]:
    """All the lines that it says until it ends, without their indentation."""
    async with asyncio.timeout(LIMIT):
        out, _ = await process.communicate()
    return [line.strip() for line in out.decode().splitlines()]


def folders(place: Path) -> list[str]:
    """What the demonstration made there and did not remove; the browser's own are not its business."""
    return [name for name in os.listdir(place) if name.startswith("tapewright-")]


async def test_it_does_what_it_promises_and_leaves_no_folder(tmp_path: Path) -> None:
    process = await begin(tmp_path)

    lines = await said(process)

    assert (0, [], True) == (process.returncode, folders(tmp_path), lines[-1].startswith("All as")), lines


@pytest.mark.slow
async def test_it_ends_its_service_when_it_is_ended_half_way(tmp_path: Path) -> None:
    process = await begin(tmp_path)
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT):
        while "PUT /api/v1/pause-task" not in (line := (await process.stdout.readline()).decode()):
            assert line, "it has ended before"
    family = descendants(process.pid)

    process.send_signal(signal.SIGTERM)
    await said(process)

    alive = {pid for pid, began in family.items() if descendants(pid).get(pid) == began}
    assert (130, set(), [], True) == (process.returncode, alive, folders(tmp_path), len(family) > 2)
