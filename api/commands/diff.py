"""`diff`: two runs side by side."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from api.acts import said
from api.client import SUCCESS, UNSUCCESSFUL, connect
from api.commands.common import LOCAL, Json, Key, TaskId, Url, complete, finish, say, say_json, show_table, table
from api.diff_views import Diff, Row, Side
from api.text import duration, plain, short
from projections.runs import Step

DID = 34
DIFFERS = 60


def diff(
    first: TaskId,
    second: Annotated[
        str, typer.Argument(metavar="ID", help="The other one; without it what the first one reruns.")
    ] = "",
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Show two runs side by side; the exit code is 1 where they differ. Of a rerun its own id is enough."""
    finish(_diff(url, key, first, second, as_json=as_json))


async def _diff(url: str, key: str, first: str, second: str, *, as_json: bool) -> int:
    async with connect(url, key) as client:
        one = await complete(client, first)
        path = f"/api/tape/tasks/{one}/rerun"
        if second:
            path = f"/api/tape/tasks/{one}/diff/{await complete(client, second)}"
        found = await client.get(path, Diff, long=True)
    if as_json:
        say_json(found)
        return UNSUCCESSFUL if found.differ else SUCCESS
    for line in _related(found.a, found.b):
        say(line)
    grid = table("step", short(found.a.id), short(found.b.id), "differs", "picture", "took")
    for row in found.steps:
        grid.add_row(*_row(row))
    show_table(grid)
    for each in found.end:
        say(f"{'output' if each.what == 'result' else each.what}: {plain(each.a, 200)} -> {plain(each.b, 200)}")
    if found.cut:
        say("There is more than is compared.")
    alike = "The runs do not differ." if found.a.task == found.b.task else "Asked differently, the runs did the same."
    say(plain(found.first, 0) if found.differ else alike)
    return UNSUCCESSFUL if found.differ else SUCCESS


def _related(a: Side, b: Side) -> Iterator[str]:
    """What the second run is to the first, and what each was asked where that is not the same."""
    if a.id == b.forked_from:
        yield f"{short(b.id)} is a fork of {short(a.id)}."
    elif a.id == b.rerun_of:
        yield f"{short(b.id)} runs {short(a.id)} again."
    if a.task != b.task:
        yield from (f"{short(side.id)} was asked: {plain(side.task, 200)}" for side in (a, b))


def _row(row: Row) -> tuple[str, Text, Text, Text, str, str]:
    differs = "; ".join(_differences(row))
    matters = any(each.matters for each in row.differences)
    picture = "" if row.picture is None else "same" if not row.picture else f"{max(row.picture, 0.001):.1%}"
    took = [duration(step.duration_ms) for step in (row.a, row.b) if step]
    return (
        _number(row),
        Text(_did(row.a)),
        Text(_did(row.b)),
        Text(plain(differs, DIFFERS), "red" if matters else "yellow"),
        picture,
        " / ".join(took),
    )


def _number(row: Row) -> str:
    a, b = (str(step.number) if step else "-" for step in (row.a, row.b))
    return a if a == b else f"{a}/{b}"


def _did(step: Step | None) -> str:
    acts = [said(act.action) + ("" if act.ok else " (failed)") for act in step.acts] if step else []
    return plain(", ".join(acts), DID)


def _differences(row: Row) -> Iterator[str]:
    for each in row.differences:
        if each.what == "step":
            yield "only here"
        elif each.what == "act":
            yield "another act"
        else:
            yield f"{each.what}: {plain(each.a, DIFFERS // 2)} -> {plain(each.b, DIFFERS // 2)}"
