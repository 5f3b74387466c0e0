"""A browser in a process of its own, in `<data>/browsers/<id>/`: started, claimed, found again, ended.

The claim is the open door (see keeper.py): it goes with this process, however that ends, and the keeper hears of it.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import structlog
import uuid_utils

from runner.browser import keeper
from runner.browser.flags import prepare
from runner.browser.scratch import outside
from runner.browser.surroundings import surroundings
from runner.vocabulary import ActFailed

START_SECONDS = keeper.START_SECONDS + 5.0
END_SECONDS = 5.0
ASK_SECONDS = 0.02
NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

log = structlog.get_logger()


class OwnBrowser:
    """One that this process has claimed. Its files: `endpoint`, `proxy` (a port), `tabs`; nobody else may read them."""

    def __init__(self, directory: Path, door: int) -> None:
        self.name = directory.name
        self._directory = directory
        self._door = door

    @property
    def endpoint(self) -> str:
        """Where it speaks the DevTools protocol. Whoever knows it has the browser."""
        return self._read("endpoint")

    @property
    def proxy(self) -> int:
        """The port of 127.0.0.1 that all its traffic goes to; 0 when that is not known."""
        port = self._read("proxy")
        return int(port) if port.isdecimal() else 0

    @property
    def tabs(self) -> list[str]:
        """The DevTools names of its tabs in their order, the current one last. Empty when nobody has noted any."""
        try:
            noted = json.loads(self._read("tabs") or "[]")
        except ValueError:
            return []
        return [str(name) for name in noted] if isinstance(noted, list) else []

    def note_tabs(self, names: Sequence[str]) -> None:
        """For whoever finds the browser later."""
        with suppress(OSError):  # it has ended meanwhile
            (self._directory / "tabs").write_text(json.dumps(list(names)), "ascii")

    def leave(self) -> None:
        """Give up the claim. The browser ends after the grace unless somebody claims it."""
        if self._door >= 0:
            os.close(self._door)
            self._door = -1

    async def end(self) -> None:
        """End it now, with all its processes and files; a keeper that hangs is killed, and Chromium with it."""
        try:
            with suppress(BrokenPipeError):
                os.write(self._door, keeper.END)
                async with asyncio.timeout(END_SECONDS):
                    while True:
                        await asyncio.sleep(ASK_SECONDS)
                        os.write(self._door, keeper.END)  # fails once nobody is left to read it
        except TimeoutError:
            log.error("the keeper of a browser hangs and is killed", browser=self.name)
            with suppress(OSError, ValueError):
                # It holds its end of the door still, so the number is still its own.
                os.kill(int(self._read("keeper")), signal.SIGKILL)
        except OSError as error:
            log.error("a browser could not be told to end", browser=self.name, reason=str(error))
        finally:
            self.leave()
            await asyncio.to_thread(keeper.remove, str(self._directory))

    def _read(self, name: str) -> str:
        try:
            return (self._directory / name).read_text("utf-8", errors="replace").strip()
        except OSError:
            return ""


async def start(
    root: Path,
    command: Callable[[Path], Sequence[str]],
    *,
    proxy: int,
    grace: float,
    preferences: Mapping[str, object] = MappingProxyType({}),
) -> OwnBrowser:
    """A new one. `command` is how to run Chromium with that profile. Raises ActFailed with code no_browser."""
    directory = root / str(uuid_utils.uuid7())
    directory.mkdir(mode=0o700, parents=True)
    prepare(directory / "profile", preferences)
    (directory / "proxy").write_text(str(proxy), "ascii")
    own = (sys.executable, "-I", "-S", keeper.__file__, str(directory), str(grace))
    started = subprocess.Popen(  # noqa: ASYNC220, S603 - it takes a millisecond, and outlives this process
        [*own, *command(directory / "profile")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env=_environment(),
        start_new_session=True,
    )
    threading.Thread(target=started.wait, name=f"keeper {started.pid}", daemon=True).start()  # lest it stay a zombie
    said = ""
    try:
        said = await _first_line(started)
        if said == "ready" and (browser := claim(root, directory.name)):
            return browser
        raise ActFailed("no_browser", f"The browser did not start: {said or 'it ended at once'}")
    except BaseException:
        started.terminate()  # the keeper ends what it has begun
        await asyncio.shield(asyncio.to_thread(_ended, started, directory))
        raise


def claim(root: Path, name: str) -> OwnBrowser | None:
    """The browser of that name, if it still runs; it is ours then."""
    directory = root / name
    if not NAME.fullmatch(name):
        return None
    try:
        door = os.open(directory / "door", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None  # it is gone, or its keeper is
    try:
        os.write(door, keeper.CLAIM)
    except OSError:
        os.close(door)
        return None
    return OwnBrowser(directory, door)


async def sweep(root: Path, wanted: Collection[str]) -> dict[str, OwnBrowser]:
    """Claim those that are wanted and still run; end all others, and remove what was left of those that ended."""
    found: dict[str, OwnBrowser] = {}
    for directory in await asyncio.to_thread(lambda: sorted(root.glob("*-*-*-*-*"))):
        browser = claim(root, directory.name)
        if browser is None:
            await asyncio.to_thread(keeper.remove, str(directory))
        elif directory.name in wanted:
            found[directory.name] = browser
        else:
            await browser.end()
    return found


async def _first_line(started: "subprocess.Popen[bytes]") -> str:
    assert started.stdout is not None  # noqa: S101 - it was asked for
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), started.stdout)
    try:
        async with asyncio.timeout(START_SECONDS):
            return (await reader.readline()).decode(errors="replace").strip()
    except TimeoutError as error:
        raise ActFailed("no_browser", f"The browser did not start within {keeper.START_SECONDS:g} s.") from error
    finally:
        transport.close()


def _ended(started: "subprocess.Popen[bytes]", directory: Path) -> None:
    try:
        started.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        started.kill()
    keeper.remove(str(directory))


def _environment() -> dict[str, str]:
    """Ours, with a temporary folder that does not end with us."""
    return {**surroundings(), "TMPDIR": outside()}
