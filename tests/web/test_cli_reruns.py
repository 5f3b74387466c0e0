"""The command line: run again, fork, and two runs side by side."""

from typing import Any

import pytest

from eventstore import events as e
from tests.web.conftest import Drive
from tests.web.test_cli import Begin, Command, begin, command, ended, known, line_of, server
from tests.web.test_reruns import ADA, HIDDEN, Act, created, did, recorded

__all__ = ["begin", "command", "known", "server"]  # fixtures

EVE: Act = ("input", {"text": "Eve", "target": {"text": "Name"}})


async def test_a_task_is_run_again_by_the_beginning_of_its_id_with_other_texts(command: Command, drive: Drive) -> None:
    first = await recorded(drive, ADA)

    done = await command("rerun", first[:30], "--input", "Ada=Bob = Eve", "--detach")
    now = await created(drive, done.out.strip())
    shown = await command("show", done.out.strip())

    assert (0, "") == (done.code, done.err)
    assert f"runs again  {first}" in shown.out
    assert e.Replay(task=first, inputs={"Ada": "Bob = Eve"}) == now.replay


async def test_a_secret_comes_from_the_environment_and_never_from_the_command_line(
    command: Command, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await recorded(drive, HIDDEN)
    words = ("rerun", first, "--input", "step 1=<secret>PIN_OF_SHOP</secret>", "--secret", "PIN_OF_SHOP", "--detach")

    absent = await command(*words)
    monkeypatch.setenv("PIN_OF_SHOP", "1234")
    given = await command(*words)

    assert (2, "") == (absent.code, absent.out)
    assert "The secret PIN_OF_SHOP is in no environment variable of that name" in absent.err
    assert 0 == given.code, given.err
    assert ("PIN_OF_SHOP",) == (await created(drive, given.out.strip())).secrets


async def test_what_is_no_pair_of_texts_is_wrong_usage(command: Command, drive: Drive) -> None:
    done = await command("rerun", await recorded(drive, ADA), "--input", "Ada")

    assert 2 == done.code
    assert "An input is OLD=NEW" in done.err


async def test_a_fork_says_at_which_step_and_what_then(command: Command, drive: Drive) -> None:
    first = await recorded(drive, ADA, ADA)

    done = await command("fork", first, "--at", "1", "Click “Buy”.", "--detach", "--json")
    now = await created(drive, done.out.split('"')[3])

    assert ("Click “Buy”.", e.Replay(task=first, until=1, then="model")) == (now.instruction, now.replay)


async def test_a_rerun_is_followed_and_then_says_what_differs(begin: Begin, drive: Drive) -> None:
    first = await recorded(drive, ADA, ADA)
    process = await begin("rerun", first)
    again = (await line_of(process.stderr, "task ")).split()[1]
    await drive.start(again)
    await drive.finish(again, "done")

    done = await ended(process)

    assert (0, "done\n") == (done.code, done.out)
    assert "Step 1 of the first run (input) has nothing beside it in the second." in done.err


async def test_a_rerun_with_other_inputs_is_not_said_to_be_as_recorded(begin: Begin, drive: Drive) -> None:
    first = await recorded(drive, ADA)
    process = await begin("rerun", first, "--input", "Ada=Eve")
    again = (await line_of(process.stderr, "task ")).split()[1]
    await drive.start(again)
    await did(drive, again, 1, EVE)
    await drive.finish(again, "done")

    done = await ended(process)

    assert 0 == done.code
    assert "All as recorded but for the other inputs." == done.err.splitlines()[-1]


async def test_a_fork_is_compared_as_one_and_with_what_each_was_asked(command: Command, drive: Drive) -> None:
    first = await recorded(drive, ADA, ADA)
    replay = e.Replay(task=first, until=1, then="model")
    fork = await recorded(drive, ADA, ADA, instruction="Save it.", forked_from=first, replay=replay)

    done = await command("diff", fork)

    lines = done.out.splitlines()
    assert 0 == done.code
    assert [f"{fork[:13]} is a fork of {first[:13]}.", f"{fork[:13]} was asked: Save it."] == [lines[0], lines[2]]
    assert lines[1].startswith(f"{first[:13]} was asked: ")
    assert "Asked differently, the runs did the same." == lines[-1]


async def test_two_runs_are_a_table_for_people_and_a_document_for_programs(
    command: Command, drive: Drive, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = await recorded(drive, ADA, ADA), await recorded(drive, ADA, EVE), await recorded(drive, ADA, ADA)

    other = await command("diff", a, b)
    same = await command("diff", a, c)
    document: Any = await command("diff", a, b, "--json")
    monkeypatch.setenv("COLUMNS", "70")
    narrow = await command("diff", a, b)

    assert (1, 0, 1) == (other.code, same.code, document.code)
    table = [line.rstrip() for line in other.out.splitlines()]
    assert ["step", a[:13], b[:13], "differs", "picture", "took"] == table[0].split()
    assert '2     input "Ada" into "Name"  input "Eve" into "Name"  another act           0 ms / 0 ms' == table[2]
    assert 'Step 2 did input "Ada" into "Name", and now does input "Eve" into "Name".' == table[-1]
    assert "The runs do not differ." == same.out.splitlines()[-1]
    assert '"differ":true' in document.out
    *rows, _ = narrow.out.splitlines()
    assert 70 >= max(map(len, rows))
    assert [("2", "another act  ", "0 ms / 0 ms")] == [(row[:1], row[-33:-20], row[-11:]) for row in rows[2:]]
