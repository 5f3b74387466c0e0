"""The gate: what the log wants of one task now, and how its work gives way to that.

Pause: nothing new begins; an act in flight may end within a grace, then it is cancelled; a model call goes on and its
answer is kept. Stop: the work is cancelled. Paused time eats no limit. While a person is asked, or drives the browser,
nothing begins either: there the log itself is asked what holds, each time that something is heard.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

from eventstore import decide
from eventstore import events as e
from eventstore.errors import NotAllowed
from eventstore.machine import Desired, Hold
from runner.parking import LetGo, Parking
from runner.tape import Tape

T = TypeVar("T")

ACT_GRACE = 1.0
"""Seconds that an act in flight may take to end once a pause was asked for."""

_TRIES = 16


class Interrupted(Exception):
    """A pause came and the awaited work was cancelled."""


class Gate:
    """The gate of one task. The follower tells it what is desired; the loop passes through it."""

    def __init__(self, tape: Tape, slots: asyncio.Semaphore, parking: Parking) -> None:
        """The caller holds one slot, which is given back while the task is paused.

        `parkings` counts how often the task was paused here, `handed` how often people have driven its browser.
        """
        self.desired = Desired.RUN
        self.leaving = False
        self.has_slot = True
        self.paused_seconds = 0.0
        self.parkings = 0
        self.handed = 0
        self._held = False
        self._stirred = False
        self._parked = False  # on the tape, when last asked: a pause can be over here before it is so there
        self._tape = tape
        self._slots = slots
        self._parking = parking
        self._changed = asyncio.Event()
        self._limits: list[asyncio.Timeout] = []

    def hear(self, desired: Desired) -> None:
        """What the log wants now. A stop is not taken back."""
        if self.desired in (desired, Desired.STOP):
            return
        self.desired = desired
        self._wake()

    def stir(self) -> None:
        """A person has answered, or took the browser, or did something in it. What follows from that the log knows."""
        self._stirred = True
        self._wake()

    def leave(self) -> None:
        """The service ends: nothing new begins, what is in flight may end as it may at a pause."""
        self.leaving = True
        self._wake()

    @property
    def free(self) -> bool:
        """Whether the task may act."""
        return self.desired is Desired.RUN and not self.leaving and not self._held

    def clock(self) -> float:
        """Seconds of not being paused, from some moment on."""
        return time.monotonic() - self.paused_seconds

    async def refresh(self) -> None:
        """Ask the log itself: an append was refused, so the wish has changed and the follower is a moment behind."""
        task = await self._tape.state()
        self._parked = task.parked
        self._held = task.held is not Hold.NONE
        self.handed = task.handed
        self.hear(task.desired)

    async def steer(self, work: Coroutine[object, object, T]) -> T | None:
        """Run the work to its end, or cancel it at a stop: then the answer is None."""
        task = asyncio.create_task(work)
        try:
            await self._or_change(task, lambda: self.desired is Desired.STOP)
            return await task if task.done() else None
        finally:
            await _cancel(task)

    async def passage(self) -> None:
        """Return when the task may act. Parks it, on the tape, for as long as a pause is desired. Raises LetGo."""
        while not self.free or not self.has_slot or self._parked:
            if self.desired is Desired.STOP:
                await asyncio.Future()  # `steer` is about to cancel this
            if self.leaving:
                raise LetGo("shutdown")
            await self._tape.decide(lambda task: decide.park(task, fence=self._tape.fence))
            await self._wait()
            await self.unpark()

    async def unpark(self) -> None:
        """Say that the task goes on, where the tape has it parked. Another request may be on the log by then."""
        self._stirred = False
        await self._tape.decide(lambda task: decide.unpark(task, fence=self._tape.fence))
        await self.refresh()

    async def question(self, asked: e.InputRequested) -> bool:
        """Put it to a person, and park the task until nobody waits any more. Whether it was answered. Raises LetGo."""
        for tries in range(_TRIES):
            await self.passage()
            try:
                await self._tape.decide(lambda task: decide.ask(task, asked))
                break
            except NotAllowed:  # a pause has come first
                if tries == _TRIES - 1:
                    raise
                await self.refresh()
        await self.refresh()
        await self.passage()
        return (await self._tape.state()).answered == asked.request

    async def exhausted(self, limit: str) -> None:
        """That limit is used up: park the task until somebody resumes it. Raises LetGo."""
        for tries in range(_TRIES):
            await self.passage()
            try:
                await self._tape.decide(lambda task: decide.exhaust(task, fence=self._tape.fence, limit=limit))
                break
            except NotAllowed:  # a pause has come first
                if tries == _TRIES - 1:
                    raise
                await self.refresh()
        await self.refresh()
        await self.passage()

    async def ask(self, call: Coroutine[object, object, T]) -> T:
        """Await a call that a pause must not waste: it goes on while the task is parked, and its answer is kept."""
        task = asyncio.create_task(call)
        try:
            while not task.done():
                await self._or_change(task, lambda: not self.free)
                await self.passage()
            return task.result()
        finally:
            await _cancel(task)

    async def act(self, call: Coroutine[object, object, T], *, grace: float) -> T:
        """Await something done in the browser. A pause lets it go on for `grace` seconds. Raises Interrupted."""
        task = asyncio.create_task(call)
        try:
            await self._or_change(task, lambda: not self.free)
            if not task.done():
                await asyncio.wait({task}, timeout=grace)
            if not task.done():
                raise Interrupted
            return task.result()
        finally:
            await _cancel(task)

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[asyncio.Timeout]:
        """Raise TimeoutError after so many seconds of not being paused."""
        async with asyncio.timeout(seconds) as limit:
            self._limits.append(limit)
            try:
                yield limit
            finally:
                self._limits.remove(limit)

    async def _wait(self) -> None:
        now = asyncio.get_running_loop().time
        began = now()
        left = [(limit, (limit.when() or 0.0) - began) for limit in self._limits]
        for limit, _ in left:
            limit.reschedule(None)
        self._give_slot()
        self.parkings += 1
        async with self._parking.place():
            await self._until(lambda: self.leaving or self._stirred or not self._resting)
        await self._take_slot()
        self.paused_seconds += now() - began
        for limit, seconds in left:
            limit.reschedule(now() + seconds)

    @property
    def _resting(self) -> bool:
        return self.desired is Desired.PAUSE or (self._held and self.desired is Desired.RUN)

    def _give_slot(self) -> None:
        if self.has_slot:
            self.has_slot = False
            self._slots.release()

    async def _take_slot(self) -> None:
        """Wait in line for a slot; a pause or stop meanwhile needs none."""
        wait = asyncio.create_task(self._slots.acquire())
        try:
            await self._or_change(wait, lambda: not self.free)
        finally:
            await _cancel(wait)
            self.has_slot = wait.done() and not wait.cancelled()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    async def _or_change(self, task: "asyncio.Task[T]", condition: Callable[[], bool]) -> None:
        """Return when the task is done or the condition holds."""
        change = asyncio.create_task(self._until(condition))
        try:
            await asyncio.wait({task, change}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancel(change)


async def _cancel(task: "asyncio.Task[T]") -> None:
    """End a task that this one owns, and see it ended. What it still raises is wanted by nobody."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=ACT_GRACE)
    if task.done() and not task.cancelled():
        task.exception()
