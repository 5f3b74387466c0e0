"""Views forget: what is shown after a redaction is what a rebuild from the redacted log shows, and no file has more."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore import decide, retention
from eventstore import events as e
from eventstore.errors import NotAllowed
from eventstore.memory import MemoryStore
from eventstore.store import EventStore
from eventstore.task import fold
from projections.history import task_at
from tests.histories import MOVES, Move, act, claim, fail, finish, history, start, step, take
from tests.viewing import FINISHED, RUNNING, following, shown, write

IDS = ("t", "u", "v")
CANARY = "canary-of-the-page"


async def redact(store: EventStore, task_id: str, reason: str = "asked for") -> bool:
    """As the service does it, without the files. False for a task that has not ended."""
    page = await store.read_stream(f"task-{task_id}")
    try:
        events = retention.redact(fold(each.event for each in page), reason=reason)
    except NotAllowed:
        return False
    if events:
        await write(store, task_id, events, version=len(page))
        await store.redact(f"task-{task_id}", len(page))
    return True


def lives() -> st.SearchStrategy[list[e.Event]]:
    """Histories of tasks that have ended, most of them: each in a way of its own, out of whatever state it had."""
    last = st.sampled_from(
        [[claim, start, finish], [claim, start, fail], [decide.stop], [claim, start, decide.stop], []]
    )
    return st.builds(
        lambda first, moves, end: history([*first, *moves, *end, *END]),
        st.sampled_from([[], [claim, start, step, take], [claim, start, step, act]]),
        st.lists(st.sampled_from(MOVES), max_size=25),
        last,
    )


END: Sequence[Move] = (lambda task: decide.stopped(task, fence=task.fence),)


@given(st.tuples(lives(), lives(), lives()), st.lists(st.sampled_from(IDS), max_size=3))
@settings(max_examples=100, deadline=None)
async def test_views_after_redactions_are_those_of_a_rebuild_and_the_tape_verifies(
    told: tuple[list[e.Event], ...], forget: list[str]
) -> None:
    store = MemoryStore()
    for task_id, events in zip(IDS, told, strict=True):
        await write(store, task_id, events)

    async with following(store) as projector:
        for task_id in forget:
            await redact(store, task_id)
        await projector.reached(store.head)
        live = await shown(projector, IDS)
    async with following(store) as projector:
        rebuilt = await shown(projector, IDS)
        by_view = [(await projector.tasks.find(task_id), await projector.steps.of(task_id)) for task_id in IDS]
        as_of = [await task_at(store, task_id) for task_id in IDS]

    assert live == rebuilt
    assert by_view == as_of
    assert (await store.verify()).ok


async def test_a_redacted_task_is_there_with_its_times_and_empty_texts(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", FINISHED)

    async with following(store, tmp_path) as projector:
        before, steps = await projector.tasks.find("t"), await projector.steps.of("t")
        await redact(store, "t")
        await projector.reached(store.head)
        row, blank = await projector.tasks.find("t"), await projector.steps.of("t")
        listed = await projector.tasks.page(project="p")

    assert before is not None
    assert row is not None
    assert ([row], 1) == listed
    assert ("p", "finished", True, "asked for", "", "", {}) == (
        row.project,
        row.state,
        row.redacted,
        row.redaction,
        row.instruction + row.output + row.session + row.llm,
        row.runner,
        row.metadata,
    )
    assert (before.created_at, before.started_at, before.ended_at, before.steps) == (
        row.created_at,
        row.started_at,
        row.ended_at,
        row.steps,
    )
    assert [(1, each.started_at, each.ended_at, "", ()) for each in steps] == [
        (each.number, each.started_at, each.ended_at, each.title + each.url + each.screenshot, each.actions)
        for each in blank
    ]


async def test_no_byte_of_a_redacted_task_stays_in_the_views_file(tmp_path: Path) -> None:
    store = MemoryStore()
    async with following(store, tmp_path) as projector:
        await projector._shelf.rows("PRAGMA secure_delete = OFF")  # as most builds of SQLite have it
        # Tasks at work at the same time, whose rows grow between others: so copies of rows are left in the pages.
        lives = [texts([*FINISHED[:3], *FINISHED[3:7] * 6, *FINISHED[7:]], f"{CANARY}-{name:02}") for name in range(60)]
        for first in range(0, 60, 6):
            for version in range(len(lives[0])):
                for name in range(first, first + 6):
                    await write(store, str(name), lives[name][version : version + 1], version=version)
                await projector.reached(store.head)
                await projector.flush()
        await projector.reached(store.head)
        await projector.flush()
        for number in range(0, 60, 2):
            await redact(store, str(number))
        await projector.reached(store.head)

        await projector.purge()
        found = canaries(tmp_path)

        assert {f"{number:02}" for number in range(1, 60, 2)} == found


async def test_what_was_not_purged_before_the_end_is_purged_by_the_next_start(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", texts(FINISHED, f"{CANARY}-01"))
    async with following(store, tmp_path) as projector:
        await projector.flush()
        await redact(store, "t")
        await projector.reached(store.head)

    async with following(store, tmp_path) as projector:
        await projector.purge()

        assert set() == canaries(tmp_path)


async def test_pictures_are_named_until_they_are_removed_or_their_task_is_redacted(tmp_path: Path) -> None:
    store = MemoryStore()
    for task_id in ("t", "u", "v"):
        await write(store, task_id, FINISHED)
    await write(store, "w", RUNNING)

    async with following(store, tmp_path) as projector:
        before = await projector.references.named(["ab", "no"])
        removed = e.BlobsRemoved(kind="screenshots", blobs=("ab",), reason="old")
        await write(store, "t", [removed], version=len(FINISHED))
        await redact(store, "u")
        await projector.reached(store.head)
        after = await projector.references.named(["ab"])
        (step,) = await projector.steps.of("t")

    assert ({"ab": {"t", "u", "v", "w"}}, {"ab": {"v", "w"}}) == (before, after)
    assert ("", "old") == (step.screenshot, step.removed)


async def test_what_is_old_is_found_by_the_end_of_its_task_the_oldest_first(tmp_path: Path) -> None:
    store = MemoryStore()
    for task_id in ("t", "u"):
        await write(store, task_id, FINISHED)
    await write(store, "w", RUNNING)

    async with following(store, tmp_path) as projector:
        ends = [row.ended_at for task_id in "tu" if (row := await projector.tasks.find(task_id))]
        first, second = (end for end in ends if end)
        everything = {
            kind: [
                (each.task, each.ended_at, each.blobs) for each in await projector.references.aged(kind, until, limit=9)
            ]
            for kind, until in (("tasks", second), ("screenshots", second))
        }
        early = [each.task for each in await projector.references.aged("tasks", first, limit=9)]
        none = await projector.references.aged("screenshots", first - 1, limit=9)

    assert {kind: [("t", first, ("ab",)), ("u", second, ("ab",))] for kind in ("tasks", "screenshots")} == everything
    assert (["t"], []) == (early, none)


def texts(events: Sequence[e.Event], text: str) -> list[e.Event]:
    """The history with a text in all places that have room for one."""
    told: list[e.Event] = []
    for event in events:
        match event:
            case e.TaskCreated():
                told.append(replaced(event, instruction=text, session=text, metadata={text: text}))
            case e.ActionStarted():
                told.append(replaced(event, params=f'"{text}"', url=text))
            case e.StepTaken():
                told.append(replaced(event, url=text, title=text, memory=text * (len(told) * 7 % 60), next_goal=text))
            case e.TaskFinished():
                told.append(replaced(event, output=text))
            case e.TaskFailed():
                told.append(replaced(event, message=text))
            case _:
                told.append(event)
    return told


def replaced(event: e.Event, **fields: object) -> e.Event:
    return msgspec.structs.replace(event, **fields)


def canaries(directory: Path) -> set[str]:
    """The numbers of the canaries in any file below the directory."""
    pattern = re.compile(CANARY.encode() + rb"-(\d\d)")
    files = (path for path in directory.rglob("*") if path.is_file())
    return {match.decode() for path in files for match in pattern.findall(path.read_bytes())}


@given(lives(), st.booleans())
@settings(max_examples=50, deadline=None)
async def test_a_deleted_task_is_in_no_list_live_and_after_a_rebuild(events: list[e.Event], forget: bool) -> None:
    store = MemoryStore()
    await write(store, "t", events)
    await write(store, "u", FINISHED)

    async with following(store) as projector:
        page = await store.read_stream("task-t")
        try:
            await write(store, "t", retention.delete(fold(each.event for each in page)), version=len(page))
        except NotAllowed:
            return
        if forget:
            await redact(store, "t")
        await projector.reached(store.head)
        listed, total = await projector.tasks.page(project="p", limit=100)
        live = await shown(projector, IDS)
    async with following(store) as projector:
        rebuilt = await shown(projector, IDS)

    assert (["u"], 1) == ([row.id for row in listed], total)
    assert live == rebuilt
