"""The task's state, folded from its events. Pure and total: it never raises, never logs, never looks at a clock."""

from collections.abc import Iterable
from functools import reduce

import msgspec

from eventstore import events as e
from eventstore.codec import kind_of
from eventstore.machine import ENDED, Desired, Hold, Phase, State, after, seen, wish

COMMANDS_REMEMBERED = 64

EXCUSED = frozenset({"shutdown", "let_go", "log_full"})
"""Causes of a RunnerLost that say nothing against the task: they do not count as a lost attempt."""


class Acting(msgspec.Struct, frozen=True, kw_only=True):
    """An act that began and has not ended on the tape."""

    step: int
    index: int
    name: str
    params: str
    effect: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision needs to know.

    `version` counts the events folded; `fence` is the version of the last claim; `request` that of the last request;
    `step` is the number of the last step begun, `taken` how many were completed; `parked` tells that a TaskPaused
    waits for its TaskResumed; `commands` are the identifiers of the last control commands; `lost` counts the attempts
    that were lost since the last step was taken; `browser` names the browser of its own in which the task last started,
    and `opening` the one of this attempt, before it has started there; `asked` are the ids of all questions to people,
    `asking` is that of the one that waits for its answer, `answered` that of the last one that got it; `controlled`
    tells that a person drives the browser, `handed` counts how often one has taken it; `filmed` is the id of the last
    video that was saved; `redacted` is why nothing else is known.
    """

    version: int = 0
    phase: Phase = Phase.ABSENT
    desired: Desired = Desired.RUN
    hold: Hold = Hold.NONE
    created: e.TaskCreated | None = None
    runner: str = ""
    attempt: int = 0
    fence: int = 0
    request: int = 0
    step: int = 0
    step_open: bool = False
    acting: Acting | None = None
    taken: int = 0
    parked: bool = False
    commands: tuple[str, ...] = ()
    lost: int = 0
    browser: str = ""
    opening: str = ""
    asked: tuple[str, ...] = ()
    asking: str = ""
    answered: str = ""
    controlled: bool = False
    handed: int = 0
    filmed: str = ""
    redacted: e.TaskRedacted | None = None
    deleted: bool = False

    @property
    def state(self) -> State:
        """What people see."""
        return seen(self.phase, self.desired, self.held)

    @property
    def held(self) -> Hold:
        """Why it is not resumed though that is desired."""
        return Hold.CONTROL if self.controlled else self.hold

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.phase in ENDED

    @property
    def claimable(self) -> bool:
        """Whether it waits for a runner: wanted, alive, and nobody's; and whether it is known what it is about."""
        waiting = self.phase in (Phase.QUEUED, Phase.PAUSED) and not self.runner and self.created is not None
        return waiting and self.desired is Desired.RUN and self.held is Hold.NONE


def evolve(task: Task, event: e.Event) -> Task:
    """The state after one more event. One whose payload is gone still moves the task, by its type."""
    if task.ended or isinstance(event, e.TaskRedacted):
        return _remove(task, event)
    kind = kind_of(event)
    changes: dict[str, object] = {
        "version": task.version + 1,
        "phase": after(task.phase, kind),
        "desired": wish(task.phase, task.desired, kind),
        "filmed": _filmed(task, event),
    }
    match event:
        case e.ActionStarted(step=step, index=index, name=name, params=params, effect=effect):
            changes["acting"] = Acting(step=step, index=index, name=name, params=params, effect=effect)
        case e.ActionEnded():
            changes["acting"] = None
        case e.StepStarted(number=number):
            changes |= {"step": number, "step_open": True}
        case e.StepTaken():
            changes |= {"taken": task.taken + 1, "step_open": False, "acting": None, "lost": 0}
        case e.StepInterrupted():
            changes |= {"step_open": False, "acting": None}
        case e.TaskCreated():
            changes["created"] = event
        case e.PauseRequested() | e.ResumeRequested() | e.StopRequested():
            changes |= _asked(task, event)
        case e.InputRequested() | e.InputProvided() | e.InputExpired() | e.ControlTaken() | e.ControlReturned():
            changes |= _helped(task, event)
        case e.TaskClaimed(runner=runner, attempt=attempt):
            changes |= {"runner": runner, "attempt": attempt, "fence": task.version + 1, "opening": ""}
        case e.BrowserOpened() | e.TaskStarted():
            changes |= {"opening": event.browser} if kind is e.BrowserOpened else {"browser": task.opening}
        case e.TaskPaused(cause=cause):
            changes |= {"parked": True, "hold": _HOLDS.get(cause, Hold.NONE)}
        case e.TaskResumed():
            changes["parked"] = False
        case e.RunnerLost():
            changes |= {"runner": "", "controlled": False, "lost": task.lost + counts(task, event.cause)}
    return msgspec.structs.replace(task, **changes)


def fold(events: Iterable[e.Event], task: Task | None = None) -> Task:
    """The state after all the events, from nothing or from an earlier state."""
    return reduce(evolve, events, task or Task())


def _remove(task: Task, event: e.Event) -> Task:
    """What has ended changes no more, but for its video; and all that was known of it may be taken away."""
    if isinstance(event, e.TaskRedacted):
        version, deleted = task.version + 1, task.deleted
        return Task(version=version, phase=task.phase, desired=task.desired, redacted=event, deleted=deleted)
    deleted = task.deleted or kind_of(event) is e.TaskDeleted
    return msgspec.structs.replace(task, version=task.version + 1, deleted=deleted, filmed=_filmed(task, event))


def _filmed(task: Task, event: e.Event) -> str:
    return event.file.id if isinstance(event, e.RecordingSaved) else task.filmed


def counts(task: Task, cause: str) -> bool:
    """Whether losing its runner so is a lost attempt. While a task is paused nothing is attempted."""
    return task.phase is not Phase.PAUSED and cause not in EXCUSED


_HOLDS = {hold.value: hold for hold in Hold if hold is not Hold.NONE}


def _asked(task: Task, event: e.PauseRequested | e.ResumeRequested | e.StopRequested) -> dict[str, object]:
    """What a request changes. A resume goes on without the answer to a question."""
    changes: dict[str, object] = {"request": task.version + 1, "commands": _remember(task, event.command_id)}
    return changes | {"hold": Hold.NONE, "asking": ""} if isinstance(event, e.ResumeRequested) else changes


def _helped(task: Task, event: e.Event) -> dict[str, object]:
    """What a question, its answer, or a person's hand on the browser changes."""
    commands = _remember(task, getattr(event, "command_id", ""))
    match event:
        case e.InputRequested(request=request):
            return {"asking": request, "asked": (*task.asked, request)}
        case e.ControlTaken():
            return {"controlled": True, "handed": task.handed + 1, "commands": commands}
        case e.ControlReturned():
            return {"controlled": False, "commands": commands}
        case e.InputProvided(request=request):
            return {"asking": "", "answered": request, "hold": Hold.NONE, "commands": commands}
    return {"asking": "", "hold": Hold.NONE, "commands": commands}


def _remember(task: Task, command: str) -> tuple[str, ...]:
    return (*task.commands, command)[-COMMANDS_REMEMBERED:] if command else task.commands
