"""One attempt at one task: a browser session, a way back when an earlier attempt left off, the loop, and the end."""

import traceback
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import structlog

from eventstore import decide
from eventstore import events as e
from eventstore import secrets as sealed
from eventstore.blobs import Blobs
from eventstore.errors import Broken, Invalid, Refused
from eventstore.vault import Vault
from runner.control import Gate, LetGo
from runner.fitting import fitting
from runner.keeping import Keeper, forget, kept
from runner.loop import Loop
from runner.past import Past
from runner.ports import Done, Model, Session, Sessions
from runner.restoring import Restoration, must_be_honest
from runner.tape import Tape
from runner.veil import Veiled
from runner.vocabulary import ActFailed
from runner.wallet import Wallet, wallet_of

log = structlog.get_logger()

MESSAGE_BYTES = 20_000

BLOCKS_RECORDED = 100
"""Blocked requests of one attempt that go on the tape; a page can try without end."""


Models = Callable[[e.TaskCreated], Model]
"""The model for a task. Raises ActFailed for an instruction that it cannot read."""


class Equipment(msgspec.Struct, frozen=True, kw_only=True):
    """What every attempt of a runner shares."""

    models: Models
    browsers: Sessions
    blobs: Blobs
    vault: Vault
    uploads: Path | None = None
    screenshots: bool = True


class Attempt(msgspec.Struct, kw_only=True):
    """One attempt, the `number`-th, under the fence of `tape`."""

    created: e.TaskCreated
    number: int
    tape: Tape
    gate: Gate
    past: Past
    equipment: Equipment
    session: Session | None = None
    keeper: Keeper | None = None
    blocks: int = 0

    async def run(self) -> None:
        """Drive the task until it has ended or was stopped.

        Raises LetGo, ActFailed when the browser was lost and another attempt is due, Refused when the log will have no
        more.
        """
        async with AsyncExitStack() as stack:
            fact: e.Event | None
            try:
                fact = _finished(await self.gate.steer(self._drive(stack)), self.tape.fence)
            except Invalid as refused:  # it would be refused again however often the task were given back
                fact = self._failed("not_recordable", f"What the task did cannot be written down: {refused}")
            except LetGo as let_go:
                self._keep(let_go.cause == "shutdown")
                raise
            except (Refused, Broken):
                raise
            except ActFailed as failure:
                if failure.code in decide.LOST_BROWSER:
                    self._keep(failure.code == "browser_lost")  # it may be only the way there that was lost
                    raise
                fact = self._failed(failure.code, str(failure))
            except Exception:
                told = self.tape.mask.text(traceback.format_exc())  # it may quote the page
                log.error("a task failed unexpectedly", stream=self.tape.stream, exception=told)
                fact = self._failed("internal", "The runner failed unexpectedly; the service's log says more.")
            await self._end(fact)
            self._keep(False)
            if self.session is None and self.past.browser:  # it waits for a session that will not come
                self.equipment.browsers.end(self.past.browser)
            if self.keeper:
                await self.keeper.forget()
            else:
                await forget(self.equipment.vault, state_name(self.created))

    async def _end(self, fact: e.Event | None) -> None:
        """The end as a fact; without one, a stop took effect. What is still behind neither fails nor delays it."""
        if fact is None:
            await self.tape.drop()
            await self.tape.decide(lambda task: decide.stopped(task, fence=self.tape.fence))
            return
        await self.tape.close()
        try:
            await self._record(fact)
        except Invalid as refused:
            await self._record(self._failed("not_recordable", f"The task's end cannot be written down: {refused}"))

    async def _record(self, fact: e.Event) -> None:
        await self.tape.decide(lambda task: [] if task.ended else decide.record(task, fact))

    def _failed(self, code: str, message: str) -> e.TaskFailed:
        return e.TaskFailed(fence=self.tape.fence, code=code, message=fitting(message, MESSAGE_BYTES))

    async def _drive(self, stack: AsyncExitStack) -> Done:
        limits = self.created.limits
        model = self.equipment.models(self.created)
        wallet = await self._wallet()
        try:
            async with self.gate.limit(max(limits.task_seconds - self.past.used_ms / 1000, 0.0)) as limit:
                session = await self._open(stack, model, wallet)
                keeper = self.keeper = self._keeper(session)
                stack.push_async_callback(keeper.close)
                stack.push_async_callback(self.tape.close)
                loop = Loop(
                    tape=self.tape,
                    gate=self.gate,
                    hands=session,
                    eyes=session,
                    model=model,
                    past=self.past,
                    limits=limits,
                    keep=keeper.keep,
                )
                done = await loop.run()
                await self.tape.settle()  # what the last step left, while there is a limit and a stop is heard
                return done
        except TimeoutError as error:
            if not limit.expired():
                raise
            message = f"The task took longer than {limits.task_seconds:g} seconds."
            raise ActFailed("task_timeout", message) from error

    async def _wallet(self) -> Wallet:
        """The task's secrets. From here on nothing goes on the tape that shows one. Raises ActFailed: secrets_lost."""
        if not self.created.secrets:
            return Wallet()
        found = await sealed.get(self.equipment.vault, sealed.vault_name(self.tape.stream, self.created))
        if found is None or not set(self.created.secrets) <= set(found):
            raise ActFailed("secrets_lost", "The vault no longer has the task's secrets; create it again with them.")
        wallet = wallet_of(self.created, found)
        self.tape.mask = wallet.mask
        return wallet

    async def _open(self, stack: AsyncExitStack, model: Model, wallet: Wallet) -> Session:
        """A session on the tape as started, brought back to where an earlier attempt was."""
        known = await kept(self.equipment.vault, state_name(self.created)) if self.number > 1 else None
        if not model.needs_tree and not self.past.browser:
            must_be_honest(self.past, known)
        options = self.created.options
        opened = await stack.enter_async_context(
            self.equipment.browsers.session(
                viewport=(options.viewport_width, options.viewport_height),
                allowed_domains=self.created.allowed_domains,
                state=known.state if known else "",
                uploads=self.equipment.uploads,
                action_seconds=self.created.limits.action_seconds,
                blocked=self._blocked,
                own=self.past.browser,
            )
        )
        session = self.session = Veiled(opened, wallet)
        if session.own:
            await self._write(e.BrowserOpened(fence=self.tape.fence, browser=session.own))
        restored, lost = await Restoration(past=self.past, tape=self.tape, gate=self.gate, model=model, known=known).of(
            session
        )
        started = e.TaskStarted(
            fence=self.tape.fence,
            browser=session.version,
            viewport_width=options.viewport_width,
            viewport_height=options.viewport_height,
            restored=restored,
            lost=lost,
        )
        await self._write(started)
        self._keep(True)
        await self.gate.unpark()
        return session

    async def _write(self, fact: e.Event) -> None:
        await self.tape.write(fact)
        self.past.note([fact])

    def _keep(self, keep: bool) -> None:
        if self.session is not None:
            self.session.keep = keep

    def _keeper(self, session: Session) -> Keeper:
        shared = self.equipment
        name = state_name(self.created)
        return Keeper(session, shared.blobs, shared.vault, name, screenshots=shared.screenshots)

    def _blocked(self, url: str, reason: str) -> None:
        self.blocks += 1
        if self.blocks <= BLOCKS_RECORDED:
            shown = fitting(self.tape.mask.text(url), 4_000)
            self.tape.write_behind(e.NavigationBlocked(fence=self.tape.fence, url=shown, reason=reason))


def state_name(created: e.TaskCreated) -> str:
    """What the vault calls the cookies and storage of the task's browser."""
    return f"browser/{created.session}"


def _finished(done: Done | None, fence: int) -> e.TaskFinished | None:
    return e.TaskFinished(fence=fence, success=done.success, output=done.output) if done else None
