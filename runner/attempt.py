"""One attempt at one task: it starts (see `starting.py`), goes round its loop, and ends with a fact."""

import traceback
from contextlib import AsyncExitStack

import msgspec
import structlog

from eventstore import decide
from eventstore import events as e
from eventstore.errors import Broken, Invalid, Refused
from eventstore.store import EventStore
from runner.acts import Acts
from runner.asking import Asker
from runner.belongings import Bringing
from runner.comparing import Comparing
from runner.control import Gate
from runner.desk import Desk
from runner.ending import Ending
from runner.equipment import Equipment
from runner.files import Files
from runner.housekeeping import Housekeeping, Lodging
from runner.human import Human
from runner.judging import Judging
from runner.keeping import Keeper, Kept, forget, session_state, task_state
from runner.ledger import TaskLedger
from runner.loop import Loop
from runner.model import Assignment, Done, Model
from runner.parking import LetGo
from runner.past import Past
from runner.ports import Session
from runner.profiles import Profiles
from runner.recalling import known_of, wallet_for
from runner.rerun import Recording, recording
from runner.starting import Start
from runner.tape import Tape
from runner.vocabulary import ActFailed
from runner.wallet import Wallet

log = structlog.get_logger()


class Attempt(msgspec.Struct, kw_only=True):
    """One attempt, the `number`-th, under the fence of `tape`."""

    created: e.TaskCreated
    number: int
    store: EventStore
    tape: Tape
    gate: Gate
    past: Past
    equipment: Equipment
    profiles: Profiles
    houses: Housekeeping
    lodging: Lodging = Lodging()
    session: Session | None = None
    keeper: Keeper | None = None

    async def run(self) -> None:
        """Drive the task until it has ended or was stopped.

        Raises LetGo, ActFailed when the browser was lost and another attempt is due, Refused when the log will have no
        more.
        """
        ending = Ending(created=self.created, tape=self.tape, vault=self.equipment.vault, profiles=self.profiles)
        async with AsyncExitStack() as stack:
            fact: e.Event | None
            try:
                fact = ending.finished(await self.gate.steer(self._drive(stack)), self.past.files)
            except Invalid as refused:  # it would be refused again however often the task were given back
                fact = ending.failed("not_recordable", f"What the task did cannot be written down: {refused}")
            except LetGo as let_go:
                self._keep(let_go.cause == "shutdown")
                if self.keeper:
                    self.keeper.driven(self.past.hands)
                raise
            except (Refused, Broken):
                raise
            except ActFailed as failure:
                if failure.code in decide.LOST_BROWSER:
                    self._keep(failure.code == "browser_lost")  # it may be only the way there that was lost
                    raise
                fact = ending.failed(failure.code, str(failure))
            except Exception:
                told = self.tape.mask.text(traceback.format_exc())  # it may quote the page
                log.error("a task failed unexpectedly", stream=self.tape.stream, exception=told)
                fact = ending.failed("internal", "The runner failed unexpectedly; the service's log says more.")
            begun = self.session is not None or bool(self.past.steps)
            await ending.leave(self.session, self._state_name, begun=begun, stopped=fact is None)
            await ending.tell(fact)
            self._keep(bool(self.lodging.room))
            if self.session is None and self.past.browser:  # it waits for a session that will not come
                self.equipment.browsers.end(self.past.browser)
            if self.lodging.room:
                await self._rest()
            elif self.keeper:
                await self.keeper.forget()
            else:
                await forget(self.equipment.vault, self._state_name)

    async def _rest(self) -> None:
        """The session goes on without the task: with its browser, or with what is kept of it."""
        if self.keeper:
            await self.keeper.rest()

    @property
    def _state_name(self) -> str:
        """What the vault calls the cookies and storage of the browser that the task is in."""
        return session_state(self.lodging.room) if self.lodging.room else task_state(self.created)

    async def _drive(self, stack: AsyncExitStack) -> Done:
        limits = self.created.limits
        ledger = TaskLedger(self.tape, self.past, limits)
        assignment = Assignment(created=self.created, ledger=ledger)
        model = await recording(self.store, self.equipment.models, assignment, self.past.steps, again=self.number > 1)
        self.lodging = await self.houses.lodging(self.created)
        vault, stream = self.equipment.vault, self.tape.stream
        lasting = bool(self.lodging.room)
        known = await known_of(vault, self._state_name, stream, lasting=lasting, again=self.number > 1)
        wallet = await wallet_for(self.store, vault, stream, self.created, known)
        self.tape.mask = wallet.mask  # from here on nothing goes on the tape that shows a secret
        asker = self._asker(wallet)
        await asker.recall()
        try:
            async with self.gate.limit(max(limits.task_seconds - self.past.used_ms / 1000, 0.0)) as limit:
                start = self._start(model, known)
                session = self.session = await start.open(stack, wallet)
                await start.begin(stack, session)
                keeper = self.keeper = self._keeper(session)
                stack.push_async_callback(keeper.close)
                stack.push_async_callback(self.tape.close)
                human = Human(session, self.tape, self.past)
                stack.push_async_callback(human.close)
                stack.enter_context(self.equipment.door.open(self.tape.stream, human))
                files = Files(
                    tape=self.tape,
                    past=self.past,
                    blobs=self.equipment.blobs,
                    given=self.created.uploads,
                    folder=start.folder,
                )
                loop = self._loop(session, model, self._desk(session, asker, files, assignment), keeper, ledger)
                done = await loop.run()
                if start.inbox is not None:
                    await start.inbox.last(late=self.past.fresh)
                await self.tape.settle()  # what the last step left, while there is a limit and a stop is heard
        except TimeoutError as error:
            if not limit.expired():
                raise
            message = f"The task took longer than {limits.task_seconds:g} seconds."
            raise ActFailed("task_timeout", message) from error
        await self._judging(ledger).about(done)
        return done

    def _judging(self, ledger: TaskLedger) -> Judging:
        return Judging(
            created=self.created,
            store=self.store,
            tape=self.tape,
            gate=self.gate,
            blobs=self.equipment.blobs,
            ledger=ledger,
            judge=self.equipment.judge,
        )

    def _start(self, model: Model, known: Kept | None) -> Start:
        return Start(
            created=self.created,
            number=self.number,
            tape=self.tape,
            gate=self.gate,
            past=self.past,
            equipment=self.equipment,
            profiles=self.profiles,
            lodging=self.lodging,
            model=model,
            known=known,
            bringing=Bringing(self.tape, self.past, self.equipment.blobs),
        )

    def _desk(self, session: Session, asker: Asker, files: Files, assignment: Assignment) -> Desk:
        replay = self.created.replay
        reader = None if replay and replay.alone else self.equipment.readers(assignment)
        return Desk(asker=asker, files=files, gate=self.gate, hands=session, reader=reader)

    def _loop(self, session: Session, model: Model, desk: Desk, keeper: Keeper, ledger: TaskLedger) -> Loop:
        comparing = Comparing(session=session, recording=model, desk=desk.do) if isinstance(model, Recording) else None
        acts = Acts(
            tape=self.tape,
            gate=self.gate,
            hands=comparing or session,
            eyes=session,
            past=self.past,
            beside=comparing.beside if comparing else desk.do,
            files=desk.files,
        )
        return Loop(
            tape=self.tape,
            gate=self.gate,
            acts=acts,
            eyes=session,
            model=model,
            ledger=ledger,
            past=self.past,
            limits=self.created.limits,
            keep=keeper.keep,
            driven=keeper.driven,
        )

    def _asker(self, wallet: Wallet) -> Asker:
        return Asker(
            gate=self.gate,
            tape=self.tape,
            past=self.past,
            vault=self.equipment.vault,
            wallet=wallet,
            seconds=self.equipment.input_seconds,
        )

    def _keep(self, keep: bool) -> None:
        if self.session is not None:
            self.session.keep = keep

    def _keeper(self, session: Session) -> Keeper:
        shared, lasting = self.equipment, self.tape.stream if self.lodging.room else ""
        return Keeper(
            session, shared.blobs, shared.vault, self._state_name, screenshots=shared.screenshots, lasting=lasting
        )
