"""`run` on a terminal: Ctrl-C asks, and what is answered happens."""

import asyncio
import os
import pty
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer

from api.app import create_app
from api.service import Service
from tests.web.conftest import KEY, Drive

LIMIT = 30.0
QUESTION = "or [l]eave it running? (Ctrl-C again leaves) "


class Terminal:
    """`run` with a person at its terminal; stdout is a pipe, so that the output is told from the progress."""

    def __init__(self, process: Process, master: int, screen: asyncio.StreamReader) -> None:
        self.process = process
        self._master = master
        self._screen = screen

    async def until(self, text: str) -> str:
        """What the screen shows, up to the text."""
        async with asyncio.timeout(LIMIT):
            return (await self._screen.readuntil(text.encode())).decode()

    def press(self, keys: str) -> None:
        """Type, or press Ctrl-C for an empty text."""
        if keys:
            os.write(self._master, keys.encode())
        else:
            self.process.send_signal(signal.SIGINT)

    async def ended(self) -> tuple[int, bytes]:
        """The exit code and the output."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LIMIT):
            out = await self.process.stdout.read()
            return await self.process.wait(), out


@pytest.fixture
async def terminal(service: Service) -> AsyncIterator[Terminal]:
    """A task that was just submitted, on a terminal."""
    loop, (master, slave) = asyncio.get_running_loop(), pty.openpty()
    screen = asyncio.StreamReader()
    server = TestServer(create_app(service))
    async with server:
        environ = {**os.environ, "TAPEWRIGHT_URL": str(server.make_url("")), "TAPEWRIGHT_API_KEY": KEY, "TERM": "xterm"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "api", "run", "open a.test", env=environ, stdin=slave, stdout=PIPE, stderr=slave
        )
        # The slave stays open here, so that the master does not fail to be read when the command has ended.
        reading, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(screen), os.fdopen(os.dup(master), "rb", 0)
        )
        try:
            yield Terminal(process, master, screen)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
            reading.close()
            os.close(slave)
            os.close(master)


async def task_of(terminal: Terminal) -> str:
    await terminal.until("task ")
    return (await terminal.until("\r\n")).strip()


async def test_a_task_is_paused_resumed_and_stopped_from_its_terminal(terminal: Terminal, drive: Drive) -> None:
    task_id = await task_of(terminal)

    terminal.press("")
    asked = await terminal.until(QUESTION)
    terminal.press("p\n")
    await terminal.until(f"Resume it with: tapewright resume {task_id}")
    terminal.press("")
    asked_again = await terminal.until(QUESTION)
    terminal.press("r\n")
    await terminal.until("The task is queued now.")
    terminal.press("")
    await terminal.until(QUESTION)
    terminal.press("s\n")

    assert (3, b"") == await terminal.ended()
    assert (True, True) == ("[p]ause, [s]top" in asked, "[r]esume, [s]top" in asked_again)
    assert [
        "task.created",
        "task.pause_requested",
        "task.resume_requested",
        "task.stop_requested",
        "task.stopped",
    ] == [recorded.type for recorded in await drive.tape(task_id)]


@pytest.mark.parametrize("keys", ["", "l\n", "\x04"], ids=["Ctrl-C", "leave", "Ctrl-D"])
async def test_a_task_goes_on_when_its_terminal_leaves(terminal: Terminal, drive: Drive, keys: str) -> None:
    task_id = await task_of(terminal)

    terminal.press("")
    await terminal.until(QUESTION)
    terminal.press(keys)

    assert (130, b"") == await terminal.ended()
    assert ["task.created"] == [recorded.type for recorded in await drive.tape(task_id)]


async def test_the_output_goes_to_stdout_although_the_terminal_shows_a_spinner(
    terminal: Terminal, drive: Drive
) -> None:
    task_id = await task_of(terminal)
    await terminal.until("waiting for a runner")

    await drive.start(task_id)
    await drive.finish(task_id, "42 teapots")

    assert (0, b"42 teapots\n") == await terminal.ended()


async def test_a_task_that_ends_while_it_is_asked_ends_the_question(terminal: Terminal, drive: Drive) -> None:
    task_id = await task_of(terminal)
    await drive.start(task_id)

    terminal.press("")
    await terminal.until(QUESTION)
    await drive.finish(task_id, "42 teapots")

    assert (0, b"42 teapots\n") == await terminal.ended()


async def test_what_a_task_asks_is_asked_on_its_terminal_and_a_code_is_not_shown(
    terminal: Terminal, drive: Drive
) -> None:
    task_id = await task_of(terminal)
    await drive.start(task_id)
    await drive.ask(task_id, "code", "The code by SMS")

    await terminal.until("The code by SMS (what you type is not shown): ")
    terminal.press("730195\n")
    shown = await terminal.until("answered")
    await drive.resume_asked(task_id)
    await drive.finish(task_id, "42 teapots")
    code, out = await terminal.ended()

    (asked,) = (await drive.service.tasks.load(f"task-{task_id}")).asked
    assert (0, b"42 teapots\n") == (code, out)
    assert b"730195" == await drive.service.vault.get(f"input/task-{task_id}/{asked}")
    assert "730195" not in shown


async def test_a_question_that_is_answered_elsewhere_is_asked_no_more_on_the_terminal(
    terminal: Terminal, drive: Drive
) -> None:
    task_id = await task_of(terminal)
    await drive.start(task_id)
    await drive.ask(task_id, "text", "Who?", "q1")

    await terminal.until("Who?: ")
    await drive.provide(task_id, "q1")
    await terminal.until("answered")
    terminal.press("")
    await terminal.until(QUESTION)
    terminal.press("l\n")

    assert (130, b"") == await terminal.ended()
