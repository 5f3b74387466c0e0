"""A task reads what it was given and writes files of its own: each is on the tape with its act, once, or not at all."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from runner.action_json import as_json
from runner.vocabulary import AnyAction, Click, Extract, Input, Query, ReadFile, Upload, WriteFile

LOOK = Extract(what="page")
NOTES = WriteFile(file="notes.txt", content="one\n")
MORE = WriteFile(file="notes.txt", content="two\n", append=True)


async def ended(world: Any, stream: str) -> list[e.ActionEnded]:
    said = [recorded.event for recorded in await world.store.read_stream(stream)]
    return [event for event in said if isinstance(event, e.ActionEnded)]


async def files(world: Any, stream: str) -> dict[str, bytes]:
    said = [recorded.event for recorded in await world.store.read_stream(stream)]
    made = {event.file.name: event.file.blob for event in said if isinstance(event, e.FileProduced)}
    return {name: await world.blobs.get(blob) for name, blob in made.items()}


async def run(world: Any, script: Any, *acts: AnyAction, **fields: object) -> str:
    """A task that does these, one a step, and goes on after one that failed."""
    stream: str = await world.create("write", script(*[[act] for act in acts], needs_tree=True), **fields)
    async with world.worker():
        await world.until(stream, e.TaskFinished)
    return stream


async def test_what_was_written_added_and_replaced_is_read_as_it_is(world: Any, script: Any) -> None:
    change = WriteFile(file="notes.txt", content="1", replace="one")

    stream = await run(world, script, NOTES, MORE, change, ReadFile(file="notes.txt"))

    assert [
        "wrote notes.txt, which has 4 bytes",
        "appended to notes.txt, which has 8 bytes",
        "replaced 1 times in notes.txt, which has 6 bytes",
        "1\ntwo\n",
    ] == [act.result for act in await ended(world, stream)]
    assert {"notes.txt": b"1\ntwo\n"} == await files(world, stream)


async def test_a_file_goes_on_the_tape_right_before_the_end_of_its_act_and_is_told_at_the_end(
    world: Any, script: Any
) -> None:
    stream = await run(world, script, NOTES)

    assert ["action_started", "file_produced", "action_ended"] == (await world.story(stream))[4:7]
    finished = await world.until(stream, e.TaskFinished)
    assert ("notes.txt",) == finished.event.files


async def test_what_it_was_given_can_be_read_and_added_to(world: Any, script: Any) -> None:
    given = e.File(id="1", name="prices.csv", blob=await world.blobs.put(b"a,1\n"), size=4)
    add = WriteFile(file="prices.csv", content="b,2\n", append=True)

    stream = await run(world, script, ReadFile(file="prices.csv"), add, ReadFile(file="prices.csv"), uploads=(given,))

    assert ["a,1\n", "a,1\nb,2\n"] == [act.result for act in (await ended(world, stream))[::2]]


@pytest.mark.parametrize(
    ("act", "code", "said"),
    [
        (ReadFile(file="other.txt"), "no_file", "There is no file other.txt. There are: notes.txt, gone.txt."),
        (ReadFile(file="gone.txt"), "file_lost", "gone.txt is no longer on the disk."),
        (ReadFile(file="notes.txt", offset=9), "bad_action", "notes.txt has 4 characters; 9 is not one of them"),
        (WriteFile(file="other.txt", content="1", replace="2"), "no_file", "There is no file other.txt."),
        (WriteFile(file="notes.txt", content="1", replace="2"), "no_text", "notes.txt does not hold the text"),
        (WriteFile(file="notes.txt", content="1", replace="2", append=True), "bad_action", "either appended or"),
        (WriteFile(file="big.txt", content="ä" * 100_000), "too_large", "The words of one act come to at most 200,000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_cannot_be_done_with_a_file_fails_by_name_and_makes_none(
    world: Any, script: Any, act: AnyAction, code: str, said: str
) -> None:
    gone = e.File(id="1", name="gone.txt", blob="0" * 64, size=4)

    stream = await run(world, script, NOTES, act, uploads=(gone,))

    failed = (await ended(world, stream))[-1]
    assert (False, code, True) == (failed.ok, failed.code, said in failed.error)
    assert {"notes.txt": b"one\n"} == await files(world, stream)


async def test_what_would_fill_the_memory_is_weighed_before_it_is_made(world: Any, script: Any) -> None:
    letters = WriteFile(file="notes.txt", content="a" * 100_000)
    words = WriteFile(file="notes.txt", content="b" * 190_000, replace="a")

    stream = await run(world, script, letters, words)

    said = "notes.txt would have 19,000,000,000 bytes; at most 1,048,576 are written."
    assert said == (await ended(world, stream))[-1].error


async def test_a_name_is_made_safe_and_finds_its_file_again(world: Any, script: Any) -> None:
    stream = await run(
        world, script, WriteFile(file="../a/b\u202e.txt", content="x"), ReadFile(file="../a/b\u202e.txt")
    )

    assert ["wrote b_.txt, which has 1 bytes", "x"] == [act.result for act in await ended(world, stream)]


async def test_all_that_a_task_writes_is_bounded(world: Any, script: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.files.ALL_BYTES", 10)
    monkeypatch.setattr("runner.files.WRITTEN_BYTES", 7)

    stream = await run(world, script, NOTES, MORE, NOTES, NOTES)

    assert [
        "",
        "notes.txt would have 8 bytes; at most 7 are written.",
        "",
        "notes.txt was not kept: a task makes at most 10 bytes of files.",
    ] == [act.error for act in await ended(world, stream)]


@pytest.mark.parametrize("needs_tree", [True, False])
async def test_a_step_that_was_cut_after_it_had_written_is_not_done_again(
    world: Any, script: Any, needs_tree: bool
) -> None:
    stream = await world.create("write", script([NOTES], [MORE, LOOK], [LOOK], needs_tree=needs_tree))
    arrived = world.stage.stop_at(f"act {as_json(LOOK)}")
    async with world.worker():
        await arrived.wait()
    world.stage.hold.clear()

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert {"notes.txt": b"one\ntwo\n"} == await files(world, stream)


async def test_a_write_that_was_cut_before_its_end_left_nothing_and_is_done_once(world: Any, script: Any) -> None:
    given = e.File(id="1", name="notes.txt", blob=await world.blobs.put(b"one\n"), size=4)
    stream = await world.create("write", script([MORE]), uploads=(given,))
    overtaken = world.overtake(e.FileProduced, partial(decide.lose, runner="w1"))

    async with world.worker():
        await world.until(stream, e.TaskFinished)

    assert overtaken.is_set()
    assert {"notes.txt": b"one\ntwo\n"} == await files(world, stream)
    assert 1 == (await world.story(stream)).count("file_produced")


async def test_a_file_that_the_task_wrote_lies_where_its_uploads_are_taken_from(
    world: Any, script: Any, tmp_path: Any
) -> None:
    world.files = tmp_path
    upload = Upload(path="notes.txt", target=Query(text="File"))

    await run(world, script, NOTES, upload, MORE, upload)

    assert [{"notes.txt": b"one\n"}, {"notes.txt": b"one\ntwo\n"}] == world.stage.offered


async def test_a_file_that_has_just_been_downloaded_can_be_given_to_the_next_page(
    world: Any, script: Any, tmp_path: Path
) -> None:
    world.files = tmp_path
    (tmp_path / "came").write_bytes(b"1,2")
    upload = Upload(path="report.csv", target=Query(text="File"))
    stream = await world.create("write", script([LOOK, upload], needs_tree=True))
    where = f"act {as_json(LOOK)}"
    arrived = world.stage.stop_at(where)

    async with world.worker():
        await arrived.wait()
        world.stage.inbox.begin("key", "report.csv")
        world.stage.inbox.end("key", tmp_path / "came")
        world.stage.hold[where].set()
        await world.until(stream, e.TaskFinished)

    assert [{"report.csv": b"1,2"}] == world.stage.offered


async def test_a_secret_in_a_file_is_read_by_its_name(world: Any, script: Any) -> None:
    given = e.File(id="1", name="key.txt", blob=await world.blobs.put(b"it is tiger-17"), size=14)

    stream = await run(
        world,
        script,
        ReadFile(file="key.txt"),
        uploads=(given,),
        secrets={"pass": "tiger-17"},
        allowed_domains=("a.test",),
    )

    assert ["it is <secret>pass</secret>"] == [act.result for act in await ended(world, stream)]


def test_clicks_and_typing_are_no_files() -> None:
    assert ["lasting", "local", "file", "look"] == [kind.effect.value for kind in (Click, Input, WriteFile, ReadFile)]
