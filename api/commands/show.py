"""`show`: one task with its steps, as it stands or as it stood."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from api.acts import said
from api.client import connect
from api.commands.answer import command
from api.commands.common import LOCAL, Json, Key, TaskId, Url, complete, finish, say, say_json, show_table, table
from api.tape_views import Judgement, Question, StepAsOf, TaskAsOf
from api.text import duration, plain, safe


def show(
    task: TaskId,
    at: Annotated[str, typer.Option(help="As it stood at this position of the tape, or time in ISO 8601.")] = "",
    url: Url = LOCAL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Show a task with its steps."""
    finish(_show(url, key, task, at, as_json=as_json))


async def _show(url: str, key: str, beginning: str, at: str, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        task_id = await complete(client, beginning)
        task = await client.get(f"/api/tape/tasks/{task_id}", TaskAsOf, {"at": at} if at else None)
    if as_json:
        say_json(task)
        return
    facts = list(_facts(task))
    broadest = max(len(name) for name, _ in facts)
    for name, value in facts:
        say(f"{name:<{broadest}}  {value}")  # the whole of it, however narrow the terminal is
    if task.steps:
        steps = table("step", "", "took", "what", "where")
        for step in task.steps:
            steps.add_row(*_row(step))
        say()
        show_table(steps)
    if task.output:
        say(f"\n{safe(task.output)}")
    for each in task.suggestions:
        say(f"\n{plain(each.code)}: {plain(each.message, 0)} (at {', '.join(map(str, each.evidence))})")
    if task.question and not at and task.desired != "stop":
        say(f"\nAnswer it with: {command(task.id, task.question.kind)}")


def _facts(task: TaskAsOf) -> Iterator[tuple[str, str]]:
    """What is known of it, by name; what is not known is left out."""
    success = {None: "", True: ", with success", False: ", without success"}[task.success]
    facts = {
        "task": task.id,
        "state": task.state + (success if task.state == "finished" else ""),
        **_question(task.question),
        "asked": plain(task.instruction, 0),
        "model": task.llm,
        "runs again": task.rerun_of,
        "forked from": task.forked_from,
        "created": task.created_at,
        "started": task.started_at,
        "ended": task.ended_at,
        "runner": f"{plain(task.runner)}, attempt {task.attempt}" if task.runner else "",
        "position": str(task.position),
        "redacted": plain(task.redaction, 0) or "yes" if task.redacted else "",
        "judged": _judged(task.judgement),
        "error": f"{plain(task.error_code)}: {plain(task.error_message, 0)}" if task.error_code else "",
    }
    return ((name, value) for name, value in facts.items() if value)


def _judged(judgement: Judgement | None) -> str:
    """The verdict, and the sentence with which the report goes with it."""
    if judgement is None:
        return ""
    verdict = {None: "no verdict", True: "done", False: "not done"}[judgement.verdict]
    report = msgspec.json.decode(judgement.report)
    why = report.get("failure_reason") or report.get("reasoning") if isinstance(report, dict) else ""
    return f"{verdict}: {plain(str(why))}" if why else verdict


def _question(question: Question | None) -> dict[str, str]:
    """What it asks a person."""
    if question is None:
        return {}
    return {f"asks ({plain(question.kind)}):": plain(question.prompt, 0), "answer until": question.expires_at}


def _row(step: StepAsOf) -> tuple[str, Text, str, Text, Text]:
    failed = any(step.errors)
    word = "failed" if failed else step.interrupted or ("ok" if step.ended_at else "open")
    what = step.next_goal or ", ".join(said(bytes(action)) for action in step.actions)
    style = "red" if failed else "green" if word == "ok" else "yellow"
    took = duration(step.duration_ms) if step.ended_at else ""
    return str(step.number), Text(plain(word), style), took, Text(plain(what, 80)), Text(plain(step.url, 60))
