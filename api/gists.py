"""Events as plain lines for a terminal: what matters of each. Pure."""

from api.text import SHORT, clock, duration, plain, short
from eventstore import events as e
from eventstore.codec import type_of


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
    return next(filter(None, (said(event) for said in (_step, _life, _person, _other, _session, _standing, _hook))), "")


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
        case e.FileProduced():
            return _file(event.file)
        case e.RecordingSaved():
            return f"{_file(event.file)}, {duration(event.duration_ms)}"
        case _:
            return ""


def _life(event: e.Event) -> str:
    """How a task began, was held and ended."""
    match event:
        case e.TaskCreated():
            return plain(event.instruction)
        case e.PauseRequested() | e.ResumeRequested() | e.StopRequested():
            return plain(event.reason)
        case e.TaskPaused(limit=limit) if limit:
            return f"at step {event.step} ({plain(limit)} is used up)"
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
        case e.KeyRevoked() | e.TaskDeleted():
            return plain(event.reason)
        case e.CostRecorded():
            return f"{plain(event.purpose)}: {_usage(event.usage)} ({duration(event.duration_ms)})"
        case e.JudgementRecorded():
            verdict = {True: "passed", False: "not passed", None: "no verdict"}[event.verdict]
            return f"{verdict}, by {plain(event.model)}"
        case e.RunnerLost():
            return f"{plain(event.runner)}, attempt {event.attempt} ({plain(event.cause)})"
        case e.TaskRequeued():
            return f"attempt {event.attempt} {plain(event.reason)}".rstrip()
        case e.KeyCreated():
            return plain(f"{event.name} for project {event.project}".strip())
        case _:
            return ""


def _person(event: e.Event) -> str:
    """What a person was asked, and did."""
    match event:
        case e.InputRequested():
            return f"{plain(event.kind)}: {plain(event.prompt, 80)} (for {duration(event.seconds * 1_000)})"
        case e.ControlReturned():
            return plain(event.reason)
        case e.HumanActed():
            return f"{plain(event.name)} {target(event.target) or plain(event.params, 80)}"
        case _:
            return ""


def _session(event: e.Event) -> str:
    """How a browser was shared among tasks, or lent to a client."""
    match event:
        case e.SessionCreated():
            return plain(f"{event.kind}{', kept alive' if event.keep_alive else ''} {event.start_url}")
        case e.SessionOpened():
            return plain(event.browser)
        case e.SessionClosed():
            return plain(event.cause)
        case e.SessionStopped():
            return plain(f"{event.cause}: {event.reason}".removesuffix(": "))
        case e.SessionPurged():
            return plain(f"{event.events} payloads, {event.blobs} blobs: {event.reason}".removesuffix(": "))
        case e.ShareViewed():
            return f"{event.views} more"
        case e.FileUploaded() | e.FileDownloaded():
            return _file(event.file)
        case e.FilesRemoved():
            return plain(f"{len(event.files)} files: {event.reason}".removesuffix(": "))
        case e.SessionDeleted():
            return plain(event.reason)
        case _:
            return ""


def _standing(event: e.Event) -> str:
    """What outlasts tasks: profiles and schedules."""
    match event:
        case e.ProfileCreated() | e.ProfileChanged():
            return plain(event.name)
        case e.ProfileUsed():
            return plain(f"version {event.version}, by {event.stream}")
        case e.ProfileSaveFailed():
            return plain(f"from {event.stream}: {event.message or event.cause}")
        case e.ProfileSaved():
            return plain(f"version {event.version}, {len(event.cookie_domains)} domains, from {event.stream}")
        case e.ScheduleCreated() | e.ScheduleChanged():
            rhythm = f"every {event.interval_minutes} min" if event.kind == "interval" else event.cron
            return plain(f"{rhythm}{'' if event.active else ', not active'}: {event.task.instruction}")
        case e.ScheduleRun():
            return f"due {clock(event.due, date=True)}: {plain(event.task)}"
        case e.ScheduleMissed():
            return plain(f"{event.count} since {clock(event.due, date=True)} ({event.cause})".removesuffix(" ()"))
        case e.ProfileDeleted() | e.ScheduleDeleted():
            return plain(event.reason)
        case _:
            return ""


def _hook(event: e.Event) -> str:
    """Who was told."""
    match event:
        case e.HookCreated():
            return plain(event.url)
        case e.HookDelivered():
            return f"event {event.source}, attempt {event.attempt}: HTTP {event.status} ({duration(event.duration_ms)})"
        case e.HookFailed():
            fate = f"again at {clock(event.next_at)}" if event.next_at else "given up"
            return f"event {event.source}, attempt {event.attempt}: {plain(event.error, 60)} ({fate})"
        case e.RedeliveryRequested():
            return f"event {event.source}"
        case e.HookDeleted():
            return plain(event.reason)
        case e.OutboxSettled():
            return f"up to event {event.through}"
        case _:
            return ""


def _file(file: e.File) -> str:
    return f"{plain(file.name, 60)}, {file.size} bytes"


def _usage(usage: e.Usage) -> str:
    cost = "" if usage.cost_usd is None else f", {plain(usage.cost_usd)} USD"
    return f"{plain(usage.model)}, {usage.input_tokens} + {usage.output_tokens} tokens{cost}"
