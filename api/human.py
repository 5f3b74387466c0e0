"""What the API may ask of whoever runs tasks here: the hands of a person in the browser of one of them. Protocols."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from eventstore.human import HumanInput, HumanOutcome


class Human(Protocol):
    """The hands of people in one task's browser. Nothing is done while nobody has control."""

    async def act(self, asked: HumanInput, *, actor: str) -> HumanOutcome:
        """Do one input, one after the other, and put it on the tape in the actor's name.

        Raises NotAllowed when nobody has control, Invalid for an input that says nothing.
        """
        ...

    def apart(self) -> AbstractAsyncContextManager[None]:
        """While inside nothing is done by hand; all that was done is on the tape, and no key is held down."""
        ...


class Door(Protocol):
    """Where the people are let in."""

    def acting(self, task_id: str) -> Human | None:
        """The hands in the task's browser, if it has one here now."""
        ...


class Closed(Door):
    """No task has a browser here."""

    def acting(self, task_id: str) -> Human | None:
        return None
