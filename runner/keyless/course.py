"""Where a task is among its sentences, read off its past: which are done and which were skipped. Pure."""

from collections.abc import Sequence

import msgspec

from runner.keyless.conditions import Condition
from runner.model import PastStep
from runner.vocabulary import AnyAction, LookFor

THERE = "there"
"""How the answer of looking for something begins where it is there; where it is not, that is said first."""


class Sentence(msgspec.Struct, frozen=True):
    """A sentence as it was written, without what separates it from its neighbours, and the action that it asks for.

    A sentence that lists several things is several of these. `when` is what the action hangs on.
    """

    text: str
    action: AnyAction
    when: Condition | None = None


class Course(msgspec.Struct, kw_only=True):
    """`steps` are those in which the sentences behind were done (last), None for one that was skipped.

    `cleared` tells that the condition of the sentence at hand holds; `times` is how often its act has been done, and
    `done` the step in which it was last.
    """

    steps: list[PastStep | None]
    cleared: bool = False
    times: int = 0
    done: PastStep | None = None

    @property
    def number(self) -> int:
        """The index of the sentence at hand."""
        return len(self.steps)


def course(sentences: Sequence[Sentence], past: Sequence[PastStep]) -> Course:
    """Total: steps beyond the last sentence change nothing."""
    at = Course(steps=[])
    for step in past:
        if at.number == len(sentences):
            break
        if not step.acts or not all(act.ok for act in step.acts):
            continue  # it did nothing, or not what its sentence says
        when, act = sentences[at.number].when, step.acts[-1]
        if when and act.name == LookFor.name and not at.cleared:
            if act.result.startswith(THERE) is when.there:
                at.cleared = True
            else:
                _pass(at, at.done)
        elif when and when.most:
            at.cleared, at.times, at.done = False, at.times + 1, step
        else:
            _pass(at, step)
    return at


def _pass(at: Course, step: PastStep | None) -> None:
    at.steps.append(step)
    at.cleared, at.times, at.done = False, 0, None
