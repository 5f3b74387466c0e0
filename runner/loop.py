"""Observe, ask, act, record: the one loop for every model. Eyes, hands, model and gate are arguments."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256

import msgspec

from eventstore import decide
from eventstore import events as e
from eventstore.machine import Hold
from runner.action_json import as_json
from runner.acts import Acts, since
from runner.control import Gate, Interrupted
from runner.fitting import fitting
from runner.ledger import TaskLedger
from runner.model import Done, Exhausted, Model, Observation, Reply
from runner.past import Past, page_of
from runner.ports import Eyes
from runner.tape import Tape
from runner.vocabulary import ActFailed, AnyAction, Effect, Finish

WORDS_BYTES = 10_000
"""Of a title, an address or what a model said."""

OUTPUT_BYTES = 90_000
"""Of what a model says at the end; it stands on the tape as JSON within JSON."""

MOST_UNHEARD = 100
"""Sentences about what happened that wait for a model to hear them."""

MOST_DROPPED = 20
"""Acts of one step that were not begun and are told on the tape."""

LOOK_SECONDS = 30.0
"""How long it may take to see and keep what a step left."""

_NEW = re.compile(r"^( *- )\*", re.MULTILINE)

Keep = Callable[[int, set[Effect]], Awaitable[str]]
"""Keeps what the step of that number and those effects left; answers the SHA-256 of its picture in hex, or nothing."""


class Loop(msgspec.Struct, kw_only=True):
    """One attempt at one task, from its start or from where the past ends.

    `driven` hears how much people have done by hand. `place` is what was seen last, after so many pauses (`seen`):
    after one more the page is looked at anew. `unheard` is what no model has heard of that could still act on it.
    """

    tape: Tape
    gate: Gate
    acts: Acts
    eyes: Eyes
    model: Model
    past: Past
    ledger: TaskLedger
    limits: e.Limits
    keep: Keep
    driven: Callable[[int], None]
    place: Observation | None = None
    seen: int = 0
    unheard: tuple[str, ...] = ()

    async def run(self) -> Done:
        """Step until the model says that it is done. Raises ActFailed with the reason when the task has failed."""
        while True:
            await self.gate.passage()
            self.driven(self.past.hands)
            if done := self.model.ended(self.past.steps):
                return done
            number = (await self.tape.state()).step + 1
            if len(self.past.steps) >= (most := self.past.allowed.steps + self.limits.max_steps):
                await self._used_up("max_steps", f"The task did not end within {most} steps.")
                continue
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
        self.ledger.step = number
        reply, handed = await self._planned()
        if reply.done and not self.model.needs_tree:
            return reply.done
        before: list[e.Event] = [] if self.model.needs_tree else [started]
        actions = [*reply.actions, *_finish(reply.done)]
        failure: ActFailed | None = None
        begun = 0
        while begun < len(actions) and not failure and not (begun and self._overtaken(handed, actions[begun - 1])):
            failure = await self.acts.act(number, begun, actions[begun], before=before)
            begun += 1
        self._end(number, reply, since(self.gate, began), dropped=actions[begun:])
        if failure and (failure.code == "declined" or not self.model.needs_tree):
            raise ActFailed(failure.code, f"Step {number}, {reply.next_goal!r}: {failure}") from failure
        return None if failure or begun < len(actions) else reply.done

    async def _planned(self) -> tuple[Reply, int]:
        """What the model wants next, and how often people had driven by the time that it looked.

        What it planned before a person drove is not what it would plan now: it is asked again.
        """
        while True:
            handed = self.gate.handed
            try:
                reply = await self.gate.ask(self._reply())
            except Exhausted as exhausted:
                await self._used_up(exhausted.code, str(exhausted))
                continue
            await self.gate.passage()
            if not self._outdated(handed):
                self.unheard = ()
                return reply, handed

    def _outdated(self, handed: int) -> bool:
        return self.model.needs_tree and self.gate.handed != handed

    def _overtaken(self, handed: int, action: AnyAction) -> bool:
        """Whether what was planned to follow this act was planned for another page than there is now."""
        planned = self.place.url if self.place else ""
        done = self.past.open[-1]
        moved = action.leaves or done.moved or page_of(done.url) != page_of(planned)
        return self._outdated(handed) or (self.model.needs_tree and moved)

    async def _used_up(self, code: str, message: str) -> None:
        """A limit is. Parks the task until somebody allows as much again, or raises ActFailed. Raises LetGo."""
        if self.limits.breach != "pause":
            raise ActFailed(code, message)
        await self.gate.exhausted(code)
        self.past.note([e.TaskPaused(fence=self.tape.fence, step=self.ledger.step, cause=Hold.BUDGET, limit=code)])

    async def _reply(self) -> Reply:
        parkings = self.gate.parkings
        if self.model.needs_tree or self.place is None or self.seen != parkings:
            place = await self.eyes.look(tree=self.model.needs_tree, picture=self.model.needs_picture)
            self.unheard = (*self.unheard, *place.news)[-MOST_UNHEARD:]
            self.place = msgspec.structs.replace(place, news=self.unheard)
            self.seen = parkings
        return await self.model.next(self.place, self.past.steps)

    def _end(self, number: int, reply: Reply, took: int, *, dropped: Sequence[AnyAction]) -> None:
        """The step is done. What it left is looked at while the next one is prepared, and before it acts."""
        effects = {Effect(act.effect) for act in self.past.open}
        done = e.StepTaken(
            fence=self.tape.fence,
            number=number,
            evaluation=fitting(reply.evaluation, WORDS_BYTES),
            memory=fitting(reply.memory, WORDS_BYTES),
            next_goal=fitting(reply.next_goal, WORDS_BYTES),
            duration_ms=took,
            dropped=tuple(fitting(as_json(action), WORDS_BYTES) for action in dropped[:MOST_DROPPED]),
            saw=_digest(self.place) if self.place else "",
        )
        self.past.note([done])
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
            seen = {"url": fitting(place.url, WORDS_BYTES), "title": fitting(place.title, WORDS_BYTES)}
            return [msgspec.structs.replace(done, **seen, screenshot=screenshot)]

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


def _finish(done: Done | None) -> list[Finish]:
    """The end as the last act of its step."""
    return [Finish(success=done.success, text=fitting(done.output, OUTPUT_BYTES))] if done else []


def _digest(place: Observation) -> str:
    """The page as it was seen, in a few characters; what is marked as new is the same page a look later."""
    if not place.tree:
        return ""
    tree = _NEW.sub(r"\1", place.tree)
    return sha256(f"{place.url}\n{tree}".encode(errors="replace")).hexdigest()[:16]
