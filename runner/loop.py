"""Observe, ask, act, record: the one loop for every model. Eyes, hands, model and gate are arguments."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from eventstore import decide
from eventstore import events as e
from runner.acts import Acts, since
from runner.control import Gate, Interrupted
from runner.fitting import fitting
from runner.past import Past
from runner.ports import Done, Eyes, Model, Observation, Reply
from runner.tape import Tape
from runner.vocabulary import ActFailed, Effect

WORDS_BYTES = 10_000
"""Of a title, an address or what a model said."""

LOOK_SECONDS = 30.0
"""How long it may take to see and keep what a step left."""

Keep = Callable[[int, set[Effect]], Awaitable[str]]
"""Keeps what the step of that number and those effects left; answers the SHA-256 of its picture in hex, or nothing."""


class Loop(msgspec.Struct, kw_only=True):
    """One attempt at one task, from its start or from where the past ends.

    `driven` hears how much people have done by hand. `place` is what was seen last, after so many pauses (`seen`):
    after one more the page is looked at anew.
    """

    tape: Tape
    gate: Gate
    acts: Acts
    eyes: Eyes
    model: Model
    past: Past
    limits: e.Limits
    keep: Keep
    driven: Callable[[int], None]
    place: Observation | None = None
    seen: int = 0

    async def run(self) -> Done:
        """Step until the model says that it is done. Raises ActFailed with the reason when the task has failed."""
        while True:
            await self.gate.passage()
            self.driven(self.past.hands)
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
        began = self.gate.clock()
        started = e.StepStarted(fence=self.tape.fence, number=number)
        if self.model.needs_tree:  # its call costs something, so the tape has to allow it first
            await self.acts.begin(started)
        reply, handed = await self._planned()
        if reply.done:
            return reply.done
        ended: list[e.Event] = [] if self.model.needs_tree else [started]
        failure: ActFailed | None = None
        for index, action in enumerate(reply.actions):
            if index and self._outdated(handed):
                break
            failure = await self.acts.act(number, index, action, before=ended)
            if failure:
                break
        self._end(number, reply, since(self.gate, began))
        if failure and (failure.code == "declined" or not self.model.needs_tree):
            raise ActFailed(failure.code, f"Step {number}, {reply.next_goal!r}: {failure}") from failure
        return None

    async def _planned(self) -> tuple[Reply, int]:
        """What the model wants next, and how often people had driven by the time that it looked.

        What it planned before a person drove is not what it would plan now: it is asked again.
        """
        while True:
            handed = self.gate.handed
            reply = await self.gate.ask(self._reply())
            await self.gate.passage()
            if not self._outdated(handed):
                return reply, handed

    def _outdated(self, handed: int) -> bool:
        return self.model.needs_tree and self.gate.handed != handed

    async def _reply(self) -> Reply:
        parkings = self.gate.parkings
        if self.model.needs_tree or self.place is None or self.seen != parkings:
            self.place = await self.eyes.look(tree=self.model.needs_tree)
            self.seen = parkings
        return await self.model.next(self.place, self.past.steps)

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
