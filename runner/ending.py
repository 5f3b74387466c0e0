"""How one attempt ends its task: what was asked for is kept of the browser, then the end is told, as a fact."""

from collections.abc import Iterable

import msgspec

from eventstore import decide
from eventstore import events as e
from eventstore.errors import Invalid
from eventstore.vault import Vault
from runner.fitting import fitting
from runner.model import Done
from runner.ports import Session
from runner.profiles import STATE_SECONDS, STOP_SECONDS, Profiles, last_state, wanted
from runner.tape import Tape

MESSAGE_BYTES = 20_000


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Of one task. A fact that is None stands for a stop that has taken effect."""

    created: e.TaskCreated
    tape: Tape
    vault: Vault
    profiles: Profiles

    async def leave(self, session: Session | None, name: str, *, begun: bool, stopped: bool) -> None:
        """Keep of the browser what was asked for, before the end is told: a task that follows may begin with it.

        `name` is what the vault calls its cookies and storage, `begun` whether the task has done anything there.
        """
        if wanted(self.created):
            seconds = STOP_SECONDS if stopped else STATE_SECONDS
            state = await last_state(session, self.vault, name, seconds)
            await self.profiles.leave(self.created, self.tape.stream, state, begun=begun)

    async def tell(self, fact: e.Event | None) -> None:
        """What is still behind neither fails nor delays it."""
        if fact is None:
            await self.tape.drop()
            await self.tape.decide(lambda task: decide.stopped(task, fence=self.tape.fence))
            return
        await self.tape.close()
        try:
            await self._record(fact)
        except Invalid as refused:
            await self._record(self.failed("not_recordable", f"The task's end cannot be written down: {refused}"))

    def failed(self, code: str, message: str) -> e.TaskFailed:
        """The end of a task that has failed, in bounds."""
        return e.TaskFailed(fence=self.tape.fence, code=code, message=fitting(message, MESSAGE_BYTES))

    def finished(self, done: Done | None, files: Iterable[str]) -> e.TaskFinished | None:
        """The end as the model said it, with the names of what the task has made; None for a stop."""
        if done is None:
            return None
        return e.TaskFinished(fence=self.tape.fence, success=done.success, output=done.output, files=tuple(files))

    async def _record(self, fact: e.Event) -> None:
        await self.tape.decide(lambda task: [] if task.ended else decide.record(task, fact))
