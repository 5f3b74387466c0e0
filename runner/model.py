"""What a model sees, says and may spend: the words between the loop and whatever decides what to do next."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from eventstore.events import TaskCreated, Usage
from runner.vocabulary import AnyAction, Extract


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a model may see of the page. `tree` is its outline with [index] references, passwords masked.

    `tree` is empty when the model asked only for the place (`url`, `title`, `tabs`). `above` and `below` are how much
    of the page lies outside of the viewport, in viewports. `picture` is a PNG of the viewport, empty where none was
    asked for. `news` are sentences about what happened since the last look: dialogs that were answered, tabs that
    opened or closed, files that came.
    """

    url: str
    title: str
    tabs: tuple[str, ...] = ()
    tree: str = ""
    above: float = 0.0
    below: float = 0.0
    picture: bytes = b""
    news: tuple[str, ...] = ()


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The task's end, as the model says it."""

    success: bool
    output: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a model wants next: acts, or the end."""

    actions: tuple[AnyAction, ...] = ()
    evaluation: str = ""
    memory: str = ""
    next_goal: str = ""
    done: Done | None = None


class PastAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act that ended, as the tape tells it; `moved`: the page or the tab is another one, or has asked something."""

    name: str
    params: str
    ok: bool
    effect: str
    result: str = ""
    error: str = ""
    url: str = ""
    moved: bool = False


class PastStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was taken; `acts` in order, then those that were `dropped`, as JSON text. The rest the model said.

    `saw` is a digest of the page that it was planned on, empty where that is not known. `by_hand` is what people did in
    the browser after it, as JSON text.
    """

    number: int
    acts: tuple[PastAct, ...] = ()
    dropped: tuple[str, ...] = ()
    evaluation: str = ""
    memory: str = ""
    next_goal: str = ""
    saw: str = ""
    by_hand: tuple[str, ...] = ()


class Spent(msgspec.Struct, frozen=True, kw_only=True):
    """What a task's model calls came to: US dollars as far as prices are known."""

    tokens: int = 0
    cost_usd: Decimal = Decimal()


class Exhausted(Exception):
    """A limit on tokens or cost is used up. The message says which; `code` is max_tokens or max_cost."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Ledger(Protocol):
    """Where a model's calls are allowed and accounted for."""

    def allow(self) -> None:
        """Raise Exhausted where the task's tokens or its money are used up. To be asked before every call."""
        ...

    def charge(self, purpose: str, usage: Usage, milliseconds: int) -> None:
        """Put what a call cost on the tape, whatever became of its answer."""
        ...


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """What a model is made for: the task, and its ledger."""

    created: TaskCreated
    ledger: Ledger


class Reader(Protocol):
    """Answers questions about what stands on pages."""

    async def answer(self, action: Extract, text: str) -> str:
        """The answer to the action's query from the text of a page. Raises ActFailed."""
        ...


class Model(Protocol):
    """Says what to do next.

    `needs_tree` tells whether observations must carry the snapshot. A model that needs it can look for itself, so it is
    told of failed and uncertain acts and goes on; for one that does not, the first of them ends the task.
    `needs_picture` tells whether they must carry a picture too.
    """

    needs_tree: bool
    needs_picture: bool

    def ended(self, past: Sequence[PastStep]) -> Done | None:
        """The end, where it follows from what was done alone; asked before each step, costs nothing."""
        ...

    async def next(self, observation: Observation, past: Sequence[PastStep]) -> Reply:
        """The next acts, or the end, given what was done in the steps so far.

        Raises ActFailed to end the task, and Exhausted where the ledger allows no more.
        """
        ...

    def recall(self, step: int) -> Sequence[AnyAction]:
        """The acts of the step at this index of the past as they were said, unmasked; empty: ask the tape."""
        ...
