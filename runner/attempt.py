"""One attempt at one task: a browser session, a way back when an earlier attempt left off, the loop, and the end."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import structlog

from eventstore import decide
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.errors import Broken, Invalid, Refused
from eventstore.vault import Vault
from runner.control import Gate, LetGo
from runner.fitting import fitting
from runner.keeping import Keeper, Kept, forget, kept
from runner.loop import Loop
from runner.past import Past, Return
from runner.ports import Done, Model, Session, Sessions
from runner.tape import Tape
from runner.vocabulary import ActFailed, AnyAction, Navigate, from_json

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
            except (LetGo, Refused, Broken):
                raise
            except ActFailed as failure:
                if failure.code in decide.LOST_BROWSER:
                    raise
                fact = self._failed(failure.code, str(failure))
            except Exception:
                log.exception("a task failed unexpectedly", stream=self.tape.stream)
                fact = self._failed("internal", "The runner failed unexpectedly; the service's log says more.")
            await self._end(fact)
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
        try:
            async with self.gate.limit(max(limits.task_seconds - self.past.used_ms / 1000, 0.0)) as limit:
                session = await self._open(stack, model)
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

    async def _open(self, stack: AsyncExitStack, model: Model) -> Session:
        """A session on the tape as started, brought back to where an earlier attempt was."""
        back = self.past.way_back()
        known = await kept(self.equipment.vault, state_name(self.created)) if self.number > 1 else None
        if not model.needs_tree:
            _must_be_honest(back, known, _what(self.past))
        options = self.created.options
        session = await stack.enter_async_context(
            self.equipment.browsers.session(
                viewport=(options.viewport_width, options.viewport_height),
                allowed_domains=self.created.allowed_domains,
                state=known.state if known else "",
                uploads=self.equipment.uploads,
                action_seconds=self.created.limits.action_seconds,
                blocked=self._blocked,
            )
        )
        restored = await self._return(session, back, model)
        started = e.TaskStarted(
            fence=self.tape.fence,
            browser=session.version,
            viewport_width=options.viewport_width,
            viewport_height=options.viewport_height,
            restored=("cookies and storage", *restored) if known else restored,
            lost=("what the page held in memory",) if back.url else (),
        )
        await self.tape.write(started)
        await self.tape.decide(lambda task: decide.unpark(task, fence=self.tape.fence))
        return session

    async def _return(self, session: Session, back: Return, model: Model) -> tuple[str, ...]:
        """Open the last page again and repeat what was only local to it."""
        if not back.url.startswith(("http://", "https://")):
            return ()
        try:
            await session.act(await session.resolve(Navigate(url=back.url)))
            for repeat in back.repeat:
                await session.act(await session.resolve(_recalled(model, repeat.step, repeat.index, repeat.params)))
        except ActFailed as failure:
            if failure.code in decide.LOST_BROWSER:
                raise
            message = f"The {_what(self.past)} was lost and its page could not be rebuilt: {failure}"
            raise ActFailed("runner_lost", message) from failure
        return (back.url, *(repeat.params for repeat in back.repeat))

    def _keeper(self, session: Session) -> Keeper:
        shared = self.equipment
        name = state_name(self.created)
        return Keeper(session, shared.blobs, shared.vault, name, screenshots=shared.screenshots)

    def _blocked(self, url: str, reason: str) -> None:
        self.blocks += 1
        if self.blocks <= BLOCKS_RECORDED:
            self.tape.write_behind(e.NavigationBlocked(fence=self.tape.fence, url=fitting(url, 4_000), reason=reason))


def state_name(created: e.TaskCreated) -> str:
    """What the vault calls the cookies and storage of the task's browser."""
    return f"browser/{created.session}"


def _finished(done: Done | None, fence: int) -> e.TaskFinished | None:
    return e.TaskFinished(fence=fence, success=done.success, output=done.output) if done else None


def _must_be_honest(back: Return, known: Kept | None, lost: str) -> None:
    """A model that cannot look for itself goes on only where nothing that may have had an effect is in doubt."""
    if back.obstacle:
        raise ActFailed("runner_lost", f"The {lost} was lost. {back.obstacle}")
    if back.lasting > (known.step if known else 0):
        raise ActFailed("runner_lost", f"The {lost} was lost, and so were its cookies and storage.")


def _what(past: Past) -> str:
    return "browser" if past.lost in decide.LOST_BROWSER else "runner"


def _recalled(model: Model, step: int, index: int, params: str) -> AnyAction:
    """The act as the model said it; else as the tape has it, where typed secrets are masked."""
    said = model.recall(step)
    return said[index] if index < len(said) else from_json(params)
