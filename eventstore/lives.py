"""What the rules remember of one task: a few values, moved by types, then by payloads where they are there. Pure."""

from collections import deque
from typing import TypeAlias

from eventstore import events as e
from eventstore.task import COMMANDS_REMEMBERED

ABSENT = "not created"
REQUESTS = {
    "task.pause_requested": "pause",
    "task.resume_requested": "run",
    "task.stop_requested": "stop",
}

_PHASES = {
    "task.created": "queued",
    "task.claimed": "claimed",
    "task.started": "running",
    "task.resumed": "running",
    "task.paused": "paused",
    "task.requeued": "queued",
}

Act: TypeAlias = tuple[int, int]


class Life:
    """One task from its creation to its end. None stands for what a redacted payload would have told."""

    def __init__(self) -> None:
        self.phase = ABSENT
        self.desired = "run"
        self.request = 0
        self.fence = 0
        self.held = False
        self.runner: str | None = ""
        self.attempt: int | None = 0
        self.parked = False
        self.parked_itself = False
        self.step_open = False
        self.step: int | None = None
        self.taken = 0
        self.acting = False
        self.act: Act | None = None
        self.secrets: tuple[str, ...] | None = ()
        self.controlled = False
        self.asking = False
        self.question: str | None = None
        self.answered = 0
        self.command = ""
        self.commands: deque[str] = deque(maxlen=COMMANDS_REMEMBERED)
        self.said: deque[str] = deque(maxlen=COMMANDS_REMEMBERED)

    @property
    def at_work(self) -> bool:
        """Started, and not paused."""
        return self.phase == "running"

    def live(self, kind: str, version: int, command: str, event: e.Event | None) -> None:
        """One more event. Total: whatever was written, it goes on from there."""
        self.phase = _PHASES.get(kind, self.phase)
        if kind in REQUESTS:
            self.request = version
            self.desired = "stop" if self.desired == "stop" else REQUESTS[kind]
            self.parked_itself = self.parked_itself and kind != "task.resume_requested"
        self._remember(command, getattr(event, "command_id", ""))
        self._by_type(kind, version)
        self._by_person(kind)
        self._by_payload(kind, event)

    def _remember(self, command: str, said: str) -> None:
        if command and command != self.command:
            self.commands.append(command)
        if said:
            self.said.append(said)
        self.command = command

    def _by_type(self, kind: str, version: int) -> None:
        match kind:
            case "task.created":
                self.secrets = None
            case "task.claimed":
                self.held, self.runner, self.fence = True, None, version
                self.attempt = None
            case "task.runner_lost":
                self.held, self.runner, self.controlled = False, "", False
            case "task.paused":
                self.parked, self.parked_itself = True, self.desired == "run"
            case "task.resumed":
                self.parked, self.parked_itself = False, False
            case "task.step_started":
                self.step_open, self.step = True, None
                self.acting, self.act = False, None
            case "task.step_taken" | "task.step_interrupted":
                self.step_open, self.step = False, None
                self.acting, self.act = False, None
            case "task.action_started":
                self.acting, self.act = True, None
            case "task.action_ended":
                self.acting, self.act = False, None

    def _by_person(self, kind: str) -> None:
        match kind:
            case "task.control_taken" | "task.control_returned":
                self.controlled = kind == "task.control_taken"
            case "task.input_requested":
                self.asking, self.question = True, None
            case "task.input_provided" | "task.input_expired" | "task.resume_requested":
                self.asking = False
                self.answered += kind == "task.input_provided"

    def _by_payload(self, kind: str, event: e.Event | None) -> None:
        match event:
            case e.InputRequested(request=request):
                self.question = request
            case e.TaskCreated(secrets=secrets):
                self.secrets = secrets
            case e.TaskClaimed(runner=runner, attempt=attempt):
                self.runner, self.attempt = runner, attempt
            case e.RunnerLost(attempt=attempt):
                self.attempt = attempt
            case e.TaskPaused(cause=cause):
                self.parked_itself = cause in ("input", "budget", "policy")
            case e.StepStarted(number=number):
                self.step = number
            case e.StepTaken(number=number):
                self.taken = max(self.taken, number)
            case e.ActionStarted(step=number, index=index):
                self.act = (number, index)
