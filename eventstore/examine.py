"""All that can be asked of a whole tape: whether its chain holds, signed checkpoints agree, and it keeps the rules."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from eventstore.rules import Rules, Violation
from eventstore.store import PAGE, Recorded, Verdict
from eventstore.witness import Checkpoint, Notes

MOST = 1_000
"""Violations told of one tape; whoever breaks a rule once mostly breaks it often."""


class Readable(Protocol):
    """A tape that can be read: every store is, and so is a file that nobody may write to."""

    @property
    def head(self) -> int: ...
    @property
    def log_id(self) -> bytes: ...
    async def read(self, after: int = 0, *, limit: int = PAGE) -> Sequence[Recorded]: ...
    async def verify(self) -> Verdict: ...


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """A checkpoint says otherwise than the tape: `problem` in a sentence, from the position `first_bad` on."""

    problem: str
    first_bad: int | None = None


async def examine(tape: Readable, *, notes: Sequence[Notes] = (), rules: bool = False) -> Verdict:
    """Recompute the chain; where it holds, hold it against the checkpoints, and read it by the rules when asked.

    A tape that breaks a rule is not ok, and its chain may hold all the same: then `problem` is None. Raises Broken.
    """
    verdict = await tape.verify()
    if not verdict.ok:
        return verdict
    if found := await contradiction(tape, [each for note in notes for each in note.checkpoints]) or _unreadable(notes):
        verdict = msgspec.structs.replace(verdict, ok=False, problem=found.problem, first_bad=found.first_bad)
    if rules:
        broken = await violations(tape)
        verdict = msgspec.structs.replace(verdict, ok=verdict.ok and not broken, violations=tuple(broken))
    return verdict


async def contradiction(tape: Readable, checkpoints: Iterable[Checkpoint]) -> Contradiction | None:
    """The first of the checkpoints that the tape does not bear out, by position; None when it bears out all."""
    ahead: Checkpoint | None = None
    for each in sorted(checkpoints, key=lambda checkpoint: checkpoint.position):
        if each.log_id != tape.log_id:
            return Contradiction(problem=f"a checkpoint signed at {each.signed_at} is of another tape")
        if each.position > tape.head:
            ahead = each
            continue
        page = await tape.read(each.position - 1, limit=1)
        if not page or page[0].hash != each.hash:
            return Contradiction(
                problem=f"position {each.position:,} has another hash than in a checkpoint signed at {each.signed_at}",
                first_bad=each.position,
            )
    if ahead is None:
        return None
    return Contradiction(
        problem=f"the tape ends at {tape.head:,}, but a checkpoint signed at {ahead.signed_at} says {ahead.position:,}",
        first_bad=tape.head + 1,
    )


async def violations(tape: Readable) -> list[Violation]:
    """What the tape breaks, MOST at most."""
    rules = Rules()
    found: list[Violation] = []
    after = 0
    while len(found) < MOST and (page := await tape.read(after)):
        for recorded in page:
            found += rules.take(recorded)
        after = page[-1].position
    return found[:MOST]


def _unreadable(notes: Sequence[Notes]) -> Contradiction | None:
    lines = [number for note in notes for number in note.unreadable]
    return Contradiction(problem=f"line {lines[0]} of the checkpoints is not a signed one") if lines else None
