"""Puts `<secret>name</secret>` in the place of every spelling of a secret's value, in texts and events. Pure."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from eventstore import events as e
from eventstore.secrets import Secret, Secrets
from runner.placeholders import PLACEHOLDER, placeholder
from runner.spellings import pattern

S = TypeVar("S", bound=msgspec.Struct)

WORDS: dict[type, frozenset[str]] = {
    e.ActionStarted: frozenset({"name", "effect"}),
    e.ActionEnded: frozenset({"code"}),
    e.StepTaken: frozenset({"screenshot", "saw"}),
    e.StepInterrupted: frozenset({"cause"}),
    e.TaskPaused: frozenset({"cause", "limit"}),
    e.TaskStopped: frozenset({"cause"}),
    e.TaskFailed: frozenset({"code"}),
    e.SecretUsed: frozenset({"name"}),
    e.CostRecorded: frozenset({"purpose"}),
    e.JudgementRecorded: frozenset({"model"}),
    e.Usage: frozenset({"model", "cost_usd"}),
    e.TaskClaimed: frozenset({"runner"}),
    e.RunnerLost: frozenset({"runner", "cause"}),
    e.TaskRequeued: frozenset({"reason"}),
    e.BrowserOpened: frozenset({"browser"}),
    e.InputRequested: frozenset({"request", "kind"}),
    e.InputExpired: frozenset({"request"}),
    e.HumanActed: frozenset({"name"}),
    e.File: frozenset({"id", "blob"}),
    e.RecordingSaved: frozenset({"file"}),
}
"""Fields whose words are ours and mean something to programs: no page and no model has a say in them."""

JSON = frozenset({(e.ActionStarted, "params"), (e.HumanActed, "params"), (e.JudgementRecorded, "report")})
"""Fields that are JSON text."""


class Mask:
    """Of one task's secrets. What it has masked is left as it is when it is masked again."""

    def __init__(self, secrets: Secrets | None = None) -> None:
        self._secrets = dict(secrets or {})
        self._arrange()

    def learn(self, name: str, secret: Secret) -> None:
        """One more value, from now on."""
        self._secrets[name] = secret
        self._arrange()

    def _arrange(self) -> None:
        values = sorted(self._secrets.items(), key=lambda entry: len(entry[1].reveal()), reverse=True)
        self._known = frozenset(self._secrets)
        self._patterns = [(placeholder(name), pattern(secret.reveal())) for name, secret in values]

    @property
    def longest(self) -> int:
        """Characters that the longest value may take, however it is spelled."""
        return max((len(secret.reveal()) for secret in self._secrets.values()), default=0) * 6

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def text(self, text: str) -> str:
        """The text without the values. Placeholders of these secrets stay."""
        if not self._patterns or not text:
            return text
        out: list[str] = []
        position = 0
        for found in PLACEHOLDER.finditer(text):
            if found[1] in self._known:
                out += [self._between(text[position : found.start()]), found[0]]
                position = found.end()
        return "".join([*out, self._between(text[position:])])

    def spans(self, text: str) -> list[tuple[int, int, str]]:
        """Where values stand, in order and apart: start, end, and the placeholder of the first of them."""
        found = sorted(
            ((match.start(), -match.end(), rank, name) for rank, (name, each) in enumerate(self._patterns)
             for match in each.finditer(text) if match.end() > match.start())
        )  # fmt: skip
        merged: list[tuple[int, int, str]] = []
        for start, minus, _, name in found:
            if merged and start < merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], -minus), merged[-1][2])
            else:
                merged.append((start, -minus, name))
        return merged

    def json(self, text: str) -> str:
        """JSON text with the strings in it masked and its keys as they are; what is no JSON is masked as text."""
        try:
            value: object = msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return self.text(text)
        return msgspec.json.encode(self._value(value)).decode() if self._patterns else text

    def struct(self, struct: S) -> S:
        """An event, or another struct, with every text in it masked, at any depth, save those in WORDS."""
        if not self._patterns:
            return struct
        words = WORDS.get(type(struct), frozenset())
        changes: dict[str, object] = {}
        for name in struct.__struct_fields__:
            value = getattr(struct, name)
            if name in words:
                continue
            changes[name] = self.json(value) if (type(struct), name) in JSON else self._value(value)
        return msgspec.structs.replace(struct, **changes)

    def _value(self, value: object) -> object:
        match value:
            case str():
                return self.text(value)
            case msgspec.Struct():
                return self.struct(value)
            case Mapping():
                return {key: self._value(inner) for key, inner in value.items()}
            case tuple():
                return tuple(self._value(inner) for inner in value)
            case Sequence() if not isinstance(value, bytes):
                return [self._value(inner) for inner in value]
        return value

    def _between(self, text: str) -> str:
        out: list[str] = []
        position = 0
        for start, end, name in self.spans(text):
            out += [text[position:start], name]
            position = end
        return "".join([*out, text[position:]])
