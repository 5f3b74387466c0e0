"""`prune` and `redact`: remove what is too old, or all that one task said."""

from typing import Annotated

import typer

from api.client import connect
from api.commands.common import LOCAL, Json, Key, TaskId, Url, complete, finish, say, say_json, show_table, table
from api.removals import Class, Pruned
from api.retention import Redacted


def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Remove what is older than the settings say; the tape still verifies, and says what went and why."""
    finish(_prune(url, key, dry_run=dry_run, as_json=as_json))


def redact(
    task: TaskId,
    reason: Annotated[str, typer.Option(help="Why; it stays on the tape.")] = "",
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Remove whatever an ended task said, from every file."""
    finish(_redact(url, key, task, reason, as_json=as_json))


async def _prune(url: str, key: str, *, dry_run: bool, as_json: bool) -> None:
    async with connect(url, key) as client:
        pruned = await client.send("POST", "/api/tape/prune", Pruned, {"dry_run": dry_run}, long=True)
    if as_json:
        say_json(pruned)
        return
    went = [each for each in pruned.classes if each.tasks]
    if not went:
        say("Nothing is older than the settings say.")
        return
    grid = table("what", "tasks", "files", "MiB", "oldest end (UTC)", "newest", "why")
    for each in went:
        grid.add_row(*_row(each))
    show_table(grid)
    say("Nothing was removed: this was a dry run." if dry_run else "Removed.")


async def _redact(url: str, key: str, beginning: str, reason: str, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        task_id = await complete(client, beginning)
        path = f"/api/tape/tasks/{task_id}/redact"
        redacted = await client.send("POST", path, Redacted, {"reason": reason}, long=True)
    if as_json:
        say_json(redacted)
    else:
        say(f"Redacted: {redacted.events} events and {redacted.blobs} files of task {task_id}.")


def _row(each: Class) -> tuple[str, ...]:
    size = f"{each.bytes / 2**20:,.1f}"
    return each.kind, str(each.tasks), str(each.blobs), size, _day(each.oldest), _day(each.newest), each.reason


def _day(moment: str | None) -> str:
    return (moment or "")[:10]
