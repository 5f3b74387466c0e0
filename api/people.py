"""What people do beside steering a task: answer its question, and drive its browser by hand. In no family's words."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from api import control
from api.service import Caller, Service
from eventstore import decide
from eventstore.answers import DONE, NO, VALUED, YES, vault_name
from eventstore.errors import DiskFull, Invalid, NotAllowed, Refused
from eventstore.events import Event, InputRequested
from eventstore.human import HumanInput, HumanOutcome
from eventstore.store import Lane
from eventstore.task import Task
from projections.task_row import TaskRow

MAX_VALUE = 4_096
_WORDS = {"yes": YES, "true": YES, "y": YES, "no": NO, "false": NO, "n": NO}
_FIELD = ("body", "value")


def answer_of(kind: str, given: str | bool) -> str:
    """What the vault keeps for an answer to a question of that kind. Raises Invalid for one that is none."""
    if kind == "confirm":
        word = str(given).strip().lower()
        if word not in _WORDS:
            raise Invalid("A confirmation is answered with yes or no.", field=_FIELD)
        return _WORDS[word]
    if kind not in VALUED:
        return DONE
    if not isinstance(given, str) or not 0 < len(given) <= MAX_VALUE:
        raise Invalid(f"An answer is a text of 1 to {MAX_VALUE} characters.", field=_FIELD)
    return given


async def answer(
    service: Service, caller: Caller, task_id: str, given: str | bool, *, request: str = "", command_id: str = ""
) -> TaskRow:
    """Answer the question of that id, or the one that is open; how the task stands then.

    The value is in the vault before the event that tells of it, and of two who answer at once the first one counts.
    Raises NotFound, NotAllowed where no such question waits, Invalid for a value that is no answer to it, DiskFull, and
    what `EventStore.append` raises.
    """
    row = await control.task(service, caller, task_id)
    stream = control.stream(row.id)
    command = control.command("answer", command_id)
    async with service.answering.setdefault(stream, asyncio.Lock()):
        task = await service.tasks.load(stream)
        if command in task.commands:
            return row
        question = await _open(service, row.id, request)
        async with _put(service, stream, question.request, answer_of(question.kind, given)):
            done = await service.tasks.transact(
                stream,
                partial(decide.provide, request=question.request, command_id=command),
                actor=caller.actor,
                command_id=command,
                lane=Lane.CONTROL,
            )
    await control.effect(service, row.id, done.position)
    return await control.task(service, caller, row.id)


async def act(service: Service, caller: Caller, task_id: str, asked: HumanInput) -> HumanOutcome:
    """One input by hand. Raises NotFound, NotAllowed when nobody has control, Invalid for one that says nothing."""
    row = await control.task(service, caller, task_id)
    human = service.door.acting(row.id)
    if human is None:
        raise NotAllowed("The task has no browser here now; pause it while it runs, and take control first.")
    return await human.act(asked, actor=caller.actor)


def take(task: Task, *, command_id: str) -> Sequence[Event]:
    """For `control.control`: a person drives from now on."""
    return decide.take_control(task, command_id=command_id)


def giving_back(reason: str) -> control.Intention:
    """For `control.control`: the person is done, and says why."""

    def give_back(task: Task, *, command_id: str) -> Sequence[Event]:
        return decide.return_control(task, reason=reason, command_id=command_id)

    return give_back


async def _open(service: Service, task_id: str, request: str) -> InputRequested:
    """The question that waits. Raises NotAllowed where none does, or another one."""
    stream = control.stream(task_id)
    for _ in range(2):
        asking = (await service.tasks.load(stream)).asking
        row = service.projector.tasks.peek(task_id)
        if row and row.question and asking == row.question.request:
            if request not in ("", asking):
                raise NotAllowed("This question waits for no answer (any more).")
            return row.question
        await control.seen(service, service.store.head)
    raise NotAllowed("This question waits for no answer (any more)." if request else "The task asks nothing now.")


@asynccontextmanager
async def _put(service: Service, stream: str, request: str, value: str) -> AsyncIterator[None]:
    """The value is in the vault, and stays there only if the answer was taken. Raises DiskFull."""
    name = vault_name(stream, request)
    try:
        await service.vault.put(name, value.encode(), durable=True)
    except OSError as error:
        raise DiskFull(f"The answer could not be kept: {error.strerror}.") from error
    try:
        yield
    except Refused:
        if (await service.tasks.load(stream)).answered != request:
            await service.vault.delete(name)
        raise
    if (await service.tasks.load(stream)).ended:
        await service.vault.delete(name)
