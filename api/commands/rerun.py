"""`rerun`, `fork`: run a recorded task again without a model; go on from one of its steps with other words."""

import sys
from typing import Annotated

import msgspec
import typer

from api.client import SUCCESS, Client, Refusal, connect
from api.commands.common import (
    LOCAL,
    Json,
    Key,
    Secrets,
    TaskId,
    Url,
    complain,
    complete,
    finish,
    given_secrets,
    say,
    say_json,
)
from api.commands.follow import Follower
from api.diff_views import Diff
from api.text import safe

Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", metavar="OLD=NEW", help="Type another text; may be given again. Hidden ones: step 3=…"),
]
Detach = Annotated[bool, typer.Option("--detach", help="Print the id and do not follow.")]


class _Begun(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    stops_at: int | None = None


def rerun(
    task: TaskId,
    inputs: Inputs = None,
    secret: Secrets = None,
    rescue: Annotated[str, typer.Option(metavar="MODEL", help="The model that goes on where an act cannot be.")] = "",
    detach: Detach = False,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Run a task again without a model: it stops where the page is not as it was. Follows it to its end."""
    words: dict[str, object] = {"inputs": _pairs(inputs), "rescue": bool(rescue), "llm": rescue}
    finish(_begin(url, key, "rerun", task, words, secret, detach=detach, as_json=as_json))


def fork(
    task: TaskId,
    words: Annotated[str, typer.Argument(metavar="TASK", help="What to do then; - reads it from stdin.")],
    at: Annotated[int, typer.Option(min=1, help="The last step that is played.")],
    model: Annotated[str, typer.Option(help="The model that goes on; else that of the recorded task.")] = "",
    inputs: Inputs = None,
    secret: Secrets = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="How many steps the model may take.")] = None,
    detach: Detach = False,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Play a task up to a step, and go on from there with other words. Follows it to its end."""
    text = sys.stdin.read() if words == "-" else words
    asked: dict[str, object] = {"step": at, "task": text, "llm": model, "inputs": _pairs(inputs)}
    asked |= {"max_steps": max_steps} if max_steps else {}
    finish(_begin(url, key, "fork", task, asked, secret, detach=detach, as_json=as_json))


async def _begin(
    url: str,
    key: str,
    word: str,
    beginning: str,
    words: dict[str, object],
    secrets: list[str] | None,
    *,
    detach: bool,
    as_json: bool,
) -> int:
    values = given_secrets(secrets)
    async with connect(url, key) as client:
        recorded = await complete(client, beginning)
        asked = {**words, **({"secrets": values} if values else {})}
        begun = await client.send("POST", f"/api/tape/tasks/{recorded}/{word}", _Begun, asked)
        if detach and as_json:
            say_json({"id": begun.id})
        elif detach:
            say(begun.id)
        if detach:
            return SUCCESS
        if begun.stops_at and not as_json:
            complain(
                f"A person drove the browser before step {begun.stops_at}; nobody can do that again: it stops there."
            )
        code = await Follower(client, begun.id, as_json=as_json).follow()
        if word == "rerun" and code == SUCCESS and not as_json:
            await _report(client, begun.id, changed=bool(words["inputs"]))
        return code


async def _report(client: Client, task_id: str, *, changed: bool) -> None:
    """What is not as it was, in one sentence; `changed` tells that it was given other inputs."""
    try:
        diff = await client.get(f"/api/tape/tasks/{task_id}/rerun", Diff, long=True)
    except Refusal:
        return  # the recorded task was removed meanwhile
    alike = "All as recorded but for the other inputs." if changed else "All as recorded."
    print(safe(diff.first) or alike, file=sys.stderr)


def _pairs(given: list[str] | None) -> dict[str, str]:
    """`old=new` each; what an old text holds of `=` is not told from the one between them. Raises BadParameter."""
    pairs = [each.partition("=") for each in given or []]
    for old, between, _ in pairs:
        if not old or not between:
            raise typer.BadParameter("An input is OLD=NEW: the text that was typed, and the one to type.")
    return {old: new for old, _, new in pairs}
