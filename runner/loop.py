"""Observe, ask, act, record: the one loop for every model. Eyes, hands, model and gate are arguments."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec

from eventstore import decide
from eventstore import events as e
from eventstore.errors import NotAllowed
from runner.control import ACT_GRACE, Gate, Interrupted
from runner.fitting import fitting
from runner.past import Past
from runner.ports import Done, Eyes, Hands, Model, Observation, Reply, Resolved
from runner.tape import Tape
from runner.vocabulary import ActFailed, AnyAction, Effect, as_json

RESULT_BYTES = 200_000
"""Of one act's result as it goes on the tape, as JSON; an event holds 256 KiB at most."""

WORDS_BYTES = 10_000
"""Of a title, an address, an error or what a model said."""

LOOK_SECONDS = 30.0
"""How long it may take to see and keep what a step left."""

_TRIES = 16

Keep = Callable[[int, set[Effect]], Awaitable[str]]
"""Keeps what the step of that number and those effects left; answers the SHA-256 of its picture in hex, or nothing."""


class Loop(msgspec.Struct, kw_only=True):
    """One attempt at one task, from its start or from where the past ends."""

    tape: Tape
    gate: Gate
    hands: Hands
    eyes: Eyes
    model: Model
    past: Past
    limits: e.Limits
    keep: Keep
    place: Observation | None = None

    async def run(self) -> Done:
        """Step until the model says that it is done. Raises ActFailed with the reason when the task has failed."""
        while True:
            await self.gate.passage()
            if done := self.model.ended(self.past.steps):
                return done
            number = (await self.tape.state()).step + 1
            if len(self.past.steps) >= self.limits.max_steps:
                raise ActFailed("max_steps", f"The task did not end within {self.limits.max_steps} steps.")
            try:
                async with self.gate.limit(self.limits.step_seconds) as limit:
                    if done := await self._step(number):
                        return done
            except TimeoutError as error:
                if not limit.expired():
                    raise
                await self._interrupt(number, "timeout")
                raise ActFailed(
                    "step_timeout", f"Step {number} took longer than {self.limits.step_seconds:g} seconds."
                ) from error
            except Interrupted:
                await self._interrupt(number, "shutdown" if self.gate.leaving else "pause")

    async def _step(self, number: int) -> Done | None:
        began = self._clock()
        started = e.StepStarted(fence=self.tape.fence, number=number)
        if self.model.needs_tree:  # its call costs something, so the tape has to allow it first
            await self._begin(started)
        reply = await self.gate.ask(self._reply())
        if reply.done:
            return reply.done
        ended: list[e.Event] = [] if self.model.needs_tree else [started]
        failure: ActFailed | None = None
        for index, action in enumerate(reply.actions):
            failure = await self._act(number, index, action, before=ended)
            if failure:
                break
        self._end(number, reply, self._since(began))
        if failure and not self.model.needs_tree:
            raise ActFailed(failure.code, f"Step {number}, {reply.next_goal!r}: {failure}") from failure
        return None

    async def _reply(self) -> Reply:
        if self.model.needs_tree or self.place is None:
            self.place = await self.eyes.look(tree=self.model.needs_tree)
        return await self.model.next(self.place, self.past.steps)

    async def _act(self, number: int, index: int, action: AnyAction, *, before: list[e.Event]) -> ActFailed | None:
        """One act, with its intent on the tape before and its outcome after. `before` goes down with the first one.

        An act in which the browser was lost has no outcome: nobody can say whether it took effect.
        """
        began = self._clock()
        try:
            resolved = await self._resolve(action)
        except ActFailed as failure:
            if failure.code in decide.LOST_BROWSER:
                raise
            resolved = Resolved(action=action, params=as_json(action), url=(await self.eyes.look(tree=False)).url)
            await self._intend(number, index, resolved, before)
            self._outcome(number, index, began, url=resolved.url, failure=failure)
            return failure
        await self._intend(number, index, resolved, before)
        try:
            outcome = await self.gate.act(self.hands.act(resolved), grace=ACT_GRACE)
        except ActFailed as failure:
            if failure.code in decide.LOST_BROWSER:
                raise
            self._outcome(number, index, began, url=resolved.url, failure=failure)
            return failure
        self._outcome(number, index, began, url=outcome.url, result=outcome.result)
        return None

    async def _resolve(self, action: AnyAction) -> Resolved:
        """Find the target. Nothing is changed by looking, so a pause simply looks again afterwards."""
        while True:
            await self.gate.passage()
            try:
                return await self.gate.act(self.hands.resolve(action), grace=0)
            except Interrupted:
                continue

    async def _intend(self, number: int, index: int, resolved: Resolved, before: list[e.Event]) -> None:
        intent = e.ActionStarted(
            fence=self.tape.fence,
            step=number,
            index=index,
            name=resolved.action.name,
            params=resolved.params,
            effect=resolved.action.effect.value,
            url=fitting(resolved.url, WORDS_BYTES),
            target=resolved.target,
        )
        used = [
            e.SecretUsed(fence=self.tape.fence, step=number, index=index, name=name, host=host)
            for name, host in resolved.secrets
        ]
        await self._begin(*before, intent, *used)
        before.clear()

    async def _begin(self, *facts: e.Event) -> None:
        """Write what begins something. Refused while a pause is wished for: park, then try again."""
        for attempt in range(_TRIES):
            try:
                await self.tape.write(*facts)
                break
            except NotAllowed:
                if attempt == _TRIES - 1:
                    raise
                await self.gate.refresh()
                await self.gate.passage()
        self.past.note(facts)

    def _outcome(
        self, number: int, index: int, began: float, *, url: str, result: str = "", failure: ActFailed | None = None
    ) -> None:
        ended = e.ActionEnded(
            fence=self.tape.fence,
            step=number,
            index=index,
            ok=failure is None,
            result=fitting(result, RESULT_BYTES),
            error=fitting(str(failure), WORDS_BYTES) if failure else "",
            url=fitting(url, WORDS_BYTES),
            duration_ms=self._since(began),
        )
        self.tape.write_behind(ended)
        self.past.note([ended])

    def _end(self, number: int, reply: Reply, took: int) -> None:
        """The step is done. What it left is looked at while the next one is prepared, and before it acts."""
        effects = {Effect(act.effect) for act in self.past.open}
        self.past.note([e.StepTaken(fence=self.tape.fence, number=number)])
        if self.past.way_back().obstacle and not self.model.needs_tree:
            effects = set()  # nobody could go on from here, so nothing is kept for it

        async def taken() -> list[e.Event]:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    self.place = place = await self.eyes.look(tree=False)
                    screenshot = await self.keep(number, effects)
            except TimeoutError as error:
                message = f"What step {number} left could not be looked at within {LOOK_SECONDS:g} seconds."
                raise ActFailed("timeout", message) from error
            return [
                e.StepTaken(
                    fence=self.tape.fence,
                    number=number,
                    url=fitting(place.url, WORDS_BYTES),
                    title=fitting(place.title, WORDS_BYTES),
                    evaluation=fitting(reply.evaluation, WORDS_BYTES),
                    memory=fitting(reply.memory, WORDS_BYTES),
                    next_goal=fitting(reply.next_goal, WORDS_BYTES),
                    screenshot=screenshot,
                    duration_ms=took,
                )
            ]

        self.tape.follow_up(taken())

    async def _interrupt(self, number: int, cause: str) -> None:
        appended = await self.tape.decide(
            lambda task: decide.interrupt(task, fence=self.tape.fence, cause=cause) if task.step == number else []
        )
        self.past.note(recorded.event for recorded in appended)
        if self.past.way_back().obstacle and not self.model.needs_tree and cause == "pause":
            self._doubt(number)

    def _doubt(self, number: int) -> None:
        last = self.past.steps[-1].acts[-1] if self.past.steps else None
        if last is not None and not last.ok:
            raise ActFailed(
                "uncertain_act",
                f"Step {number} was paused while {last.params} was under way, and nobody can say whether it took "
                "effect; it is not repeated.",
            )

    def _clock(self) -> float:
        """Seconds of not being paused."""
        return time.monotonic() - self.gate.paused_seconds

    def _since(self, began: float) -> int:
        return round((self._clock() - began) * 1000)
