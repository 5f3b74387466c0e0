"""Services made to be killed: one process imports everything, and forks a service for every order that it reads.

So a service is there in a fifth of the time that `python -m api serve` takes, and is the same otherwise: `serving.run`.
Orders are lines of JSON on standard input. News are lines on standard output: that a process was born, that it is
ready at an address, that it has ended with a code.
"""

import asyncio
import os
import select
import signal
import sys
import threading
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Literal

import msgspec

from api import serving
from api.environment import load
from api.wiring import open_service
from runner.action_json import as_json
from runner.inbox import Inbox
from runner.model import Observation
from runner.ports import Outcome, Resolved, Wanted
from runner.reel import Put
from runner.vocabulary import AnyAction, Click

MARK = "TAPEWRIGHTS_KILLED"
"""Names the variable that all processes of one service have in their environment."""

ACT_SECONDS = 0.01


class Failpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service kills itself: the `nth` time that `module:Class.function` is called, before, within or after it.

    `within` is so many `seconds` after it has begun, wherever it is by then.
    """

    function: str
    when: Literal["before", "within", "after"]
    nth: int = 1
    seconds: float = 0.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A service to be forked. With `effects`, a file, a stage stands for the browser and writes there what it does.

    With `hangs` the stage's acts never end, and neither does its closing.
    """

    mark: str
    settings: dict[str, str]
    effects: str = ""
    hangs: bool = False
    failpoint: Failpoint | None = None


class News(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of the process `pid`: that it is there, that it listens at `url`, or that it ended with `code`."""

    pid: int
    url: str = ""
    code: int | None = None


class Stage:
    """Sessions of no browser: acts take a moment, and what is clicked is a line of a file that outlives a kill."""

    version = "Stage 1"
    own = ""
    attached = False
    uploads: Path | None = None
    inbox: Inbox | None = None
    highlight: bool = False
    keep = False

    def __init__(self, effects: str, *, hangs: bool) -> None:
        self.url = "about:blank"
        self.hangs = hangs
        self._file = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def resolve(self, action: AnyAction) -> Resolved:
        return Resolved(action=action, params=as_json(action), url=self.url)

    async def act(self, resolved: Resolved) -> Outcome:
        await self.passes()
        if isinstance(resolved.action, Click):
            os.write(self._file, resolved.action.target.text.encode() + b"\n")
        self.url = getattr(resolved.action, "url", self.url)
        await asyncio.sleep(ACT_SECONDS)
        return Outcome(result=f"did {resolved.action.name}", url=self.url)

    async def look(self, *, tree: bool, picture: bool = False) -> Observation:
        return Observation(url=self.url, title="Stage", tree="- page" if tree else "")

    async def screenshot(self) -> bytes:
        return b"\x89PNG " + self.url.encode()

    async def show(self, put: Put) -> None:
        put(self.url.encode(), 1280, 960)
        await asyncio.Event().wait()

    async def state(self) -> str:
        return "{}"

    async def passes(self) -> None:
        """A moment, or all the time there is."""
        await (asyncio.Event().wait() if self.hangs else asyncio.sleep(ACT_SECONDS))

    def close(self) -> None:
        os.close(self._file)


class Stages:
    """Where the sessions come from."""

    def __init__(self, effects: str, *, hangs: bool) -> None:
        self._effects = effects
        self._hangs = hangs

    @asynccontextmanager
    async def session(self, _wanted: Wanted) -> AsyncIterator[Any]:
        stage = Stage(self._effects, hangs=self._hangs)
        try:
            yield stage
            await stage.passes()
        finally:
            stage.close()

    async def take_up(self, names: Collection[str], seconds: float) -> None:
        """No browser is left by anybody."""

    def end(self, name: str) -> None:
        """Nor is there one to end."""


def arm(point: Failpoint) -> None:
    """Put the function at the failpoint in another one that kills this process."""
    module, _, path = point.function.partition(":")
    *owners, name = path.split(".")
    owner: Any = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    original, calls = getattr(owner, name), 0

    def begins() -> bool:
        nonlocal calls
        calls += 1
        if calls == point.nth and point.when == "before":
            die()
        if calls == point.nth and point.when == "within":
            threading.Timer(point.seconds, die).start()
        return calls == point.nth and point.when == "after"

    async def wrapped(*args: Any, **options: Any) -> Any:
        last = begins()
        result = await original(*args, **options)
        return die() if last else result

    def wrapped_plain(*args: Any, **options: Any) -> Any:
        last = begins()
        result = original(*args, **options)
        return die() if last else result

    setattr(owner, name, wrapped if iscoroutinefunction(original) else wrapped_plain)


def die() -> None:
    """End this process as nothing else can."""
    os.kill(os.getpid(), signal.SIGKILL)


def serve(order: Order) -> None:
    """The service, in the process that was forked for it. Returns when it has ended in order."""
    os.environ[MARK] = order.mark
    if order.failpoint:
        arm(order.failpoint)
    stages = Stages(order.effects, hangs=order.hangs) if order.effects else None
    serving.run(
        load({}, **order.settings),
        on_ready=lambda url, _key: tell(News(pid=os.getpid(), url=url)),
        opened=partial(open_service, sessions=stages),
    )


def tell(news: News) -> None:
    """One write, so that the lines of several processes do not mix."""
    os.write(1, msgspec.json.encode(news) + b"\n")


def fork(line: bytes) -> None:
    """Begin what is ordered."""
    order = msgspec.json.decode(line, type=Order)
    pid = os.fork()
    if pid:
        tell(News(pid=pid))
        return
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
        serve(order)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Fork what is ordered and tell of what ends, until nobody orders any more."""
    woken, wake = os.pipe()
    for descriptor in (woken, wake):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    orders = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            bury()
        if 0 in ready:
            more = os.read(0, 65536)
            if not more:
                return
            *lines, orders = (orders + more).split(b"\n")
            for line in lines:
                fork(line)


def bury() -> None:
    """Tell of every child that has ended, and leave no zombie."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        tell(News(pid=pid, code=os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main()
