"""A small model of one task, written from the design's tables alone: what may happen, and what is then seen.

It knows nothing of the service's code. An operation answers the types of the events that should be appended (none:
it is so already), or raises No.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

ENDED = ("finished", "failed", "stopped")
ATTEMPTS = 3

# intention -> state -> y(es), a(lready so), n(o)
MAY = {
    "pause": {
        "queued": "y", "claimed": "y", "running": "y", "pausing": "a", "paused": "a", "resuming": "y", "stopping": "n",
        "finished": "n", "failed": "n", "stopped": "n",
    },
    "resume": {
        "queued": "n", "claimed": "n", "running": "n", "pausing": "y", "paused": "y", "resuming": "a", "stopping": "n",
        "finished": "n", "failed": "n", "stopped": "n",
    },
    "stop": {
        "queued": "y", "claimed": "y", "running": "y", "pausing": "y", "paused": "y", "resuming": "y", "stopping": "a",
        "finished": "a", "failed": "a", "stopped": "a",
    },
}  # fmt: skip

# fact -> the phases in which it can be so, and the phase that it leads to (none: it stays)
FACTS: dict[str, tuple[Sequence[str], str]] = {
    "started": (("claimed",), "running"),
    "step_started": (("running",), ""),
    "action_started": (("running",), ""),
    "action_ended": (("running",), ""),
    "step_taken": (("running",), ""),
    "step_interrupted": (("running", "paused"), ""),
    "navigation_blocked": (("claimed", "running", "paused"), ""),
    "secret_used": (("claimed", "running"), ""),
    "input_requested": (("running",), ""),
    "human_acted": (("paused",), ""),
    "cost_recorded": (("running", "paused"), ""),
    "judgement_recorded": (("running", "paused"), ""),
    "paused": (("claimed", "running"), "paused"),
    "resumed": (("running", "paused"), "running"),
    "finished": (("running",), "finished"),
    "failed": (("claimed", "running", "paused"), "failed"),
    "stopped": (("claimed", "running", "paused"), "stopped"),
}
WANTS = {
    "step_started": "run",
    "action_started": "run",
    "input_requested": "run",
    "resumed": "run",
    "paused": "pause",
    "stopped": "stop",
}


class No(Exception):
    """It is refused."""


@dataclass
class Reference:
    """One task. `version` counts its events, `fence` is the version of the last claim, `redacted` how many are gone."""

    version: int = 0
    phase: str = "absent"
    desired: str = "run"
    digest: str = ""
    runner: str = ""
    attempt: int = 0
    fence: int = 0
    step: int = 0
    step_open: bool = False
    acting: bool = False
    parked: bool = False
    lost: int = 0
    redacted: int = 0
    asking: str = ""
    controlled: bool = False
    spent: bool = False
    asked: set[str] = field(default_factory=set)
    commands: set[str] = field(default_factory=set)

    def copy(self) -> "Reference":
        """The same, to be led elsewhere."""
        return replace(self, commands=set(self.commands), asked=set(self.asked))

    @property
    def seen(self) -> str:
        """What people see."""
        if self.phase in ("absent", *ENDED):
            return self.phase
        if self.desired == "stop":
            return "stopping"
        if self.desired == "pause":
            return "pausing" if self.phase in ("claimed", "running") else "paused"
        if self.phase == "paused":
            return "paused" if self.waits else "resuming"
        return self.phase

    @property
    def waits(self) -> bool:
        """Whether it is not for the runner alone to go on: a person is asked, or drives, or a limit is used up."""
        return bool(self.asking) or self.controlled or self.spent

    def create(self, digest: str) -> list[str]:
        if self.phase != "absent":
            if digest != self.digest:
                raise No
            return []
        self.digest, self.phase = digest, "queued"
        return self._write("created")

    def ask(self, intention: str, command: str) -> list[str]:
        if self.phase != "absent" and command in self.commands:
            return []
        parked_itself = self.phase == "paused" and self.desired == "run" and self.waits
        match MAY[intention].get(self.seen, "n"):
            case "a" if not (intention == "pause" and parked_itself):
                return []
            case "n":
                raise No
        self.commands.add(command)
        self.desired = {"pause": "pause", "resume": "run", "stop": "stop"}[intention]
        back = ["control_returned"] if self.controlled and intention != "pause" else []
        if intention != "pause":
            self.controlled = False
        if intention == "resume":
            self.asking, self.spent = "", False
        if intention == "stop" and not self.runner:
            self.phase = "stopped"
            return self._write("stop_requested", "stopped")
        return self._write(*back, f"{intention}_requested")

    def claim(self, runner: str) -> list[str]:
        if self.runner == runner and self.phase not in ENDED:
            return []
        if self.runner or self.seen not in ("queued", "resuming"):
            raise No
        self.runner, self.attempt, self.phase, self.fence = runner, self.attempt + 1, "claimed", self.version + 1
        return self._write("claimed")

    def record(self, fence: int, *facts: str) -> list[str]:
        """All of them or none."""
        if not self.runner or fence != self.fence or self.phase in ENDED:
            raise No
        phase = self.phase
        for fact in facts:
            phases, leads = FACTS[fact]
            if phase not in phases or WANTS.get(fact, self.desired) != self.desired:
                raise No
            phase = leads or phase
        for fact in facts:
            self._happen(fact)
        self.phase = phase
        return self._write(*facts)

    def park(self, fence: int) -> list[str]:
        if self.phase == "paused" or self.desired != "pause":
            return []
        return self.record(fence, "paused")

    def unpark(self, fence: int) -> list[str]:
        if not self.parked or self.desired != "run" or self.waits:
            return []
        return self.record(fence, "resumed")

    def ask_person(self, fence: int, request: str) -> list[str]:
        """The task parks itself with a question."""
        if request in self.asked:
            return []
        self.record(fence, "input_requested")
        self.asking, self.phase, self.parked = request, "paused", True
        self.asked.add(request)
        self.version += 1
        return ["task.input_requested", "task.paused"]

    def exhaust(self, fence: int) -> list[str]:
        """The task parks itself, for a limit is used up."""
        if self.phase == "paused" and self.spent:
            return []
        if not self.runner or fence != self.fence or self.phase != "running" or self.desired != "run":
            raise No
        self.phase, self.parked, self.spent = "paused", True, True
        return self._write("paused")

    def provide(self, request: str, command: str) -> list[str]:
        if command in self.commands:
            return []
        if self.phase in ("absent", *ENDED) or self.asking != request or self.desired == "stop":
            raise No
        self.commands.add(command)
        self.asking = ""
        return self._write("input_provided")

    def expire(self, request: str) -> list[str]:
        if self.phase in ENDED or self.asking != request or self.desired == "stop":
            return []
        self.asking = ""
        return self._write("input_expired")

    def take(self, command: str) -> list[str]:
        if self.phase == "absent":
            raise No
        if command in self.commands or (self.controlled and self.phase not in ENDED):
            return []
        if self.phase != "paused" or self.seen != "paused" or not self.runner:
            raise No
        self.commands.add(command)
        self.controlled = True
        return self._write("control_taken")

    def give_back(self, command: str) -> list[str]:
        if self.phase == "absent":
            raise No
        if command in self.commands or not self.controlled or self.phase in ENDED:
            return []
        self.commands.add(command)
        self.controlled = False
        return self._write("control_returned")

    def acted(self, fence: int) -> list[str]:
        if not self.controlled:
            raise No
        return self.record(fence, "human_acted")

    def stopped(self, fence: int) -> list[str]:
        if self.phase in ENDED:
            return []
        return self.record(fence, *self._broken_off(), "stopped")

    def lose(self, runner: str, cause: str) -> list[str]:
        if self.runner != runner or not runner or self.phase in ENDED:
            return []
        events = [*self._broken_off(), "runner_lost"]
        counted = cause == "crash" and self.phase != "paused"
        if self.desired == "stop":
            events, self.phase = [*events, "stopped"], "stopped"
        elif self.phase != "paused" and self.desired == "pause":
            events, self.phase, self.parked = [*events, "paused"], "paused", True
        elif counted and self.lost + 1 >= ATTEMPTS:
            events, self.phase = [*events, "failed"], "failed"
        elif self.phase != "paused":
            events, self.phase = [*events, "requeued"], "queued"
        self.lost += counted
        self.runner, self.step_open, self.acting, self.controlled = "", False, False, False
        return self._write(*events)

    def redact(self) -> list[str]:
        """All that was known of it goes, but for how it ended and by which request it came."""
        if self.redacted:
            return []
        if self.phase not in ENDED:
            raise No
        self.redacted = self.version
        self.attempt = self.fence = self.step = 0
        self.asking, self.controlled, self.spent = "", False, False
        self.asked.clear()
        self.commands.clear()
        return self._write("redacted")

    def _broken_off(self) -> list[str]:
        return ["step_interrupted"] if self.step_open else []

    def _happen(self, fact: str) -> None:
        match fact:
            case "step_started":
                self.step, self.step_open = self.step + 1, True
            case "action_started":
                self.acting = True
            case "action_ended":
                self.acting = False
            case "step_taken":
                self.step_open, self.acting, self.lost = False, False, 0
            case "step_interrupted":
                self.step_open, self.acting = False, False
            case "paused":
                self.parked = True
            case "resumed":
                self.parked = False

    def _write(self, *events: str) -> list[str]:
        self.version += len(events)
        return [f"task.{event}" for event in events]
