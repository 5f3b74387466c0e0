"""Tasks begin when they are due: once, over crashes too, and never behind one that still runs."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from eventstore import decide, rhythm, schedule, secrets
from eventstore import events as e
from eventstore.memory import MemoryStore
from eventstore.secrets import Secret
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.plan import Plan
from runner.scheduler import RETRY, Scheduler

MINUTE = 60_000_000
START = 1_000 * MINUTE
ID = "019a0000-1234-7abc-8def-000000000001"
STREAM = f"schedule-{ID}"
TASK = e.TaskCreated(instruction="Look.", llm="instructions", session="", project="p", family="v1", request_digest="")
CREATED = e.ScheduleCreated(
    project="p", family="v1", task=TASK, kind="interval", interval_minutes=5, start_at=START, end_at=START * 2
)


class Clock:
    """Says what it was set to, in microseconds since 1970."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


class Plant:
    """A log, a clock, and schedulers one after the other."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.store = MemoryStore(clock=self.clock)
        self.vault = Vault(path / "vault")
        self.tasks = Repository(self.store, Task(), evolve)

    async def scheduler(self, *, catch_up: bool = True) -> Scheduler:
        """A new one, as after a restart."""
        scheduler = Scheduler(self.store, self.tasks, self.vault, now=self.clock, catch_up=catch_up)
        await scheduler.take_up()
        return scheduler

    async def write(self, *events: e.Event, stream: str = STREAM) -> None:
        """These events, at the clock's time."""
        version = len(await self.store.read_stream(stream))
        await self.store.append(stream, version, events, actor="key:test")

    async def said(self) -> Sequence[e.Event]:
        """What the schedule's stream has after its creation."""
        return [recorded.event for recorded in await self.store.read_stream(STREAM)][1:]

    async def end(self, due: int) -> None:
        """The task that was due then is stopped."""
        await self.tasks.transact(f"task-{rhythm.run_id(ID, due)}", decide.stop, actor="key:test")


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant(tmp_path)


def run(due: int) -> e.ScheduleRun:
    return e.ScheduleRun(due=due, task=rhythm.run_id(ID, due))


async def test_a_task_begins_when_it_is_due_and_says_by_which_schedule(plant: Plant) -> None:
    await plant.write(CREATED)

    await (await plant.scheduler()).begin_due()

    (created,) = await plant.store.read_stream(f"task-{rhythm.run_id(ID, START)}")
    expected = msgspec.structs.replace(TASK, schedule=ID, session=rhythm.session_id(ID, START))
    assert (expected, f"schedule:{ID}") == (created.event, created.actor)
    assert [run(START)] == await plant.said()


async def test_nothing_begins_before_it_is_due_nor_twice(plant: Plant) -> None:
    await plant.write(CREATED)
    scheduler = await plant.scheduler()
    await scheduler.begin_due()
    await plant.end(START)

    await scheduler.begin_due()
    plant.clock.now = START + 5 * MINUTE - 1
    await scheduler.begin_due()
    before = await plant.said()
    plant.clock.now = START + 5 * MINUTE
    await scheduler.begin_due()

    assert [run(START)] == before
    assert [run(START), run(START + 5 * MINUTE)] == await plant.said()


async def test_a_crash_between_the_task_and_the_word_of_it_begins_no_second_one(plant: Plant) -> None:
    await plant.write(CREATED)
    created = msgspec.structs.replace(TASK, schedule=ID, session=rhythm.session_id(ID, START))
    stream = f"task-{rhythm.run_id(ID, START)}"
    await plant.tasks.transact(stream, partial(decide.create, created=created), actor=f"schedule:{ID}")

    await (await plant.scheduler()).begin_due()

    assert [created] == [recorded.event for recorded in await plant.store.read_stream(stream)]
    assert [run(START)] == await plant.said()


async def test_what_the_log_refuses_is_tried_again_a_little_later_and_keeps_no_other_schedule_waiting(
    plant: Plant,
) -> None:
    other = "019a0000-1234-7abc-8def-000000000002"
    taken = f"task-{rhythm.run_id(ID, START)}"
    await plant.write(CREATED)
    await plant.write(CREATED, stream=f"schedule-{other}")
    await plant.write(msgspec.structs.replace(TASK, request_digest="another"), stream=taken)
    scheduler = await plant.scheduler()

    await scheduler.begin_due()
    begun = await plant.store.read_stream(f"task-{rhythm.run_id(other, START)}")
    tried = [scheduler._plans[ID].again]
    for plant.clock.now in (tried[0] - 1, tried[0]):
        await scheduler.begin_due()
        tried.append(scheduler._plans[ID].again)

    assert ([], 1) == (await plant.said(), len(begun))
    assert [START + RETRY, START + RETRY, START + 2 * RETRY] == tried


async def test_each_run_of_a_public_schedule_is_shared(plant: Plant) -> None:
    await plant.write(msgspec.structs.replace(CREATED, shared=True))
    stream = f"session-{rhythm.session_id(ID, START)}"

    await (await plant.scheduler()).begin_due()

    shared = e.SessionShared(share=rhythm.run_id(ID, START))
    implied = e.SessionCreated(project="p", family="v1", explicit=False, keep_alive=False)
    assert [implied, shared] == [recorded.event for recorded in await plant.store.read_stream(stream)]


async def test_a_run_that_was_unshared_before_a_crash_stays_so(plant: Plant) -> None:
    share = rhythm.run_id(ID, START)
    implied = e.SessionCreated(project="p", family="v1", explicit=False, keep_alive=False)
    before = [implied, e.SessionShared(share=share), e.SessionUnshared(share=share)]
    stream = f"session-{rhythm.session_id(ID, START)}"
    await plant.write(msgspec.structs.replace(CREATED, shared=True))
    await plant.write(*before, stream=stream)

    await (await plant.scheduler()).begin_due()

    assert before == [recorded.event for recorded in await plant.store.read_stream(stream)]
    assert [run(START)] == await plant.said()


@pytest.mark.parametrize("catch_up", [True, False])
async def test_of_missed_runs_the_last_is_made_up_for_or_none(plant: Plant, catch_up: bool) -> None:
    await plant.write(CREATED)
    plant.clock.now = START + 17 * MINUTE

    await (await plant.scheduler(catch_up=catch_up)).begin_due()

    last = START + 15 * MINUTE
    missed = e.ScheduleMissed(due=START, last=START + 10 * MINUTE, count=3, cause="down")
    made_up = run(last) if catch_up else e.ScheduleMissed(due=last, last=last, count=1, cause="down")
    assert [missed, made_up] == await plant.said()


async def test_a_run_whose_predecessor_still_runs_is_missed(plant: Plant) -> None:
    await plant.write(CREATED)
    scheduler = await plant.scheduler()
    await scheduler.begin_due()

    plant.clock.now = START + 5 * MINUTE
    await scheduler.begin_due()
    await plant.end(START)
    plant.clock.now = START + 10 * MINUTE
    await (await plant.scheduler()).begin_due()

    due = START + 5 * MINUTE
    expected = [run(START), e.ScheduleMissed(due=due, last=due, count=1, cause="busy"), run(START + 10 * MINUTE)]
    assert expected == await plant.said()


async def test_what_was_paused_is_not_made_up_for_when_it_is_active_again(plant: Plant) -> None:
    resting = msgspec.structs.replace(schedule.changed(CREATED), active=False)
    await plant.write(CREATED, resting)
    plant.clock.now = START + 12 * MINUTE
    await plant.write(schedule.changed(CREATED))

    await (await plant.scheduler()).begin_due()

    overtaken = e.ScheduleMissed(due=START, last=START, count=1, cause="changed")
    assert [resting, schedule.changed(CREATED), overtaken] == await plant.said()


async def test_a_run_that_was_due_before_a_change_and_had_not_begun_is_missed(plant: Plant) -> None:
    sooner = msgspec.structs.replace(schedule.changed(CREATED), interval_minutes=2)
    await plant.write(CREATED)
    scheduler = await plant.scheduler()
    await scheduler.begin_due()
    await plant.end(START)
    plant.clock.now = START + 6 * MINUTE
    await plant.write(sooner)

    for _ in range(2):
        await (await plant.scheduler()).begin_due()

    due = START + 5 * MINUTE
    missed = e.ScheduleMissed(due=due, last=due, count=1, cause="changed")
    assert [run(START), sooner, missed] == await plant.said()


def test_a_plan_looks_for_its_next_time_once_for_each_change() -> None:
    plan = Plan(schedule=schedule.fold([CREATED]), since=START)

    first = plan.next
    again = plan.next
    plan.since = START + 5 * MINUTE
    later = plan.next
    plan.schedule = schedule.evolve(plan.schedule, e.ScheduleDeleted())

    assert first is again  # a number of that size is made anew by every calculation
    assert (START + 5 * MINUTE, START + 10 * MINUTE, None) == (first, later, plan.next)


async def test_a_deleted_schedule_begins_nothing_and_its_secrets_go(plant: Plant) -> None:
    await secrets.put(plant.vault, schedule.vault_name(ID, ""), {"password": Secret("hunter2")})
    await plant.write(CREATED, e.ScheduleDeleted())
    plant.clock.now = 2**62  # the vault's files have the time of the real clock

    await (await plant.scheduler()).begin_due()

    assert [e.ScheduleDeleted()] == await plant.said()
    assert await secrets.get(plant.vault, schedule.vault_name(ID, "")) is None


async def test_the_secrets_of_a_change_take_the_place_of_those_before_once_it_is_on_the_log(plant: Plant) -> None:
    due = START + 5 * MINUTE
    with_secret = msgspec.structs.replace(TASK, secrets=("password",))
    before, after = schedule.vault_name(ID, ""), schedule.vault_name(ID, "1")
    await secrets.put(plant.vault, before, {"password": Secret("hunter2")})
    await plant.write(msgspec.structs.replace(CREATED, task=with_secret, start_at=due))
    scheduler = await plant.scheduler()
    await secrets.put(plant.vault, after, {"password": Secret("hunter3")})
    changed = msgspec.structs.replace(schedule.changed(CREATED), task=with_secret, kept="1")
    await plant.write(changed)
    plant.clock.now = due

    running = asyncio.create_task(scheduler.run())
    async with asyncio.timeout(60.0):
        head = plant.store.head
        while run(due) not in await plant.said():
            await plant.store.wait(head)
            head = plant.store.head
    running.cancel()
    await asyncio.wait({running})

    created = msgspec.structs.replace(with_secret, schedule=ID, session=rhythm.session_id(ID, due))
    begun = secrets.vault_name(f"task-{rhythm.run_id(ID, due)}", created)
    assert None is await secrets.get(plant.vault, before)
    assert {"password": Secret("hunter3")} == await secrets.get(plant.vault, begun)
    assert {"password": Secret("hunter3")} == await secrets.get(plant.vault, after)


async def test_a_task_begins_with_the_secrets_of_its_schedule(plant: Plant) -> None:
    with_secret = msgspec.structs.replace(TASK, secrets=("password",))
    await secrets.put(plant.vault, schedule.vault_name(ID, ""), {"password": Secret("hunter2")})
    await plant.write(msgspec.structs.replace(CREATED, task=with_secret))

    await (await plant.scheduler()).begin_due()

    stream = f"task-{rhythm.run_id(ID, START)}"
    created = msgspec.structs.replace(with_secret, schedule=ID, session=rhythm.session_id(ID, START))
    found = await secrets.get(plant.vault, secrets.vault_name(stream, created))
    assert {"password": Secret("hunter2")} == found
