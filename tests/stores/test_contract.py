"""What every store promises, run on every store; `reopened` is the file after it was closed and opened again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

import pytest

from eventstore import chain
from eventstore import events as e
from eventstore.errors import Conflict, Invalid
from eventstore.memory import MemoryStore
from eventstore.sqlite import open_sqlite
from eventstore.store import MAX_PAYLOAD, PAGE, EventStore, Recorded, Verdict, blanked

LIMIT = 60.0
STARTED = 1_700_000_000_000_000


class Ground:
    """Opens a store of one kind, with given events on it."""

    def __init__(self, kind: str, path: Path) -> None:
        self._kind = kind
        self._path = path

    @asynccontextmanager
    async def store(self, *given: tuple[str, int, Sequence[e.Event]]) -> AsyncIterator[EventStore]:
        clock = ticking()
        async with AsyncExitStack() as stack:
            if self._kind == "memory":
                store: EventStore = MemoryStore(clock=clock)
            else:
                store = await stack.enter_async_context(open_sqlite(self._path / "tape.db", clock=clock))
            for stream, expected, events in given:
                await store.append(stream, expected, events, actor="given")
            if self._kind == "reopened":
                await stack.aclose()
                store = await stack.enter_async_context(open_sqlite(self._path / "tape.db", clock=clock))
            async with asyncio.timeout(LIMIT):
                yield store


def ticking() -> Callable[[], int]:
    """One second later each time."""
    seconds = count()
    return lambda: STARTED + next(seconds) * 1_000_000


@pytest.fixture(params=["memory", "sqlite", "reopened"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Ground:
    return Ground(request.param, tmp_path)


def said(recorded: Recorded) -> tuple[int, str, int, str, e.Event]:
    """What is the same in every run: no time, no salt, no hash."""
    return recorded.position, recorded.stream, recorded.version, recorded.actor, recorded.event


def step(number: int) -> e.StepStarted:
    return e.StepStarted(fence=1, number=number)


def steps(first: int, last: int) -> list[e.Event]:
    return [step(number) for number in range(first, last + 1)]


# --- append -----------------------------------------------------------------------------------------------------


async def test_positions_are_dense_over_the_log_and_versions_in_each_stream(ground: Ground) -> None:
    async with ground.store(("a", 0, steps(1, 2)), ("b", 0, steps(1, 1)), ("a", 2, steps(3, 3))) as store:
        page = await store.read()

        assert [
            (1, "a", 1, "given", step(1)),
            (2, "a", 2, "given", step(2)),
            (3, "b", 1, "given", step(1)),
            (4, "a", 3, "given", step(3)),
        ] == [said(each) for each in page]
        assert 4 == store.head


async def test_an_append_answers_what_readers_see(ground: Ground) -> None:
    async with ground.store(("a", 0, steps(1, 2))) as store:
        answered = await store.append("a", 2, steps(3, 4), actor="runner:1", command_id="c1")

        assert list(answered) == list(await store.read(2)) == list(await store.read_stream("a", 2))


async def test_the_hash_of_the_first_event_follows_from_what_is_written() -> None:
    store = MemoryStore(clock=lambda: STARTED, log_id=b"l" * 16)

    (first,) = await store.append("a", 0, [step(1)], actor="runner:1", command_id="c1")

    assert first.salt is not None
    assert first.payload is not None
    commitment = chain.commit(first.salt, first.payload)
    leaf = chain.leaf(1, "a", 1, "task.step_started", STARTED, "runner:1", "c1", commitment)
    assert (commitment, chain.link(chain.genesis(b"l" * 16), leaf)) == (first.commitment, first.hash)


@pytest.mark.parametrize("expected", [0, 1, 3])
async def test_an_append_at_another_version_conflicts_and_writes_nothing(ground: Ground, expected: int) -> None:
    async with ground.store(("a", 0, steps(1, 2))) as store:
        with pytest.raises(Conflict, match=f"^The stream a is at version 2, not {expected}.$"):
            await store.append("a", expected, steps(3, 4), actor="test")

        assert 2 == store.head == len(await store.read())


async def test_of_two_at_the_same_version_one_wins_and_others_are_not_disturbed(ground: Ground) -> None:
    async with ground.store(("a", 0, steps(1, 1))) as store:
        answers = await asyncio.gather(
            store.append("b", 0, steps(1, 1), actor="1"),
            store.append("a", 1, steps(2, 3), actor="2"),
            store.append("a", 1, steps(9, 9), actor="3"),
            store.append("a", 3, steps(4, 4), actor="4"),
            store.append("c", 0, steps(1, 1), actor="5"),
            return_exceptions=True,
        )

        assert isinstance(answers[2], Conflict)
        assert [
            (2, "b", 1, "1", step(1)),
            (3, "a", 2, "2", step(2)),
            (4, "a", 3, "2", step(3)),
            (5, "a", 4, "4", step(4)),
            (6, "c", 1, "5", step(1)),
        ] == [said(each) for each in await store.read(1)]


@pytest.mark.parametrize(
    ("poison", "problem"),
    [
        (e.TaskRequeued(attempt=1, reason="x" * MAX_PAYLOAD), "TaskRequeued has 262,192 bytes; at most 262,144 are"),
        (e.TaskRequeued(attempt=1, reason="\ud800"), "TaskRequeued cannot be stored as JSON text"),
    ],
    ids=["large", "surrogate"],
)
async def test_what_cannot_be_written_fails_alone(ground: Ground, poison: e.Event, problem: str) -> None:
    async with ground.store() as store:
        before, poisoned, after = await asyncio.gather(
            store.append("a", 0, steps(1, 1), actor="test"),
            store.append("b", 0, [step(1), poison], actor="test"),
            store.append("c", 0, steps(1, 1), actor="test"),
            return_exceptions=True,
        )

        assert isinstance(poisoned, Invalid)
        assert problem in str(poisoned)
        assert [before, after] == [[each] for each in await store.read()]


@pytest.mark.parametrize("name", ["\ud800", "a\x00b", "x" * 2_000], ids=["surrogate", "nul", "long"])
async def test_a_stream_is_named_by_short_text(ground: Ground, name: str) -> None:
    async with ground.store() as store:
        with pytest.raises(Invalid):
            await store.append(name, 0, steps(1, 1), actor="test")

        assert 0 == store.head


async def test_an_append_of_too_many_events_is_refused(ground: Ground) -> None:
    async with ground.store() as store:
        with pytest.raises(Invalid, match="1,001 events"):
            await store.append("a", 0, steps(1, PAGE + 1), actor="test")

        assert PAGE == len(await store.append("a", 0, steps(1, PAGE), actor="test"))


async def test_an_append_of_nothing_is_nothing(ground: Ground) -> None:
    async with ground.store() as store:
        assert [] == list(await store.append("a", 0, [], actor="test"))
        assert 0 == store.head


async def test_what_a_cancelled_caller_has_queued_is_written(ground: Ground) -> None:
    async with ground.store() as store:
        caller = asyncio.create_task(store.append("a", 0, steps(1, 1), actor="test"))
        await asyncio.sleep(0)  # it has begun, and nothing more

        caller.cancel()
        await asyncio.wait([caller])
        await store.wait(0)

        assert caller.cancelled()
        assert [(1, "a", 1, "test", step(1))] == [said(each) for each in await store.read()]


async def test_time_never_goes_back_even_when_the_clock_does(tmp_path: Path) -> None:
    hours = iter([5, 4, 3, 6])

    async with open_sqlite(tmp_path / "tape.db", clock=lambda: next(hours) * 3_600_000_000) as store:
        for version in range(3):
            await store.append("a", version, [step(version)], actor="test")
        times = [each.at for each in await store.read()]

    assert [4 * 3_600_000_000, 4 * 3_600_000_000 + 1, 6 * 3_600_000_000] == times


# --- read -------------------------------------------------------------------------------------------------------


async def test_pages_are_whole_and_never_larger_than_a_page(ground: Ground) -> None:
    async with ground.store(("a", 0, steps(1, PAGE)), ("a", PAGE, steps(PAGE + 1, PAGE + 7))) as store:
        pages = [await store.read(), await store.read(PAGE), await store.read(PAGE + 7), await store.read(3, limit=2)]
        of_stream = [await store.read_stream("a", limit=9_999), await store.read_stream("a", PAGE + 5)]

        assert [range(1, PAGE + 1), range(PAGE + 1, PAGE + 8), range(0), range(4, 6)] == [
            range(page[0].position, page[-1].position + 1) if page else range(0) for page in pages
        ]
        assert [PAGE, 2] == [len(page) for page in of_stream]


async def test_a_reader_of_some_types_gets_those_in_order(ground: Ground) -> None:
    claimed, requeued = e.TaskClaimed(runner="r", attempt=1), e.TaskRequeued(attempt=1)
    async with ground.store(("a", 0, [claimed, step(1), requeued, claimed, step(2)])) as store:
        types = {"task.claimed", "task.requeued"}

        assert [1, 3, 4] == [each.position for each in await store.read(types=types)]
        assert [3] == [each.position for each in await store.read(1, types=types, limit=1)]
        assert [] == list(await store.read(types=["task.of_another_kind"]))
        assert [] == list(await store.read(types=[]))


async def test_a_stream_that_is_not_there_is_empty(ground: Ground) -> None:
    async with ground.store(("a", 0, steps(1, 1))) as store:
        assert [] == list(await store.read_stream("b"))


async def test_readers_at_different_places_do_not_disturb_each_other(ground: Ground) -> None:
    async def follow(store: EventStore) -> list[int]:
        seen: list[int] = []
        while len(seen) < 40:
            await store.wait(len(seen))
            seen += [each.position for each in await store.read(len(seen), limit=3)]
        return seen

    async with ground.store(("a", 0, steps(1, 20))) as store:
        followers = [asyncio.create_task(follow(store)) for _ in range(2)]
        for version in range(20, 40):
            await store.append("a", version, [step(version)], actor="test")

        assert [list(range(1, 41))] * 2 == await asyncio.gather(*followers)


async def test_who_waits_is_woken_by_the_next_event(ground: Ground) -> None:
    async with ground.store(("a", 0, steps(1, 1))) as store:
        await store.wait(0)
        waiting = [asyncio.create_task(store.wait(1)) for _ in range(3)]
        later = asyncio.create_task(store.wait(2))
        await asyncio.sleep(0)  # all of them wait

        assert not any(task.done() for task in waiting)
        await store.append("a", 1, steps(2, 2), actor="test")
        await asyncio.gather(*waiting)

        assert not later.done()
        later.cancel()


# --- verify -----------------------------------------------------------------------------------------------------


async def test_a_tape_verifies_up_to_its_head(ground: Ground) -> None:
    async with ground.store(("a", 0, steps(1, 600)), ("b", 0, steps(1, 1))) as store:
        (last,) = await store.read(600)

        assert Verdict(ok=True, head=601, hash=last.hash.hex()) == await store.verify()


async def test_an_empty_tape_verifies(ground: Ground) -> None:
    async with ground.store() as store:
        verdict = await store.verify()

        assert (True, 0, None) == (verdict.ok, verdict.head, verdict.problem)


async def test_an_event_of_a_type_that_is_not_known_is_carried(ground: Ground) -> None:
    future = e.Unknown(original="task.of_the_future")
    async with ground.store(("a", 0, [future])) as store:
        page = await store.read(types=["task.of_the_future"])

        assert [("task.of_the_future", future)] == [(each.type, each.event) for each in page]
        assert (await store.verify()).ok


# --- redact -----------------------------------------------------------------------------------------------------


def redaction(events: int) -> e.TaskRedacted:
    return e.TaskRedacted(project="p", request_digest="d", events=events)


async def test_what_is_redacted_has_lost_its_payload_and_nothing_else(ground: Ground) -> None:
    async with ground.store(("a", 0, steps(1, 2)), ("b", 0, steps(1, 1)), ("a", 2, [redaction(2)])) as store:
        before = await store.read()

        count = await store.redact("a", 2)

        first, second, other, last = before
        assert 2 == count
        assert [blanked(first), blanked(second), other, last] == list(await store.read())
        assert [blanked(first), blanked(second), last] == list(await store.read_stream("a"))
        assert [blanked(first), blanked(second), other] == list(await store.read(types=["task.step_started"]))
        assert (e.Unknown(original="task.step_started"), None, None) == (
            blanked(first).event,
            blanked(first).payload,
            blanked(first).salt,
        )


async def test_a_redaction_verifies_and_is_counted(ground: Ground) -> None:
    async with ground.store(("a", 0, [*steps(1, 2), redaction(2)]), ("b", 0, steps(1, 1))) as store:
        await store.redact("a", 2)

        verdict = await store.verify()

        assert (True, 4, 2) == (verdict.ok, verdict.head, verdict.redacted)


async def test_redacting_twice_changes_nothing_and_appends_go_on(ground: Ground) -> None:
    async with ground.store(("a", 0, [*steps(1, 2), redaction(2)])) as store:
        counts = [await store.redact("a", 2), await store.redact("a", 2), await store.redact("b", 9)]
        (added,) = await store.append("a", 3, steps(3, 3), actor="test")

        assert [2, 0, 0] == counts
        assert [added] == list(await store.read(3))


async def test_a_payload_that_no_redaction_covers_does_not_verify(ground: Ground) -> None:
    async with ground.store(("a", 0, [*steps(1, 3), redaction(2)]), ("b", 0, steps(1, 1))) as store:
        await store.redact("a", 3)

        verdict = await store.verify()

        assert (False, 0, 1, "the payload is missing without a redaction") == (
            verdict.ok,
            verdict.head,
            verdict.first_bad,
            verdict.problem,
        )


async def test_appends_and_redactions_at_once_do_not_wait_for_all_of_each_other(ground: Ground) -> None:
    given = [(f"s{n}", 0, [*steps(1, 3), redaction(3)]) for n in range(8)]
    async with ground.store(*given) as store:
        answers = await asyncio.gather(
            *(store.redact(f"s{n}", 3) for n in range(8)),
            *(store.append(f"t{n}", 0, steps(1, 1), actor="test") for n in range(8)),
        )

        assert [3] * 8 == answers[:8]
        assert (40, 24) == ((await store.verify()).head, (await store.verify()).redacted)
