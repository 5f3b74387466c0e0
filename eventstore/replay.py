"""What of a task's tape can be played again: the acts that it did, in order.

Acts that failed, and those of which nobody can say whether they took effect, are left out. What a person did is there,
as something that nobody can play. What a step did once more after it was interrupted stands there once. Pure.
"""

from collections.abc import Iterable, Sequence

import msgspec

from eventstore import events as e
from eventstore.store import Recorded

READING = frozenset({"extract", "look_for"})
"""Acts whose result is what the page says; of others it is only told that they were done."""

MOST_EVENTS = 100_000
"""Of one task, that are read to play it again, or to compare it."""

_STAYS = frozenset({"lasting", "file"})
"""Effects of acts that are not done again when their step is."""

_SEEN = frozenset({"wheel", "move"})
"""What people do that changes nothing."""


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """An act as its events have it. `params` is JSON text, `goal` the step's.

    `at` is where the page was before, `url` where it was afterwards.

    `version` is that of its first event. With `by_hand` a person did it; its step is the one that came next.
    """

    step: int
    version: int
    name: str
    params: str
    lasting: bool = False
    target: e.Target | None = None
    onto: e.Target | None = None
    at: str = ""
    url: str = ""
    result: str = ""
    goal: str = ""
    by_hand: bool = False


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A task as its tape tells it. `end` is finished, failed, stopped, or empty while it goes on; `message` is why.

    `gone` says why nothing can be played: it was redacted or deleted, or there is no such task. `steps` are the numbers
    of those that were taken or interrupted.
    """

    created: e.TaskCreated | None = None
    acts: tuple[Played, ...] = ()
    steps: tuple[int, ...] = ()
    end: str = ""
    success: bool = False
    output: str = ""
    message: str = ""
    gone: str = "absent"


class Telling:
    """A task's events, as they come."""

    def __init__(self) -> None:
        self._created: e.TaskCreated | None = None
        self._gone = "absent"
        self._acts: list[Played] = []
        self._steps: list[int] = []
        self._end: e.Event | None = None
        self._open: list[Played] = []
        self._undone: list[Played] = []
        self._begun: dict[int, tuple[int, e.ActionStarted]] = {}
        self._step = 0

    def note(self, events: Iterable[Recorded]) -> None:
        """More of them, in order."""
        for recorded in events:
            self._note(recorded)

    def told(self, *, until: int = 0) -> Told:
        """What they tell, as far as the step of number `until` (0: to their end), that one included."""
        whole = self._done()
        if not until:
            return whole
        return msgspec.structs.replace(
            whole,
            acts=tuple(act for act in whole.acts if act.step <= until),
            steps=tuple(number for number in whole.steps if number <= until),
        )

    def _note(self, recorded: Recorded) -> None:
        event = recorded.event
        match event:
            case e.TaskCreated():
                self._created, self._gone = event, ""
            case e.StepStarted(number=number):
                self._step, self._open, self._begun = number, [], {}
            case e.ActionStarted(index=index):
                self._begun[index] = recorded.version, event
            case e.ActionEnded(index=index, ok=True) if index in self._begun:
                self._open.append(_act(*self._begun[index], event))
            case e.StepTaken(number=number, next_goal=goal):
                self._close(number, goal)
            case e.StepInterrupted(number=number):
                self._interrupted(number)
            case e.HumanActed(name=name, params=params, target=target, url=url) if name not in _SEEN:
                self._settle(())
                self._acts.append(
                    Played(
                        step=self._step + 1,
                        version=recorded.version,
                        name=name,
                        params=params,
                        target=target,
                        url=url,
                        by_hand=True,
                    )
                )
            case e.TaskFinished() | e.TaskFailed() | e.TaskStopped():
                self._end = event
            case e.TaskRedacted():
                self._gone = "redacted"
            case e.TaskDeleted():
                self._gone = "deleted"

    def _done(self) -> Told:
        self._settle(())
        told = Told(created=self._created, acts=tuple(self._acts), steps=tuple(self._steps), gone=self._gone)
        match self._end:
            case e.TaskFinished(success=success, output=output):
                return msgspec.structs.replace(told, end="finished", success=success, output=output)
            case e.TaskFailed(code=code, message=message):
                return msgspec.structs.replace(told, end="failed", message=f"{code}: {message}")
            case e.TaskStopped():
                return msgspec.structs.replace(told, end="stopped", message="it was stopped")
        return told

    def _close(self, number: int, goal: str) -> None:
        done = [msgspec.structs.replace(act, goal=goal) for act in self._open]
        self._settle(done)
        self._acts += done
        self._steps.append(number)
        self._open, self._begun = [], {}

    def _interrupted(self, number: int) -> None:
        self._settle(self._open)
        if any(act.lasting for act in self._open):
            self._acts += self._open
        else:  # the next step may do it all once more
            self._undone = self._open
        self._steps.append(number)
        self._open, self._begun = [], {}

    def _settle(self, following: Sequence[Played]) -> None:
        """What an interrupted step did counts, unless what follows does the same first."""
        undone, self._undone = self._undone, []
        again = [act.params for act in following[: len(undone)]] == [act.params for act in undone]
        self._acts += [] if again else undone


def told(events: Iterable[Recorded], *, until: int = 0) -> Told:
    """The stream of a task, read to its end or as far as that step."""
    telling = Telling()
    telling.note(events)
    return telling.told(until=until)


def _act(version: int, started: e.ActionStarted, ended: e.ActionEnded) -> Played:
    return Played(
        step=started.step,
        version=version,
        name=started.name,
        params=started.params,
        lasting=started.effect in _STAYS,
        target=started.target,
        onto=started.onto,
        at=started.url,
        url=ended.url,
        result=ended.result,
    )
