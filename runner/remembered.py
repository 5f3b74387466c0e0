"""What is remembered of a task's past beside its steps: what to do again, what was asked, what was allowed. Pure."""

import msgspec

from eventstore import events as e
from runner.model import Spent


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """A page-local act to be done again: `step` is an index into the past, `params` the tape's (masked) record.

    `targets` are what it was about, and where a drag went.
    """

    step: int
    index: int
    params: str
    targets: tuple[e.Target | None, e.Target | None] = (None, None)


class Return(msgspec.Struct, frozen=True, kw_only=True):
    """How to go on in a new browser. `obstacle` is a sentence: the act because of which that is not honest.

    `doubt` is one too: the act because of which not even going on in the same browser is.

    `lasting` is the number of the last step with an act that may have had an effect, or 0: the cookies and storage of
    that step, or a later one, are needed to go on; and those after so many acts of people (`hands`).
    """

    url: str = ""
    repeat: tuple[Repeat, ...] = ()
    lasting: int = 0
    hands: int = 0
    obstacle: str = ""
    doubt: str = ""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of a person in a step that is not done; neither answered nor expired, it is asked anew."""

    request: str
    kind: str
    prompt: str
    answered: bool = False
    expired: bool = False


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """What had been used when somebody last resumed the task after a limit was used up; nothing before that.

    From there on as much is allowed again, however far beyond the limit the last call went.
    """

    steps: int = 0
    spent: Spent = Spent()
