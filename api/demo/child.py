"""The service as the demonstration runs it: the real command in a process of its own, ended and accounted for."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from api.client import Failure

START_SECONDS = 60.0
STOP_SECONDS = 30.0
PROC = Path("/proc")


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """What `serve --json` says when it listens."""

    url: str
    data: str
    api_key: str


class Child(msgspec.Struct, kw_only=True):
    """The service while it runs, and afterwards what came of it.

    `family` counts its processes at the end, `left` are those that outlived it; neither is known without /proc.
    """

    ready: Ready
    pid: int
    family: int = 0
    left: frozenset[int] = frozenset()
    exit_code: int | None = None


@asynccontextmanager
async def service(data: Path, log: Path) -> AsyncIterator[Child]:
    """Serve `data` on a free port; the service's log goes to `log`. Raises Failure when it does not start."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TAPEWRIGHT_")}
    environ["TAPEWRIGHT_ALLOW_PRIVATE"] = "loopback"  # the shop is on this machine
    command = (
        sys.executable,
        "-m",
        "api",
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--data",
        str(data),
        "--json",
    )
    with log.open("wb") as errors:
        # A session of its own, so that Ctrl-C reaches the demonstration alone, which then ends the service in order.
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    child: Child | None = None
    try:
        child = Child(ready=await _ready(process, log), pid=process.pid)
        yield child
    finally:
        family = descendants(process.pid)
        await _end(process)
        if child is not None:
            child.exit_code = process.returncode
            child.family = len(family)
            child.left = frozenset(pid for pid, began in family.items() if _processes().get(pid, (0, ""))[1] == began)


def descendants(pid: int) -> dict[int, str]:
    """The process and all below it, with the moment that each began, which tells it from a later one of that number.

    Empty where the system has no /proc.
    """
    everybody = _processes()
    family = {pid} & everybody.keys()
    while more := {one for one, (parent, _) in everybody.items() if parent in family} - family:
        family |= more
    return {one: everybody[one][1] for one in family}


async def _ready(process: asyncio.subprocess.Process, log: Path) -> Ready:
    if process.stdout is None:
        raise TypeError("the service was started without a pipe")
    try:
        async with asyncio.timeout(START_SECONDS):
            said = await process.stdout.readline()
        return msgspec.json.decode(said, type=Ready)
    except (TimeoutError, msgspec.DecodeError) as error:
        last = (await asyncio.to_thread(log.read_text, errors="replace")).strip().splitlines()[-1:]
        raise Failure(f"The service did not start: {''.join(last) or 'it said nothing'}", 1) from error


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end as an operator would, and insist only if it does not."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _processes() -> dict[int, tuple[int, str]]:
    """Every living process: its parent, and when it began in clock ticks."""
    found = {}
    for entry in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name stands in brackets and may hold anything, so what follows the last bracket is read.
            state, parent, *rest = entry.read_text(errors="replace").rpartition(")")[2].split()
            if state not in "ZX":
                found[int(entry.parent.name)] = (int(parent), rest[17])
    return found
