"""A real store and real decisions beside the reference model: each thing is done to both, and both must agree."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations
from typing import Any, TypeVar

from eventstore import decide, retention
from eventstore import events as e
from eventstore.errors import Refused
from eventstore.memory import MemoryStore
from eventstore.rules import Rules, violations
from eventstore.store import EventStore, Lane, Recorded
from eventstore.task import Task, evolve
from eventstore.transact import Decision, Repository, Transacted
from tests.reference import ENDED, No, Reference

T = TypeVar("T")
Answer = list[str] | None
"""The types of the events appended; None for a refusal."""
Result = tuple[Answer, Task | None]
Together = Callable[[list[Coroutine[Any, Any, Result]]], Sequence[Result]]
"""Runs several to their ends at the same time."""

STREAM = "task-1"
RUNNERS = ("r1", "r2", "r3")
INTENTIONS: dict[str, Callable[..., list[e.Event]]] = {
    "pause": decide.pause,
    "resume": decide.resume,
    "stop": decide.stop,
}


@dataclass(frozen=True)
class Wish:
    """One thing that somebody does: to the service, and to the reference. `again`: saying it twice changes nothing."""

    said: str
    decision: Decision[Task]
    expected: Callable[[Reference], list[str]]
    runner: str = ""
    command: str = ""
    again: bool = True


class Interleaved(MemoryStore):
    """Lets others run before and after everything it does, as a store with a disk would."""

    async def append(
        self,
        stream: str,
        expected: int,
        events: Sequence[e.Event],
        *,
        actor: str,
        command_id: str = "",
        lane: Lane = Lane.FACT,
    ) -> Sequence[Recorded]:
        await asyncio.sleep(0)
        return await super().append(stream, expected, events, actor=actor, command_id=command_id, lane=lane)

    async def read(
        self, after: int = 0, *, limit: int = 1_000, types: Collection[str] | None = None
    ) -> Sequence[Recorded]:
        await asyncio.sleep(0)
        return await super().read(after, limit=limit, types=types)

    async def read_stream(self, stream: str, after: int = 0, *, limit: int = 1_000) -> Sequence[Recorded]:
        await asyncio.sleep(0)
        return await super().read_stream(stream, after, limit=limit)


class World:
    """One task and everybody around it. `run` runs a coroutine to its end."""

    def __init__(self, store: EventStore, run: Callable[[Coroutine[Any, Any, T]], T]) -> None:
        self.reference = Reference()
        self.fences = dict.fromkeys(RUNNERS, 0)
        self.sent: list[Wish] = []
        self.done: list[str] = []
        self._store = store
        self._run: Callable[[Coroutine[Any, Any, Any]], Any] = run
        self._rules = Rules()
        self._task = Task()
        self._position = 0
        self.restart(store)

    def restart(self, store: EventStore) -> None:
        """Nothing is remembered but the tape. Those who decide do not know of each other."""
        self._store = store
        self._deciders = [Repository(store, Task(), evolve) for _ in range(3)]

    def do(self, wish: Wish, who: int) -> None:
        """Once; and once more, by the other one, where saying it twice changes nothing."""
        answer = self._one(wish, who)
        if wish.again and answer is not None:
            assert [] == self._one(wish, 1 - who), f"{wish.said} was done twice"

    def at_once(self, together: Together, *wishes: Wish) -> None:
        """All at the same time: the outcome is that of one after the other, in some order."""
        self.done.append(" and ".join(f"{wish.said} {wish.runner}".rstrip() for wish in wishes) + " at once")
        orders = [_in_order(self.reference.copy(), wishes, order) for order in permutations(range(len(wishes)))]

        results = together([self._transact(wish, who) for who, wish in enumerate(wishes)])

        answers, known = [answer for answer, _ in results], _known(self._follow())
        agreeing = [model for said, model in orders if (said, _told(model)) == (answers, known)]
        assert agreeing, f"{self.done[-1]}: {answers}, {known} is none of {orders}"
        self.reference = agreeing[0]
        for wish, (_, state) in zip(wishes, results, strict=True):
            self._learn(wish, state)

    def _one(self, wish: Wish, who: int) -> Answer:
        self.done.append(f"{who}: {wish.said} {wish.runner}".rstrip())
        expected = _answer(wish, self.reference)

        answer, state = self._run(self._transact(wish, who))

        assert expected == answer, wish.said
        assert _told(self.reference) == _known(self._follow()), wish.said
        self._learn(wish, state)
        return expected

    async def _transact(self, wish: Wish, who: int) -> Result:
        try:
            done: Transacted[Task] = await self._deciders[who].transact(
                STREAM, wish.decision, actor=wish.runner or "key:1", command_id=wish.command
            )
        except Refused:
            return None, None
        return [recorded.type for recorded in done.appended], done.state

    def _learn(self, wish: Wish, state: Task | None) -> None:
        """A runner knows of its claim, and not of its loss."""
        if state is not None and wish.runner and state.runner == wish.runner:
            self.fences[wish.runner] = state.fence

    def _follow(self) -> Task:
        for recorded in self._run(_all_after(self._store, self._position)):
            assert [] == self._rules.take(recorded)
            self._task = evolve(self._task, recorded.event)
            self._position = recorded.position
        return self._task

    # --- what can be done --------------------------------------------------------------------------------------

    def create(self, digest: str) -> Wish:
        created = e.TaskCreated(
            instruction="", llm="", session="s", project="p", family="v1", request_digest=digest, secrets=("password",)
        )
        return Wish("create", partial(decide.create, created=created), lambda model: model.create(digest))

    def ask(self, intention: str) -> Wish:
        """A new command, which can be sent again later."""
        command = f"{intention}:{len(self.sent)}"
        wish = Wish(
            intention,
            partial(INTENTIONS[intention], command_id=command),
            lambda model: model.ask(intention, command),
            command=command,
        )
        self.sent.append(wish)
        return wish

    def claim(self, runner: str) -> Wish:
        return Wish("claim", partial(decide.claim, runner=runner), lambda model: model.claim(runner), runner)

    def lose(self, runner: str, cause: str) -> Wish:
        return Wish(
            f"lose {cause}", partial(decide.lose, runner=runner, cause=cause), lambda model: model.lose(runner, cause)
        )

    def redact(self) -> Wish:
        return Wish("redact", retention.redact, lambda model: model.redact())

    def person(self, what: str, number: int) -> Wish:
        """What a person is asked, and does; `number` picks one of the questions that were asked, the last for 0."""
        model = self.reference
        asked = f"q{max(len(model.asked) - number, 0)}"
        command = f"{what}:{len(self.sent)}"
        wish = {
            "provide": Wish(
                "provide",
                partial(decide.provide, request=asked, command_id=command),
                lambda model: model.provide(asked, command),
                command=command,
            ),
            "take": Wish(
                "take",
                partial(decide.take_control, command_id=command),
                lambda model: model.take(command),
                command=command,
            ),
            "give_back": Wish(
                "give back",
                partial(decide.return_control, command_id=command),
                lambda model: model.give_back(command),
                command=command,
            ),
            "expire": Wish(
                f"expire {asked}", partial(decide.expire, request=asked), lambda model: model.expire(asked), again=True
            ),
        }[what]
        if wish.command:
            self.sent.append(wish)
        return wish

    def question(self, runner: str) -> Wish:
        """The runner asks, under the claim that it believes in."""
        fence, step, request = self.fences[runner], self.reference.step, f"q{len(self.reference.asked) + 1}"
        question = e.InputRequested(fence=fence, step=step, request=request, kind="text", prompt="Who?", seconds=60.0)
        return Wish(
            "ask", partial(decide.ask, question=question), lambda model: model.ask_person(fence, request), runner
        )

    def human_acts(self, runner: str) -> Wish:
        """A person does something, as that runner tells it."""
        fence = self.fences[runner]
        acted = e.HumanActed(fence=fence, name="click", params="{}")
        return Wish(
            "act by hand",
            partial(decide.human_acted, acted=acted),
            lambda model: model.acted(fence),
            runner,
            again=False,
        )

    def blank(self) -> None:
        """What was redacted is erased; what is left is a whole tape that keeps the rules."""
        if self.reference.redacted:
            self._run(self._store.redact(STREAM, self.reference.redacted))
            assert self._run(self._store.verify()).ok
            assert [] == violations(self._run(self._store.read()))

    def effect(self, name: str, runner: str) -> Wish:
        """What was asked for takes effect: park, unpark or stopped; or a limit is used up: exhaust."""
        fence = self.fences[runner]
        decision: Decision[Task] = partial(getattr(decide, name), fence=fence)
        return Wish(name, decision, lambda model: list(getattr(model, name)(fence)), runner)

    def fact(self, name: str, runner: str) -> Wish:
        """Written under the claim that this runner believes in."""
        fence, step = self.fences[runner], self.reference.step
        event = FACTS[name](fence, step)
        return Wish(
            name,
            lambda task: decide.record(task, event),
            lambda model: model.record(fence, name),
            runner,
            again=False,
        )

    def work(self, name: str) -> Wish:
        """By the runner that holds the task; `next` is what it would write if all goes well."""
        return self.fact(self._next() if name == "next" else name, self.reference.runner)

    def _next(self) -> str:
        model = self.reference
        if model.phase == "claimed":
            return "started"
        if not model.step_open:
            return "step_started"
        return "action_ended" if model.acting else ("step_taken" if model.version % 3 == 0 else "action_started")

    @property
    def working(self) -> bool:
        """Whether a runner holds the task, and knows it."""
        model = self.reference
        return model.phase not in ENDED and bool(model.runner) and self.fences[model.runner] == model.fence

    @property
    def late(self) -> list[str]:
        """Runners that believe in a claim which is not theirs any more."""
        model = self.reference
        return [name for name, fence in self.fences.items() if fence and (name != model.runner or model.phase in ENDED)]


async def _all_after(store: EventStore, position: int) -> Sequence[Recorded]:
    return await store.read(position)


def _answer(wish: Wish, reference: Reference) -> Answer:
    try:
        return wish.expected(reference)
    except No:
        return None


def _in_order(model: Reference, wishes: Sequence[Wish], order: Sequence[int]) -> tuple[list[Answer], Reference]:
    answers: list[Answer] = [None] * len(wishes)
    for which in order:
        answers[which] = _answer(wishes[which], model)
    return answers, model


def _told(model: Reference) -> tuple[object, ...]:
    person = ("", "", False) if model.phase in ENDED else (model.runner, model.asking, model.controlled)
    return model.version, model.seen, model.phase, model.fence, model.attempt, model.step, *person


def _known(task: Task) -> tuple[object, ...]:
    person = ("", "", False) if task.ended else (task.runner, task.asking, task.controlled)
    return task.version, task.state.value, task.phase.value, task.fence, task.attempt, task.step, *person


FACTS: dict[str, Callable[[int, int], e.Event]] = {
    "started": lambda fence, _: e.TaskStarted(fence=fence, browser="b", viewport_width=1, viewport_height=1),
    "step_started": lambda fence, step: e.StepStarted(fence=fence, number=step + 1),
    "action_started": lambda fence, step: e.ActionStarted(
        fence=fence, step=step, index=0, name="click", params="{}", effect="lasting"
    ),
    "action_ended": lambda fence, step: e.ActionEnded(fence=fence, step=step, index=0, ok=True),
    "step_taken": lambda fence, step: e.StepTaken(fence=fence, number=step),
    "step_interrupted": lambda fence, step: e.StepInterrupted(fence=fence, number=step, cause="pause"),
    "cost_recorded": lambda fence, step: e.CostRecorded(
        fence=fence, step=step, purpose="step", usage=e.Usage(model="m", input_tokens=9)
    ),
    "judgement_recorded": lambda fence, _: e.JudgementRecorded(fence=fence, model="m", verdict=None, report="{}"),
    "navigation_blocked": lambda fence, _: e.NavigationBlocked(fence=fence, url="u", reason="r"),
    "secret_used": lambda fence, step: e.SecretUsed(fence=fence, step=step, index=0, name="password", host="h"),
    "paused": lambda fence, step: e.TaskPaused(fence=fence, step=step),
    "resumed": lambda fence, step: e.TaskResumed(fence=fence, step=step),
    "stopped": lambda fence, step: e.TaskStopped(fence=fence, step=step),
    "finished": lambda fence, _: e.TaskFinished(fence=fence, success=True),
    "failed": lambda fence, _: e.TaskFailed(fence=fence, code="c", message="m"),
}
