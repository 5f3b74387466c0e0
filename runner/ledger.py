"""What a task's model calls may cost, and what they did: checked before each call, on the tape after it."""

from decimal import Decimal

from eventstore import events as e
from runner.model import Exhausted
from runner.past import Past
from runner.tape import Tape


class TaskLedger:
    """Of one attempt. Each time that somebody resumes the task after a limit was used up, as much is allowed again."""

    def __init__(self, tape: Tape, past: Past, limits: e.Limits) -> None:
        self._tape = tape
        self._past = past
        self._limits = limits
        self.step = 0

    def allow(self) -> None:
        """Raise Exhausted where the task's tokens or its money are used up."""
        limits, spent, before = self._limits, self._past.spent, self._past.allowed.spent
        if limits.max_tokens and spent.tokens >= (tokens := before.tokens + limits.max_tokens):
            raise Exhausted("max_tokens", f"The task has used {spent.tokens:,} tokens; it may use {tokens:,}.")
        if limits.max_cost_usd and spent.cost_usd >= (most := before.cost_usd + Decimal(limits.max_cost_usd)):
            raise Exhausted("max_cost", f"The task has cost {spent.cost_usd:f} US dollars; it may cost {most:f}.")

    def charge(self, purpose: str, usage: e.Usage, milliseconds: int) -> None:
        """Put what a call cost on the tape, behind what happens meanwhile."""
        cost = e.CostRecorded(
            fence=self._tape.fence, step=self.step, purpose=purpose, usage=usage, duration_ms=milliseconds
        )
        self._tape.write_behind(cost)
        self._past.note([cost])
