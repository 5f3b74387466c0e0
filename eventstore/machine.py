"""The task's states and what each event does to them. The only place with transitions.

Two rules. Facts move the phase and requests move what is desired; neither ever moves the other's register.
A terminal phase has no row, so whatever comes after it changes nothing.
"""

from enum import StrEnum

from eventstore import events as e
from eventstore.errors import NotAllowed, NotFound


class Phase(StrEnum):
    """What is so, moved by facts."""

    ABSENT = "absent"
    QUEUED = "queued"
    CLAIMED = "claimed"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


class Desired(StrEnum):
    """What was asked for last. Stop is sticky."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


class Hold(StrEnum):
    """Why nothing is resumed though it is desired: the runner parked itself, or (CONTROL) a person has the browser."""

    NONE = "none"
    INPUT = "input"
    BUDGET = "budget"
    POLICY = "policy"
    CONTROL = "control"


class State(StrEnum):
    """What people see: a function of the three registers."""

    ABSENT = "absent"
    QUEUED = "queued"
    CLAIMED = "claimed"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


class Answer(StrEnum):
    """What an intention meets: it happens, it is so already, or it is refused."""

    YES = "yes"
    ALREADY = "already"
    REFUSED = "refused"


ENDED = frozenset({Phase.FINISHED, Phase.FAILED, Phase.STOPPED})

_LOST: dict[type[e.Event], Phase] = {
    e.TaskRequeued: Phase.QUEUED,
    e.TaskStopped: Phase.STOPPED,
    e.TaskFailed: Phase.FAILED,
}

PHASES: dict[Phase, dict[type[e.Event], Phase]] = {
    Phase.ABSENT: {e.TaskCreated: Phase.QUEUED},
    Phase.QUEUED: {
        e.TaskClaimed: Phase.CLAIMED,
        e.TaskStopped: Phase.STOPPED,
    },
    Phase.CLAIMED: {
        e.BrowserOpened: Phase.CLAIMED,
        e.TaskStarted: Phase.RUNNING,
        e.TaskPaused: Phase.PAUSED,
        # While an earlier attempt's page is brought back.
        e.NavigationBlocked: Phase.CLAIMED,
        e.SecretUsed: Phase.CLAIMED,
        e.RunnerLost: Phase.CLAIMED,
        **_LOST,
    },
    Phase.RUNNING: {
        e.StepStarted: Phase.RUNNING,
        e.ActionStarted: Phase.RUNNING,
        e.ActionEnded: Phase.RUNNING,
        e.StepTaken: Phase.RUNNING,
        e.StepInterrupted: Phase.RUNNING,
        e.NavigationBlocked: Phase.RUNNING,
        e.SecretUsed: Phase.RUNNING,
        e.InputRequested: Phase.RUNNING,
        e.CostRecorded: Phase.RUNNING,
        e.JudgementRecorded: Phase.RUNNING,
        e.FileProduced: Phase.RUNNING,
        e.RecordingSaved: Phase.RUNNING,
        # A task that was paused under a runner that died is taken up by another: started, then resumed.
        e.TaskResumed: Phase.RUNNING,
        e.TaskPaused: Phase.PAUSED,
        e.TaskFinished: Phase.FINISHED,
        e.RunnerLost: Phase.RUNNING,
        **_LOST,
    },
    Phase.PAUSED: {
        e.TaskResumed: Phase.RUNNING,
        # Nobody runs it any more: the runner that resumes it has to claim it first.
        e.TaskClaimed: Phase.CLAIMED,
        # A page can try to leave its domains while nothing acts; that is a fact all the same.
        e.NavigationBlocked: Phase.PAUSED,
        # A person answers, or drives the browser, and what his acts bring is a fact as well.
        e.InputProvided: Phase.PAUSED,
        e.InputExpired: Phase.PAUSED,
        e.ControlTaken: Phase.PAUSED,
        e.ControlReturned: Phase.PAUSED,
        e.HumanActed: Phase.PAUSED,
        # A model call goes on while the task is paused, and what it costs is a fact.
        e.CostRecorded: Phase.PAUSED,
        e.JudgementRecorded: Phase.PAUSED,
        e.FileProduced: Phase.PAUSED,
        e.RecordingSaved: Phase.PAUSED,
        # A pause can come within a step; when a stop follows, that step will not be completed.
        e.StepInterrupted: Phase.PAUSED,
        e.RunnerLost: Phase.PAUSED,
        e.TaskStopped: Phase.STOPPED,
        e.TaskFailed: Phase.FAILED,
    },
    Phase.FINISHED: {},
    Phase.FAILED: {},
    Phase.STOPPED: {},
}

DESIRES: dict[type[e.Event], Desired] = {
    e.PauseRequested: Desired.PAUSE,
    e.ResumeRequested: Desired.RUN,
    e.StopRequested: Desired.STOP,
}

NEEDS: dict[type[e.Event], Desired] = {
    e.TaskClaimed: Desired.RUN,
    e.StepStarted: Desired.RUN,
    e.ActionStarted: Desired.RUN,
    e.InputRequested: Desired.RUN,
    e.TaskResumed: Desired.RUN,
    e.TaskRequeued: Desired.RUN,
    e.TaskPaused: Desired.PAUSE,
    e.TaskStopped: Desired.STOP,
}
"""Facts that are only so while that is desired: nothing new begins once a pause or a stop was asked for."""

SEEN: dict[Phase, dict[Desired, State]] = {
    Phase.ABSENT: dict.fromkeys(Desired, State.ABSENT),
    Phase.QUEUED: {Desired.RUN: State.QUEUED, Desired.PAUSE: State.PAUSED, Desired.STOP: State.STOPPING},
    Phase.CLAIMED: {Desired.RUN: State.CLAIMED, Desired.PAUSE: State.PAUSING, Desired.STOP: State.STOPPING},
    Phase.RUNNING: {Desired.RUN: State.RUNNING, Desired.PAUSE: State.PAUSING, Desired.STOP: State.STOPPING},
    Phase.PAUSED: {Desired.RUN: State.RESUMING, Desired.PAUSE: State.PAUSED, Desired.STOP: State.STOPPING},
    Phase.FINISHED: dict.fromkeys(Desired, State.FINISHED),
    Phase.FAILED: dict.fromkeys(Desired, State.FAILED),
    Phase.STOPPED: dict.fromkeys(Desired, State.STOPPED),
}

_YES, _SO, _NO = Answer.YES, Answer.ALREADY, Answer.REFUSED
_LIVE = (State.QUEUED, State.CLAIMED, State.RUNNING, State.PAUSING, State.PAUSED, State.RESUMING, State.STOPPING)
_END = (State.FINISHED, State.FAILED, State.STOPPED)

INTENTIONS: dict[type[e.Event], dict[State, Answer]] = {
    e.PauseRequested: {
        **dict(zip(_LIVE, (_YES, _YES, _YES, _SO, _SO, _YES, _NO), strict=True)),
        **dict.fromkeys(_END, _NO),
    },
    e.ResumeRequested: {
        **dict(zip(_LIVE, (_NO, _NO, _NO, _YES, _YES, _SO, _NO), strict=True)),
        **dict.fromkeys(_END, _NO),
    },
    e.StopRequested: {
        **dict(zip(_LIVE, (_YES, _YES, _YES, _YES, _YES, _YES, _SO), strict=True)),
        **dict.fromkeys(_END, _SO),
    },
}

_PARTICIPLES: dict[type[e.Event], str] = {
    e.PauseRequested: "paused",
    e.ResumeRequested: "resumed",
    e.StopRequested: "stopped",
}


def after(phase: Phase, event: type[e.Event]) -> Phase:
    """Where the event leads. Total: a fold never fails on history."""
    return PHASES[phase].get(event, phase)


def wish(phase: Phase, desired: Desired, event: type[e.Event]) -> Desired:
    """What is desired after the event. Total; a stop stays a stop, and what has ended wants nothing more."""
    if desired is Desired.STOP or phase in ENDED:
        return desired
    return DESIRES.get(event, desired)


def seen(phase: Phase, desired: Desired, hold: Hold = Hold.NONE) -> State:
    """What people see of the three registers."""
    if hold is not Hold.NONE and phase is Phase.PAUSED and desired is Desired.RUN:
        return State.PAUSED
    return SEEN[phase][desired]


def check(phase: Phase, desired: Desired, event: type[e.Event]) -> None:
    """Refuse a fact that the tables do not have. For decide functions only.

    Raises NotFound for a task that does not exist, NotAllowed otherwise.
    """
    if event in PHASES[phase] and NEEDS.get(event, desired) is desired:
        return
    if phase is Phase.ABSENT:
        raise NotFound
    raise NotAllowed(f"{event.__name__} is not allowed when a task is {SEEN[phase][desired]}.")


def answer(state: State, request: type[e.Event]) -> Answer:
    """YES or ALREADY. Raises NotFound for a task that does not exist, NotAllowed in words for a refusal."""
    if state is State.ABSENT:
        raise NotFound
    verdict = INTENTIONS[request][state]
    if verdict is Answer.REFUSED:
        raise NotAllowed(f"{state.capitalize()} tasks cannot be {_PARTICIPLES[request]}")
    return verdict
