"""Load, decide, append, again on conflict: nothing is believed of a state that may be stale."""

import asyncio
from collections.abc import Sequence

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.errors import Conflict, NotAllowed
from eventstore.memory import MemoryStore
from eventstore.store import Lane, Recorded
from eventstore.task import Task, evolve
from eventstore.transact import ATTEMPTS, Repository
from tests.histories import CREATED


def tasks(store: MemoryStore, *, remember: int = 2_000) -> Repository[Task]:
    return Repository(store, Task(), evolve, remember=remember)


async def test_the_state_after_is_answered_with_what_was_written() -> None:
    store = MemoryStore()

    done = await tasks(store).transact("task-1", lambda task: decide.create(task, CREATED), actor="key:1")

    assert (Task(version=1, phase=done.state.phase, created=CREATED), 1) == (done.state, done.position)
    assert list(await store.read()) == list(done.appended)


async def test_what_is_so_already_writes_nothing_and_answers_the_head_it_has_seen() -> None:
    store = MemoryStore()
    repository = tasks(store)
    await repository.transact("task-1", lambda task: decide.create(task, CREATED), actor="key:1")

    again = await repository.transact("task-1", lambda task: decide.create(task, CREATED), actor="key:1")

    assert ([], 1, 1) == (list(again.appended), again.position, store.head)


async def test_a_decision_on_a_stale_state_is_made_again_on_the_fresh_one() -> None:
    store = MemoryStore()
    mine, theirs = tasks(store), tasks(store)
    await mine.transact("task-1", lambda task: decide.create(task, CREATED), actor="key:1")
    await theirs.transact("task-1", lambda task: decide.claim(task, runner="r"), actor="runner:r")

    done = await mine.transact("task-1", decide.pause, actor="key:1")

    assert [(3, e.PauseRequested())] == [(each.version, each.event) for each in done.appended]
    assert await theirs.load("task-1") != done.state == await tasks(store).load("task-1")


async def test_a_refusal_by_a_stale_state_is_not_believed() -> None:
    store = MemoryStore()
    mine, theirs = tasks(store), tasks(store)
    await mine.transact("task-1", lambda task: decide.create(task, CREATED), actor="key:1")
    with pytest.raises(NotAllowed):
        await mine.transact("task-1", decide.resume, actor="key:1")

    await theirs.transact("task-1", decide.pause, actor="key:2")
    done = await mine.transact("task-1", decide.resume, actor="key:1")

    assert [e.ResumeRequested()] == [each.event for each in done.appended]


async def test_an_agreement_by_a_stale_state_is_not_believed() -> None:
    store = MemoryStore()
    mine, theirs = tasks(store), tasks(store)
    await mine.transact("task-1", lambda task: decide.create(task, CREATED), actor="key:1")
    await mine.transact("task-1", decide.pause, actor="key:1")

    await theirs.transact("task-1", decide.resume, actor="key:2")
    done = await mine.transact("task-1", decide.pause, actor="key:1")

    assert [e.PauseRequested()] == [each.event for each in done.appended]


async def test_of_many_at_once_each_is_decided_on_what_is_really_there() -> None:
    store = MemoryStore()
    await tasks(store).transact("task-1", lambda task: decide.create(task, CREATED), actor="key:1")

    claims = await asyncio.gather(
        *(
            tasks(store).transact("task-1", lambda task, n=n: decide.claim(task, runner=f"r{n}"), actor=f"runner:r{n}")  # type: ignore[misc]
            for n in range(16)
        ),
        return_exceptions=True,
    )

    assert 1 == sum(not isinstance(claim, BaseException) and bool(claim.appended) for claim in claims)
    assert 2 == store.head


async def test_one_whose_every_attempt_loses_gives_up() -> None:
    attempts: list[int] = []

    def always(task: Task) -> Sequence[e.Event]:
        attempts.append(task.version)
        return [e.StepStarted(fence=1, number=task.version)]

    with pytest.raises(Conflict, match=f"every one of {ATTEMPTS} attempts"):
        await tasks(Contested()).transact("task-1", always, actor="late")

    assert list(range(ATTEMPTS)) == attempts


class Contested(MemoryStore):
    """A store in which somebody else is always faster."""

    async def append(
        self,
        stream: str,
        expected: int,
        events: Sequence[e.Event],
        *,
        actor: str,
        command_id: str = "",
        lane: Lane = Lane.FACT,
    ) -> Sequence[Recorded]:
        await super().append(stream, expected, events, actor="faster")
        return await super().append(stream, expected, events, actor=actor, command_id=command_id, lane=lane)


async def test_no_more_states_are_remembered_than_allowed() -> None:
    store = MemoryStore()
    repository = tasks(store, remember=2)
    for number in range(3):
        await repository.transact(f"task-{number}", lambda task: decide.create(task, CREATED), actor="key:1")
    for number in range(3):
        await store.append(f"task-{number}", 1, [e.PauseRequested()], actor="key:2")

    versions = [(await repository.load(f"task-{number}")).version for number in (1, 2, 0)]

    assert [1, 1, 2] == versions
