"""Follow one task on the terminal until it ends or is left; Ctrl-C asks what to do with it."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from rich.console import Console

from api.client import LEFT, STOPPED, SUCCESS, UNSUCCESSFUL, Client, Failure, Refusal
from api.commands.common import complain, say
from api.live import Progress, advance
from api.text import safe
from eventstore import events as e

CHOICES = {"p": "pause", "r": "resume", "s": "stop", "l": "leave"}


class Follower:
    """Shows a task: progress on stderr, its output on stdout. `as_json`: its events on stdout, and nothing else."""

    def __init__(self, client: Client, task_id: str, *, as_json: bool) -> None:
        self._client = client
        self._id = task_id
        self._json = as_json
        self._progress = Progress()
        self._asking = False
        self._err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True, quiet=as_json)
        self._status = self._err.status("") if self._err.is_terminal and not as_json else None

    async def follow(self) -> int:
        """The exit code. Raises Failure when the service is lost."""
        with _interrupts() as pressed:
            self._err.print(f"task {self._id}")
            watching = asyncio.create_task(self._watch())
            try:
                while not await _first(watching, pressed):
                    if not await self._ask(watching, pressed):
                        self._err.print(f"The task goes on. Stop it with: tapewright stop {self._id}")
                        return LEFT
                end = await watching
            finally:
                watching.cancel()
                await asyncio.wait((watching,))
                # While it turns, the spinner takes what goes to stdout and shows it on stderr.
                self._spin(on=False)
        return self._close(end)

    async def _watch(self) -> e.Event:
        """Print what happens. The event that ended the task."""
        self._spin(on=True)
        async with aclosing(self._client.follow(f"/api/tape/tasks/{self._id}/events")) as events:
            async for told in events:
                before = self._progress.paused
                self._progress, lines = advance(self._progress, told.at, told.event)
                if self._json:
                    say(told.json.decode())
                for line in lines:
                    self._err.print(line.text, style=line.style)
                if self._progress.paused and not before:
                    self._err.print(f"Resume it with: tapewright resume {self._id}")
                if self._progress.end:
                    return self._progress.end
                self._spin(on=True)
        raise Failure("The service ended the stream before the task had ended.")

    def _spin(self, *, on: bool) -> None:
        if self._status and on and not self._asking:
            self._status.update(safe(self._progress.doing))
            self._status.start()
        elif self._status:
            self._status.stop()

    def _close(self, end: e.Event) -> int:
        match end:
            case e.TaskFinished(success=success, output=output):
                if output and not self._json:
                    say(safe(output) if sys.stdout.isatty() else output)
                return SUCCESS if success else UNSUCCESSFUL
            case e.TaskStopped():
                return STOPPED
            case _:
                return UNSUCCESSFUL

    async def _ask(self, watching: asyncio.Task[e.Event], pressed: asyncio.Event) -> bool:
        """Ask what is to be done and do it. Whether to go on following."""
        pressed.clear()
        if self._json or not (sys.stdin.isatty() and self._err.is_terminal):
            return False
        self._asking = True
        self._spin(on=False)
        first = "[r]esume" if self._progress.paused else "[p]ause"
        self._err.print(f"\n{first}, [s]top or [l]eave it running? (Ctrl-C again leaves) ", end="")
        typed = await _typed(watching, pressed)
        self._asking = False
        if pressed.is_set():
            return False
        if typed is not None and not watching.done():
            word = CHOICES.get(typed.strip().lower()[:1]) if typed else "leave"
            if word == "leave":
                return False
            await self._steer(word)
        self._spin(on=True)
        return True

    async def _steer(self, word: str | None) -> None:
        try:
            if word:
                self._err.print(f"The task is {await self._client.steer(word, self._id)} now.")
        except Refusal as refused:
            complain(str(refused))


async def _typed(watching: asyncio.Task[e.Event], pressed: asyncio.Event) -> str | None:
    """A line from the terminal, None when Ctrl-C or the task's end comes first, empty for Ctrl-D.

    The loop itself reads: a thread that waits for a line could not be ended.
    """
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), readable.set)
    reading = asyncio.create_task(readable.wait())
    interrupted = asyncio.create_task(pressed.wait())
    try:
        await asyncio.wait((watching, reading, interrupted), return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(sys.stdin.fileno())
        reading.cancel()
        interrupted.cancel()
    # A terminal hands over whole lines, so that this does not wait.
    return os.read(sys.stdin.fileno(), 1_024).decode(errors="replace") if readable.is_set() else None


async def _first(watching: asyncio.Task[e.Event], pressed: asyncio.Event) -> bool:
    """Wait for either; whether the watching is over."""
    interrupted = asyncio.create_task(pressed.wait())
    try:
        await asyncio.wait((watching, interrupted), return_when=asyncio.FIRST_COMPLETED)
    finally:
        interrupted.cancel()
    return watching.done()


@contextmanager
def _interrupts() -> Iterator[asyncio.Event]:
    """An event that Ctrl-C sets, while inside."""
    loop, pressed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGINT, pressed.set)
    try:
        yield pressed
    finally:
        loop.remove_signal_handler(signal.SIGINT)
