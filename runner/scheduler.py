"""Begins tasks when they are due. It follows the log for schedules, and the clock; a crash between begins none twice.

A run's task has an id that follows from the schedule and the time due: it is created first, and then said to have
begun. Of runs that were due while nobody could begin them the last one is made up for, or none, by setting; one whose
predecessor still runs is missed, so that a queue does not grow without bound.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice

import msgspec
import structlog

from eventstore import decide, rhythm, schedule, secrets, session
from eventstore import events as e
from eventstore.errors import NotFound, Refused
from eventstore.schedule import STREAM, Schedule
from eventstore.session import Session
from eventstore.store import EventStore, Lane, Recorded
from eventstore.task import Task
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.plan import Plan

log = structlog.get_logger()

ON_TIME = 60_000_000
"""A run that is late by so many microseconds at most is not missed."""

LOOK_SECONDS = 20.0
"""The clock is looked at so often at least: it may be set, and a machine may sleep."""

RETRY = 5_000_000
"""What the log refused is tried again after so many microseconds; no other schedule waits for it."""

COUNTED = 100_000
"""So many missed runs of one schedule are counted, and no more."""

TYPES = frozenset({"schedule.created", "schedule.changed", "schedule.run", "schedule.missed", "schedule.deleted"})


class Scheduler:
    """`now` gives microseconds since 1970. With `catch_up` the last of the missed runs is made up for."""

    def __init__(
        self, store: EventStore, tasks: Repository[Task], vault: Vault, *, now: Callable[[], int], catch_up: bool
    ) -> None:
        self._store = store
        self._tasks = tasks
        self._vault = vault
        self._now = now
        self._catch_up = catch_up
        self._schedules = Repository(store, Schedule(), schedule.evolve)
        self._sessions = Repository(store, Session(), session.evolve)
        self._plans: dict[str, Plan] = {}
        self._position = 0
        self._stale: set[str] = set()

    async def take_up(self) -> None:
        """Read what is planned, and forget the secrets of schedules that are gone. To be awaited before `run`."""
        head, position = self._store.head, 0
        while page := await self._store.read(position, types=TYPES):
            for recorded in page:
                self._hear(recorded)
            position = page[-1].position
        self._position = max(head, position)
        names = [plan.vault_name(schedule_id) for schedule_id, plan in self._plans.items()]
        self._stale.clear()
        await self._vault.sweep(names, before=self._now(), kind="schedule")

    async def run(self) -> None:
        """Follow the log and the clock for ever."""
        while True:
            while page := await self._store.read(self._position):
                for recorded in page:
                    self._hear(recorded)
                self._position = page[-1].position
            await self.forget()
            await self.begin_due()
            times = (max(plan.next, plan.again) for plan in self._plans.values() if plan.next is not None)
            due = min(times, default=None)
            wait = LOOK_SECONDS if due is None else min(max(due - self._now(), 0) / 1e6, LOOK_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._store.wait(self._position)

    async def begin_due(self) -> None:
        """Begin or miss what is due by now. What the log refuses is tried again a little later."""
        now = self._now()
        for schedule_id, plan in list(self._plans.items()):
            if plan.again > now:
                continue
            try:
                await self._overtaken(schedule_id, plan)
                if (due := plan.next) is not None and due <= now:
                    await self._due(schedule_id, plan, now)
            except (Refused, OSError) as refused:
                log.error("a scheduled task could not be begun yet", schedule=schedule_id, reason=str(refused))
                plan.again = now + RETRY

    async def forget(self) -> None:
        """Forget the secrets that no schedule has any more. What cannot be now is forgotten after a restart."""
        while self._stale:
            name = self._stale.pop()
            try:
                await self._vault.delete(name)
            except OSError as error:
                log.error("secrets of a scheduled task could not be forgotten yet", reason=str(error))

    def _hear(self, recorded: Recorded) -> None:
        if not recorded.stream.startswith(STREAM):
            return
        schedule_id = recorded.stream.removeprefix(STREAM)
        plan = self._plans.setdefault(schedule_id, Plan(schedule=Schedule(), since=0))
        plan.schedule = schedule.evolve(plan.schedule, recorded.event)
        match recorded.event:
            case e.ScheduleCreated() as created:
                plan.since = recorded.at - ON_TIME  # what shall start now has its first run now
                plan.heard = schedule.changed(created)
            case e.ScheduleChanged() as changed:
                before = plan.vault_name(schedule_id)
                plan.change(changed, recorded.at)
                if before != plan.vault_name(schedule_id):
                    self._stale.add(before)
            case e.ScheduleRun(due=due):
                plan.since = max(plan.since, due)
            case e.ScheduleMissed(last=last):
                plan.since = max(plan.since, last)
            case e.ScheduleDeleted():
                self._stale.add(plan.vault_name(schedule_id))
                del self._plans[schedule_id]

    async def _overtaken(self, schedule_id: str, plan: Plan) -> None:
        """What was due before a change is not what is wanted now."""
        while plan.late:
            late = plan.late[0]
            dues = await asyncio.to_thread(_bounded, rhythm.between(late.schedule, late.since, late.until))
            await self._missed(schedule_id, plan, dues, "changed")
            plan.late = plan.late[1:]

    async def _due(self, schedule_id: str, plan: Plan, now: int) -> None:
        """Everything of one schedule that is due by now: all but the last was missed, the last one perhaps."""
        current = plan.schedule.there
        if current is None:
            return
        # A year of minutes takes cron the better part of a minute.
        *missed, last = await asyncio.to_thread(_bounded, rhythm.between(current, plan.since, now))
        if missed:
            await self._missed(schedule_id, plan, missed, "down")
        if now - last > ON_TIME and not self._catch_up:
            await self._missed(schedule_id, plan, [last], "down")
        elif await self._busy(plan.schedule.last):
            await self._missed(schedule_id, plan, [last], "busy")
        else:
            await self._begin(schedule_id, plan, current, last)
        plan.since = max(plan.since, last)

    async def _begin(self, schedule_id: str, plan: Plan, current: e.ScheduleChanged, due: int) -> None:
        task = rhythm.run_id(schedule_id, due)
        stream, actor = f"task-{task}", f"schedule:{schedule_id}"
        room = rhythm.session_id(schedule_id, due)
        created = msgspec.structs.replace(current.task, session=room, schedule=schedule_id)
        name = schedule.vault_name(schedule_id, current.kept)
        kept = await secrets.get(self._vault, name) if created.secrets else None
        if kept and (await self._tasks.load(stream)).created is None:
            await secrets.put(self._vault, secrets.vault_name(stream, created), kept)
        await self._tasks.transact(stream, partial(decide.create, created=created), actor=actor, lane=Lane.INTAKE)
        if current.shared:
            await self._sessions.transact(f"session-{room}", partial(_share, created=created, share=task), actor=actor)
        await self._said(schedule_id, plan, partial(schedule.run, due=due, task=task))

    async def _missed(self, schedule_id: str, plan: Plan, dues: list[int], cause: str) -> None:
        missed = e.ScheduleMissed(due=dues[0], last=dues[-1], count=len(dues), cause=cause)
        await self._said(schedule_id, plan, partial(schedule.miss, missed=missed))

    async def _said(self, schedule_id: str, plan: Plan, decision: Callable[[Schedule], list[e.ScheduleEvent]]) -> None:
        stream = f"{STREAM}{schedule_id}"
        with suppress(NotFound):
            done = await self._schedules.transact(stream, decision, actor=f"schedule:{schedule_id}")
            plan.schedule = done.state

    async def _busy(self, task: str) -> bool:
        """Whether the task that was begun last has not ended."""
        return bool(task) and not (await self._tasks.load(f"task-{task}")).ended


def _share(state: Session, *, created: e.TaskCreated, share: str) -> list[e.SessionEvent]:
    """Share the session of a new task, unless something was said of it before: it may have been unshared since."""
    adopted = e.SessionCreated(
        project=created.project,
        family=created.family,
        explicit=False,
        keep_alive=False,
        options=e.Options(record=created.options.record),
    )
    return [] if state.version else session.share(state, share=share, adopted=adopted)


def _bounded(dues: Iterator[int]) -> list[int]:
    """The first ones and the last one, should there be more than are counted."""
    found = list(islice(dues, COUNTED))
    last = found[-1]
    for last in dues:  # noqa: B007 # only the last one is wanted
        pass
    return found if last == found[-1] else [*found, last]
