"""What the commands share: how a service is named, how an id is completed, and how a command ends."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.client import LEFT, SUCCESS, Client, Failure
from api.text import safe

EXIT_CODES = (
    "Exit codes: 0 done, and a followed task finished with success; 1 a task failed or finished without success, the "
    "service refused, or the tape is broken; 2 wrong usage, or no service to be had; 3 the task was stopped; "
    "130 left with Ctrl-C."
)
CLOSEST = 100
PIPED_WIDTH = 250

Url = Annotated[str, typer.Option("--url", envvar="TAPEWRIGHT_URL", help="Where the service is.", show_envvar=True)]
Key = Annotated[
    str,
    typer.Option(
        "--key",
        envvar=["TAPEWRIGHT_API_KEY", "BROWSER_USE_API_KEY"],
        help="The API key, as printed at the first start of the service.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")]
Secrets = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="NAME", help="A secret: of the environment variable of that name, or asked for."),
]
TaskId = Annotated[str, typer.Argument(metavar="ID", help="The task's id, or enough of its beginning.")]
LOCAL = "http://127.0.0.1:8000"


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """A task in a list, in v1's words; times are ISO 8601 UTC. `asks` stands in no list of the service."""

    id: str
    task: str
    status: str
    created_at: str
    finished_at: str | None = None
    output: str | None = None
    asks: bool = False


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of tasks, the newest first."""

    tasks: tuple[Brief, ...]
    total_pages: int
    page: int
    limit: int
    total_count: int


def finish(work: Coroutine[object, object, int | None], *, interrupted: int = LEFT) -> None:
    """Run the command to its end and exit with its code; a Failure is a sentence on stderr. Always raises Exit.

    `interrupted` is the code after Ctrl-C.
    """
    try:
        code = asyncio.run(_until_left(work))
    except Failure as failure:
        complain(str(failure))
        code = failure.code
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = interrupted
    except BrokenPipeError:
        # The reader had enough, as `head` does. Nothing may be written any more, not even by the interpreter's exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = SUCCESS
    raise typer.Exit(code or SUCCESS)


async def _until_left(work: Coroutine[object, object, int | None]) -> int | None:
    """Ctrl-C ends it, also one that comes just as the loop goes to sleep; the second one ends it at once."""
    loop, working = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def leave() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        working.cancel()

    if threading.current_thread() is threading.main_thread():  # as everywhere but in tests
        loop.add_signal_handler(signal.SIGINT, leave)
    return await working


async def complete(client: Client, beginning: str) -> str:
    """The id of the one task that begins so. Raises Failure, naming the candidates, where there is none or more."""
    if len(beginning) >= 36:
        return beginning
    found: dict[str, Brief] = {}  # by id: while tasks are added, one can stand on two pages
    number, pages = 1, 1
    while number <= pages and beginning:
        page = await client.get("/api/v1/tasks", Page, {"page": number, "limit": CLOSEST})
        found |= {task.id: task for task in page.tasks if task.id.startswith(beginning.lower())}
        number, pages = number + 1, page.total_pages
    if not found:
        raise Failure(f"No task has an id that begins with {beginning or 'nothing'}.", 1)
    if len(found) > 1:
        names = "\n".join(f"  {task.id}  {safe(task.task)[:60]}" for task in list(found.values())[:10])
        raise Failure(f"{len(found)} tasks have an id that begins with {beginning}:\n{names}", 2)
    return next(iter(found))


def given_secrets(names: list[str] | None) -> dict[str, str]:
    """The values, by name. Raises Failure where there is neither a variable nor anybody to ask."""
    return {name: _secret(name) for name in names or []}


def _secret(name: str) -> str:
    """From the environment, or typed unseen."""
    if value := os.environ.get(name):
        return value
    if not sys.stdin.isatty():
        raise Failure(f"The secret {name} is in no environment variable of that name, and there is nobody to ask.")
    typed: str = typer.prompt(name, hide_input=True, err=True)
    return typed


def say(text: str = "") -> None:
    """A line for the reader, on stdout."""
    print(text, flush=True)


def say_json(value: object) -> None:
    """One line of JSON on stdout."""
    say(msgspec.json.encode(value).decode())


def complain(sentence: str) -> None:
    """A sentence on stderr, red on a terminal."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(safe(sentence), style="red")


def table(*columns: str) -> Table:
    """An empty table without frames: readable for people and for `awk`."""
    grid = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        grid.add_column(Text(column, no_wrap=True), overflow="ellipsis")
    return grid


def show_table(grid: Table) -> None:
    """On stdout, as wide as the terminal; where there is none as COLUMNS says, or wide enough, and without padding."""
    for column in grid.columns:
        # Where there is little room, columns of texts give way, the widest first; those of short words stay whole.
        texts = [cell for cell in column.cells if isinstance(cell, Text)]
        column.no_wrap = not texts
        for text in texts:
            text.no_wrap = True
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if console.is_terminal:
        console.print(grid)
        return
    said = os.environ.get("COLUMNS", "")
    console.width = int(said) if said.isdecimal() and int(said) > 0 else PIPED_WIDTH
    with console.capture() as lines:
        console.print(grid)
    for line in lines.get().splitlines():
        say(line.rstrip())
