"""A task's tape as lines with positions, for a model to judge by: bounded, one line an event, the latest in full. Pure.

Whatever is not our own word stands in quotes as JSON, so that no text of a page can pass for a line of its own.
"""

from collections.abc import Iterable, Sequence

import msgspec

from eventstore import events as e
from eventstore.store import Recorded

MOST_CHARACTERS = 60_000
"""Of all lines together; what does not fit is left out from the beginning on."""

LONG, SHORT = 1_500, 300
"""Characters of a result or of what the model said, and of an address, a title or an act."""

Line = tuple[int, str]


def lines_of(recorded: Iterable[Recorded]) -> tuple[tuple[Line, ...], int]:
    """The lines by position, and of how many events before them there is none because there are too many."""
    told = [(each.position, line) for each in recorded if (line := _line(each.event))]
    room, kept = MOST_CHARACTERS, len(told)
    for _, line in reversed(told):
        room -= len(line)
        if room < 0:
            break
        kept -= 1
    return tuple(told[kept:]), kept


def pictured(recorded: Sequence[Recorded], most: int) -> list[tuple[int, str]]:
    """The last `most` pictures of steps: the positions of these, and the SHA-256 hex of each, in order."""
    taken = [(each.position, each.event) for each in recorded if isinstance(each.event, e.StepTaken)]
    return [(position, event.screenshot) for position, event in taken if event.screenshot][-most:]


def _line(event: e.Event) -> str:
    match event:
        case e.ActionStarted() | e.ActionEnded() | e.StepTaken() | e.StepInterrupted():
            return _step(event)
        case e.NavigationBlocked(url=url, reason=reason):
            return f"blocked: {_quoted(url, SHORT)}, {_quoted(reason, SHORT)}"
        case e.SecretUsed(name=name, host=host):
            return f"secret {_quoted(name, SHORT)} typed on {_quoted(host, SHORT)}"
        case e.InputRequested(kind=kind, prompt=prompt):
            return f"a person was asked for {_quoted(kind, SHORT)}: {_quoted(prompt, LONG)}"
        case e.InputProvided():
            return "the person answered"
        case e.InputExpired():
            return "nobody answered"
        case e.HumanActed(name=name, params=params):
            return f"a person did {_word(name)} by hand: {_quoted(params, SHORT)}"
        case e.FileProduced(file=file):
            return f"a file came: {_quoted(file.name, SHORT)}, {file.size} bytes"
        case e.RunnerLost(cause=cause):
            return f"the runner was lost: {_word(cause)}"
    return ""


def _step(event: e.Event) -> str:
    match event:
        case e.ActionStarted(step=step, name=name, params=params, target=target):
            at = f" at {_quoted(f'{target.role} {target.name}', SHORT)}" if target else ""
            return f"step {step}: {_word(name)} begins, {_quoted(params, SHORT)}{at}"
        case e.ActionEnded(step=step, ok=ok, result=result, error=error, url=url):
            word = "done" if ok else "failed"
            return f"step {step}: {word}, {_quoted(result if ok else error, LONG)} on {_quoted(url, SHORT)}"
        case e.StepTaken(number=number, url=url, title=title):
            said = (event.evaluation, event.memory, event.next_goal)
            words = "".join(f", the agent said {_quoted(each, LONG)}" for each in said if each)
            return f"step {number} ends on {_quoted(url, SHORT)}, titled {_quoted(title, SHORT)}{words}"
        case e.StepInterrupted(number=number, cause=cause):
            return f"step {number} was interrupted: {_word(cause)}"
    return ""


def _word(text: str) -> str:
    """A word of ours, on one line whatever it is."""
    return " ".join(text.split())[:SHORT]


def _quoted(text: str, most: int) -> str:
    cut = text if len(text) <= most else f"{text[:most]}…"
    return msgspec.json.encode(cut.encode("utf-8", "replace").decode()).decode()
