"""How one endpoint wants to be asked: found out from what it refuses, and kept as long as the process runs."""

import base64
import re
from collections.abc import Sequence
from enum import IntEnum
from typing import Literal

import msgspec

from runner.llm.endpoints import Endpoint, Provider, Structured
from runner.llm.heard import characters
from runner.llm.shape import JsonSchema, all_said
from runner.llm.trouble import Said

Role = Literal["system", "user", "assistant"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a chat. `pictures` are PNG; only a user's message has any."""

    role: Role
    text: str
    pictures: tuple[bytes, ...] = ()


class Level(IntEnum):
    """How strictly an answer's shape is asked for."""

    WORDS = 0
    OBJECT = 1
    SCHEMA = 2
    STRICT = 3


_RANGE = {
    Structured.AUTO: (Level.STRICT, Level.WORDS),
    Structured.JSON_SCHEMA: (Level.STRICT, Level.SCHEMA),
    Structured.JSON_OBJECT: (Level.OBJECT, Level.OBJECT),
    Structured.PROMPT: (Level.WORDS, Level.WORDS),
}
"""The first and the last way that an endpoint is asked in, by its setting."""

_EFFORT = re.compile(r"reasoning.{0,3}(effort|value|level)|thinking[ _](is|level|budget|config)|supports? thinking")
"""Words about how much is thought, and none that a schema or the name of a model may have in it."""

_NEW_WORD = frozenset({Provider.OPENAI, Provider.AZURE})


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """`level` is how the shape is asked for, `new_word` whether a bound is called max_completion_tokens.

    `swapped` tells that the other word was tried before; `temperature`, `counting` and `effort` whether these are asked
    for, and `pictures` whether they are sent. `minimal` tells whether that is an effort; else it is `low`.
    """

    level: Level
    new_word: bool
    swapped: bool = False
    temperature: bool = True
    counting: bool = True
    pictures: bool = True
    effort: bool = True
    minimal: bool = True


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked. With a `schema` the answer shall be JSON that fits it, which is called `name`.

    `effort` is how much may be thought before: minimal, low, medium, high, or empty for as much as the model will.
    """

    messages: Sequence[Message]
    most_tokens: int
    schema: JsonSchema | None = None
    name: str = "answer"
    effort: str = ""

    @property
    def pictures(self) -> bool:
        """Whether there is something to see."""
        return any(message.pictures for message in self.messages)


def first_manner(endpoint: Endpoint, schema: JsonSchema | None) -> Manner:
    """What is tried first."""
    level = min(_RANGE[endpoint.structured][0], Level.STRICT if all_said(schema) else Level.SCHEMA)
    return Manner(level=level, new_word=endpoint.provider in _NEW_WORD, pictures=endpoint.vision is not False)


def humbler(manner: Manner, endpoint: Endpoint, question: Question, said: Said) -> Manner | None:
    """What to try after a request was refused so; None: it is not the manner that is wrong."""
    told = said.told.lower()
    blind = "image" in told and "support" in told and endpoint.vision is None
    if blind and question.pictures and manner.pictures:
        return msgspec.structs.replace(manner, pictures=False)  # with any status: llama.cpp says 500, OpenRouter 404
    if said.status not in (400, 422):
        return None
    if "stream_options" in told and manner.counting:
        return msgspec.structs.replace(manner, counting=False)
    if "temperature" in told and manner.temperature and endpoint.temperature is not None:
        return msgspec.structs.replace(manner, temperature=False)
    if _EFFORT.search(told) and question.effort and manner.effort:
        return _easier(manner, question)
    if ("max_tokens" in told or "max_completion_tokens" in told) and not manner.swapped:
        return msgspec.structs.replace(manner, new_word=not manner.new_word, swapped=True)
    if question.schema is not None and manner.level > _RANGE[endpoint.structured][1]:
        return msgspec.structs.replace(manner, level=Level(manner.level - 1))
    if question.effort and manner.effort:  # it does not say what is wrong: all ways again, and this left out
        level = first_manner(endpoint, question.schema).level
        return msgspec.structs.replace(manner, effort=False, level=level)
    return None


def _easier(manner: Manner, question: Question) -> Manner:
    """Many know the other levels and not `minimal`; `low` is nearer to it than to leave it to the model."""
    if question.effort == "minimal" and manner.minimal:
        return msgspec.structs.replace(manner, minimal=False)
    return msgspec.structs.replace(manner, effort=False)


def body(endpoint: Endpoint, manner: Manner, question: Question) -> dict[str, object]:
    """The request, as JSON will have it."""
    sent: dict[str, object] = {
        "model": endpoint.deployment or endpoint.model,
        "messages": [_message(message, pictures=manner.pictures) for message in _worded(manner, question)],
        "max_completion_tokens" if manner.new_word else "max_tokens": question.most_tokens,
    }
    if manner.counting:
        sent["stream_options"] = {"include_usage": True}
    if endpoint.temperature is not None and manner.temperature:
        sent["temperature"] = endpoint.temperature
    if question.effort and manner.effort:
        sent["reasoning_effort"] = question.effort if manner.minimal or question.effort != "minimal" else "low"
    if question.schema is not None and manner.level is not Level.WORDS:
        sent["response_format"] = _format(manner.level, question.name, question.schema)
    return sent


def in_words(schema: JsonSchema) -> str:
    """A schema for a model to read."""
    return f"Answer with one JSON object that fits this JSON schema, and with nothing else:\n{_json(schema)}"


def _worded(manner: Manner, question: Question) -> Sequence[Message]:
    """The messages; where the endpoint does not take the schema as such, with it in words."""
    if question.schema is None or manner.level >= Level.SCHEMA:
        return question.messages
    words = in_words(question.schema)
    first, *rest = question.messages
    if first.role != "system":
        return [Message(role="system", text=words), first, *rest]
    return [Message(role="system", text=f"{first.text}\n\n{words}"), *rest]


def _format(level: Level, name: str, schema: JsonSchema) -> dict[str, object]:
    if level is Level.OBJECT:
        return {"type": "json_object"}
    strict: dict[str, object] = {"strict": True} if level is Level.STRICT else {}
    return {"type": "json_schema", "json_schema": {"name": name, "schema": schema, **strict}}


def _message(message: Message, *, pictures: bool) -> dict[str, object]:
    text = characters(message.text)  # pages may say half a one, which cannot be sent
    if not pictures or not message.pictures:
        return {"role": message.role, "content": text}
    shown = [{"type": "image_url", "image_url": {"url": _data_url(picture)}} for picture in message.pictures]
    return {"role": message.role, "content": [{"type": "text", "text": text}, *shown]}


def _data_url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
