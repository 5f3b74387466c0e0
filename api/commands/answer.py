"""`answer`: tell a task what it asks a person. A code is typed without being shown."""

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from api.client import UNSUCCESSFUL, UNUSABLE, Client, Failure, connect
from api.commands.common import LOCAL, Json, Key, TaskId, Url, complain, complete, finish, say, say_json
from api.tape_people import Standing
from api.tape_views import Question, TaskAsOf
from api.text import safe

HOW = {
    "text": "",
    "code": " (what you type is not shown)",
    "captcha": " (press Enter when it is done)",
    "confirm": " [yes/no]",
}
HIDDEN = "code"
VALUES = {"captcha": "done", "confirm": "yes (or no)"}


def answer(
    task: TaskId,
    value: Annotated[
        str | None,
        typer.Argument(help="The answer; done for a captcha. Without it, it is asked for, or read from stdin."),
    ] = None,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Answer what a task asks: a text, a code, yes or no, or that a captcha is solved."""
    finish(_answer(url, key, task, value, as_json=as_json))


async def _answer(url: str, key: str, beginning: str, value: str | None, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        task_id = await complete(client, beginning)
        question = (await client.get(f"/api/tape/tasks/{task_id}", TaskAsOf)).question
        if question is None:
            raise Failure("The task asks nothing now.", UNSUCCESSFUL)
        given = _asked(task_id, question) if value is None else value
        standing = await send(client, task_id, question.request, given)
    if as_json:
        say_json({"id": task_id, "state": standing.state})
    else:
        say(standing.state)


async def send(client: Client, task_id: str, request: str, value: str) -> Standing:
    """Give the answer. Raises Failure."""
    return await client.send("POST", f"/api/tape/tasks/{task_id}/input", Standing, {"request": request, "value": value})


def prompt(kind: str, text: str) -> str:
    """The question as a person at the terminal reads it."""
    return f"{safe(text)}{HOW.get(kind, '')}: "


def command(task_id: str, kind: str) -> str:
    """What a person types to answer a question of that kind."""
    return f"tapewright answer {task_id} {VALUES.get(kind, 'VALUE')}"


def _asked(task_id: str, question: Question) -> str:
    """A line of stdin; at a terminal, after the question."""
    if not sys.stdin.isatty():
        return _piped(task_id, question.kind)
    with unseen(hide=question.kind == HIDDEN):
        print(prompt(question.kind, question.prompt), end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
    if not line:
        complain("No answer was given.")
        raise typer.Exit(UNSUCCESSFUL)
    return line.rstrip("\n")


def _piped(task_id: str, kind: str) -> str:
    """What a program says. That it says nothing, or something else, solves no captcha. Raises Failure."""
    said = sys.stdin.readline().rstrip("\n")
    if not said or (kind == "captcha" and said.strip().lower() != VALUES[kind]):
        raise Failure(f"No answer was given. Give it as an argument: {command(task_id, kind)}", UNUSABLE)
    return said


@contextmanager
def unseen(*, hide: bool = True) -> Iterator[None]:
    """The terminal does not show what is typed meanwhile; it does again afterwards, whatever happens."""
    number = sys.stdin.fileno()
    if not hide or not os.isatty(number):
        yield
        return
    before = termios.tcgetattr(number)
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    try:
        termios.tcsetattr(number, termios.TCSADRAIN, quiet)
        yield
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)
        if hide:
            print(file=sys.stderr, flush=True)
