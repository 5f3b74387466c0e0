"""The projector over a real log: what it shows, its lists, and what it makes of events that are no good."""

from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from eventstore import events as e
from eventstore.machine import State
from eventstore.memory import MemoryStore
from projections.history import task_at
from projections.keys import Key
from projections.projector import Projector, open_projector
from tests.histories import CREATED, MOVES, histories, history
from tests.viewing import FAILED, FINISHED, RUNNING, following, write


@given(histories())
@settings(max_examples=60, deadline=None)
async def test_a_task_as_it_stood_is_what_a_projector_stopped_there_shows(events: list[e.Event]) -> None:
    store = MemoryStore()
    stood: list[object] = [None]

    async with open_projector(store, None) as projector:
        for version, event in enumerate(events):
            await write(store, "t", [event], version=version)
            await projector.advance()
            stood.append((projector.tasks.get("t"), await projector.steps.of("t")))
            assert (await projector.tasks.page(project="p"))[0] == [projector.tasks.get("t")]

    assert stood == [await task_at(store, "t", position=position) for position in range(len(events) + 1)]


async def test_a_task_as_it_stood_can_be_asked_for_by_time() -> None:
    store = MemoryStore(clock=iter(range(1_000, 9_000, 1_000)).__next__)
    for version, event in enumerate(FAILED):
        await write(store, "t", [event], version=version)

    stood = [await task_at(store, "t", at=at) for at in (999, 1_000, 3_999, 4_000, 9_999)]

    assert [None, State.QUEUED, State.RUNNING, State.FAILED, State.FAILED] == [each and each[0].state for each in stood]


async def test_what_does_not_exist_is_not_there() -> None:
    store = MemoryStore()

    async with following(store) as projector:
        assert (None, None, []) == (
            await projector.tasks.find("nobody"),
            await task_at(store, "nobody"),
            await projector.steps.of("nobody"),
        )


async def test_a_row_that_was_handed_out_does_not_change_any_more() -> None:
    store = MemoryStore()
    await write(store, "t", RUNNING)

    async with following(store) as projector:
        row, steps = projector.tasks.get("t"), await projector.steps.of("t")
        await projector.reached(await write(store, "t", [e.StopRequested()], version=len(RUNNING)))

        assert (row, steps) == await task_at(store, "t", position=len(RUNNING))


async def test_keys_are_known_by_their_digest_as_soon_as_it_opens_and_revoked_ones_are_not() -> None:
    store = MemoryStore(clock=iter(range(1_000, 99_000, 1_000)).__next__)
    await write(store, "t", FINISHED)
    created = e.KeyCreated(digest="d1", project="p", name="first", scopes=("read",))
    (first,) = await store.append("key-k1", 0, [created], actor="system")
    gone = [e.KeyCreated(digest="d2", project="q"), e.KeyRevoked()]
    _, last = await store.append("key-k2", 0, gone, actor="system")

    async with open_projector(store, None) as projector:
        keys = projector.keys

        k1 = Key(
            id="k1",
            digest="d1",
            project="p",
            name="first",
            scopes=("read",),
            opens=frozenset({"read"}),
            created_at=first.at,
        )
        assert (0, k1, None, [k1]) == (projector.position, keys.get("d1"), keys.get("d2"), keys.every("p"))
        assert [None, last.at] == [key.revoked_at for key in keys.every()]


async def ids(projector: Projector, **wanted: object) -> tuple[list[str], int]:
    rows, total = await projector.tasks.page(project="p", **wanted)  # type: ignore[arg-type]  # the tests' own shorthand
    return [row.id for row in rows], total


async def test_lists_are_newest_first_with_the_total_of_what_the_filters_leave() -> None:
    store = MemoryStore(clock=iter(range(1_000, 99_000, 1_000)).__next__)
    other = replace(CREATED, project="q")
    sibling = replace(CREATED, session="s2")
    for task_id, events in (("a", FINISHED), ("b", RUNNING), ("c", [other]), ("d", [sibling]), ("f", FAILED)):
        await write(store, task_id, events)

    async with following(store) as projector:
        assert (["f", "d", "b", "a"], 4) == await ids(projector)
        assert (["d", "b"], 4) == await ids(projector, offset=1, limit=2)
        assert (["f", "a"], 2) == await ids(projector, states=[State.FAILED, State.FINISHED])
        assert ([], 0) == await ids(projector, states=[])
        assert (["d"], 1) == await ids(projector, session="s2")
        assert (["d", "b"], 2) == await ids(projector, created_after=2_000, created_before=5_000)
        assert {State.FINISHED: 1, State.RUNNING: 1, State.QUEUED: 2, State.FAILED: 1} == +projector.tasks.counts


async def test_a_list_shows_what_was_applied_a_moment_ago(tmp_path: Path) -> None:
    store = MemoryStore()

    async with following(store, tmp_path) as projector:
        for task_id in ("a", "b", "c"):
            await projector.reached(await write(store, task_id, [CREATED]))
            assert projector.tasks.get(task_id) == (await projector.tasks.page(project="p"))[0][0]


async def test_what_cannot_be_read_or_applied_is_counted_and_stops_nothing() -> None:
    store = MemoryStore()
    bad = e.StepTaken(fence=2, number=1, usage="not a usage")  # type: ignore[arg-type]  # what no decision would write
    await write(store, "t", [*FINISHED[:3], e.Unknown(original="task.from_the_future"), bad])
    await write(store, "u", [e.Unknown(original="task.created"), *FINISHED[1:]])
    await write(store, "v", FINISHED)

    async with following(store) as projector:
        assert (await task_at(store, "v")) == (projector.tasks.get("v"), await projector.steps.of("v"))
        assert (2, 1, None) == (projector.skipped, projector.poisoned, projector.tasks.get("u"))


@given(st.lists(st.tuples(st.sampled_from("tuv"), st.sampled_from(MOVES)), max_size=60))
@settings(max_examples=40, deadline=None)
async def test_the_counts_are_those_of_the_rows(moves: list[tuple[str, Callable[..., list[e.Event]]]]) -> None:
    store = MemoryStore()
    for task_id in "tuv":
        await write(store, task_id, history([move for name, move in moves if name == task_id]))

    async with following(store) as projector:
        rows, total = await projector.tasks.page(project="p")
        assert total == 3 == projector.tasks.counts.total()
        assert sorted(row.state for row in rows) == sorted(projector.tasks.counts.elements())
