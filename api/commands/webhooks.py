"""`webhooks`: who is told of tasks, and what became of it; through a service that runs."""

from typing import Annotated

import msgspec
import typer

from api.client import connect
from api.commands.common import LOCAL, Json, Key, Url, finish, say, say_json, show_table, table
from api.text import plain
from api.webhook_schemas import Delivery, MadeWebhook, Webhooks, WebhookWhole
from api.webhooks import PATH
from api.wire import Empty

Id = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id, as listed.")]

app = typer.Typer(help="Make, list, test and delete webhooks, and see what became of them.", no_args_is_help=True)


@app.command()
def add(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The http or https URL to send to.")],
    task: Annotated[str, typer.Option(help="Only this task, by its id.", show_default=False)] = "",
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="What to tell; may be given more than once, as agent.task.status_update.finished.",
            show_default="agent.task.status_update",
        ),
    ] = None,
    secret: Annotated[
        str, typer.Option(help="Sign with this; without it one is made.", show_default=False, envvar="WEBHOOK_SECRET")
    ] = "",
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Make a webhook, test it, and print its secret, this once."""
    given: dict[str, object] = {"url": target, "task_id": task, "events": event, "secret": secret}
    finish(_add(url, key, {name: value for name, value in given.items() if value}, as_json=as_json))


@app.command("list")
def listed(url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """List the webhooks of your project."""
    finish(_list(url, key, as_json=as_json))


@app.command()
def remove(webhook_id: Id, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """Delete a webhook: it is told nothing more."""
    finish(_ask(url, key, "DELETE", f"{PATH}/{webhook_id}", None, {"id": webhook_id, "removed": True}, as_json=as_json))


@app.command("test")
def ping(webhook_id: Id, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """Send a test; `deliveries` tells what became of it."""
    path = f"{PATH}/{webhook_id}/test"
    finish(_ask(url, key, "POST", path, None, {"id": webhook_id, "requested": True}, as_json=as_json))


@app.command()
def redeliver(
    webhook_id: Id,
    source: Annotated[int, typer.Argument(metavar="SOURCE", min=1, help="The message's source, as in deliveries.")],
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Deliver a message once more, such as a dead letter."""
    path = f"{PATH}/{webhook_id}/redeliver"
    finish(_ask(url, key, "POST", path, {"source": source}, {"id": webhook_id, "requested": True}, as_json=as_json))


@app.command()
def deliveries(webhook_id: Id, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """Show the last deliveries of a webhook, what waits to be tried again, and its dead letters."""
    finish(_deliveries(url, key, webhook_id, as_json=as_json))


async def _add(url: str, key: str, given: dict[str, object], *, as_json: bool) -> None:
    async with connect(url, key) as client:
        made = await client.send("POST", PATH, MadeWebhook, given)
    if as_json:
        say_json(made)
        return
    say(f"WEBHOOK_SECRET={made.secret}")
    say(f"This is shown once. The webhook's id is {made.id}; a test is on its way.")


async def _list(url: str, key: str, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        found = await client.get(PATH, Webhooks)
    if as_json:
        say_json(found)
        return
    grid = table("id", "created (UTC)", "waiting", "dead", "task", "url")
    for each in found.webhooks:
        counts = (str(each.waiting), str(each.dead_letters))
        grid.add_row(each.id, _time(each.created_at), *counts, each.task_id or "all", plain(each.url, 80))
    show_table(grid)


async def _ask(
    url: str,
    key: str,
    method: str,
    path: str,
    body: dict[str, object] | None,
    answer: dict[str, object],
    *,
    as_json: bool,
) -> None:
    async with connect(url, key) as client:
        await client.send(method, path, Empty, body)
    if as_json:
        say_json(answer)
    else:
        say("removed" if "removed" in answer else "requested")


async def _deliveries(url: str, key: str, webhook_id: str, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        found = await client.get(f"{PATH}/{webhook_id}", WebhookWhole)
    if as_json:
        say_json(msgspec.structs.asdict(found))
        return
    grid = table("source", "state", "attempts", "last (UTC)", "next (UTC)", "task", "answer")
    for state, rows in (("dead", found.dead), ("waiting", found.retries), ("delivered", found.deliveries)):
        for row in rows:
            times = (_time(row.at), _time(row.next_at))
            grid.add_row(str(row.source), state, str(row.attempts), *times, row.task_id or "test", _answer(row))
    show_table(grid)


def _answer(row: Delivery) -> str:
    return plain(row.error, 80) if row.error else f"HTTP {row.status}" if row.status else ""


def _time(at: str | None) -> str:
    return (at or "")[:19].replace("T", " ")
