"""The lender on a tape: browsers open, end at their time, are gone on with after a restart, or are said to be lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest

from eventstore import events as e
from eventstore import session as decide
from eventstore.blobs import Blobs
from eventstore.memory import MemoryStore
from eventstore.session import Session, evolve
from eventstore.store import EventStore
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.caretaker import Kept
from runner.ports import Wanted
from tests.lending import StageBrowser, StageLenders, until
from tests.lending import lending as at_work
from tests.refusing import Refusing

CREATED = e.SessionCreated(project="p", family="v2", kind="browser", seconds=3600.0)
OPENED = e.SessionOpened(runner="r1", browser="Stage 1", own="own-1")


@pytest.fixture
def store() -> EventStore:
    return MemoryStore()


@pytest.fixture
def stage(tmp_path: Path) -> StageLenders:
    return StageLenders(tmp_path)


def lending(
    store: EventStore, stage: StageLenders, place: Path, *, name: str = "r1"
) -> AbstractAsyncContextManager[None]:
    """A lender at work, of a process of its own."""
    sessions = Repository(store, Session(), evolve)
    return at_work(store, sessions, stage, Blobs(place / "blobs"), Vault(place / "vault"), name=name)


class SlowLenders(StageLenders):
    """Each browser begins and ends when it is let."""

    def __init__(self, data: Path) -> None:
        super().__init__(data)
        self.begins: asyncio.Queue[str] = asyncio.Queue()
        self.may_begin, self.may_end = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def lend(self, wanted: Wanted, kept: Kept) -> AsyncIterator[StageBrowser]:
        async with super().lend(wanted, kept) as browser:
            self.begins.put_nowait(browser.own)
            await self.may_begin.wait()
            yield browser
            await self.may_end.wait()


async def told(store: EventStore, stream: str, kind: type[e.Event]) -> list[e.Event]:
    """The stream, once there is such an event on it."""
    async with asyncio.timeout(60.0):
        while True:
            position = store.head
            said = [recorded.event for recorded in await store.read_stream(stream)]
            if any(isinstance(event, kind) for event in said):
                return said
            await store.wait(position)


async def test_a_browser_ends_at_its_time(store: EventStore, stage: StageLenders, tmp_path: Path) -> None:
    short = msgspec.structs.replace(CREATED, seconds=0.05)
    async with lending(store, stage, tmp_path):
        await store.append("session-1", 0, [short], actor="key:1")
        said = await told(store, "session-1", e.SessionStopped)
        await until(lambda: not stage.running)

    assert [short, OPENED, e.SessionStopped(cause="timeout", reason="Its time is over.")] == said
    assert set() == stage.kept


async def test_a_browser_ends_at_its_time_though_the_log_takes_nothing(stage: StageLenders, tmp_path: Path) -> None:
    store = Refusing({e.SessionStopped: 10**9})
    short = msgspec.structs.replace(CREATED, seconds=0.05)
    async with lending(store, stage, tmp_path):
        await store.append("session-1", 0, [short], actor="key:1")
        await until(lambda: store.refused > 0 and not stage.running)

    assert set() == stage.kept


async def test_a_browser_is_gone_on_with_by_who_comes_next(
    store: EventStore, stage: StageLenders, tmp_path: Path
) -> None:
    await store.append("session-1", 0, [CREATED], actor="key:1")
    async with lending(store, stage, tmp_path):
        await told(store, "session-1", e.SessionOpened)
    left = set(stage.kept)
    async with lending(store, stage, tmp_path, name="r2"):
        await told(store, "session-1", e.SessionClosed)
        await Repository(store, Session(), evolve).transact("session-1", decide.stop, actor="key:1")
        await until(lambda: not stage.running and not stage.kept)
    said = await told(store, "session-1", e.SessionStopped)

    assert ({"own-1"}, [set(), {"own-1"}]) == (left, stage.taken_up)
    again = msgspec.structs.replace(OPENED, runner="r2")
    assert [CREATED, OPENED, e.SessionClosed(runner="r1", cause="lost"), again, e.SessionStopped()] == said


@pytest.mark.parametrize(
    ("seconds", "stopped"),
    [
        (3600.0, e.SessionStopped(cause="lost", reason="The browser ended while the service was away.")),
        (0.001, e.SessionStopped(cause="timeout", reason="Its time was over while the service was away.")),
    ],
)
async def test_what_ended_while_nobody_looked_is_told_at_the_next_start(
    store: EventStore, stage: StageLenders, tmp_path: Path, seconds: float, stopped: e.Event
) -> None:
    await store.append("session-1", 0, [msgspec.structs.replace(CREATED, seconds=seconds), OPENED], actor="key:1")
    await asyncio.to_thread((tmp_path / "lent").mkdir)

    async with lending(store, stage, tmp_path, name="r2"):
        said = await told(store, "session-1", e.SessionStopped)

    assert stopped == said[-1]


async def test_a_browser_that_ends_by_itself_is_said_to_be_lost(
    store: EventStore, stage: StageLenders, tmp_path: Path
) -> None:
    async with lending(store, stage, tmp_path):
        await store.append("session-1", 0, [CREATED], actor="key:1")
        await told(store, "session-1", e.SessionOpened)
        stage.running["own-1"].gone.set()
        said = await told(store, "session-1", e.SessionStopped)

    assert e.SessionStopped(cause="lost", reason="Its browser ended.") == said[-1]


async def test_agents_sessions_are_none_of_its_business(store: EventStore, stage: StageLenders, tmp_path: Path) -> None:
    agent = msgspec.structs.replace(CREATED, kind="agent")
    await store.append("session-1", 0, [agent], actor="key:1")
    async with lending(store, stage, tmp_path):
        await store.append("session-2", 0, [agent], actor="key:1")
        await store.append("session-3", 0, [CREATED], actor="key:1")
        await told(store, "session-3", e.SessionOpened)
        running = list(stage.running)

    assert ["own-1"] == running


async def test_a_session_that_is_stopped_before_its_browser_is_there_gets_none(
    store: EventStore, stage: StageLenders, tmp_path: Path
) -> None:
    sessions = Repository(store, Session(), evolve)
    await store.append("session-1", 0, [CREATED], actor="key:1")
    await sessions.transact("session-1", partial(decide.stop, cause="stop"), actor="key:1")
    async with lending(store, stage, tmp_path):
        await store.append("session-2", 0, [CREATED], actor="key:1")
        await told(store, "session-2", e.SessionOpened)

    assert [CREATED, e.SessionStopped()] == await told(store, "session-1", e.SessionStopped)


async def test_a_browser_that_is_about_to_end_keeps_nobody_out(store: EventStore, tmp_path: Path) -> None:
    stage = SlowLenders(tmp_path)
    stage.may_begin.set()
    sessions = Repository(store, Session(), evolve)
    async with lending(store, stage, tmp_path):
        for number in (1, 2):
            await store.append(f"session-{number}", 0, [CREATED], actor="key:1")
            await told(store, f"session-{number}", e.SessionOpened)
        await sessions.transact("session-1", decide.stop, actor="key:1")
        for number in (3, 4):
            await store.append(f"session-{number}", 0, [CREATED], actor="key:1")
        refused = await told(store, "session-4", e.SessionStopped)
        most = len(stage.running)
        stage.may_end.set()
        said = await told(store, "session-3", e.SessionOpened)

    assert (2, e.SessionStopped(cause="too_many", reason="2 browsers run already.")) == (most, refused[-1])
    assert [CREATED, e.SessionOpened(runner="r1", browser="Stage 1", own="own-3")] == said


async def test_a_file_that_is_uploaded_while_its_browser_begins_is_there(store: EventStore, tmp_path: Path) -> None:
    stage = SlowLenders(tmp_path)
    stage.may_end.set()
    blob = await Blobs(tmp_path / "blobs").put(b"ann")
    file = e.File(id="f", name="cv.pdf", blob=blob, size=3)
    async with lending(store, stage, tmp_path):
        await store.append("session-1", 0, [CREATED], actor="key:1")
        first = await stage.begins.get()
        await store.append("session-1", 1, [e.FileUploaded(project="p", file=file)], actor="key:1")
        await store.append("session-2", 0, [CREATED], actor="key:1")
        await stage.begins.get()  # so that the upload was heard of
        stage.may_begin.set()
        await told(store, "session-1", e.SessionOpened)
        given = await asyncio.to_thread((tmp_path / "lent" / first / "uploads" / "cv.pdf").read_bytes)

    assert b"ann" == given
