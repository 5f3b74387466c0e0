"""Brings a session to where an earlier attempt was; says what of that one's browser came back and what did not."""

import msgspec

from eventstore import decide
from eventstore import events as e
from eventstore.machine import Desired
from runner.action_json import from_json
from runner.aiming import aimed
from runner.control import Gate, Interrupted
from runner.keeping import Kept
from runner.model import Model
from runner.parking import LetGo
from runner.past import Past
from runner.ports import Resolved, Session
from runner.remembered import Repeat
from runner.tape import Tape
from runner.vocabulary import ActFailed, AnyAction, Navigate

FOUND = "the browser, with what its pages hold"


class Restoration(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt: what was done before, and the cookies and storage that are `known` of it.

    `visited`: earlier tasks of the session had a browser, which this one goes on in.
    """

    past: Past
    tape: Tape
    gate: Gate
    model: Model
    known: Kept | None
    visited: bool = False

    async def of(self, session: Session) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What was restored, what was lost. Raises ActFailed (runner_lost) where going on is not honest, and LetGo."""
        back = self.past.way_back()
        if session.attached:
            if back.doubt and not self.model.needs_tree:
                raise ActFailed("runner_lost", f"The {_what(self.past)} was lost. {back.doubt}")
            return (FOUND,), ()
        if self.visited and not back.url and not self.past.steps:
            return await self._after_others(session)
        done = is_done(self.past, self.model)
        if not self.model.needs_tree and not done:
            must_be_honest(self.past, self.known)
        lost = ("the browser of its own",) if self.past.browser else ()
        cookies = ("cookies and storage",) if self.known else ()
        if back.url:
            lost = (*lost, "what the page held in memory")
        if done:
            return await self._opened(session, back.url, cookies, lost)
        return (*cookies, *await self._return(session)), lost

    async def _after_others(self, session: Session) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where the task before this one in the session left off, as far as that comes back."""
        if self.known is None:
            return (), ("the session's browser, with its cookies and storage",)
        lost = ("what the session's pages held in memory",)
        return await self._opened(session, self.known.url, ("cookies and storage",), lost)

    async def _opened(
        self, session: Session, url: str, restored: tuple[str, ...], lost: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """With the page at that address, where it opens: nothing that is still to be done depends on it."""
        if not url.startswith(("http://", "https://")):
            return restored, lost
        try:
            await self._again(session, Navigate(url=url))
        except ActFailed as failure:
            if failure.code in decide.LOST_BROWSER:
                raise
            return restored, (*lost, f"{url} ({failure})")
        return (*restored, url), lost

    async def _return(self, session: Session) -> tuple[str, ...]:
        """Open the last page again and repeat what was only local to it."""
        back = self.past.way_back()
        if not back.url.startswith(("http://", "https://")):
            return ()
        try:
            await self._again(session, Navigate(url=back.url))
            for repeat in back.repeat:
                await self._again(session, self._recalled(repeat), repeat)
        except ActFailed as failure:
            if failure.code in decide.LOST_BROWSER:
                raise
            message = f"The {_what(self.past)} was lost and its page could not be rebuilt: {failure}"
            raise ActFailed("runner_lost", message) from failure
        return (back.url, *(repeat.params for repeat in back.repeat))

    async def _again(self, session: Session, action: AnyAction, repeat: Repeat | None = None) -> None:
        """Do it. A pause lets go of what has been rebuilt so far; the resume begins anew."""

        async def act() -> None:
            resolved = await session.resolve(action)
            if repeat and resolved.secrets:
                await self.tape.write(*self._used(repeat, resolved))
            await session.act(resolved)

        while True:
            try:
                return await self.gate.act(act(), grace=0)
            except Interrupted:
                if self.gate.desired is Desired.PAUSE:
                    raise LetGo("let_go") from None
                await self.gate.passage()

    def _used(self, repeat: Repeat, resolved: Resolved) -> list[e.Event]:
        """The secrets that are about to be typed again."""
        fence, number = self.tape.fence, self.past.steps[repeat.step].number
        return [
            e.SecretUsed(fence=fence, step=number, index=repeat.index, name=name, host=host)
            for name, host in resolved.secrets
        ]

    def _recalled(self, repeat: Repeat) -> AnyAction:
        """The act as the model said it; else as the tape has it, where typed secrets are masked."""
        said = self.model.recall(repeat.step)
        if repeat.index < len(said):
            return said[repeat.index]
        return aimed(from_json(repeat.params), *repeat.targets)


def is_done(past: Past, model: Model) -> bool:
    """Whether an earlier attempt has done all that there was to do, so that its end is known from the tape alone."""
    return past.through and not past.way_back().doubt and model.ended(past.steps) is not None


def must_be_honest(past: Past, known: Kept | None) -> None:
    """A model that cannot look for itself goes on only where nothing that may have had an effect is in doubt."""
    back, lost = past.way_back(), _what(past)
    if back.obstacle:
        raise ActFailed("runner_lost", f"The {lost} was lost. {back.obstacle}")
    if back.lasting > (known.step if known else 0) or back.hands > (known.hands if known else 0):
        raise ActFailed("runner_lost", f"The {lost} was lost, and so were its cookies and storage.")


def _what(past: Past) -> str:
    return "browser" if past.lost in decide.LOST_BROWSER else "runner"
