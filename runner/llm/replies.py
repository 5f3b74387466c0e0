"""The shapes of a model's replies as JSON schemas, and what is read from them. Pure.

Actions stand as `{"click": {"index": 12}}`, as clients of the vendor's v2 API know them. The end is `done`, alone.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import jsonschema_rs
import msgspec

from runner.llm.offers import FILE, OFFERED, Schema, act, parameters
from runner.vocabulary import AnyAction

DONE = "done"
MOST_ACTS = 5
"""In one step."""

LENGTHS = {"thinking": 4_000, "evaluation_previous_goal": 500, "memory": 2_000, "next_goal": 500}
"""Characters of what a model says beside its actions."""


class Malformed(ValueError):
    """A reply has not the shape that was asked for. The message says where and why, for the model to read."""


class Unended(Malformed):
    """The one thing left was to end, and it wants to go on."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end as a model says it: `text`, or where the task has an output schema `data`; None: it has none to give."""

    success: bool
    text: str = ""
    data: dict[str, object] | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply says: acts, or the end."""

    acts: tuple[AnyAction, ...] = ()
    ending: Ending | None = None
    evaluation: str = ""
    memory: str = ""
    next_goal: str = ""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The shape of one reply. `flash` leaves out evaluation and goal, `thinking` puts thoughts in front.

    With `last` there is nothing but `done`. With `data` its output is an object instead of text.
    """

    flash: bool = False
    thinking: bool = False
    last: bool = False
    data: bool = False

    @property
    def name(self) -> str:
        """What the shape is called to endpoints, which take some and refuse others."""
        parts = {"flash": self.flash, "thinking": self.thinking, "last": self.last, "data": self.data}
        return "_".join(("step", *(part for part, so in parts.items() if so)))

    @property
    def words(self) -> tuple[str, ...]:
        """The texts before the actions."""
        said = ("memory",) if self.flash else ("evaluation_previous_goal", "memory", "next_goal")
        return ("thinking", *said) if self.thinking and not self.flash else said

    def schema(self) -> Schema:
        """The JSON schema of a reply. One for all, not to be changed."""
        return _schema(self)

    def read(self, value: object) -> Turn:
        """What the reply says. Raises Malformed.

        What may be left out may be null as well; words that are missing or too long are not worth another call. `done`
        beside other actions is left out: whoever says it has not seen
        yet what they bring.
        """
        said = _given(value)
        entries = [said["action"]] if isinstance(said.get("action"), dict) else _list(said.get("action"))
        bodies = [(name, _given(body)) for name, body in map(_entry, entries)]
        self._check(entries)
        acts = [_act(name, body) for name, body in bodies if name != DONE]
        ends = [body for name, body in bodies if name == DONE]
        return Turn(
            acts=tuple(acts),
            ending=msgspec.convert(ends[0], Ending) if ends and not acts else None,
            evaluation=_text(said, "evaluation_previous_goal"),
            memory=_text(said, "memory"),
            next_goal=_text(said, "next_goal"),
        )

    def _check(self, entries: list[object]) -> None:
        """Against the schema: entry by entry, as an error about all the shapes at once would help nobody."""
        checks = _checks(self)
        for number, entry in enumerate(entries):
            name, body = _entry(entry)
            if name not in checks:
                kind = Unended if self.last and name in OFFERED else Malformed
                raise kind(f"at /action/{number}: there is no action {name!r}; there are: {', '.join(checks)}.")
            _fits(checks[name], _given(body), f"/action/{number}/{name}")
        most = 1 if self.last else MOST_ACTS
        if not 1 <= len(entries) <= most:
            raise Malformed(f"at /action: there must be 1 to {most} actions, and there are {len(entries)}.")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What the body of an action must fit, which of its fields may be null, and all that it has."""

    validator: jsonschema_rs.Validator
    spare: dict[str, None]
    fields: tuple[str, ...]


@cache
def _schema(form: Form) -> Schema:
    acts = {} if form.last else {name: closed(*parameters(kind)) for name, kind in OFFERED.items()}
    text: Schema = {"type": "string", "maxLength": FILE}
    output: dict[str, Schema] = {"data": {"type": "object"}, "text": text} if form.data else {"text": text}
    done = closed({"success": {"type": "boolean"}, **output}, ["success"] if form.data else ["success", "text"])
    one = [closed({name: body}, [name]) for name, body in (acts | {DONE: done}).items()]
    action: Schema = {
        "type": "array",
        "minItems": 1,
        "maxItems": 1 if form.last else MOST_ACTS,
        "items": {"anyOf": one},
    }
    said: dict[str, Schema] = {word: {"type": "string", "maxLength": LENGTHS[word]} for word in form.words}
    return closed({**said, "action": action}, [*said, "action"])


@cache
def _checks(form: Form) -> dict[str, Check]:
    """For each action."""
    found: dict[str, Check] = {}
    schema: Any = form.schema()
    for one in schema["properties"]["action"]["items"]["anyOf"]:
        ((name, body),) = one["properties"].items()
        spare = dict.fromkeys(key for key, inner in body["properties"].items() if _spare(inner))
        validator = jsonschema_rs.validator_for(body, offline=True)
        found[name] = Check(validator=validator, spare=spare, fields=tuple(body["properties"]))
    return found


def closed(properties: Mapping[str, Schema], needed: Sequence[str]) -> Schema:
    """The schema of an object that says all of this and nothing else; what is not needed may be null.

    Endpoints hold a model strictly only to what says all that may be there.
    """
    said = {name: schema if name in needed else _or_null(schema) for name, schema in properties.items()}
    return {"type": "object", "properties": said, "required": list(said), "additionalProperties": False}


def _or_null(schema: Schema) -> Schema:
    if schema.get("type") == "object":
        return {"anyOf": [schema, {"type": "null"}]}
    words = schema.get("enum")
    enum: Schema = {"enum": [*words, None]} if isinstance(words, list) else {}
    return {**schema, "type": [schema["type"], "null"], **enum}


def _spare(schema: Mapping[str, object]) -> bool:
    return "anyOf" in schema or isinstance(schema.get("type"), list)


def _fits(check: Check, body: Mapping[str, object], place: str) -> None:
    """Raises Malformed. A field that there is not comes first: it may be another that is missing, misnamed."""
    for error in sorted(check.validator.iter_errors({**check.spare, **body}), key=_known):
        where = "".join(f"/{step}" for step in error.instance_path)
        there = "" if _known(error) else f"; there are: {', '.join(check.fields)}."
        raise Malformed(f"at {place}{where}: {error.message[:300]}{there}")


def _known(error: jsonschema_rs.ValidationError) -> bool:
    """Whether it is about a field that the action has."""
    return error.schema_path != ["additionalProperties"]


def _given(value: object) -> dict[str, object]:
    """An object without its nulls."""
    return {key: inner for key, inner in value.items() if inner is not None} if isinstance(value, dict) else {}


def _entry(entry: object) -> tuple[str, object]:
    """`{"click": {…}}` as its name and its body."""
    if not isinstance(entry, dict) or len(entry) != 1:
        raise Malformed('at /action: each is an object with one key, such as {"click": {"index": 12}}.')
    return next(iter(entry.items()))


def _act(name: str, body: Mapping[str, object]) -> AnyAction:
    try:
        return act(name, body)
    except (msgspec.ValidationError, KeyError) as error:
        raise Malformed(f"at /action: {name}: {error}") from None


def _text(said: Mapping[str, object], word: str) -> str:
    value = said.get(word, "")
    return value[: LENGTHS[word]] if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
