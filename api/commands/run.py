"""`run`: submit a task and follow it to its end."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from api.client import SUCCESS, UNUSABLE, connect
from api.commands.common import LOCAL, Json, Key, Secrets, Url, complain, finish, given_secrets, say, say_json
from api.commands.follow import Follower


def run(
    task: Annotated[str, typer.Argument(help="What to do, in plain sentences; - reads them from stdin.")],
    start_url: Annotated[str, typer.Option(help="The page to begin at.")] = "",
    schema: Annotated[Path | None, typer.Option(help="A file with the JSON schema of the output.")] = None,
    allowed_domain: Annotated[list[str] | None, typer.Option(help="Where it may go; may be given again.")] = None,
    max_steps: Annotated[int | None, typer.Option(min=1, help="How many steps it may take.")] = None,
    model: Annotated[str | None, typer.Option(help="Which model of the service; see: tapewright models.")] = None,
    secret: Secrets = None,
    judge: Annotated[bool, typer.Option("--judge", help="Have a model judge whether the task was done.")] = False,
    vision: Annotated[
        bool | None, typer.Option("--vision/--no-vision", help="Whether the model is shown pictures; else as it can.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the id and do not follow.")] = False,
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Submit a task and follow it: progress on stderr, its output on stdout."""
    words = {
        "task": sys.stdin.read() if task == "-" else task,
        "startUrl": start_url or None,
        "structuredOutput": _schema(schema) if schema else None,
        "allowedDomains": allowed_domain or None,
        "maxSteps": max_steps,
        "llm": model,
        "judge": judge or None,
        "vision": vision,
    }
    given = {name: value for name, value in words.items() if value is not None}
    finish(_run(url, key, given, secret, detach=detach, as_json=as_json))


async def _run(
    url: str, key: str, words: dict[str, object], secrets: list[str] | None, *, detach: bool, as_json: bool
) -> int:
    if values := given_secrets(secrets):
        words = {**words, "secrets": values}
    async with connect(url, key) as client:
        task_id = await client.submit(words)
        if not detach:
            return await Follower(client, task_id, as_json=as_json).follow()
        if as_json:
            say_json({"id": task_id})
        else:
            say(task_id)
        return SUCCESS


def _schema(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
        msgspec.json.decode(text)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        complain(f"{path} cannot be read as a JSON schema: {error}")
        raise typer.Exit(UNUSABLE) from error
    return text
