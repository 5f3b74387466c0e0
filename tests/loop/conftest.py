"""The runner on the memory store, a stage instead of a browser, and a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.answers import vault_name as answer_vault_name
from eventstore.blobs import Blobs
from eventstore.codec import type_of
from eventstore.human import HumanInput
from eventstore.memory import MemoryStore
from eventstore.rules import violations
from eventstore.secrets import Secret, put, vault_name
from eventstore.store import Lane, Recorded
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.action_json import as_json
from runner.control import Gate
from runner.door import Door
from runner.equipment import Equipment
from runner.inbox import Inbox
from runner.judgement import Judge, unjudged
from runner.model import Assignment, Done, Ledger, Model, Observation, PastStep, Reply
from runner.models import Choice
from runner.placeholders import names
from runner.ports import Outcome, Resolved, Touch, Wanted
from runner.reel import Put
from runner.vocabulary import ActFailed, AnyAction, Input, Upload
from runner.wallet import Wallet
from runner.worker import Worker

LIMIT = 60.0


class Stage:
    """A browser that only remembers. What is put under `hold` waits there until its event is set.

    `acts` are the acts that took effect, as JSON text; `fails` maps one to the error that it ends with, and `look` to
    that of looking; `results` maps one to what it brings, and after one of `moves` the page is another. `typed` is what
    was typed, secrets and all, and `offered` what lay in the folder of uploads at each upload. With `isolated` every
    session has a browser of its own; those that were left running are `living`, each with where it is.
    """

    version = "Stage 1"

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.fails: dict[str, ActFailed] = {}
        self.results: dict[str, str] = {}
        self.hold: dict[str, asyncio.Event] = {}
        self.reached: dict[str, asyncio.Event] = {}
        self.url = "about:blank"
        self.tree = "- page"
        self.news: list[str] = []
        self.picture = b""
        self.sessions = 0
        self.closed = 0
        self.hangs = False
        self.states: list[str] = []
        self.isolated = False
        self.living: dict[str, str] = {}
        self.taken_up = True
        self.own = ""
        self.attached = self.keep = False
        self.uploads: Path | None = None
        self.offered: list[dict[str, bytes]] = []
        self.moves: set[str] = set()
        self.inbox: Inbox | None = None
        self.highlight = False
        self.wallet = Wallet()
        self.typed: list[str] = []
        self.targets: list[e.Target] = []
        self.by_hands: list[HumanInput] = []
        self.released = 0

    def stop_at(self, where: str) -> asyncio.Event:
        """Make `resolve {…}` or `act {…}` wait; the event that is returned tells that it has come there."""
        self.hold[where] = asyncio.Event()
        self.reached[where] = asyncio.Event()
        return self.reached[where]

    @asynccontextmanager
    async def session(self, wanted: Wanted) -> AsyncIterator["Stage"]:
        self.sessions += 1
        self.states.append(wanted.state)
        self.uploads, self.inbox = wanted.uploads, wanted.inbox
        self.attached = self.keep = wanted.own in self.living
        self.own = wanted.own if self.attached else f"browser-{self.sessions}" if self.isolated else ""
        self.url = self.living.pop(wanted.own, "about:blank")
        try:
            yield self
        finally:
            if self.hangs:
                await asyncio.Event().wait()
            self.closed += 1
            if self.own and self.keep:
                self.living[self.own] = self.url

    async def take_up(self, names: Collection[str], seconds: float) -> None:
        self.taken_up = True
        for name in self.living.keys() - set(names):
            del self.living[name]

    def end(self, name: str) -> None:
        if self.taken_up:  # nobody knows what an earlier process left before that
            self.living.pop(name, None)

    async def resolve(self, action: AnyAction) -> Resolved:
        await self._pass(f"resolve {as_json(action)}")
        typed = names(action.text) if isinstance(action, Input) else []
        secrets = tuple((name, self.wallet.host(name, self.url)) for name in typed)
        target = self.targets[0] if self.targets else None
        return Resolved(action=action, params=as_json(action), url=self.url, target=target, secrets=secrets)

    async def act(self, resolved: Resolved) -> Outcome:
        await self._pass(f"act {resolved.params}")
        if resolved.params in self.fails:
            raise self.fails[resolved.params]
        self.acts.append(resolved.params)
        if isinstance(resolved.action, Input):
            self.typed.append(self.wallet.filled(resolved.action.text))
        if isinstance(resolved.action, Upload) and self.uploads:
            self.offered.append({path.name: path.read_bytes() for path in self.uploads.iterdir()})
        self.url = getattr(resolved.action, "url", self.url)
        result = self.results.get(resolved.params, f"did {resolved.action.name}")
        return Outcome(result=result, url=self.url, moved=resolved.params in self.moves)

    async def look(self, *, tree: bool, picture: bool = False) -> Observation:
        await self._pass("look")
        if "look" in self.fails:
            raise self.fails["look"]
        news = tuple(self.news) if tree else ()
        self.news = self.news[len(news) :]
        return Observation(
            url=self.url,
            title="Stage",
            tree=self.tree if tree else "",
            picture=self.picture if picture else b"",
            news=news,
        )

    async def screenshot(self) -> bytes:
        return b"\x89PNG " + self.url.encode()

    async def show(self, put: Put) -> None:
        """One picture, which is the address."""
        put(self.url.encode(), 1280, 960)
        await asyncio.Event().wait()

    async def state(self) -> str:
        return f'{{"acts": {len(self.acts)}}}'

    async def by_hand(self, asked: HumanInput) -> Touch:
        """A click, wherever it is; an address is gone to."""
        await self._pass(f"hand {asked.act}")
        if f"hand {asked.act}" in self.fails:
            raise self.fails[f"hand {asked.act}"]
        if asked.act == "navigate":
            self.url = asked.url
        params: dict[str, object] = {"text": asked.text} if asked.act == "type" else {"x": asked.x, "y": asked.y}
        self.by_hands.append(asked)
        return Touch() if asked.act == "move" else Touch(name=asked.act, params=params, url=self.url)

    async def let_go(self) -> None:
        self.released += 1

    async def _pass(self, where: str) -> None:
        if where in self.hold:
            self.reached[where].set()
            await self.hold[where].wait()


class Script:
    """A model that says its lines, one step each; `thinks` makes every call wait for the event."""

    ledger: Ledger

    def __init__(self, *steps: Sequence[AnyAction], needs_tree: bool = False, output: str = "the end") -> None:
        self.needs_tree, self.needs_picture = needs_tree, False
        self.steps = steps
        self.output = output
        self.thinks: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.calls = 0
        self.pasts: list[tuple[PastStep, ...]] = []

    def ended(self, past: Sequence[PastStep]) -> Done | None:
        return Done(success=True, output=self.output) if len(past) >= len(self.steps) else None

    async def next(self, observation: Observation, past: Sequence[PastStep]) -> Reply:
        self.calls += 1
        self.pasts.append(tuple(past))
        self.asked.set()
        if self.thinks:
            await self.thinks.wait()
        return Reply(actions=tuple(self.steps[len(past)]), next_goal=f"line {len(past) + 1}")

    def recall(self, step: int) -> Sequence[AnyAction]:
        return self.steps[step]


class Overtaken(MemoryStore):
    """A log on which somebody else can be quicker, once."""

    def __init__(self) -> None:
        super().__init__()
        self.overtaking: tuple[type[e.Event], Callable[[Task], list[e.Event]], World] | None = None
        self.overtaken = asyncio.Event()

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
        if self.overtaking and any(isinstance(event, self.overtaking[0]) for event in events):
            (_, decision, world), self.overtaking = self.overtaking, None
            await world.tell(stream, decision)
            self.overtaken.set()
        return await super().append(stream, expected, events, actor=actor, command_id=command_id, lane=lane)


class World:
    """One store; workers come and go on it. Tasks without a script get the model of `choice`."""

    def __init__(self, path: Path) -> None:
        self.store = Overtaken()
        self.tasks = Repository(self.store, Task(), evolve)
        self.stage = Stage()
        self.scripts: dict[str, Script] = {}
        self.blobs = Blobs(path / "blobs")
        self.vault = Vault(path / "vault")
        self.files: Path | None = None
        self.workers = 0
        self.door = Door()
        self.input_seconds = 600.0
        self.session_idle_seconds = 600.0
        self.max_idle_sessions = 8
        self.judge: Judge = unjudged
        self.running: Worker | None = None
        self.choice: Choice | None = None

    @asynccontextmanager
    async def worker(self, *, max_concurrent: int = 4, keep_paused_seconds: float = 600.0) -> AsyncIterator[Worker]:
        """A running worker; leaving ends it as SIGTERM does."""
        self.workers += 1
        equipment = Equipment(
            models=self._model,
            readers=lambda assignment: self.choice.reader(assignment) if self.choice else None,
            browsers=self.stage,
            blobs=self.blobs,
            vault=self.vault,
            files=self.files,
            input_seconds=self.input_seconds,
            session_idle_seconds=self.session_idle_seconds,
            max_idle_sessions=self.max_idle_sessions,
            door=self.door,
            judge=self.judge,
        )
        worker = Worker(
            self.store,
            self.tasks,
            equipment,
            name=f"w{self.workers}",
            max_concurrent=max_concurrent,
            keep_paused_seconds=keep_paused_seconds,
        )
        self.stage.taken_up = False
        await worker.take_up()
        self.running = worker
        running = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            running.cancel()
            await asyncio.wait({running}, timeout=LIMIT)
            assert running.done(), "a worker ends when it is told to"

    async def create(
        self,
        name: str,
        script: Script | None = None,
        *,
        llm: str = "script",
        secrets: dict[str, str] | None = None,
        session: str = "",
        **fields: object,
    ) -> str:
        """A new task whose model says the script; answers its stream."""
        if script is not None:
            self.scripts[name] = script
        created = e.TaskCreated(
            instruction=name,
            llm=llm,
            session=session or f"s-{name}",
            project="p",
            family="v1",
            request_digest=name,
            secrets=tuple(secrets or ()),
            **fields,  # type: ignore[arg-type] # a test names the fields that it is about
        )
        if secrets:
            kept = {key: Secret(value) for key, value in secrets.items()}
            await put(self.vault, vault_name(f"task-{name}", created), kept)
        await self.tell(f"task-{name}", partial(decide.create, created=created))
        return f"task-{name}"

    def _model(self, assignment: Assignment) -> Model:
        script = self.scripts.get(assignment.created.instruction)
        if script is None and self.choice is not None:
            return self.choice.model(assignment)
        script = self.scripts[assignment.created.instruction]
        script.ledger = assignment.ledger
        return script

    async def tell(self, stream: str, decision: Callable[[Task], list[e.Event]]) -> None:
        """What a handler does: decide on the log, and nothing else."""
        await self.tasks.transact(stream, decision, actor="key:test")

    def gate(self, stream: str) -> Gate:
        """The gate of a task that is at work."""
        assert self.running is not None
        return self.running._gates[stream]

    @property
    def parked(self) -> "list[asyncio.Timeout]":
        """The limits of the tasks that are paused and keep their browsers: each can be brought forward."""
        assert self.running is not None
        return self.running._parking._kept

    def overtake(self, kind: type[e.Event], decision: Callable[[Task], list[e.Event]]) -> asyncio.Event:
        """Right before the first event of that kind is written, somebody decides; the event tells that it is so."""
        self.store.overtaking = kind, decision, self
        return self.store.overtaken

    async def answer(self, stream: str, value: str) -> None:
        """What the handler does: the value in the vault, then the answer on the log."""
        said = [recorded.event for recorded in await self.store.read_stream(stream)]
        request = [event.request for event in said if isinstance(event, e.InputRequested)][-1]
        await self.vault.put(answer_vault_name(stream, request), value.encode())
        await self.tell(stream, partial(decide.provide, request=request))

    async def until(self, stream: str, kind: type[e.Event], *, after: int = 0) -> Recorded:
        """The first event of that kind on the stream after a version. Fails when it does not come."""
        async with asyncio.timeout(LIMIT):
            while True:
                head = self.store.head
                for recorded in await self.store.read_stream(stream, after):
                    if isinstance(recorded.event, kind):
                        return recorded
                await self.store.wait(head)

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Begin the work, and let it come to its first wait."""
        return asyncio.create_task(work)

    async def settled(self) -> None:
        """Let everybody who can go on do so."""
        for _ in range(100):
            await asyncio.sleep(0)

    async def story(self, stream: str) -> list[str]:
        """The types of the stream's events, without `task.`."""
        return [type_of(recorded.event).removeprefix("task.") for recorded in await self.store.read_stream(stream)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Whatever happens in it, its tape breaks no rule."""
    world = World(tmp_path)
    yield world
    assert [] == violations(await world.store.read())


@pytest.fixture
def script() -> type[Script]:
    return Script
