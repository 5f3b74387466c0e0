"""`keys`: make, list and revoke API keys, through the service or, when none runs, on its data directory itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.auth import DEFAULT_PROJECT
from api.client import Failure, connect
from api.commands.common import LOCAL, Json, Key, Url, finish, say, say_json, show_table, table
from api.commands.tape import TAPE
from api.keys import KeyList, KeyView, MadeKey, NewKey, Ring, shown
from api.text import plain
from eventstore.directory import hold
from eventstore.errors import CannotOpen, Refused
from eventstore.key import SCOPES
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore
from projections.keys import Keys

ACTOR = "system"
PATH = "/api/tape/keys"

Data = Annotated[
    Path | None, typer.Option("--data", help="Work on this data directory itself; no service may run on it.")
]


def _scopes(given: list[str] | None) -> list[str] | None:
    for scope in given or ():
        if scope not in SCOPES:
            raise typer.BadParameter(f"{scope} is no scope; there are {', '.join(SCOPES)}.")
    return given


app = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What it is for; people read it.")] = "",
    project: Annotated[
        str | None, typer.Option(help="Whose tasks it is for. Without it: your own project.", show_default=False)
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            help="read, control or admin (which is all); may be given more than once.",
            show_default="read, control",
            callback=_scopes,
        ),
    ] = None,
    data: Data = None,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Make a key and print it, this once."""
    finish(_create(url, key, data, {"name": name, "project": project, "scopes": scope}, as_json=as_json))


@app.command("list")
def listed(data: Data = None, url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """List the keys of your project; an admin of the project default sees all."""
    finish(_list(url, key, data, as_json=as_json))


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as listed.")],
    data: Data = None,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Revoke a key: it opens nothing any more."""
    finish(_revoke(url, key, data, key_id, as_json=as_json))


async def _create(url: str, key: str, data: Path | None, wished: dict[str, object], *, as_json: bool) -> None:
    given = {name: value for name, value in wished.items() if value}
    try:
        asked = msgspec.convert(given, NewKey)
    except msgspec.ValidationError as error:
        raise Failure(f"Such a key cannot be made: {error}.") from error
    if data is not None:
        async with _directly(data) as store:
            made, _ = await Ring(store).make(asked, asked.project or DEFAULT_PROJECT, actor=ACTOR)
    else:
        async with connect(url, key) as client:
            made = await client.send("POST", PATH, MadeKey, given)
    if as_json:
        say_json(made)
        return
    say(f"TAPEWRIGHT_API_KEY={made.key}")
    say(f"This is shown once. It opens {', '.join(made.scopes)} of the project {made.project}; its id is {made.id}.")


async def _list(url: str, key: str, data: Path | None, *, as_json: bool) -> None:
    if data is not None:
        async with _directly(data) as store:
            keys = Keys()
            await keys.load(store)
            found = KeyList(keys=[shown(each) for each in keys.every()])
    else:
        async with connect(url, key) as client:
            found = await client.get(PATH, KeyList)
    if as_json:
        say_json(found)
        return
    grid = table("id", "project", "scopes", "created (UTC)", "revoked (UTC)", "name")
    for each in found.keys:
        times = ((at or "")[:19].replace("T", " ") for at in (each.created_at, each.revoked_at))
        grid.add_row(each.id, each.project, ",".join(each.scopes), *times, plain(each.name, 60))
    show_table(grid)


async def _revoke(url: str, key: str, data: Path | None, key_id: str, *, as_json: bool) -> None:
    if data is not None:
        async with _directly(data) as store:
            await Ring(store).revoke(key_id.lower(), actor=ACTOR)
    else:
        async with connect(url, key) as client:
            await client.send("DELETE", f"{PATH}/{key_id}", KeyView)
    if as_json:
        say_json({"id": key_id, "revoked": True})
    else:
        say("revoked")


@asynccontextmanager
async def _directly(data: Path) -> AsyncIterator[EventStore]:
    """The tape of a directory that no service runs on. Raises Failure."""
    path = data / TAPE
    if not await asyncio.to_thread(path.is_file):
        raise Failure(f"There is no tape in {data}.")
    try:
        with hold(data, holder="tapewright keys"):
            async with open_sqlite(path) as store:
                yield store
    except CannotOpen as error:
        raise Failure(str(error)) from error
    except Refused as error:
        raise Failure(str(error), 1) from error
