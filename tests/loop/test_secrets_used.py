"""A secret is typed where it may be, said on the tape before, shown nowhere, and forgotten when its task ends."""

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.codec import type_of
from eventstore.secrets import Secret, get, put, vault_name
from runner.action_json import as_json
from runner.vocabulary import ActFailed, Extract, Input, Navigate, Query, WaitFor
from tests.loop.test_crash import leave_during

VALUE = "correct horse & battery"
SECRETS = {"password": VALUE}
SHOP = ("shop.test",)
OPEN = Navigate(url="http://shop.test/")
TYPE = Input(text="<secret>password</secret>", target=Query(text="Password"))
READ = Extract(what="page")


def kept(world: Any) -> int:
    """How many entries the vault has."""
    directory: Path = world.vault._directory
    return len([path for path in directory.iterdir() if not path.name.startswith("vault.")])


async def facts(world: Any, stream: str) -> list[e.Event]:
    return [recorded.event for recorded in await world.store.read_stream(stream)]


async def left(world: Any, script: Any, stream: str) -> dict[str, Secret] | None:
    """What the vault has of the task once the runner has heard of its end: it has come to a task that began later."""
    other = await world.create("other", script([OPEN]))
    await world.until(other, e.TaskFinished)
    created = (await world.tasks.load(stream)).created
    return await get(world.vault, vault_name(stream, created))


async def test_a_secret_is_typed_and_the_tape_says_so_before_the_act(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("login", script([OPEN], [TYPE]), secrets=SECRETS, allowed_domains=SHOP)
        await world.until(stream, e.TaskFinished)

    story = [fact for fact in await facts(world, stream) if isinstance(fact, e.ActionStarted | e.SecretUsed)]
    assert [VALUE] == world.stage.typed
    assert ["task.action_started", "task.action_started", "task.secret_used"] == [type_of(fact) for fact in story]
    assert e.SecretUsed(fence=2, step=2, index=0, name="password", host="shop.test") == story[-1]
    assert as_json(TYPE) == getattr(story[1], "params", "")


async def test_what_the_page_echoes_comes_out_masked_everywhere(
    world: Any, script: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = Navigate(url="http://shop.test/correct+horse+%26+battery")
    world.stage.results[as_json(READ)] = f"<p>{VALUE}</p>" + "x" * 300_000 + VALUE
    world.stage.fails[as_json(TYPE)] = ActFailed("failed", f'The field "{VALUE}" went away.')
    model = script([echo], [TYPE], [READ], needs_tree=True, output=f"it was {VALUE}")

    async with world.worker():
        stream = await world.create("login", model, secrets=SECRETS, allowed_domains=SHOP)
        finished = await world.until(stream, e.TaskFinished)

    said = repr(await facts(world, stream)) + repr(model.pasts) + caplog.text
    assert e.TaskFinished(fence=2, success=True, output="it was <secret>password</secret>") == finished.event
    assert "http://shop.test/<secret>password</secret>" in said
    assert "battery" not in said


async def test_what_fails_unexpectedly_is_logged_masked(
    world: Any, script: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.stage.fails[as_json(READ)] = ValueError(f"no number: {VALUE}")

    async with world.worker():
        stream = await world.create("login", script([OPEN], [READ]), secrets=SECRETS, allowed_domains=SHOP)
        failed = await world.until(stream, e.TaskFailed)

    told = "".join(capsys.readouterr())
    assert "internal" == failed.event.code
    assert "no number: <secret>password</secret>" in told
    assert VALUE not in told


async def test_a_page_of_another_host_gets_nothing_and_is_named(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("login", script([OPEN], [TYPE]), secrets=SECRETS, allowed_domains=("bank.test",))
        failed = await world.until(stream, e.TaskFailed)

    assert "secret_refused" == failed.event.code
    assert 'The secret "password" is not typed: its field is on shop.test' in failed.event.message
    assert [] == world.stage.typed
    assert not any(isinstance(fact, e.SecretUsed) for fact in await facts(world, stream))


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Navigate(url="http://shop.test/?q=<secret>password</secret>"), "bad_secret"),
        (WaitFor(text="<secret>password</secret>"), "bad_secret"),
        (Input(text="a", target=Query(text="<secret>password</secret>")), "bad_secret"),
        (Input(text="<secret>pin</secret>", target=Query(text="PIN")), "unknown_secret"),
    ],
)
async def test_a_placeholder_elsewhere_or_of_no_secret_is_refused(
    world: Any, script: Any, action: Any, code: str
) -> None:
    async with world.worker():
        stream = await world.create("login", script([action]), secrets=SECRETS, allowed_domains=SHOP)
        failed = await world.until(stream, e.TaskFailed)

    assert code == failed.event.code
    assert [] == world.stage.acts


async def test_a_crash_keeps_the_secret_and_the_next_attempt_types_it_again(world: Any, script: Any) -> None:
    model = script([OPEN], [TYPE], [READ])
    stream = await world.create("login", model, secrets=SECRETS, allowed_domains=SHOP)
    await leave_during(world, stream, f"resolve {as_json(READ)}")
    between = kept(world)

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    used = [fact for fact in await facts(world, stream) if isinstance(fact, e.SecretUsed)]
    assert 2 == between
    assert [VALUE, VALUE] == world.stage.typed
    assert [(2, 0), (2, 0)] == [(fact.step, fact.index) for fact in used]


async def test_an_address_that_held_a_secret_is_not_opened_again(world: Any, script: Any) -> None:
    sent = Navigate(url="http://shop.test/?password=correct%20horse%20%26%20battery")
    stream = await world.create("login", script([sent], [READ]), secrets=SECRETS, allowed_domains=SHOP)
    await leave_during(world, stream, f"resolve {as_json(READ)}")

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)

    assert "runner_lost" == failed.event.code
    assert 1 == len(world.stage.acts)


async def test_secrets_that_the_vault_has_lost_fail_the_task(world: Any, script: Any) -> None:
    stream = await world.create("login", script([OPEN]), secrets=SECRETS, allowed_domains=SHOP)
    await world.vault.sweep([])

    async with world.worker():
        failed = await world.until(stream, e.TaskFailed)

    assert "secrets_lost" == failed.event.code
    assert 0 == world.stage.sessions


@pytest.mark.parametrize("end", ["finished", "failed", "stopped", "stopped while it waits"])
async def test_whatever_ends_the_task_its_secrets_are_forgotten(world: Any, script: Any, end: str) -> None:
    if end == "failed":
        world.stage.fails[as_json(READ)] = ActFailed("no_target", "Nothing is there.")
    arrived = world.stage.stop_at(f"act {as_json(READ)}") if end == "stopped" else None
    async with world.worker():
        stream = await world.create("login", script([OPEN], [TYPE], [READ]), secrets=SECRETS, allowed_domains=SHOP)
        if arrived:
            await arrived.wait()
        if end.startswith("stopped"):
            await world.tell(stream, decide.stop)
        await world.until(stream, {"finished": e.TaskFinished, "failed": e.TaskFailed}.get(end, e.TaskStopped))

        assert None is await left(world, script, stream)


async def test_a_start_forgets_what_no_task_needs_and_keeps_what_one_does(world: Any, script: Any) -> None:
    stream = await world.create("login", script([OPEN], [TYPE]), secrets=SECRETS, allowed_domains=SHOP)
    await world.tell(stream, decide.pause)
    await put(world.vault, "secrets/p/never-created/digest", {"password": Secret(VALUE)})
    ended = await world.create("ended", script([OPEN]), secrets=SECRETS, allowed_domains=SHOP)
    await world.tell(ended, decide.stop)
    before = kept(world)

    async with world.worker():
        after = kept(world)
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert (3, 1) == (before, after)
    assert [VALUE] == world.stage.typed


async def test_no_event_of_such_a_task_can_be_read_for_the_value(world: Any, script: Any) -> None:
    async with world.worker():
        stream = await world.create("login", script([OPEN], [TYPE], [READ]), secrets=SECRETS, allowed_domains=SHOP)
        await world.until(stream, e.TaskFinished)

    written = b"".join(msgspec.json.encode(fact) for fact in await facts(world, stream))
    assert b"password" in written
    assert b"battery" not in written


async def test_a_fork_types_them_where_the_task_that_it_plays_named_it(world: Any, script: Any) -> None:
    words = "Go to https://shop.test/"
    steps = script([Navigate(url="https://shop.test/")], [TYPE])
    async with world.worker():
        await world.until(await world.create(words, steps, llm="instructions", secrets=SECRETS), e.TaskFinished)
        replay = e.Replay(task=words, until=2, then="model")
        fork = await world.create("Read it", script([READ]), secrets=SECRETS, replay=replay)
        await world.until(fork, e.TaskFinished)

    assert [VALUE, VALUE] == world.stage.typed
