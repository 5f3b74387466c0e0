"""One function per intention on a task: the state in, the new events out. Pure; saying it twice changes nothing.

The rule of attempts: a task whose runner is lost goes back into the queue, until `max_attempts` attempts in a row were
lost before another step was taken; then it fails. A step taken begins the count anew. An orderly end of the service, a
browser given back after a long pause and a full disk do not count (`EXCUSED`), nor does a loss while paused.
A wish to stop or to pause goes before the rule.
"""

from eventstore import events as e
from eventstore.errors import Fenced, Invalid, NotAllowed, NotFound
from eventstore.machine import Answer, Desired, Hold, Phase, State, after, answer, check
from eventstore.task import Task, counts

MAX_ATTEMPTS = 3

ACT_NAMED = 500
"""Characters of an act that a sentence about it quotes."""

LOST_BROWSER = frozenset({"browser_lost", "page_crashed"})
"""Causes of a RunnerLost that are the browser's; a task that fails of one bears it as its code."""

# --- what people ask for ----------------------------------------------------------------------------------------


def create(task: Task, created: e.TaskCreated) -> list[e.Event]:
    """Begin. The same request again is the same task; another request under the same identity is refused."""
    if task.phase is Phase.ABSENT:
        return [created]
    known = task.created or task.redacted
    if known is None or known.request_digest != created.request_digest:
        raise Invalid(
            "This Idempotency-Key was used for another request; send the same body again, or a new key.",
            field=("header", "Idempotency-Key"),
        )
    return []


def pause(task: Task, *, reason: str = "", command_id: str = "") -> list[e.Event]:
    """Hold before anything new begins. A task that nobody runs yet is simply not taken up.

    One that waits for a person, or is driven by one, stays paused when the person is done.
    """
    waits = task.held is not Hold.NONE and task.state is State.PAUSED and task.desired is Desired.RUN
    if _said(task, command_id) or (answer(task.state, e.PauseRequested) is Answer.ALREADY and not waits):
        return []
    return [e.PauseRequested(reason=reason, command_id=command_id)]


def resume(task: Task, *, reason: str = "", command_id: str = "") -> list[e.Event]:
    """Go on from where it was paused."""
    if _said(task, command_id) or answer(task.state, e.ResumeRequested) is Answer.ALREADY:
        return []
    return [*_returned(task, "resume"), e.ResumeRequested(reason=reason, command_id=command_id)]


def stop(task: Task, *, reason: str = "", command_id: str = "") -> list[e.Event]:
    """End for good; at once when nobody runs it."""
    if _said(task, command_id) or answer(task.state, e.StopRequested) is Answer.ALREADY:
        return []
    requested = e.StopRequested(reason=reason, command_id=command_id)
    if task.runner:
        return [*_returned(task, "stop"), requested]
    return [requested, e.TaskStopped(fence=task.fence, step=task.step, answers=task.version + 1)]


def provide(task: Task, *, request: str, command_id: str = "") -> list[e.Event]:
    """Answer the question of that id; its value is in the vault by then."""
    if _said(task, command_id):
        return []
    if task.phase is Phase.ABSENT:
        raise NotFound
    if task.ended or not task.asking or task.asking != request or task.desired is Desired.STOP:
        raise NotAllowed("This question waits for no answer (any more).")
    return [e.InputProvided(request=request, command_id=command_id)]


def take_control(task: Task, *, command_id: str = "") -> list[e.Event]:
    """A person drives the browser from now on. Only that of a paused task, while there is one."""
    if task.phase is Phase.ABSENT:
        raise NotFound
    if _said(task, command_id) or (task.controlled and not task.ended):
        return []
    if task.state is not State.PAUSED:
        raise NotAllowed(f"Only a paused task can be taken over; this one is {task.state}.")
    if task.phase is not Phase.PAUSED:
        raise NotAllowed("The task was paused before it had a browser; resume it first.")
    if not task.runner:
        gone = "Its browser was given back, after a long pause or with the runner; resume it"
        anew = ": its browser is opened again and the question asked anew, then take control."
        raise NotAllowed(gone + (anew if task.asking else ", and it is opened again."))
    return [e.ControlTaken(command_id=command_id)]


def return_control(task: Task, *, reason: str = "", command_id: str = "") -> list[e.Event]:
    """The person is done; the task goes on, if that is desired."""
    if task.phase is Phase.ABSENT:
        raise NotFound
    if _said(task, command_id) or not task.controlled or task.ended:
        return []
    return [e.ControlReturned(reason=reason, command_id=command_id)]


# --- what a runner does -----------------------------------------------------------------------------------------


def claim(task: Task, *, runner: str) -> list[e.Event]:
    """Take a waiting task; the first append wins. Claiming what is already mine changes nothing."""
    if task.phase is Phase.ABSENT:
        raise NotFound
    if task.runner == runner and not task.ended:
        return []
    if not task.claimable:
        raise NotAllowed(f"A task that is {task.state} cannot be claimed.")
    return [e.TaskClaimed(runner=runner, attempt=task.attempt + 1)]


def record(task: Task, *facts: e.Event) -> list[e.Event]:
    """Write down what this runner did, all of it or nothing.

    Raises Fenced when another runner holds the task, NotAllowed when the table has no such row or when a fact that
    begins something (a step, an act) meets a wish to pause or stop.
    """
    phase = task.phase
    for fact in facts:
        fence = getattr(fact, "fence", task.fence)
        if fence != task.fence or not task.runner:
            raise Fenced
        check(phase, task.desired, type(fact))
        phase = after(phase, type(fact))
    return list(facts)


def park(task: Task, *, fence: int) -> list[e.Event]:
    """The pause took effect. Nothing to say when it is parked already or is wanted again by now."""
    if task.phase is Phase.PAUSED or task.desired is not Desired.PAUSE:
        return []
    return record(task, e.TaskPaused(fence=fence, step=task.step, answers=task.request))


def unpark(task: Task, *, fence: int) -> list[e.Event]:
    """The resume took effect. Nothing to say when it is not parked, or is not wanted by now."""
    if not task.parked or task.desired is not Desired.RUN or task.held is not Hold.NONE:
        return []
    return record(task, e.TaskResumed(fence=fence, step=task.step, answers=task.request))


def ask(task: Task, question: e.InputRequested) -> list[e.Event]:
    """The task waits for a person, parked by itself. Asking the same again changes nothing."""
    if question.request in task.asked:
        return []
    asked = record(task, question)
    return [*asked, e.TaskPaused(fence=question.fence, step=task.step, cause=Hold.INPUT)]


def exhaust(task: Task, *, fence: int, limit: str = "") -> list[e.Event]:
    """That limit is used up: the task is parked by itself, until it is resumed. Saying it again changes nothing.

    Raises Fenced, and NotAllowed where a pause or a stop has come first.
    """
    if task.phase is Phase.PAUSED and task.hold is Hold.BUDGET:
        return []
    if fence != task.fence or not task.runner:
        raise Fenced
    if task.phase is not Phase.RUNNING or task.desired is not Desired.RUN:
        raise NotAllowed("Another request has come first.")
    return [e.TaskPaused(fence=fence, step=task.step, cause=Hold.BUDGET, limit=limit)]


def expire(task: Task, *, request: str) -> list[e.Event]:
    """Nobody answered in time, whoever runs the task, if anybody does. Nothing to say when somebody has."""
    if task.ended or not task.asking or task.asking != request or task.desired is Desired.STOP:
        return []
    return [e.InputExpired(fence=task.fence, request=request)]


def human_acted(task: Task, acted: e.HumanActed) -> list[e.Event]:
    """What a person did. Raises NotAllowed when nobody has control (any more)."""
    if not task.controlled:
        raise NotAllowed("Nobody has control of this task's browser.")
    return record(task, acted)


def recorded(task: Task, saved: e.RecordingSaved) -> list[e.Event]:
    """The video of the task, which may be ready only after its end. The same again is one. Raises Fenced."""
    if task.fence != saved.fence or task.redacted:
        raise Fenced
    return [] if task.filmed == saved.file.id else [saved]


def stopped(task: Task, *, fence: int) -> list[e.Event]:
    """The stop took effect."""
    if task.ended:
        return []
    if task.desired is not Desired.STOP:
        raise NotAllowed("Nobody asked for this task to be stopped.")
    facts = _interrupt(task, fence, cause="stop")
    return record(task, *facts, e.TaskStopped(fence=fence, step=task.step, answers=task.request))


def interrupt(task: Task, *, fence: int, cause: str) -> list[e.Event]:
    """The open step will not be completed; an act without an end is uncertain. Nothing to say when none is open."""
    return record(task, *_interrupt(task, fence, cause))


def lose(task: Task, *, runner: str, cause: str = "crash", max_attempts: int = MAX_ATTEMPTS) -> list[e.Event]:
    """The runner is gone, or its browser: what was asked for takes effect, a running task goes back into the queue.

    A paused task waits where it is; one that was lost too often fails (the rule of attempts). Whether a task can
    honestly go on is for the runner that claims it next.
    """
    if task.ended or not runner or task.runner != runner:
        return []
    facts = _interrupt(task, task.fence, cause)
    facts.append(e.RunnerLost(runner=runner, attempt=task.attempt, cause=cause))
    if task.desired is Desired.STOP:
        facts.append(e.TaskStopped(fence=task.fence, step=task.step, cause=cause, answers=task.request))
    elif task.phase is not Phase.PAUSED and task.desired is Desired.PAUSE:
        facts.append(e.TaskPaused(fence=task.fence, step=task.step, answers=task.request))
    elif task.phase is not Phase.PAUSED and counts(task, cause) and task.lost + 1 >= max_attempts:
        facts.append(_given_up(task, cause))
    elif task.phase is not Phase.PAUSED:
        facts.append(e.TaskRequeued(attempt=task.attempt, reason=cause))
    return facts


def _given_up(task: Task, cause: str) -> e.TaskFailed:
    often = f"{task.lost + 1} times in a row" if task.lost else "once"
    where = f"in step {task.step}" if task.step_open else f"after step {task.step}" if task.step else "at its start"
    doing = f", while {task.acting.params[:ACT_NAMED]} was under way" if task.acting else ""
    return e.TaskFailed(
        fence=task.fence,
        code=cause if cause in LOST_BROWSER else "runner_lost",
        message=(
            f"The runner or its browser was lost {often} without a step taken in between, the last time {where}"
            f"{doing} ({cause}); the task is not taken up again."
        ),
    )


def _returned(task: Task, reason: str) -> list[e.Event]:
    """What is asked for takes the browser out of a person's hands."""
    return [e.ControlReturned(reason=reason)] if task.controlled else []


def _said(task: Task, command_id: str) -> bool:
    return bool(command_id) and command_id in task.commands


def _interrupt(task: Task, fence: int, cause: str) -> list[e.Event]:
    if not task.step_open:
        return []
    # Looking changes nothing, and a file is on the tape with the act's end: nobody needs to wonder about these.
    uncertain = () if task.acting is None or task.acting.effect in {"look", "file"} else (task.acting.index,)
    return [e.StepInterrupted(fence=fence, number=task.step, cause=cause, uncertain=uncertain)]
