"""What a task did, step by step, as two runs are compared by it: folded from its events. Pure and total."""

from collections.abc import Iterable

import msgspec

from eventstore import events as e
from eventstore.store import Recorded

MOST_STEPS = 1_000
LONGEST = 2_000
"""Characters of one text in a comparison."""

_END = "done"


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """`action` is JSON text such as `{"click": {...}}`; `target` is what it was about, such as `button "Save"`."""

    action: str
    target: str = ""
    ok: bool = False
    result: str = ""
    error: str = ""
    url: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step with its acts. `screenshot` is a SHA-256 hex or empty, `interrupted` the cause, if it was."""

    number: int
    acts: tuple[Act, ...] = ()
    url: str = ""
    screenshot: str = ""
    duration_ms: int = 0
    interrupted: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A task with its steps; `end` is finished, failed, stopped, or empty; `output` is the message of one that failed.

    `inputs` are the texts that it was to type in the place of others. `cut` tells that it has more steps than are
    compared.
    """

    steps: tuple[Step, ...] = ()
    end: str = ""
    success: bool | None = None
    output: str = ""
    inputs: dict[str, str] = {}
    cut: bool = False


def run_of(events: Iterable[Recorded]) -> Run:
    """What a task did, from the events of its stream."""
    reading = Reading()
    reading.note(events)
    return reading.run()


class Reading:
    """A task's events, as they come; it keeps no more than is compared."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._end = self._output = ""
        self._success: bool | None = None
        self._inputs: dict[str, str] = {}
        self._open: dict[int, tuple[e.ActionStarted, e.ActionEnded | None]] = {}

    def note(self, events: Iterable[Recorded]) -> None:
        """More of them, in order."""
        for recorded in events:
            self._note(recorded.event)

    def run(self) -> Run:
        """What they tell so far."""
        return Run(
            steps=tuple(self._steps[:MOST_STEPS]),
            end=self._end,
            success=self._success,
            output=_cut(self._output),
            inputs=self._inputs,
            cut=len(self._steps) > MOST_STEPS,
        )

    def _note(self, event: e.Event) -> None:
        match event:
            case e.TaskCreated(replay=e.Replay(inputs=inputs)):
                self._inputs = inputs
            case e.StepStarted():
                self._open = {}
            case e.ActionStarted(index=index):
                self._open[index] = event, None
            case e.ActionEnded(index=index) if index in self._open:
                self._open[index] = self._open[index][0], event
            case e.StepTaken(number=number, url=url, screenshot=screenshot, duration_ms=took):
                self._close(Step(number=number, url=url, screenshot=screenshot, duration_ms=took))
            case e.StepInterrupted(number=number, cause=cause):
                self._close(Step(number=number, interrupted=cause))
            case e.TaskFinished(success=success, output=output):
                self._end, self._success, self._output = "finished", success, output
            case e.TaskFailed(message=message):
                self._end, self._output = "failed", message
            case e.TaskStopped():
                self._end = "stopped"

    def _close(self, step: Step) -> None:
        acts = tuple(_act(*each) for each in self._open.values() if each[0].name != _END)
        if len(self._steps) <= MOST_STEPS:
            self._steps.append(msgspec.structs.replace(step, acts=acts))
        self._open = {}


def _act(started: e.ActionStarted, ended: e.ActionEnded | None) -> Act:
    if ended is None:
        return Act(action=_short(started.params), target=_named(started), error="nobody can say whether it took effect")
    return Act(
        action=_short(started.params),
        target=_named(started),
        ok=ended.ok,
        result=_cut(ended.result),
        error="" if ended.ok else _cut(ended.error or "failed"),
        url=ended.url,
    )


def _named(started: e.ActionStarted) -> str:
    targets = [target for target in (started.target, started.onto) if target is not None]
    return " to ".join(f'{each.role or "element"} "{each.name}"' for each in targets)


def _short(action: str) -> str:
    """The act with no text in it that is too long, still JSON."""
    if len(action) <= LONGEST:
        return action
    bodies = {
        name: {key: _cut(value) if isinstance(value, str) else value for key, value in body.items()}
        for name, body in parsed(action).items()
        if isinstance(body, dict)
    }
    return msgspec.json.encode(bodies).decode() if bodies else _cut(action)


def parsed(action: str) -> dict[str, object]:
    try:
        found: dict[str, object] = msgspec.json.decode(action, type=dict[str, object])
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return {}
    return found


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
