"""What a person wishes on the live page, done in the name of the key that the link stands for."""

from typing import Literal, Protocol

from api import control, people
from api.service import Caller, Service
from eventstore import decide
from eventstore.human import HumanInput, HumanOutcome

Button = Literal["pause", "resume", "stop", "take", "return"]

BUTTONS: dict[Button, control.Intention] = {
    "pause": decide.pause,
    "resume": decide.resume,
    "stop": decide.stop,
    "take": people.take,
    "return": people.giving_back("live page"),
}


class Wishes(Protocol):
    """What one page may wish. Every method raises Refused in words."""

    async def press(self, task_id: str, button: Button) -> None:
        """A button. Whether it takes effect is told by the tape; nobody waits for it here."""
        ...

    async def answer(self, task_id: str, request: str, value: str) -> None:
        """What the task asked a person."""
        ...

    async def act(self, task_id: str, asked: HumanInput) -> HumanOutcome:
        """One input."""
        ...


class Steering:
    """Of one page. Every method raises Refused in words."""

    def __init__(self, service: Service, caller: Caller) -> None:
        self._service = service
        self._caller = caller

    async def press(self, task_id: str, button: Button) -> None:
        """Whether it takes effect is told by the tape; nobody waits for it here."""
        await control.control(self._service, self._caller, task_id, BUTTONS[button], wait_seconds=0.0)

    async def answer(self, task_id: str, request: str, value: str) -> None:
        """What the task asked a person."""
        await people.answer(self._service, self._caller, task_id, value, request=request)

    async def act(self, task_id: str, asked: HumanInput) -> HumanOutcome:
        """One input."""
        return await people.act(self._service, self._caller, task_id, asked)
