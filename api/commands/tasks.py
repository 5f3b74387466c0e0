"""`tasks`, `pause`, `resume`, `stop`: look at the tasks and steer them."""

from enum import StrEnum
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from api.client import Client, Refusal, connect
from api.commands.common import (
    LOCAL,
    Brief,
    Json,
    Key,
    Page,
    TaskId,
    Url,
    complete,
    finish,
    say,
    say_json,
    show_table,
    table,
)
from api.tape_views import TaskAsOf
from api.text import plain, short

STYLES = {"finished": "green", "failed": "red", "stopped": "yellow", "paused": "yellow", "running": "cyan"}
QUEUED = "created"  # as v1 says it


class Word(StrEnum):
    """What a task may be; one that asks is paused too."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    ASKS = "asks"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


def tasks(
    limit: Annotated[int, typer.Option(min=1, max=100, help="Tasks a page.")] = 20,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    state: Annotated[Word | None, typer.Option(help="Of this page, only those; asks: they wait for an answer.")] = None,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """List the tasks, the newest first."""
    finish(_tasks(url, key, limit, page, state, as_json=as_json))


def pause(task: TaskId, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """Hold a task where it is, over restarts too, until it is resumed or stopped."""
    finish(_steer(url, key, "pause", task, as_json=as_json))


def resume(task: TaskId, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """Let a paused task go on from where it is."""
    finish(_steer(url, key, "resume", task, as_json=as_json))


def stop(task: TaskId, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """End a task at once and for good."""
    finish(_steer(url, key, "stop", task, as_json=as_json))


async def _tasks(url: str, key: str, limit: int, page: int, state: Word | None, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        found = await client.get("/api/v1/tasks", Page, {"limit": limit, "page": page})
        known = [await _asking(client, task) for task in found.tasks]
    wanted = tuple(task for task in known if state is None or state in _words(task))
    found = msgspec.structs.replace(found, tasks=wanted)
    if as_json:
        say_json(found)
        return
    grid = table("id", "state", "created (UTC)", "task")
    for task in found.tasks:
        created = task.created_at[:19].replace("T", " ")
        words = Text(", ".join(_words(task)), STYLES.get(task.status, ""))
        grid.add_row(short(task.id), words, created, Text(plain(task.task, 80)))
    show_table(grid)
    if found.total_pages > 1:
        say(f"page {found.page} of {found.total_pages}, {found.total_count} tasks")


async def _asking(client: Client, task: Brief) -> Brief:
    """The task, and whether it asks: only of a paused one that has to be looked up."""
    if task.status != Word.PAUSED:
        return task
    try:
        whole = await client.get(f"/api/tape/tasks/{task.id}", TaskAsOf)
    except Refusal as refused:
        if refused.status != 404:
            raise
        return task  # deleted meanwhile
    return msgspec.structs.replace(task, asks=whole.question is not None)


def _words(task: Brief) -> list[str]:
    """Its state, as `show` says it, and that it asks."""
    state = Word.QUEUED.value if task.status == QUEUED else task.status
    return [state, Word.ASKS.value] if task.asks else [state]


async def _steer(url: str, key: str, word: str, beginning: str, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        task_id = await complete(client, beginning)
        state = await client.steer(word, task_id)
    if as_json:
        say_json({"id": task_id, "state": state})
    else:
        say(state)
