"""A task's progress as lines, folded from its events. Pure; the commands print what it says."""

from decimal import Decimal, InvalidOperation

import msgspec

from api.gists import gist, target
from api.text import duration, plain, safe
from eventstore import events as e

OK, BAD, QUIET = "green", "red", "dim"
ENDS = e.TaskFinished | e.TaskFailed | e.TaskStopped


class Line(msgspec.Struct, frozen=True):
    """A line of progress, and the style it has on a terminal."""

    text: str
    style: str = ""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a task stands, as far as it has been followed.

    `step` is the step under way (0: none), `begun` and `since` when the task was started and that step, `doing` what
    it is at, `acts` and `error` what the step has brought so far, `held` whether a runner has it, `paused` whether
    nothing moves, `question` what it asks a person, `end` how it ended. `tokens` and `dollars` are what its model calls
    came to, as far as their prices are known.
    """

    step: int = 0
    taken: int = 0
    begun: int = 0
    since: int = 0
    doing: str = "waiting for a runner"
    acts: tuple[str, ...] = ()
    error: str = ""
    url: str = ""
    held: bool = False
    paused: bool = False
    question: e.InputRequested | None = None
    end: ENDS | None = None
    tokens: int = 0
    dollars: Decimal = Decimal()


def advance(progress: Progress, at: int, event: e.Event) -> tuple[Progress, tuple[Line, ...]]:
    """The progress after one more event, and what there is to say of it."""
    match event:
        case e.StepStarted() | e.ActionStarted() | e.ActionEnded() | e.StepTaken() | e.StepInterrupted():
            return _step(progress, at, event)
        case e.TaskFinished() | e.TaskFailed() | e.TaskStopped():
            return _end(progress, at, event)
        case e.CostRecorded(usage=usage):
            tokens = progress.tokens + usage.input_tokens + usage.output_tokens
            return _with(progress, tokens=tokens, dollars=progress.dollars + _dollars(usage.cost_usd)), ()
        case e.TaskStarted():
            told = (Line(f"started in {gist(event)}", QUIET),) if not progress.begun else ()
            return _with(progress, begun=progress.begun or at, doing="looking at the page"), told
        case e.TaskClaimed():
            return _with(progress, doing="starting the browser", held=True), ()
        case e.PauseRequested() | e.StopRequested():
            word = "pausing" if isinstance(event, e.PauseRequested) else "stopping"
            # Where no runner has to park it, what is asked for is so.
            idle = not progress.held and isinstance(event, e.PauseRequested)
            return _with(progress, doing=word, paused=progress.paused or idle), ()
        case (
            e.InputRequested()
            | e.InputProvided()
            | e.InputExpired()
            | e.ControlTaken()
            | e.ControlReturned()
            | e.HumanActed()
        ):
            return _person(progress, event)
        case e.TaskPaused(cause="input"):
            return _with(progress, paused=True), ()
        case e.TaskPaused():
            return _with(progress, paused=True, doing="paused"), (Line(f"paused {gist(event)}", "yellow"),)
        case e.ResumeRequested() | e.TaskResumed():
            told = (Line(f"resumed {gist(event)}", "yellow"),) if isinstance(event, e.TaskResumed) else ()
            return _with(progress, paused=False, doing="going on", question=None), told
        case e.NavigationBlocked():
            return progress, (Line(f"blocked {gist(event)}", BAD),)
        case e.RunnerLost() | e.TaskRequeued():
            word = "runner lost" if isinstance(event, e.RunnerLost) else "queued again"
            told = (Line(f"{word}: {gist(event)}", "yellow"),)
            return _with(progress, doing="waiting for a runner", held=False), told
        case _:
            return progress, ()


def _person(progress: Progress, event: e.Event) -> tuple[Progress, tuple[Line, ...]]:
    """What a person is asked, and does."""
    match event:
        case e.InputRequested():
            asks = Line(f"asks for an answer ({plain(event.kind)}): {plain(event.prompt, 0)}", "yellow")
            return _with(progress, question=event, doing="waiting for an answer"), (asks,)
        case e.InputProvided():
            return _with(progress, question=None, doing="going on"), (Line("answered", "yellow"),)
        case e.InputExpired():
            return _with(progress, question=None, doing="going on"), (Line("nobody has answered in time", BAD),)
        case e.ControlTaken():
            return _with(progress, doing="driven by hand"), (Line("taken over by a person", "yellow"),)
        case e.ControlReturned():
            return _with(progress, doing="paused"), (Line("control was returned", "yellow"),)
        case _:
            return progress, (Line(f"     by hand: {gist(event)}", QUIET),)


def _step(progress: Progress, at: int, event: e.Event) -> tuple[Progress, tuple[Line, ...]]:
    match event:
        case e.StepStarted(number=number):
            doing = f"step {number}: thinking"
            return _with(progress, step=number, since=at, doing=doing, acts=(), error="", paused=False), ()
        case e.ActionStarted():
            act = f"{event.name} {target(event.target)}".strip()
            doing = f"step {event.step}: {plain(act, 60)}"
            return _with(progress, doing=doing, acts=(*progress.acts, act), url=event.url or progress.url), ()
        case e.ActionEnded():
            error = progress.error if event.ok else event.error or "the act failed"
            return _with(progress, error=error, url=event.url or progress.url), ()
        case e.StepTaken():
            done = _with(progress, url=event.url or progress.url, step=event.number)
            row = _row(done, event.next_goal, event.duration_ms)
            # The keyless model has no thoughts: it says there what its sentence before was.
            thought = (Line(f"     thinks: {plain(event.evaluation, 0)}", QUIET),) if done.tokens else ()
            told = (*(thought if event.evaluation else ()), *row)
            return _with(done, step=0, taken=progress.taken + 1, doing="looking at the page"), told
        case e.StepInterrupted():
            row = (Line(f"{event.number:>3}  cut     {plain(event.cause)}", "yellow"),)
            return _with(progress, step=0), row
        case _:
            return progress, ()


def _row(progress: Progress, goal: str, milliseconds: float) -> tuple[Line, ...]:
    """One line for the step, and one for what went wrong with it."""
    sentence = plain(goal or ", ".join(progress.acts), 80)
    place = f"  {plain(progress.url, 80)}" if progress.url else ""
    word, style = ("failed", BAD) if progress.error else ("ok", OK)
    row = Line(f"{progress.step:>3}  {word:<6}  {duration(milliseconds):>7}  {sentence}{place}", style)
    return (row, Line(f"     {plain(progress.error, 0)}", BAD)) if progress.error else (row,)


def _end(progress: Progress, at: int, event: ENDS) -> tuple[Progress, tuple[Line, ...]]:
    """The step that the end cut off, then the end."""
    cut = _row(_with(progress, error=progress.error or "not finished"), "", (at - progress.since) / 1_000)
    rows = cut if progress.step and isinstance(event, e.TaskFailed) else ()
    took = f" in {duration((at - progress.begun) / 1_000)}" if progress.begun else ""
    cost = f" (${progress.dollars.normalize():f})" if progress.dollars else ""
    used = f", {progress.tokens:,} tokens{cost}" if progress.tokens else ""
    steps = f"{progress.taken} step{'' if progress.taken == 1 else 's'}{took}{used}"
    match event:
        case e.TaskFinished(success=success):
            last = Line(f"finished {'with' if success else 'without'} success: {steps}", OK if success else BAD)
        case e.TaskFailed():
            last = Line(f"failed ({plain(event.code)}) after {steps}: {safe(event.message)}", BAD)
        case e.TaskStopped():
            last = Line(f"stopped after {steps}", "yellow")
    return _with(progress, end=event, step=0, doing="", paused=False, question=None), (*rows, last)


def _dollars(said: str | None) -> Decimal:
    """Nothing, where nobody knows."""
    try:
        amount = Decimal(said or 0)
    except InvalidOperation:
        return Decimal()
    return amount if amount.is_finite() else Decimal()


def _with(progress: Progress, **changes: object) -> Progress:
    return msgspec.structs.replace(progress, **changes)
