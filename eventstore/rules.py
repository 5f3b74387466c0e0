"""What every whole tape obeys, whoever wrote it: fed every event in order, it names each breach in a sentence. Pure.

The rules are written from the promises, and not with the tables and decisions that should keep them. They hold a few
values per task that has not ended, and one number per stream. What was redacted still counts by its type; only what
its payload would have told is not asked for. Events of a newer version count as a version, and as nothing else.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from eventstore import codec
from eventstore import events as e
from eventstore.breaches import ENDS, Breach, after_the_end, breaches
from eventstore.lives import Life

RULES: dict[str, str] = {
    "dense": "Positions are dense on the tape, and versions in each stream.",
    "time": "Every event is later than the one before it.",
    "created": "A task begins by being created, once.",
    "absorbing": "Nothing follows the end of a task but its recording and removals.",
    "one_end": "A task ends once.",
    "rest": "No claim, step, act or resumption begins while a pause or a stop is wanted.",
    "asked": "A task is paused when a pause is wanted and stopped when a stop is, in answer to the last request.",
    "requests": "A pause is asked for when none is wanted, a resume when one is, and nothing after a stop.",
    "commands": "A command takes effect once, however often it is sent.",
    "claim": "A task is claimed when nobody holds it, and attempts count up by one.",
    "holder": "Only a runner that holds the task acts for it, and only its own loss is told.",
    "fence": "Every fact carries the fence of the last claim.",
    "at_work": "Steps, acts and a finish are those of a task that is started and not paused.",
    "resumed": "A task is resumed only after it was paused.",
    "steps": "One step at a time, numbered beyond all that were taken; what ends is what was begun.",
    "acts": "One act at a time, within its step; what ends is what was begun.",
    "secrets": "A secret is used only where the task was created with its name, or is a person's answer to it.",
    "control": "A person acts only in a paused task that he has taken over; nothing begins before he gives it back.",
    "questions": "One question at a time; what is answered is what was asked, and nothing begins while it waits.",
}


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """The event at `position` breaks the rule of that name; `sentence` says how."""

    position: int
    stream: str
    rule: str
    sentence: str


class Told(Protocol):
    """As much of an event as the rules need: `Recorded` and `Stored` both have it."""

    @property
    def position(self) -> int: ...
    @property
    def stream(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def at(self) -> int: ...
    @property
    def command_id(self) -> str: ...
    @property
    def payload(self) -> bytes | None: ...


class Rules:
    """Feed it every event of a tape, in order from the first."""

    def __init__(self) -> None:
        self._position = 0
        self._at = 0
        self._versions: dict[str, int] = {}
        self._lives: dict[str, Life] = {}
        self._ended: set[str] = set()

    def take(self, told: Told) -> list[Violation]:
        """What the next event breaks: mostly nothing."""
        found = [*self._place(told)]
        if told.stream.startswith("task-") and told.type in codec.TYPES:
            found += self._task(told)
        return [
            Violation(position=told.position, stream=told.stream, rule=rule, sentence=sentence)
            for rule, sentence in found
        ]

    def _place(self, told: Told) -> Iterator[Breach]:
        version = self._versions.get(told.stream, 0) + 1
        if told.position != self._position + 1:
            yield "dense", f"position {told.position} follows {self._position}"
        if told.version != version:
            yield "dense", f"version {told.version} stands where {version} should"
        if told.at <= self._at:
            yield "time", f"its time {told.at} is not after {self._at}"
        self._position, self._at = told.position, max(told.at, self._at)
        self._versions[told.stream] = told.version

    def _task(self, told: Told) -> list[Breach]:
        if told.stream in self._ended:
            return list(after_the_end(told.type))
        life = self._lives.setdefault(told.stream, Life())
        event = codec.decode(told.type, told.payload)
        known = None if isinstance(event, e.Unknown) else event
        broken = list(breaches(life, told.type, told.command_id, known))
        life.live(told.type, told.version, told.command_id, known)
        if told.type in ENDS:
            del self._lives[told.stream]
            self._ended.add(told.stream)
        return broken


def violations(tape: Iterable[Told]) -> list[Violation]:
    """All that a whole tape breaks."""
    rules = Rules()
    return [violation for told in tape for violation in rules.take(told)]
