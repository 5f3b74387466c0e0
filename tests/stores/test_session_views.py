"""The view of sessions: what is shown live is what a rebuild shows, whatever was purged or redacted in between."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore import events as e
from eventstore import retention
from eventstore.memory import MemoryStore
from eventstore.session import Session, fold
from eventstore.store import EventStore
from eventstore.task import fold as task_fold
from projections.projector import Projector
from projections.session_files import SessionFile
from projections.sessions import SessionRow
from tests.histories import claim, finish, history, start
from tests.viewing import FINISHED, RUNNING, following, write

FILE = e.File(id="f1", name="a.txt", blob="ab", size=3)
NEWER = e.File(id="f2", name="a.txt", blob="cd", size=4)
CREATED = e.SessionCreated(project="p", family="v2", start_url="https://a.test/", options=e.Options(viewport_width=640))
ADOPTED = e.SessionCreated(project="p", family="v1", explicit=False, keep_alive=False)
SAID: list[e.Event] = [
    e.SessionOpened(runner="r", browser="b"),
    e.SessionClosed(runner="r", cause="idle"),
    e.SessionStopped(),
    e.SessionDeleted(),
    e.SessionShared(share="s1"),
    e.SessionUnshared(share="s1"),
    e.ShareViewed(share="s1", views=2),
    e.FileUploaded(project="p", file=FILE),
    e.FileDownloaded(file=NEWER),
    e.FileUploaded(project="p", file=NEWER),
    e.FilesRemoved(files=("f1",)),
]
IDS = ("s", "own")


async def say(store: EventStore, session: str, *events: e.Event) -> None:
    version = len(await store.read_stream(f"session-{session}"))
    await store.append(f"session-{session}", version, list(events), actor="test")


async def purge(store: EventStore, session: str) -> None:
    page = await store.read_stream(f"session-{session}")
    state: Session = fold(each.event for each in page)
    if page and state.purged is None:
        await say(store, session, e.SessionStopped(), e.SessionPurged(project="p", events=len(page) + 1))
        await store.redact(f"session-{session}", len(page) + 1)


async def redact(store: EventStore) -> None:
    page = await store.read_stream("task-t")
    if events := retention.redact(task_fold(each.event for each in page)):
        await write(store, "t", events, version=len(page))
        await store.redact("task-t", len(page))


async def told(projector: Projector) -> object:
    await projector.reached(projector.position)
    return (
        [await projector.sessions.find(each) for each in IDS],
        [await projector.sessions.page(project="p", active=active) for active in (None, True, False)],
        [await projector.session_files.of(f"session-{each}") for each in IDS],
        [projector.sessions.share(each) for each in IDS],
    )


@given(
    implied=st.lists(st.sampled_from(SAID), max_size=6),
    explicit=st.lists(st.sampled_from(SAID), max_size=6),
    adopted=st.booleans(),
    remove=st.lists(st.sampled_from(["s", "own", "task"]), max_size=3),
)
@settings(max_examples=150, deadline=None)
async def test_what_is_shown_live_is_what_a_rebuild_shows(
    implied: list[e.Event], explicit: list[e.Event], adopted: bool, remove: list[str]
) -> None:
    store = MemoryStore()

    async with following(store) as projector:
        await write(store, "t", FINISHED)
        await say(store, "own", CREATED, *explicit)
        if adopted:
            await say(store, "s", ADOPTED, *implied)
        await projector.reached(store.head)
        await projector.sessions.find("s")
        for each in remove:
            await (redact(store) if each == "task" else purge(store, each))
            await projector.reached(store.head)
        live = await told(projector)
    async with following(store) as projector:
        rebuilt = await told(projector)

    assert live == rebuilt


async def test_what_was_shown_is_shown_after_a_restart(tmp_path: Path) -> None:
    store = MemoryStore()
    await write(store, "t", RUNNING)
    await say(store, "s", ADOPTED, e.SessionShared(share="s1"), e.ShareViewed(share="s1", views=3))
    await say(store, "own", CREATED, *SAID)

    async with following(store, tmp_path) as projector:
        before = await told(projector)
    async with following(store, tmp_path) as projector:
        after = await told(projector)

    assert before == after


async def test_a_task_implies_a_session_that_begins_and_ends_with_it() -> None:
    store = MemoryStore()
    created, *rest = history([claim, start, finish])
    await write(store, "t", [created])

    async with following(store) as projector:
        running = await projector.sessions.find("s")
        last = await write(store, "t", rest, version=1)
        await projector.reached(last)
        ended = await projector.sessions.find("s")

    assert running is not None
    assert ended is not None
    assert ("t", False, True, None) == (running.task, running.explicit, running.active, running.stopped_at)
    assert (running.started_at, False) == (ended.started_at, ended.active)


async def test_a_task_in_a_session_that_was_created_changes_nothing_of_it() -> None:
    store = MemoryStore()
    await say(store, "s", CREATED)
    await write(store, "t", FINISHED)

    async with following(store) as projector:
        row = await projector.sessions.find("s")

    first = (await store.read())[0]
    assert row == SessionRow(
        id="s",
        project="p",
        kind="agent",
        explicit=True,
        task="",
        started_at=first.at,
        stopped_at=None,
        cause="",
        opened="",
        deleted=False,
        purged=False,
        share="",
        views=0,
        viewed_at=None,
        family="v2",
        keep_alive=True,
        start_url="https://a.test/",
        seconds=0.0,
        options=e.Options(viewport_width=640),
    )


async def test_a_newer_file_of_the_same_name_takes_the_place_of_the_older_one() -> None:
    store = MemoryStore()
    await say(store, "own", CREATED, e.FileUploaded(project="p", file=FILE), e.FileUploaded(project="p", file=NEWER))
    await store.append("files-p", 0, [e.FileUploaded(project="p", file=FILE)], actor="test")

    async with following(store) as projector:
        files = await projector.session_files.of("session-own")
        named = await projector.session_files.named(["ab", "cd", "ef"])

    at = (await store.read())[2].at
    assert [SessionFile(stream="session-own", sort="upload", at=at, file=NEWER)] == files
    assert {"ab": {"files-p"}, "cd": {"session-own"}} == named


async def test_views_of_a_link_that_was_taken_back_do_not_count_for_the_next() -> None:
    store = MemoryStore()
    old, new = e.SessionShared(share="s1"), e.SessionShared(share="s2")
    await say(store, "own", CREATED, old, e.ShareViewed(share="s1"), e.SessionUnshared(share="s1"), new)
    await say(store, "own", e.ShareViewed(share="s1", views=5), e.ShareViewed(share="s2", views=2))

    async with following(store) as projector:
        row = await projector.sessions.find("own")

    assert row is not None
    assert ("s2", 2, (await store.read())[-1].at) == (row.share, row.views, row.viewed_at)
