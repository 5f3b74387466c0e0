"""`tail`: read the tape as it grows."""

from contextlib import aclosing
from typing import Annotated

import typer

from api.client import SUCCESS, connect
from api.commands.common import LOCAL, Json, Key, Url, complete, finish, say
from api.gists import line

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


async def _tail(url: str, key: str, task: str, after: int, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        path = f"/api/tape/tasks/{await complete(client, task)}/events" if task else "/api/tape/events"
        async with aclosing(client.follow(path, after=after)) as events:
            async for told in events:
                say(told.json.decode() if as_json else line(told.position, told.at, told.stream, told.event))
