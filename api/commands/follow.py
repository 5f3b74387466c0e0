"""Follow one task on the terminal until it ends or is left; Ctrl-C asks what to do with it."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any

from rich.console import Console

from api.client import LEFT, STOPPED, SUCCESS, UNSUCCESSFUL, Client, Failure, Refusal
from api.commands.answer import HIDDEN, command, prompt, send, unseen
from api.commands.common import complain, say
from api.commands.waiting import place_in_line
from api.live import Progress, advance
from api.text import safe
from eventstore import events as e

LONGEST_LINE = 16_384
CHOICES = {"p": "pause", "r": "resume", "s": "stop", "l": "leave"}


class Follower:
    """Shows a task: progress on stderr, its output on stdout. `as_json`: its events on stdout, and nothing else."""

    def __init__(self, client: Client, task_id: str, *, as_json: bool) -> None:
        self._client = client
        self._id = task_id
        self._json = as_json
        self._progress = Progress()
        self._asking = False
        self._open = asyncio.Event()
        self._closed = asyncio.Event()
        self._err = Console(stderr=True, highlight=False, markup=False, soft_wrap=True, quiet=as_json)
        self._status = self._err.status("") if self._err.is_terminal and not as_json else None

    async def follow(self) -> int:
        """The exit code. Raises Failure when the service is lost."""
        with _interrupts() as pressed:
            self._err.print(f"task {self._id}")
            watching, queueing = asyncio.create_task(self._watch()), asyncio.create_task(self._wait())
            try:
                while not await _first(watching, pressed, self._open):
                    if self._open.is_set() and not pressed.is_set():
                        await self._answer(watching, pressed)
                    elif not await self._ask(watching, pressed):
                        self._err.print(f"The task goes on. Stop it with: tapewright stop {self._id}")
                        return LEFT
                end = await watching
            finally:
                watching.cancel()
                queueing.cancel()
                await asyncio.wait((watching, queueing))
                # While it turns, the spinner takes what goes to stdout and shows it on stderr.
                self._spin(on=False)
        return self._close(end)

    async def _watch(self) -> e.Event:
        """Print what happens. The event that ended the task."""
        self._spin(on=True)
        async with aclosing(self._client.follow(f"/api/tape/tasks/{self._id}/events")) as events:
            async for told in events:
                before, asked = self._progress.paused, self._progress.question
                self._progress, lines = advance(self._progress, told.at, told.event)
                if self._json:
                    say(told.json.decode())
                for line in lines:
                    self._err.print(line.text, style=line.style)
                if self._progress.question is not asked:
                    self._question()
                elif self._progress.paused and not before and not asked:
                    self._err.print(f"Resume it with: tapewright resume {self._id}")
                if self._progress.end:
                    return self._progress.end
                self._spin(on=True)
        raise Failure("The service ended the stream before the task had ended.")

    async def _wait(self) -> None:
        """Tell why nothing happens, until a runner has it."""
        if self._json:
            return

        def still() -> bool:
            return not self._progress.held and self._progress.end is None

        async with aclosing(place_in_line(self._client, self._id, still)) as lines:
            async for line in lines:
                if not self._progress.paused and not self._asking:
                    self._err.print(line, style="dim")

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
        if not self._at_terminal:
            return False
        self._asking = True
        self._spin(on=False)
        first = "[r]esume" if self._progress.paused else "[p]ause"
        self._err.print(f"\n{first}, [s]top or [l]eave it running? (Ctrl-C again leaves) ", end="")
        typed = await _typed((watching,), pressed)
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

    def _question(self) -> None:
        """One was asked, or nobody waits for its answer any more."""
        if self._progress.question is None:
            self._open.clear()
            self._closed.set()
            return
        self._closed.clear()
        if self._at_terminal:
            self._open.set()
        else:
            self._err.print(f"Answer it with: {command(self._id, self._progress.question.kind)}")

    @property
    def _at_terminal(self) -> bool:
        return not self._json and sys.stdin.isatty() and self._err.is_terminal

    async def _answer(self, watching: asyncio.Task[e.Event], pressed: asyncio.Event) -> None:
        """Ask for what the task asks. Ctrl-C leaves the question open, and asks what to do with the task."""
        self._open.clear()
        question = self._progress.question
        if question is None:
            return
        self._asking = True
        self._spin(on=False)
        closing = asyncio.create_task(self._closed.wait())
        with unseen(hide=question.kind == HIDDEN):
            self._err.print(prompt(question.kind, question.prompt), end="")
            typed = await _typed((watching, closing), pressed)
        closing.cancel()
        self._asking = False
        if typed is not None and not pressed.is_set():
            await self._send(question, typed.rstrip("\n"))
        self._spin(on=True)

    async def _send(self, question: e.InputRequested, value: str) -> None:
        try:
            await send(self._client, self._id, question.request, value)
        except Refusal as refused:
            complain(str(refused))
            if self._progress.question is question:
                self._open.set()

    async def _steer(self, word: str | None) -> None:
        try:
            if word:
                self._err.print(f"The task is {await self._client.steer(word, self._id)} now.")
        except Refusal as refused:
            complain(str(refused))


async def _typed(until: Sequence["asyncio.Task[Any]"], pressed: asyncio.Event) -> str | None:
    """A line from the terminal, None when Ctrl-C or the end of any of those comes first, empty for Ctrl-D.

    The loop itself reads: a thread that waits for a line could not be ended.
    """
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), readable.set)
    reading = asyncio.create_task(readable.wait())
    interrupted = asyncio.create_task(pressed.wait())
    try:
        await asyncio.wait((*until, reading, interrupted), return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(sys.stdin.fileno())
        reading.cancel()
        interrupted.cancel()
    # A terminal hands over whole lines, so that this does not wait.
    return os.read(sys.stdin.fileno(), LONGEST_LINE).decode(errors="replace") if readable.is_set() else None


async def _first(watching: asyncio.Task[e.Event], *events: asyncio.Event) -> bool:
    """Wait for any of them; whether the watching is over."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait((watching, *waiting), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
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
