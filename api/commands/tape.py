"""`tail` and `verify`: read the tape, and prove that nobody changed it."""

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from api.client import SUCCESS, UNSUCCESSFUL, Failure, connect
from api.commands.common import LOCAL, Json, Key, Url, complete, finish, say, say_json
from api.text import line, plain
from eventstore.directory import hold
from eventstore.errors import CannotOpen
from eventstore.sqlite import open_sqlite
from eventstore.store import Verdict

TAPE = "tape.db"


def tail(
    task: Annotated[str, typer.Argument(metavar="[ID]", help="Only this task.", show_default=False)] = "",
    after: Annotated[int, typer.Option(min=0, help="Begin after this position; 0 is the whole tape.")] = 0,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Follow the tape: what is on it already, then what happens. Ctrl-C ends."""
    # Ctrl-C is how one ends looking at what has no end.
    finish(_tail(url, key, task, after, as_json=as_json), interrupted=SUCCESS)


def verify(
    data: Annotated[
        Path | None, typer.Option(help="Read this data directory itself; no service may run on it.")
    ] = None,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Recompute the hash chain of the whole tape."""
    finish(_verify(url, key, data, as_json=as_json))


async def _tail(url: str, key: str, task: str, after: int, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        path = f"/api/tape/tasks/{await complete(client, task)}/events" if task else "/api/tape/events"
        async with aclosing(client.follow(path, after=after)) as events:
            async for told in events:
                say(told.json.decode() if as_json else line(told.position, told.at, told.stream, told.event))


async def _verify(url: str, key: str, data: Path | None, *, as_json: bool) -> int:
    verdict = await _offline(data) if data else await _online(url, key)
    if as_json:
        say_json(verdict)
    elif verdict.ok:
        redacted = f", {verdict.redacted} redacted" if verdict.redacted else ""
        say(f"The chain holds: {verdict.head} events{redacted}, head {verdict.hash}")
    else:
        where = f" at position {verdict.first_bad}" if verdict.first_bad is not None else ""
        say(f"The chain is broken{where}: {plain(verdict.problem or 'no reason given', 0)}")
        say(f"Up to position {verdict.head} it holds.")
    return SUCCESS if verdict.ok else UNSUCCESSFUL


async def _online(url: str, key: str) -> Verdict:
    async with connect(url, key) as client:
        return await client.get("/api/tape/verify", Verdict, long=True)


async def _offline(data: Path) -> Verdict:
    path = data / TAPE
    if not await asyncio.to_thread(path.is_file):
        raise Failure(f"There is no tape in {data}.")
    try:
        with hold(data, holder="a verification"):
            async with open_sqlite(path) as store:
                return await store.verify()
    except CannotOpen as error:
        raise Failure(str(error)) from error
