"""The hands of people in one task's browser: one input at a time, under their control, on the tape in their name."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import structlog

from eventstore import events as e
from eventstore.errors import Fenced, NotAllowed, Refused
from eventstore.human import HumanInput, HumanOutcome, check
from runner.fitting import fitting
from runner.past import Past
from runner.ports import Session, Touch
from runner.tape import Tape
from runner.vocabulary import ActFailed

log = structlog.get_logger()

WORDS_BYTES = 10_000
RUN_CHARACTERS = 2_000
"""What is typed in one go is one act, up to so many characters."""

QUIET_SECONDS = 1.0
"""What is typed is on the tape after so long a pause, though nothing follows it."""

APART_SECONDS = 3.0
"""How long what a hand is at may take to end when control is given back."""


class Human:
    """Of one attempt. `session` is the task's own, veiled; what is done is noted in `past` too."""

    def __init__(self, session: Session, tape: Tape, past: Past) -> None:
        self.session = session
        self._tape = tape
        self._past = past
        self._one = asyncio.Lock()
        self._work: asyncio.Task[Touch] | None = None
        self._cutting = False
        self._acts: set[asyncio.Task[HumanOutcome]] = set()
        self._pending: tuple[Touch, str] | None = None
        self._noted = 0.0
        self._quiet: asyncio.Task[None] | None = None

    async def act(self, asked: HumanInput, *, actor: str) -> HumanOutcome:
        """Do it, in the actor's name. What could not be done, or went wrong, is told in the outcome.

        Raises NotAllowed when nobody has control, Invalid for an input that says nothing. Who does not wait for the
        outcome has done it all the same.
        """
        check(asked)
        act = asyncio.create_task(self._act(asked, actor))
        self._acts.add(act)
        act.add_done_callback(self._ended)
        return await asyncio.shield(act)

    def _ended(self, act: "asyncio.Task[HumanOutcome]") -> None:
        self._acts.discard(act)
        if not act.cancelled():
            act.exception()  # it was raised to who waits for it, if anybody does

    async def _act(self, asked: HumanInput, actor: str) -> HumanOutcome:
        async with self._one:
            if self._cutting:
                raise NotAllowed("Control of this task's browser is being given back.")
            if not (await self._tape.state()).controlled:
                raise NotAllowed("Nobody has control of this task's browser. Pause the task and take control first.")
            try:
                touch = await self._do(asked)
            except ActFailed as failure:
                return HumanOutcome(url="", problem=str(failure))
            if touch.name:
                await self._note(touch, actor)
            return HumanOutcome(url=touch.url, problem=touch.problem)

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[None]:
        """While inside nothing is done by hand; all that was done is on the tape, and no key is held down."""
        cutting = asyncio.get_running_loop().call_later(APART_SECONDS, self._cut)
        try:
            await self._one.acquire()
        finally:
            cutting.cancel()
            self._cutting = False
        try:
            await self._finish()
            yield
        finally:
            self._one.release()

    def _cut(self) -> None:
        self._cutting = True
        if self._work is not None:
            self._work.cancel()

    async def _do(self, asked: HumanInput) -> Touch:
        """One that is cut off may have had its effect all the same, and is told as what it was."""
        self._work = work = asyncio.create_task(self.session.by_hand(asked))
        try:
            await asyncio.wait({work})
        finally:
            self._work = None
            work.cancel()
        if work.cancelled():
            return Touch(name=asked.act, problem="It took too long, and was cut off when control was given back.")
        return work.result()

    async def close(self) -> None:
        """The session is about to be left: what can still be told is told."""
        try:
            async with asyncio.timeout(APART_SECONDS), self._one:
                await self._flush()
        except TimeoutError:
            log.warning("what was done by hand at last is not on the tape", stream=self._tape.stream)
            self._cut()
        finally:
            if self._quiet is not None:
                self._quiet.cancel()

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(APART_SECONDS):
                await self.session.let_go()
        except (ActFailed, TimeoutError) as failure:
            log.warning("a key may still be held down", stream=self._tape.stream, reason=str(failure))
        await self._flush()

    async def _note(self, touch: Touch, actor: str) -> None:
        """Runs of typing and of turning the wheel become one act each."""
        if self._pending is not None:
            last, who = self._pending
            if who == actor and (both := joined(last, touch)) is not None:
                self._keep(both, actor)
                return
        await self._flush()
        self._keep(touch, actor)
        if touch.name not in ("type", "wheel"):
            await self._flush()

    def _keep(self, touch: Touch, actor: str) -> None:
        """What may go on is in memory alone only until there is a pause."""
        self._pending = touch, actor
        self._noted = asyncio.get_running_loop().time()
        if self._quiet is None or self._quiet.done():
            self._quiet = asyncio.create_task(self._settle())

    async def _settle(self) -> None:
        clock = asyncio.get_running_loop().time
        while (left := self._noted + QUIET_SECONDS - clock()) > 0:  # noqa: ASYNC110 - no event tells of a pause
            await asyncio.sleep(left)
        async with self._one:
            pending = self._pending
            try:
                await self._flush()
            except Refused as refused:
                self._pending = pending  # the next act tells it, or the end
                log.warning("what was done by hand is not on the tape yet", reason=str(refused))

    async def _flush(self) -> None:
        if self._pending is None:
            return
        (touch, actor), self._pending = self._pending, None
        acted = e.HumanActed(
            fence=self._tape.fence,
            name=touch.name,
            params=msgspec.json.encode(touch.params).decode(),
            url=fitting(touch.url, WORDS_BYTES),
            target=touch.target,
        )
        try:
            appended = await self._tape.by_hand(acted, actor=actor)
        except (NotAllowed, Fenced) as refused:
            log.warning("what was done by hand is not on the tape", stream=self._tape.stream, reason=str(refused))
            return
        self._past.note(recorded.event for recorded in appended)


def joined(last: Touch, touch: Touch) -> Touch | None:
    """The two as one act; None where they are two."""
    if last.name == touch.name == "wheel":
        moved = {name: _number(last.params, name) + _number(touch.params, name) for name in ("dx", "dy")}
        return msgspec.structs.replace(touch, params=touch.params | moved)
    if last.name != "type" or _field(last) != _field(touch):
        return None
    if touch.name == "type":
        text = str(last.params["text"]) + str(touch.params["text"])
        if last.secret:
            return msgspec.structs.replace(touch, params=last.params)
        return msgspec.structs.replace(touch, params={"text": text}) if len(text) <= RUN_CHARACTERS else None
    if touch.name == "press" and touch.params == {"keys": "Backspace"} and (last.secret or last.params["text"]):
        text = str(last.params["text"])
        return msgspec.structs.replace(last, params={"text": text if last.secret else text[:-1]}, url=touch.url)
    return None


def _field(touch: Touch) -> tuple[object, ...]:
    """Where it was typed. The field may have grown."""
    aim = touch.target
    return (touch.secret, aim.role, aim.name, aim.frame) if aim else (touch.secret,)


def _number(params: dict[str, object], name: str) -> float:
    value = params.get(name, 0.0)
    return value if isinstance(value, int | float) else 0.0
