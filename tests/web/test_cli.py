"""The command line against the application on a real port."""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from typer.testing import CliRunner

from api.app import create_app
from api.cli import assemble
from api.service import Service
from eventstore.directory import hold
from eventstore.events import ActionStarted, JudgementRecorded, KeyCreated, StepStarted
from eventstore.sqlite import open_sqlite
from tests.web.conftest import KEY, Drive

LIMIT = 30.0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What a command left."""

    code: int
    out: str
    err: str


Command: TypeAlias = Callable[..., Coroutine[None, None, Ended]]
Begin: TypeAlias = Callable[..., Coroutine[None, None, Process]]


@pytest.fixture
async def server(service: Service) -> AsyncIterator[TestServer]:
    """The application on a port of its own."""
    server = TestServer(create_app(service))
    async with server:
        yield server


@pytest.fixture
def known(server: TestServer) -> dict[str, str]:
    """The environment of somebody who has told the command line of the service."""
    return {"TAPEWRIGHT_URL": str(server.make_url("")), "TAPEWRIGHT_API_KEY": KEY, "NO_COLOR": "1"}


@pytest.fixture
async def begin(known: dict[str, str]) -> AsyncIterator[Begin]:
    """Starts a command in a process of its own; it is ended with the test."""
    running: list[Process] = []

    async def start(*arguments: str) -> Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "api",
            *arguments,
            env={**os.environ, **known},
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.returncode is None:
            process.kill()
            await process.communicate()


@pytest.fixture
def command(known: dict[str, str]) -> Command:
    """Runs a command to its end, in a thread: what needs no process of its own is told faster so."""
    app = assemble()

    async def run(*arguments: str, stdin: str = "") -> Ended:
        async with asyncio.timeout(LIMIT):
            result = await asyncio.to_thread(CliRunner(env=known).invoke, app, arguments, input=stdin or None)
        return Ended(code=result.exit_code, out=result.stdout, err=result.stderr)

    return run


async def ended(process: Process) -> Ended:
    async with asyncio.timeout(LIMIT):
        out, err = await process.communicate()
    return Ended(code=process.returncode or 0, out=out.decode(), err=err.decode())


async def line_of(stream: asyncio.StreamReader | None, word: str) -> str:
    """The first line that holds the word."""
    assert stream is not None
    async with asyncio.timeout(LIMIT):
        while (line := (await stream.readline()).decode()) and word not in line:
            pass
    return line


async def test_without_a_service_it_says_how_to_start_one(command: Command) -> None:
    nowhere = f"http://127.0.0.1:{unused_port()}"

    answers = [
        await command(*words, "--url", nowhere) for words in (("tasks",), ("tail",), ("run", "open example.com"))
    ]

    said = f"No service answers at {nowhere}. Start one with: tapewright serve\n"
    assert [Ended(code=2, out="", err=said)] * 3 == answers


async def test_a_wrong_key_is_told_in_a_sentence(command: Command) -> None:
    answer = await command("tasks", "--key", "not-the-right-key")

    said = (
        "The service does not accept this key, or none was given. Give the one that it printed at its first start "
        "with --key or "
        "TAPEWRIGHT_API_KEY.\n"
    )
    assert Ended(code=1, out="", err=said) == answer


async def test_tasks_are_a_table_for_people_and_a_document_for_programs(command: Command, drive: Drive) -> None:
    first = await drive.create(instruction="Buy [red]tea[/red].")
    await drive.start(first)
    second = await drive.create(instruction="Buy milk.")

    table, document = await command("tasks"), await command("tasks", "--json", "--limit", "1")

    rows = [[*line.split()[:2], " ".join(line.split()[4:])] for line in table.out.splitlines()[1:]]
    assert [[second[:13], "queued", "Buy milk."], [first[:13], "running", "Buy [red]tea[/red]."]] == rows
    found = json.loads(document.out)
    assert ([second], 1, 2, 2) == (
        [task["id"] for task in found["tasks"]],
        found["page"],
        found["total_pages"],
        found["total_count"],
    )


async def test_tasks_that_wait_for_a_person_are_marked_and_found_by_their_state(command: Command, drive: Drive) -> None:
    asks = await drive.create(instruction="Ask.")
    await drive.start(asks)
    await drive.ask(asks, "text", "Who?")
    held = await drive.create(instruction="Hold.")
    await drive.ask_pause(held)
    queued = await drive.create(instruction="Wait.")

    tables = [await command("tasks", *words) for words in ((), *(("--state", each) for each in ("paused", "asks")))]
    document = await command("tasks", "--state", "asks", "--json")
    waiting = await command("tasks", "--state", "queued", "--json")
    wrong = await command("tasks", "--state", "asleep")

    rows = [[line.split("  ")[:2] for line in table.out.splitlines()[1:]] for table in tables]
    paused = [[held[:13], "paused"], [asks[:13], "paused, asks"]]
    assert [[[queued[:13], "queued"], *paused], paused, paused[1:]] == [
        [[cell.strip() for cell in row] for row in table] for table in rows
    ]
    assert [(asks, True)] == [(task["id"], task["asks"]) for task in json.loads(document.out)["tasks"]]
    assert [(queued, "created")] == [(task["id"], task["status"]) for task in json.loads(waiting.out)["tasks"]]
    said = " ".join(wrong.err.replace("│", " ").split())
    words = "'queued', 'running', 'paused', 'asks', 'finished', 'failed', 'stopped'"
    assert (2, True) == (wrong.code, f"'asleep' is not one of {words}." in said)


async def test_a_task_is_steered_by_the_beginning_of_its_id(command: Command, drive: Drive) -> None:
    task_id = await drive.create()

    answers = [await command(word, task_id[:13]) for word in ("pause", "resume", "stop")]

    assert [Ended(code=0, out=f"{state}\n", err="") for state in ("paused", "queued", "stopped")] == answers


async def test_a_question_is_answered_by_the_beginning_of_its_tasks_id(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    nothing = await command("answer", task_id[:13], "730 195")
    await drive.start(task_id)
    await drive.ask(task_id, "confirm", "Delete everything")

    wrong = await command("answer", task_id[:13], "maybe")
    answer = await command("answer", task_id[:13], "yes")

    assert [
        Ended(code=1, out="", err="The task asks nothing now.\n"),
        Ended(code=1, out="", err="body.value: A confirmation is answered with yes or no.\n"),
        Ended(code=0, out="resuming\n", err=""),
    ] == [nothing, wrong, answer]


async def test_an_answer_is_read_from_stdin_where_there_is_no_terminal(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.ask(task_id, "text", "Who?")

    answer = await command("answer", task_id, stdin="Ada\n")

    (asked,) = (await drive.service.tasks.load(f"task-{task_id}")).asked
    assert Ended(code=0, out="resuming\n", err="") == answer
    assert b"Ada" == await drive.service.vault.get(f"input/task-{task_id}/{asked}")


@pytest.mark.parametrize(
    ("kind", "stdin", "value"),
    [
        ("text", "", "VALUE"),
        ("code", "\n", "VALUE"),
        ("captcha", "", "done"),
        ("captcha", "stray\n", "done"),
        ("confirm", "\n", "yes (or no)"),
    ],
)
async def test_without_a_terminal_nothing_is_answered_that_was_not_said(
    command: Command, drive: Drive, kind: str, stdin: str, value: str
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.ask(task_id, kind, "Who?")

    answer = await command("answer", task_id, stdin=stdin)
    shown = await command("show", task_id, "--json")

    said = f"No answer was given. Give it as an argument: tapewright answer {task_id} {value}\n"
    assert Ended(code=2, out="", err=said) == answer
    assert kind == json.loads(shown.out)["question"]["kind"]


async def test_a_captcha_is_solved_without_a_terminal_by_saying_so(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.ask(task_id, "captcha", "Solve it")

    answer = await command("answer", task_id, stdin="done\n")

    assert Ended(code=0, out="resuming\n", err="") == answer


async def test_a_refusal_is_the_services_own_sentence(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.ask_stop(task_id)

    answer = await command("resume", task_id)

    assert Ended(code=1, out="", err="Stopped tasks cannot be resumed\n") == answer


async def test_an_ambiguous_beginning_names_the_tasks(command: Command, drive: Drive) -> None:
    tasks = [await drive.create(instruction=name) for name in ("one", "two")]

    answer = await command("pause", tasks[0][:3])

    said = f"2 tasks have an id that begins with {tasks[0][:3]}:\n  {tasks[1]}  two\n  {tasks[0]}  one\n"
    assert Ended(code=2, out="", err=said) == answer


async def test_an_unknown_beginning_is_told(command: Command) -> None:
    answer = await command("stop", "ffff")

    assert Ended(code=1, out="", err="No task has an id that begins with ffff.\n") == answer


async def test_run_follows_the_task_to_its_end_and_prints_its_output(
    begin: Begin, drive: Drive, service: Service
) -> None:
    process = await begin("run", "open example.com")
    task_id = (await line_of(process.stderr, "task ")).split()[1]
    await drive.start(task_id)
    await drive.step(task_id, next_goal="open the shop")
    await drive.finish(task_id, "42 teapots")

    answer = await ended(process)

    told = answer.err.splitlines()
    assert (0, "42 teapots\n") == (answer.code, answer.out)
    assert [
        "started in Chromium 150, 1280x960",
        "  1  ok        1.5 s  open the shop  http://shop.test/",
    ] == told[:2]
    assert told[2].startswith("finished with success: 1 step in ")


@pytest.mark.parametrize(("end", "code"), [("unsuccessful", 1), ("failed", 1), ("stopped", 3)])
async def test_runs_exit_code_says_how_the_task_ended(begin: Begin, drive: Drive, end: str, code: int) -> None:
    process = await begin("run", "open example.com", "--json")
    task_id = json.loads(await line_of(process.stdout, "task.created"))["stream"].removeprefix("task-")
    await drive.start(task_id)
    if end == "unsuccessful":
        await drive.finish(task_id, "no", success=False)
    elif end == "failed":
        await drive.fail(task_id)
    else:
        await drive.stop(task_id)

    answer = await ended(process)

    kinds = [json.loads(line)["type"] for line in answer.out.splitlines()]
    assert (code, "", ["task.claimed", "task.started"]) == (answer.code, answer.err, kinds[:2])


async def test_run_tells_that_its_task_waits_and_how_many_are_before_it(begin: Begin, drive: Drive) -> None:
    await drive.start(await drive.create())
    first, second = await drive.create(), await drive.create()
    process = await begin("run", "open example.com")

    line = await line_of(process.stderr, "waiting")
    await drive.ask_stop(first)
    await drive.ask_stop(second)

    said = "waiting for a runner: 2 before it, the service runs as many at once as its TAPEWRIGHT_MAX_CONCURRENT says\n"
    assert said == line


async def test_run_can_be_left_and_the_task_goes_on(begin: Begin, command: Command) -> None:
    process = await begin("run", "open example.com")
    task_id = (await line_of(process.stderr, "task ")).split()[1]
    process.send_signal(signal.SIGINT)

    answer, shown = await ended(process), await command("show", task_id, "--json")

    left = Ended(code=130, out="", err=f"The task goes on. Stop it with: tapewright stop {task_id}\n")
    assert (left, "queued") == (answer, json.loads(shown.out)["state"])


async def test_run_without_a_terminal_tells_how_a_question_is_answered(begin: Begin, drive: Drive) -> None:
    process = await begin("run", "open example.com")
    task_id = (await line_of(process.stderr, "task ")).split()[1]
    await drive.start(task_id)
    await drive.ask(task_id, "captcha", "Solve it")

    told = await line_of(process.stderr, "Answer it with")

    assert f"Answer it with: tapewright answer {task_id} done\n" == told


async def test_a_detached_run_prints_the_id_alone(command: Command, drive: Drive) -> None:
    answer = await command("run", "open example.com", "--detach", "--start-url", "http://a.test/", "--max-steps", "5")

    (created, *_) = await drive.tape(answer.out.strip())
    assert (0, "", "task.created") == (answer.code, answer.err, created.type)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "open example.com", "--start-url", "ftp://a.test/", "--detach"), "body.startUrl: "),
        (("run", ""), "body.task: "),
        (("webhooks", "add", "ftp://a.test/x"), "body.url: "),
    ],
)
async def test_what_the_service_refuses_to_read_is_a_refusal(
    command: Command, words: tuple[str, ...], said: str
) -> None:
    answer = await command(*words)

    assert (1, "", said) == (answer.code, answer.out, answer.err[: len(said)])


async def test_show_tells_a_task_as_it_stood(command: Command, drive: Drive) -> None:
    task_id = await drive.create(instruction="Buy tea.")
    await drive.start(task_id)
    position = drive.service.store.head
    await drive.step(task_id, next_goal="open the shop")
    await drive.finish(task_id, "tea")

    now = await command("show", task_id)
    then = await command("show", task_id, "--at", str(position), "--json")

    lines = [line.split() for line in now.out.splitlines()]
    assert ["state", "finished,", "with", "success"] in lines
    assert ["1", "ok", "1.5", "s", "open", "the", "shop", "http://shop.test/"] in lines
    assert ["tea"] == lines[-1]
    assert ("running", []) == (json.loads(then.out)["state"], json.loads(then.out)["steps"])


async def test_what_is_piped_is_whole_and_not_padded_and_a_table_is_as_wide_as_is_said(
    command: Command, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id, error = await drive.create(), f"No button is on the page. Closest: {'x' * 300}."
    await drive.start(task_id)
    await drive.step(task_id, next_goal="open the shop of the town on the hill by the sea")
    await drive.fail(task_id, "no_target", error)

    wide = await command("show", task_id)
    monkeypatch.setenv("COLUMNS", "40")
    narrow = await command("tasks")

    assert 1 == wide.out.count(error)
    assert [] == [line for line in wide.out.splitlines() if line != line.rstrip()]
    assert 40 >= max(map(len, narrow.out.splitlines()))


async def test_show_tells_the_acts_of_an_open_step_in_words(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    acts = (("input", '{"input":{"text":"abc","target":{"text":"Code"}}}'), ("wait", '{"wait":{"seconds":30.0}}'))
    fence = (await drive.service.tasks.load(f"task-{task_id}")).fence
    begun = [
        ActionStarted(fence=fence, step=1, index=index, name=name, params=params, effect="local")
        for index, (name, params) in enumerate(acts)
    ]
    await drive.record(task_id, StepStarted(fence=fence, number=1), *begun)

    shown = await command("show", task_id)

    assert 'input "abc" into "Code", wait 30 s' in shown.out
    assert "{" not in shown.out


async def test_show_tells_what_a_judge_said_and_what_could_be_changed(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    fence = (await drive.service.tasks.load(f"task-{task_id}")).fence
    report = json.dumps({"reasoning": "All was read.", "failure_reason": "The basket\x1b[2J is empty."})
    await drive.record(task_id, JudgementRecorded(fence=fence, model="m", verdict=False, report=report))

    shown = await command("show", task_id)

    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "judged not done: The basket[2J is empty." in lines
    assert lines[-1].startswith("judged_unsuccessful: The judge holds that the task was not done.")
    assert lines[-1].endswith("(at 4)")


async def test_show_tells_what_a_task_asks_and_how_it_is_answered(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.ask(task_id, "confirm", "Delete\x1b[2J everything?")

    shown, document = await command("show", task_id), await command("show", task_id, "--json")
    await drive.ask_stop(task_id)
    after = await command("show", task_id)

    lines = [" ".join(line.split()) for line in shown.out.splitlines()]
    until = json.loads(document.out)["question"]["expires_at"]
    told = {"asks (confirm): Delete[2J everything?", f"answer until {until}"}
    assert told == {line for line in lines if line.startswith(("asks", "answer"))}
    assert f"Answer it with: tapewright answer {task_id} yes (or no)" == lines[-1]
    assert ("stopping", False) == (after.out.split("state")[1].split()[0], "Answer it" in after.out)


async def test_tail_tells_what_is_there_and_what_comes_until_it_is_left(begin: Begin, drive: Drive) -> None:
    task_id = await drive.create(instruction="Buy tea.")
    process = await begin("tail")
    before = await line_of(process.stdout, "created")
    await drive.claim(task_id)
    after = await line_of(process.stdout, "claimed")
    process.send_signal(signal.SIGINT)

    answer = await ended(process)

    assert [
        ["1", task_id[:13], "created", "Buy", "tea."],
        ["2", task_id[:13], "claimed", "by", "r1,", "attempt", "1"],
    ] == [line.split()[1:] for line in (before, after)]
    assert Ended(code=0, out="", err="") == answer


async def test_the_tail_of_an_ended_task_ends(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.ask_stop(task_id)

    whole, rest = await command("tail", task_id, "--json"), await command("tail", task_id, "--after", "99")

    kinds = [json.loads(line)["type"] for line in whole.out.splitlines()]
    assert (0, ["task.created", "task.stop_requested", "task.stopped"]) == (whole.code, kinds)
    assert Ended(code=0, out="", err="") == rest


async def test_a_reader_that_has_enough_ends_the_tail_in_silence(begin: Begin, drive: Drive) -> None:
    for number in range(3):
        await drive.create(instruction=f"Buy {number} teapots.")
    process = await begin("tail")
    await line_of(process.stdout, "created")
    assert process.stdout is not None
    process.stdout._transport.close()  # type: ignore[attr-defined]  # the reader has no way of its own to hang up
    await drive.create(instruction="Buy no teapot.")

    async with asyncio.timeout(LIMIT):
        err, code = await process.stderr.read() if process.stderr else b"", await process.wait()

    assert (0, b"") == (code, err)


async def test_verify_tells_the_head_and_its_hash(command: Command, drive: Drive) -> None:
    (created,) = await drive.tape(await drive.create())

    told, document = await command("verify"), await command("verify", "--json")

    head = created.hash.hex()
    assert Ended(code=0, out=f"The chain holds: 1 events, head {head}\n", err="") == told
    assert {"ok": True, "head": 1, "hash": head} == json.loads(document.out)


async def test_a_tape_is_verified_without_a_service_and_a_changed_one_is_broken(
    command: Command, tmp_path: Path
) -> None:
    tape = tmp_path / "tape.db"
    created = KeyCreated(digest="0" * 64, project="default")
    async with open_sqlite(tape) as store:
        (recorded,) = await store.append("key-1", 0, [created], actor="system")

    sound = await command("verify", "--data", str(tmp_path))
    with closing(sqlite3.connect(tape)) as db:
        db.execute("DROP TRIGGER events_are_never_changed")
        db.execute("UPDATE events SET actor = 'nobody'")
        db.commit()
    changed = await command("verify", "--data", str(tmp_path))

    assert Ended(code=0, out=f"The chain holds: 1 events, head {recorded.hash.hex()}\n", err="") == sound
    broken = (
        "The chain is broken at position 1: its hash does not follow from its content and the hash before it\n"
        "Up to position 0 it holds.\n"
    )
    assert Ended(code=1, out=broken, err="") == changed


async def test_a_tape_that_a_service_writes_is_verified_by_that_service_or_as_a_copy(
    command: Command, tmp_path: Path
) -> None:
    async with open_sqlite(tmp_path / "tape.db"):
        pass

    with hold(tmp_path, holder="pid 123 serving http://127.0.0.1:8000"):
        answer = await command("verify", "--data", str(tmp_path))

    said = (
        f"The data directory {tmp_path} is in use by pid 123 serving http://127.0.0.1:8000. Ask that service, with "
        "tapewright verify without --data, or verify a copy of the directory.\n"
    )
    assert Ended(code=2, out="", err=said) == answer


async def test_a_directory_without_a_tape_stays_without_one(command: Command, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()

    answer = await command("verify", "--data", str(empty))

    assert (Ended(code=2, out="", err=f"There is no tape in {empty}.\n"), []) == (answer, os.listdir(empty))


async def test_a_service_that_cannot_begin_says_why(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    answer = await ended(await begin("serve", "--port", "0", "--data", str(tmp_path / "file")))

    assert (2, "", 1) == (answer.code, answer.out, answer.err.count("\n"))


async def test_what_is_no_service_is_told(command: Command) -> None:
    async with TestServer(web.Application()) as other:
        answer = await command("tasks", "--url", str(other.make_url("")))

    said = "What answers there is no Tapewright service: it answered with status 404.\n"
    assert Ended(code=2, out="", err=said) == answer


async def test_help_names_the_exit_codes(command: Command) -> None:
    answer = await command("--help")

    assert (0, True) == (answer.code, "Exit codes" in answer.out)


async def test_redact_and_prune_say_what_they_did(command: Command, drive: Drive) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    await drive.step(task_id, screenshot=b"a picture")
    await drive.finish(task_id)

    redacted = await command("redact", task_id[:13], "--reason", "she asked for it")
    dry = await command("prune", "--dry-run")
    as_json = await command("prune", "--json")

    assert Ended(code=0, out=f"Redacted: 8 events and 1 files of task {task_id}.\n", err="") == redacted
    assert Ended(code=0, out="Nothing is older than the settings say.\n", err="") == dry
    assert (0, False, ["screenshots", "files", "recordings", "uploads", "tasks"]) == (
        as_json.code,
        json.loads(as_json.out)["dry_run"],
        [each["kind"] for each in json.loads(as_json.out)["classes"]],
    )


async def test_what_still_runs_is_not_redacted(command: Command, drive: Drive) -> None:
    task_id = await drive.create()

    answer = await command("redact", task_id)

    assert Ended(code=1, out="", err="Queued tasks cannot be redacted: stop the task first.\n") == answer


async def test_show_says_that_a_task_was_redacted_and_why(command: Command, drive: Drive) -> None:
    task_id = await drive.create(instruction="Buy tea.")
    await drive.ask_stop(task_id)

    redacted = await command("redact", task_id, "--reason", "asked for")
    shown = await command("show", task_id)

    assert 0 == redacted.code
    assert ["redacted", "asked", "for"] in [line.split() for line in shown.out.splitlines()]
    assert "tea" not in shown.out


async def test_a_scope_that_there_is_not_is_refused_with_those_that_there_are(command: Command) -> None:
    answer = await command("keys", "create", "--scope", "write")

    assert 2 == answer.code
    assert "write is no scope; there are read, control, admin." in " ".join(answer.err.replace("│", " ").split())
