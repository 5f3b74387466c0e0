"""`tasks`, `pause`, `resume`, `stop`: look at the tasks and steer them."""

from typing import Annotated

import typer
from rich.text import Text

from api.client import connect
from api.commands.common import LOCAL, Json, Key, Page, TaskId, Url, complete, finish, out, say, say_json, table
from api.text import plain, short

STYLES = {"finished": "green", "failed": "red", "stopped": "yellow", "paused": "yellow", "running": "cyan"}


def tasks(
    limit: Annotated[int, typer.Option(min=1, max=100, help="Tasks a page.")] = 20,
    page: Annotated[int, typer.Option(min=1, help="Which page.")] = 1,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """List the tasks, the newest first."""
    finish(_tasks(url, key, limit, page, as_json=as_json))


def pause(task: TaskId, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """Hold a task where it is, over restarts too, until it is resumed or stopped."""
    finish(_steer(url, key, "pause", task, as_json=as_json))


def resume(task: TaskId, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """Let a paused task go on from where it is."""
    finish(_steer(url, key, "resume", task, as_json=as_json))


def stop(task: TaskId, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """End a task at once and for good."""
    finish(_steer(url, key, "stop", task, as_json=as_json))


async def _tasks(url: str, key: str, limit: int, page: int, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        found = await client.get("/api/v1/tasks", Page, {"limit": limit, "page": page})
    if as_json:
        say_json(found)
        return
    grid = table("id", "state", "created (UTC)", "task")
    for task in found.tasks:
        created = task.created_at[:19].replace("T", " ")
        grid.add_row(
            short(task.id), Text(task.status, STYLES.get(task.status, "")), created, Text(plain(task.task, 80))
        )
    out().print(grid)
    if found.total_pages > 1:
        say(f"page {found.page} of {found.total_pages}, {found.total_count} tasks")


async def _steer(url: str, key: str, word: str, beginning: str, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        task_id = await complete(client, beginning)
        state = await client.steer(word, task_id)
    if as_json:
        say_json({"id": task_id, "state": state})
    else:
        say(state)
