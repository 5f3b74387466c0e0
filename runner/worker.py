"""Follows the log, claims waiting tasks in their order, runs a bounded number at once, hears what is wanted of them.

Nobody calls it. A task waits here when the log says so; whether it may be claimed is decided on the log.
"""

import asyncio
from functools import partial

import msgspec
import structlog

from eventstore import answers, decide
from eventstore import events as e
from eventstore.errors import DiskFull, Fenced, NotAllowed, NotFound, Overloaded, Refused
from eventstore.hook import place
from eventstore.hook import vault_name as hook_name
from eventstore.machine import DESIRES
from eventstore.secrets import vault_name
from eventstore.session import Session
from eventstore.session import evolve as session_evolve
from eventstore.store import EventStore, Lane, Recorded
from eventstore.task import Task
from eventstore.transact import Repository
from runner import proxies
from runner.aftermath import Aftermath
from runner.attempt import Attempt
from runner.control import Gate
from runner.deadlines import Deadlines
from runner.equipment import Equipment
from runner.housekeeping import Housekeeping
from runner.keeping import task_state
from runner.line import Line
from runner.parking import LetGo, Parking
from runner.profiles import Profiles
from runner.reading import asked, past_of, stopped_alone, unended
from runner.returning import Returning
from runner.rooms import Rooms
from runner.stories import living_hooks
from runner.tape import Tape
from runner.vocabulary import ActFailed

log = structlog.get_logger()

ORDERLY_SECONDS = 2.0
"""How long what is in flight may take to end when the service does: an act, what it left, the closing of its pages."""

CUTS, CUT_SECONDS = 4, 0.2
"""What hangs in its cleaning up is cut off so often, each time after so long: once for each thing that it waits on."""

KEPT_PAUSED = 4
"""So many paused tasks keep their browsers for each task that may run; of more, the first paused let go of theirs."""

REFUSED_SECONDS = 1.0
"""How long a place stays empty after the log refused its task's facts, so that a full disk is not asked without end."""


BY_PEOPLE = frozenset(
    {e.ResumeRequested, e.InputProvided, e.InputExpired, e.ControlTaken, e.ControlReturned, e.HumanActed}
)
"""What a paused task at work may have waited for; what a person does keeps its browser for longer."""

ENDS = frozenset({e.TaskFinished, e.TaskFailed, e.TaskStopped})

GOING_ON = frozenset(
    {e.TaskCreated, e.TaskRequeued, e.ResumeRequested, e.InputProvided, e.InputExpired, e.ControlReturned}
)
"""After these a task that nobody runs may wait for a runner."""


class Worker:
    """The runner of one process. `name` stands in every claim; a claim dies with it."""

    def __init__(
        self,
        store: EventStore,
        tasks: Repository[Task],
        equipment: Equipment,
        *,
        name: str,
        max_concurrent: int,
        keep_paused_seconds: float,
        max_attempts: int = decide.MAX_ATTEMPTS,
        sessions: Repository[Session] | None = None,
    ) -> None:
        self._store = store
        self._tasks = tasks
        self._name = name
        self._actor = f"runner:{name}"
        sessions = sessions or Repository(store, Session(), session_evolve)
        self._rooms = Rooms(
            equipment.browsers,
            sessions,
            runner=name,
            idle_seconds=equipment.session_idle_seconds,
            most=equipment.max_idle_sessions,
        )
        self._equipment = msgspec.structs.replace(equipment, browsers=self._rooms)
        self._houses = Housekeeping(
            store, sessions, self._rooms, equipment.vault, actor=self._actor, stop=self._stop_inside
        )
        self._profiles = Profiles(store, equipment.vault, actor=self._actor)
        self._after = Aftermath(tasks, equipment.vault, self._rooms, self._profiles, self._houses)
        self._returning = Returning(
            tasks, runner=name, actor=self._actor, max_attempts=max_attempts, ended=self._after.alone
        )
        self._slots = asyncio.Semaphore(max_concurrent)
        self._keep_paused_seconds = keep_paused_seconds
        self._parking = Parking(seconds=keep_paused_seconds, most=KEPT_PAUSED * max_concurrent)
        self._line = Line()
        self._gates: dict[str, Gate] = {}
        self._deadlines = Deadlines(tasks)
        self._works: set[asyncio.Task[None]] = set()
        self._leaving = False
        self._position = 0

    async def take_up(self) -> None:
        """Find the tasks that wait, and those left by a runner that is gone. To be awaited before `run`."""
        self._position = self._store.head
        browsers: set[str] = set()
        kept: list[str] = []
        streams = await unended(self._store)
        # Together, so that one commit of the log takes many of them.
        for stream, task in zip(streams, await asyncio.gather(*map(self._returning.lost, streams)), strict=True):
            if task.created and not task.ended:
                self._line.note(stream, task.created.session)
                kept += [task_state(task.created), vault_name(stream, task.created)]
                kept += [answers.vault_name(stream, request) for request in task.asked]
            if task.asking and (question := await asked(self._store, stream, task.asking)):
                self._deadlines.recall(question)
            ended = task.ended
            if task.claimable:
                self._line.join(stream)
            elif task.created and not ended and await self._houses.over(task.created.session):
                ended = await self._stop_with_session(stream)  # it was paused, and would be for ever
            if task.browser and not ended:
                browsers.add(task.browser)
        hooks, _ = await living_hooks(self._store)
        kept += [hook_name(place(each.stream)[0]) for each in hooks]
        try:
            await self._houses.take_up()
        except OSError as failure:
            log.error("what the vault has of ended sessions could not be deleted", reason=str(failure))
        await self._equipment.browsers.take_up(browsers, self._keep_paused_seconds)
        try:
            await self._equipment.vault.sweep(kept)
            await self._profiles.take_up()
            await proxies.take_up(self._store, self._equipment.vault)
        except OSError as failure:
            log.error("what the vault has of what has ended could not be deleted", reason=str(failure))

    async def run(self) -> None:
        """Work until cancelled; then give back what is running, at once. `leave` before it does so in order."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow())
                group.create_task(self._deadlines.run())
                group.create_task(self._houses.run())
                group.create_task(self._dispatch(group))
        finally:
            await asyncio.shield(self._returning.all_back(self._gates))
            await asyncio.shield(self._rooms.close())

    async def leave(self) -> None:
        """Take up nothing more, let what is in flight end, give all tasks back. Takes LEAVE_SECONDS and a bit more.

        A task that is to be paused or stopped is so afterwards; the others wait for the next start.
        """
        self._leaving = True
        for gate in self._gates.values():
            gate.leave()
        if self._works:
            await asyncio.wait(self._works, timeout=ORDERLY_SECONDS)
        await self._returning.all_back(self._gates)
        for _ in range(CUTS):
            for work in self._works:
                work.cancel()
            if self._works:
                await asyncio.wait(self._works, timeout=CUT_SECONDS)

    async def _follow(self) -> None:
        while True:
            page = await self._store.read(self._position)
            for recorded in page:
                await self._hear(recorded)
                self._position = recorded.position
            if not page:
                await self._store.wait(self._position)

    async def _hear(self, recorded: Recorded) -> None:
        kind = type(recorded.event)
        gate = self._gates.get(recorded.stream)
        self._deadlines.hear(recorded)
        if isinstance(recorded.event, e.TaskCreated):
            self._line.note(recorded.stream, recorded.event.session)
        if kind in ENDS:
            self._line.forget(recorded.stream)
            await self._after.secrets(recorded.stream)
            if gate is None:
                await self._after.session(recorded.stream)
        await self._houses.hear(recorded)
        if kind is e.SessionStopped:
            await proxies.forget(self._store, self._equipment.vault, recorded.stream)
        if gate is not None:
            # What a task at work was created or requeued by is old news; `_work` looks again when it is done.
            if kind in DESIRES:
                gate.hear(DESIRES[kind])
            if kind in BY_PEOPLE:
                gate.stir()
        elif kind in GOING_ON:
            self._line.join(recorded.stream)
        elif stopped_alone(recorded):
            await self._after.alone(recorded.stream, await self._tasks.load(recorded.stream))

    async def _stop_inside(self, session: str) -> bool:
        """The session was stopped, and so are all tasks of it; tells whether one of them is at work."""
        for stream in self._line.of(session):
            await self._stop_with_session(stream)
        return self._line.occupied(session)

    async def _stop_with_session(self, stream: str) -> bool:
        """Whether it has ended by that: one that is at work does so later."""

        def stop(task: Task) -> list[e.Event]:
            return [] if task.ended else decide.stop(task, reason="The session was stopped.")

        try:
            done = await self._tasks.transact(stream, stop, actor=self._actor, lane=Lane.CONTROL)
        except Refused as refused:  # it goes on to its end; whatever follows the log must as well
            log.error("a task could not be stopped with its session", stream=stream, reason=str(refused))
            return False
        if done.appended and done.state.ended:
            await self._after.alone(stream, done.state)
        return done.state.ended

    async def _dispatch(self, group: asyncio.TaskGroup) -> None:
        while True:
            await self._line.arrival()
            await self._slots.acquire()
            work = group.create_task(self._work(self._line.first()))
            self._works.add(work)
            work.add_done_callback(self._works.discard)

    async def _work(self, stream: str) -> None:
        """One task, from the claim to its end. Holds one slot; the gate lends it out while the task is paused."""
        session = None if self._leaving or stream in self._gates else self._line.enter(stream)
        if session is None:  # heard of twice, or another one is in its session
            self._slots.release()
            return
        tape = Tape(self._tasks, stream, actor=self._actor)
        # The gate stands before the claim is on the log, so that no request can pass unheard between the two.
        gate = self._gates[stream] = Gate(tape, self._slots, self._parking)
        try:
            task = await self._claim(stream)
            if task and task.created:
                tape.fence = task.fence
                await self._attempt(task, task.created, tape, gate)
        except LetGo as let_go:
            await self._returning.give_back(stream, let_go.cause)
        except ActFailed as lost:
            log.warning("a task lost its browser", stream=stream, reason=str(lost))
            await self._returning.give_back(stream, lost.code)
        except Fenced:
            log.warning("this runner no longer holds a task that it held", stream=stream)
        except Refused as refused:
            log.error("the log refused a task's facts", stream=stream, reason=str(refused))
            await self._returning.give_back(
                stream, "log_full" if isinstance(refused, DiskFull | Overloaded) else "log_refused"
            )
            await asyncio.sleep(REFUSED_SECONDS)
        del self._gates[stream]
        if gate.has_slot:
            self._slots.release()
        self._line.leave(session)
        # What was heard of while the gate stood may not be in anybody's memory yet: the tape itself is asked.
        task = await self._tasks.fresh(stream)
        if task.claimable:
            self._line.join(stream)
        elif task.ended:
            await self._after.session(stream)

    async def _claim(self, stream: str) -> Task | None:
        """The first append wins. None when the task was paused or stopped while it waited, or somebody else has it."""
        try:
            claim = partial(decide.claim, runner=self._name)
            return (await self._tasks.transact(stream, claim, actor=self._actor)).state
        except (NotAllowed, NotFound) as refused:
            log.info("a task no longer waits", stream=stream, reason=str(refused))
            return None

    async def _attempt(self, task: Task, created: e.TaskCreated, tape: Tape, gate: Gate) -> None:
        past = await past_of(self._store, tape.stream)
        await Attempt(
            created=created,
            number=task.attempt,
            store=self._store,
            tape=tape,
            gate=gate,
            past=past,
            equipment=self._equipment,
            profiles=self._profiles,
            houses=self._houses,
        ).run()
