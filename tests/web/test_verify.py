"""A tape held against its rules and checkpoints: asked of a service, of a directory, of a file; and at the start."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import assemble
from api.settings import Settings
from api.wiring import open_service
from eventstore import events as e
from eventstore.book import Book
from eventstore.errors import CannotOpen
from eventstore.sqlite import open_sqlite
from eventstore.store import EventStore
from tests.web.conftest import Client, Drive

CREATED = e.TaskCreated(instruction="", llm="", session="s", project="p", family="v1", request_digest="d")
BROKEN = [CREATED, e.PauseRequested(), e.TaskClaimed(runner="r", attempt=1)]
SAID = "3  task-1  rest: task.claimed while a pause is wanted\nThe rules are broken: 1 times.\n"


async def command(*arguments: str | Path) -> tuple[int, str]:
    """A command's exit code, and all it says."""
    result = await asyncio.to_thread(CliRunner().invoke, assemble(), [str(each) for each in arguments])
    return result.exit_code, result.output


async def written(directory: Path, *events: e.Event) -> str:
    """A tape with these events, signed at its end; answers its last hash in hex."""
    os.makedirs(directory, exist_ok=True)
    async with open_sqlite(directory / "tape.db") as store:
        recorded = await store.append("task-1", store.head, list(events), actor="test")
        await Book(directory).note(store)
    return recorded[-1].hash.hex()


async def test_rules_that_are_broken_are_told_with_their_positions(tmp_path: Path) -> None:
    data = tmp_path / "data"
    head = await written(data, *BROKEN)
    before = sorted(os.listdir(data))

    plain, ruled = await command("verify", "--data", data), await command("verify", "--data", data, "--rules")

    holds = f"The chain holds: 3 events, head {head}\n"
    assert [(0, holds), (1, holds + SAID)] == [plain, ruled]
    assert before == sorted(os.listdir(data))


async def test_a_copy_of_a_tape_that_nobody_may_write_to_is_verified(tmp_path: Path) -> None:
    head = await written(tmp_path / "data", CREATED)
    copy = shutil.copy(tmp_path / "data" / "tape.db", tmp_path / "copy.db")
    os.chmod(copy, 0o400)

    told = await command("verify", "--data", copy, "--rules")

    assert (0, f"The chain holds: 1 events, head {head}\nThe rules hold.\n") == told
    assert ["copy.db", "data"] == sorted(os.listdir(tmp_path))


async def test_a_published_checkpoint_proves_the_tape_that_grew_from_it_and_no_other(tmp_path: Path) -> None:
    published = tmp_path / "published"
    await written(tmp_path / "data", CREATED)
    shutil.copy(tmp_path / "data" / "checkpoints", published)
    head = await written(tmp_path / "data", e.PauseRequested())
    await written(tmp_path / "other", CREATED)

    own = await command("verify", "--data", tmp_path / "data", "--checkpoint", published)
    other = await command("verify", "--data", tmp_path / "other", "--checkpoint", published)
    none = await command("verify", "--data", tmp_path / "data", "--checkpoint", tmp_path / "data" / "tape.db")

    assert (0, f"The chain holds: 2 events, head {head}\nIt is that of the checkpoint.\n") == own
    assert (1, True) == (other[0], "is of another tape" in other[1])
    assert (2, True) == (none[0], "is no file of checkpoints" in none[1])


async def test_a_service_is_asked_for_the_same(client: Client, drive: Drive, store: EventStore, tmp_path: Path) -> None:
    await drive.create()
    await Book(tmp_path).note(store)
    line = (tmp_path / "checkpoints").read_text().strip()
    await store.append("task-1", 0, BROKEN, actor="test")

    sound = await (await client.get("/api/tape/verify", params={"checkpoint": line})).json()
    ruled = await (await client.get("/api/tape/verify", params={"rules": "true"})).json()
    forged = await client.get("/api/tape/verify", params={"checkpoint": line.replace("position=1", "position=2")})

    assert (True, 4) == (sound["ok"], sound["head"])
    violation = {"position": 4, "stream": "task-1", "rule": "rest", "sentence": "task.claimed while a pause is wanted"}
    assert (False, [violation]) == (ruled["ok"], ruled["violations"])
    assert 422 == forged.status


async def test_a_service_does_not_begin_on_a_tape_without_its_end_until_the_loss_is_accepted(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", port=0, max_concurrent=0, api_key="k" * 16)
    await written(settings.data_dir, CREATED, e.PauseRequested())
    whole = shutil.copytree(settings.data_dir, tmp_path / "backup")
    await written(settings.data_dir, e.ResumeRequested())
    shutil.copy(whole / "tape.db", settings.data_dir / "tape.db")

    with pytest.raises(CannotOpen) as refused:
        async with open_service(settings):
            pytest.fail("It was served as good.")
    verified = await command("verify", "--data", settings.data_dir)
    accepted = await command("accept-loss", "--data", settings.data_dir)
    async with open_service(settings) as running:
        head = running.service.store.head
    again = await command("accept-loss", "--data", settings.data_dir)

    assert 2 == head
    problem = "the tape ends at 2, but a checkpoint signed at "
    assert (True, True) == (problem in str(refused.value), "tapewright accept-loss --data" in str(refused.value))
    assert (1, True) == (verified[0], f"The chain is broken at position 3: {problem}" in verified[1])
    assert (0, True) == (accepted[0], f"This is accepted: {problem}" in accepted[1])
    assert (0, "Nothing is missing: the tape bears out all its checkpoints.\n") == again
