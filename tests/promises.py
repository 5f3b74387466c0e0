"""What a service has acknowledged, and whether the tape of the next one keeps it. Every breach is a sentence."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import msgspec

from eventstore import codec
from eventstore import events as e
from eventstore.audit import Audit, Stored
from eventstore.machine import State
from eventstore.rows import PAGE_AFTER
from eventstore.rules import Rules
from eventstore.task import Task, evolve
from runner.action_json import from_json
from runner.vocabulary import Click

ENDS = frozenset({State.FINISHED, State.FAILED, State.STOPPED})


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A pause, resume or stop that was answered with success."""

    task: str
    verb: str
    key: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An event as a stream told it: `hash` covers where it stands and what it says, `data` is what it says."""

    position: int
    type: str
    hash: str
    data: msgspec.Raw


class Promises:
    """What clients were told. `states` are those that must hold until the client asks for something else."""

    def __init__(self) -> None:
        self.created: dict[str, str] = {}
        self.unanswered: dict[str, bytes] = {}
        self.commands: list[Command] = []
        self.states: dict[str, str] = {}
        self.seen: dict[int, Seen] = {}
        self.wrong: list[str] = []

    def count(self) -> int:
        """How many facts clients were told of."""
        return len(self.created) + len(self.commands) + len(self.states) + len(self.seen)

    def settle(self) -> None:
        """All of it was kept: forget what later tapes tell by themselves, as they are the same tape."""
        self.created.clear()
        self.commands.clear()
        self.seen.clear()


class Copy:
    """The tape of one data directory, read beside the service: audited, held against the rules, and folded."""

    def __init__(self, data: Path) -> None:
        self._path = data / "tape.db"
        self._audit: Audit | None = None
        self._rules = Rules()
        self.position = 0
        self.events: dict[int, tuple[str, str, bytes]] = {}
        self.tasks: dict[str, Task] = {}
        self.commands: set[tuple[str, str]] = set()
        self.intents: set[str] = set()

    def read(self) -> Iterator[str]:
        """Read on, in one snapshot; gives what is wrong with it."""
        db = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        try:
            if self._audit is None:
                ((log_id,),) = db.execute("SELECT log_id FROM head")
                self._audit = Audit(log_id)
            for row in db.execute(PAGE_AFTER, (self.position, 10**9)):
                stored = Stored(*row)
                if problem := self._audit.take(stored):
                    yield f"position {stored.position}: {problem}"
                for violation in self._rules.take(stored):
                    yield f"position {violation.position}, {violation.rule}: {violation.sentence}"
                self.position = stored.position
                self.events[stored.position] = (stored.type, stored.hash.hex(), stored.payload or b"")
                self._fold(stored)
        finally:
            db.close()

    def _fold(self, stored: Stored) -> None:
        if not stored.stream.startswith("task-"):
            return
        event = codec.decode(stored.type, stored.payload)
        self.tasks[stored.stream] = evolve(self.tasks.get(stored.stream) or Task(), event)
        self.commands.add((stored.stream, stored.command_id))
        match event:
            case e.ActionStarted(name="click", params=params):
                act = from_json(params)
                if isinstance(act, Click):
                    self.intents.add(act.target.text)


def breaches(promises: Promises, copy: Copy, since: float, effects: Sequence[str]) -> Iterator[str]:
    """What the tape of the service that began at `since` does not keep of what earlier ones have promised.

    `effects` are the buttons that were ever clicked in the world; every task has its own.
    """
    yield from copy.read()
    for key, task in promises.created.items():
        if f"task-{task}" not in copy.tasks:
            yield f"the task {task} (key {key}) was acknowledged, and is not there"
    for command in promises.commands:
        stream = f"task-{command.task}"
        there = (stream, f"{command.verb}:{command.key}") in copy.commands
        if not there and not (command.verb == "stop" and copy.tasks[stream].ended):
            yield f"the {command.verb} of {command.task} was acknowledged, and is not there"
    for position, seen in promises.seen.items():
        if (seen.type, seen.hash, bytes(seen.data)) != copy.events.get(position):
            yield f"the event {position} was seen as {seen.type} {seen.hash}, and is {copy.events.get(position)}"
    for task, state in promises.states.items():
        now = copy.tasks[f"task-{task}"].state
        if now != state:
            yield f"{task} was {state}, and is {now} though nobody asked for it"
    runners = {task.runner for task in copy.tasks.values() if task.runner and not task.ended}
    if dead := {runner for runner in runners if UUID(runner).int >> 80 < since * 1000}:
        yield f"tasks are held by runners that are gone: {dead}"
    if len(runners) > 1:
        yield f"tasks are held by several runners: {runners}"
    if len(effects) != len(set(effects)):
        yield f"something was done twice: {sorted(effect for effect in set(effects) if effects.count(effect) > 1)}"
    if silent := set(effects) - copy.intents:
        yield f"something was done of which the tape tells nothing: {silent}"
