"""The shapes of a model's replies as JSON schemas, and what is read from them. Pure.

Actions stand as `{"click": {"index": 12}}`, as clients of the vendor's v2 API know them. The end is `done`, alone.
"""

from collections.abc import Mapping

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


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The end as a model says it: `text`, or where the task has an output schema `data`."""

    success: bool
    text: str = ""
    data: object = None


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
    def words(self) -> tuple[str, ...]:
        """The texts before the actions."""
        said = ("memory",) if self.flash else ("evaluation_previous_goal", "memory", "next_goal")
        return ("thinking", *said) if self.thinking and not self.flash else said

    def schema(self) -> Schema:
        """The JSON schema of a reply."""
        offers = {} if self.last else {name: _body(*parameters(kind)) for name, kind in OFFERED.items()}
        output: Schema = {"type": "object"} if self.data else {"type": "string", "maxLength": FILE}
        named = "data" if self.data else "text"
        done = _body({"success": {"type": "boolean"}, named: output}, ["success", named])
        one = [_body({name: body}, [name]) for name, body in (offers | {DONE: done}).items()]
        action = {"type": "array", "minItems": 1, "maxItems": 1 if self.last else MOST_ACTS, "items": {"anyOf": one}}
        said = {word: {"type": "string", "maxLength": LENGTHS[word]} for word in self.words}
        return _body({**said, "action": action}, [*said, "action"])

    def read(self, value: object) -> Turn:
        """What the reply says. Raises Malformed.

        What may be left out may be null as well. `done` beside other actions is left out: whoever says it has not seen
        yet what they bring.
        """
        said = _given(value)
        entries = [said["action"]] if isinstance(said.get("action"), dict) else _list(said.get("action"))
        bodies = [(name, _given(body)) for name, body in map(_entry, entries)]
        self._check({**said, "action": [{name: body} for name, body in bodies]})
        acts = [_act(name, body) for name, body in bodies if name != DONE]
        ends = [body for name, body in bodies if name == DONE]
        return Turn(
            acts=tuple(acts),
            ending=msgspec.convert(ends[0], Ending) if ends and not acts else None,
            evaluation=str(said.get("evaluation_previous_goal", "")),
            memory=str(said.get("memory", "")),
            next_goal=str(said.get("next_goal", "")),
        )

    def _check(self, said: Mapping[str, object]) -> None:
        """Against the schema: entry by entry, as an error about all the shapes at once would help nobody."""
        schema = self.schema()
        action = schema["properties"]["action"]  # type: ignore[index] # it was put there above
        offers = {next(iter(one["properties"])): one for one in action["items"]["anyOf"]}
        for number, entry in enumerate(_list(said.get("action"))):
            name, _ = _entry(entry)
            if name not in offers:
                raise Malformed(f"at /action/{number}: there is no action {name!r}; there are: {', '.join(offers)}.")
            _fits(offers[name], entry, f"/action/{number}")
        action["items"] = {}
        _fits(schema, said, "")


def _body(properties: Mapping[str, object], required: list[str]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": required,
        "additionalProperties": False,
    }


def _fits(schema: Schema, value: object, place: str) -> None:
    validator = jsonschema_rs.validator_for(schema, offline=True)
    for error in validator.iter_errors(value):
        where = "".join(f"/{step}" for step in error.instance_path)
        raise Malformed(f"at {place}{where or '/'}: {error.message[:300]}")


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


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
