"""Which rules an event breaks in the life of its task, each in a sentence. Pure; `rules.py` says what the rules are."""

from collections.abc import Iterator
from typing import TypeAlias

from eventstore import events as e
from eventstore.answers import is_answer
from eventstore.lives import ABSENT, REQUESTS, Life

ENDS = frozenset({"task.finished", "task.failed", "task.stopped"})
_REMOVALS = frozenset({"task.blobs_removed", "task.redacted", "task.deleted"})
_LATER = _REMOVALS | {"task.recording_saved"}
_NEW = frozenset({"task.step_started", "task.action_started", "task.input_requested"})
_BEGINS = _NEW | {"task.claimed", "task.requeued", "task.resumed"}
_WORK = _NEW | {"task.action_ended", "task.step_taken", "task.finished"}
_HOLDERS = _WORK | {
    "task.browser_opened",
    "task.started",
    "task.step_interrupted",
    "task.resumed",
    "task.navigation_blocked",
    "task.secret_used",
    "task.cost_recorded",
    "task.judgement_recorded",
    "task.control_taken",
    "task.human_acted",
    "task.runner_lost",
}

Breach: TypeAlias = tuple[str, str]


def after_the_end(kind: str) -> Iterator[Breach]:
    """What an event breaks whose task has ended."""
    if kind in ENDS:
        yield "one_end", f"{kind} follows the end of the task"
    elif kind not in _LATER:
        yield "absorbing", f"{kind} follows the end of the task"


def breaches(life: Life, kind: str, command: str, event: e.Event | None) -> Iterator[Breach]:
    """What the event breaks; `event` is None where its payload is gone. `command` is that of its envelope."""
    if (kind == "task.created") is not (life.phase == ABSENT):
        yield "created", "it is created twice" if kind == "task.created" else f"{kind} comes before the task is created"
    if kind in _REMOVALS:
        return
    if kind in _BEGINS and life.desired != "run":
        yield "rest", f"{kind} while a {life.desired} is wanted"
    if kind in _WORK and not life.at_work:
        yield "at_work", f"{kind} while the task is {life.phase}"
    if kind in _HOLDERS and not life.held:
        yield "holder", f"{kind} while no runner holds the task"
    fence = getattr(event, "fence", life.fence)
    if fence != life.fence:
        yield "fence", f"{kind} carries the fence {fence}; the last claim has {life.fence}"
    if kind in REQUESTS:
        yield from _request(life, kind)
    yield from _commands(life, command, event)
    yield from _fact(life, kind, event)


def _request(life: Life, kind: str) -> Iterator[Breach]:
    wanted = {"task.pause_requested": ("run",), "task.resume_requested": ("pause",)}.get(kind, ("run", "pause"))
    if life.desired not in wanted and not (kind == "task.resume_requested" and life.parked_itself):
        yield "requests", f"{kind} while {life.desired} is wanted"


def _commands(life: Life, command: str, event: e.Event | None) -> Iterator[Breach]:
    said = getattr(event, "command_id", "")
    if said and said in life.said:
        yield "commands", f"the command {said} took effect before"
    if command and command != life.command and command in life.commands:
        yield "commands", f"the command {command} was decided before"


def _fact(life: Life, kind: str, event: e.Event | None) -> Iterator[Breach]:
    """What one kind of fact has to fit; what is unknown (None) fits everything."""
    match event:
        case e.TaskPaused(cause=cause, answers=answers):
            if cause == "pause" and (life.desired != "pause" or answers not in (0, life.request)):
                yield "asked", f"{kind} answers {answers} while {life.desired} is wanted since {life.request}"
        case e.TaskStopped(answers=answers):
            if life.desired != "stop" or answers not in (0, life.request):
                yield "asked", f"{kind} answers {answers} while {life.desired} is wanted since {life.request}"
        case e.TaskClaimed(attempt=attempt):
            if life.attempt is not None and attempt != life.attempt + 1:
                yield "claim", f"attempt {attempt} follows attempt {life.attempt}"
        case e.RunnerLost(runner=runner, attempt=attempt):
            if (runner, attempt) != (life.runner or runner, life.attempt or attempt):
                yield "holder", f"the loss of {runner} in attempt {attempt} is told, while {life.runner} holds the task"
        case _:
            yield from _step(life, event)
    yield from _once(life, kind)
    yield from _person(life, kind, event)


def _step(life: Life, event: e.Event | None) -> Iterator[Breach]:
    match event:
        case e.StepStarted(number=number):
            if number <= life.taken:
                yield "steps", f"step {number} begins, and step {life.taken} is taken already"
        case e.StepTaken(number=number) | e.StepInterrupted(number=number):
            if life.step not in (None, number):
                yield "steps", f"step {number} ends, and step {life.step} is under way"
        case e.ActionStarted(step=number, index=index):
            if life.step not in (None, number):
                yield "acts", f"act {index} of step {number} begins, and step {life.step} is under way"
        case e.ActionEnded(step=number, index=index):
            if life.act not in (None, (number, index)):
                yield "acts", f"act {index} of step {number} ends, and {life.act} is under way"
        case e.SecretUsed(name=name):
            if life.secrets is not None and name not in life.secrets and not is_answer(name, life.answered):
                yield "secrets", f"{name} is not among the task's secrets"


def _once(life: Life, kind: str) -> Iterator[Breach]:
    """What the types alone tell."""
    if kind == "task.claimed" and life.held:
        yield "claim", f"it is claimed while {life.runner or 'a runner'} holds it"
    if kind == "task.resumed" and not life.parked:
        yield "resumed", "it was not paused"
    if kind == "task.step_started" and life.step_open:
        yield "steps", "a step begins while another one is under way"
    if kind in ("task.step_taken", "task.step_interrupted") and not life.step_open:
        yield "steps", "a step ends, and none is under way"
    if kind == "task.action_started" and (life.acting or not life.step_open):
        yield "acts", "an act begins while another one is under way" if life.acting else "an act begins outside a step"
    if kind == "task.action_ended" and not life.acting:
        yield "acts", "an act ends, and none is under way"
    if kind == "task.step_taken" and life.acting:
        yield "acts", "the step is taken while an act of it is under way"


def _person(life: Life, kind: str, event: e.Event | None) -> Iterator[Breach]:
    """What has to do with people: their control of the browser, and the questions that they are asked."""
    if kind in _BEGINS and life.controlled:
        yield "control", f"{kind} while a person has control"
    if kind in _BEGINS and life.asking:
        yield "questions", f"{kind} while a question waits for its answer"
    if kind in ("task.human_acted", "task.control_returned") and not life.controlled:
        yield "control", f"{kind}, and nobody has control"
    if kind == "task.control_taken" and (life.controlled or life.phase != "paused"):
        yield "control", f"it is taken over {'twice' if life.controlled else f'while it is {life.phase}'}"
    match event:
        case e.InputProvided(request=request) | e.InputExpired(request=request):
            if life.asking and life.question not in (None, request):
                yield "questions", f"the question {request} is closed, and {life.question} waits for its answer"
    if kind in ("task.input_provided", "task.input_expired") and not life.asking:
        yield "questions", f"{kind}, and no question waits"
