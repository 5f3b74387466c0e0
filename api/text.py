"""Events and times as plain lines for a terminal. Pure; nothing that a page says can act on the terminal."""

import unicodedata
from datetime import UTC, datetime

from eventstore import events as e
from eventstore.codec import type_of

SHORT = 13
"""So many characters of a task's id hold its whole creation time in milliseconds, so they tell tasks apart."""

WIDTH = 110
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def plain(text: str, width: int = WIDTH) -> str:
    """One line of at most `width` characters (0: any), without control, direction or other invisible characters."""
    line = " ".join(safe(text).split())
    return f"{line[: width - 1]}…" if 0 < width < len(line) else line


def safe(text: str) -> str:
    """The text with its line breaks and tabs, and without anything else that a terminal would act on."""
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in _HIDDEN)


def short(task_id: str) -> str:
    """The beginning of an id that tells it from the others; accepted wherever an id is asked for."""
    return task_id[:SHORT].rstrip("-")


def duration(milliseconds: float) -> str:
    """`85 ms`, `1.2 s` or `2 min 3 s`."""
    if milliseconds < 1_000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1_000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1_000), 60)
    return f"{minutes} min {seconds} s"


def clock(at: int, *, date: bool = False) -> str:
    """Microseconds since 1970 as UTC: `12:03:04.123`, or with the date before it and without the milliseconds."""
    moment = datetime.fromtimestamp(at // 1_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}" if date else f"{moment:%H:%M:%S}.{at // 1_000 % 1_000:03}"


def name(event: e.Event) -> str:
    """`step taken` for `task.step_taken`; what is not known here keeps its tag."""
    tag = type_of(event)
    return tag if isinstance(event, e.Unknown) else tag.removeprefix("task.").replace("_", " ").replace(".", " ")


def line(position: int, at: int, stream: str, event: e.Event) -> str:
    """Time, position, stream, event and gist, in columns."""
    kind, _, identity = stream.partition("-")
    whose = short(identity) if kind == "task" else plain(stream, SHORT)
    columns = f"{clock(at)}  {position:>6}  {whose:<{SHORT}}  {plain(name(event), 40):<16}"
    return f"{columns}  {gist(event)}".rstrip()


def gist(event: e.Event) -> str:
    """What matters of the event, in one line; empty for an event that its name says all of."""
    return _step(event) or _life(event) or _other(event)


def target(found: e.Target | None) -> str:
    """`button "Log in"`, or the selector of what has no name."""
    if found is None:
        return ""
    return plain(f'{found.role} "{found.name}"' if found.name else found.selector, 60).strip()


def _step(event: e.Event) -> str:
    """What was done in a step."""
    match event:
        case e.StepStarted():
            return f"step {event.number}"
        case e.StepTaken():
            place = f"  {plain(event.url, 60)}" if event.url else ""
            return f"step {event.number}: {plain(event.next_goal, 80)} ({duration(event.duration_ms)}){place}"
        case e.StepInterrupted():
            doubt = f"; uncertain acts: {', '.join(map(str, event.uncertain))}" if event.uncertain else ""
            return f"step {event.number}: {plain(event.cause)}{doubt}"
        case e.ActionStarted():
            aim = target(event.target) or plain(event.params, 80)
            return f"step {event.step}.{event.index}: {plain(event.name)} {aim}".rstrip()
        case e.ActionEnded():
            said = plain((event.result or "ok") if event.ok else f"failed: {event.error}")
            return f"step {event.step}.{event.index}: {said} ({duration(event.duration_ms)})"
        case e.NavigationBlocked():
            return f"{plain(event.url, 60)}: {plain(event.reason)}"
        case _:
            return ""


def _life(event: e.Event) -> str:
    """How a task began, was held and ended."""
    match event:
        case e.TaskCreated():
            return plain(event.instruction)
        case e.PauseRequested() | e.ResumeRequested() | e.StopRequested():
            return plain(event.reason)
        case e.TaskPaused() | e.TaskStopped():
            return f"at step {event.step} ({plain(event.cause)})"
        case e.TaskResumed():
            return f"at step {event.step}"
        case e.TaskFinished():
            return f"{'success' if event.success else 'no success'}: {plain(event.output)}".removesuffix(": ")
        case e.TaskFailed():
            return f"{plain(event.code)}: {plain(event.message)}"
        case _:
            return ""


def _other(event: e.Event) -> str:
    """Who ran a task, with what, and what else the tape tells."""
    match event:
        case e.TaskClaimed():
            return f"by {plain(event.runner)}, attempt {event.attempt}"
        case e.TaskStarted():
            back = f"; restored {', '.join(event.restored)}" if event.restored else ""
            lost = f"; lost {', '.join(event.lost)}" if event.lost else ""
            return plain(f"{event.browser}, {event.viewport_width}x{event.viewport_height}{back}{lost}")
        case e.BrowserOpened():
            return plain(event.browser)
        case e.SecretUsed():
            return f"step {event.step}.{event.index}: {plain(event.name)} for {plain(event.host)}"
        case e.BlobsRemoved():
            return plain(f"{len(event.blobs)} {event.kind}: {event.reason}".removesuffix(": "))
        case e.TaskRedacted():
            return plain(f"{event.events} payloads, {event.blobs} blobs: {event.reason}".removesuffix(": "))
        case e.KeyRevoked():
            return plain(event.reason)
        case e.RunnerLost():
            return f"{plain(event.runner)}, attempt {event.attempt} ({plain(event.cause)})"
        case e.TaskRequeued():
            return f"attempt {event.attempt} {plain(event.reason)}".rstrip()
        case e.KeyCreated():
            return plain(f"{event.name} for project {event.project}".strip())
        case _:
            return ""
