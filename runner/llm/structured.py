"""Answers in shape: asked for by schema, found in what came, read; what does not fit is sent back with the reason."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from runner.llm.client import Answer, Client, Message
from runner.llm.manner import in_words
from runner.llm.shape import Shape
from runner.llm.trouble import model_in_words
from runner.model import Ledger
from runner.vocabulary import ActFailed

T = TypeVar("T")

REPAIRS = 2
SHOWN_CHARACTERS = 4_000
REASON_CHARACTERS = 600
MOST_PLACES = 50
"""Braces in an answer where JSON is looked for."""

_FENCED = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
_THOUGHT = "</think>"
_JSON = json.JSONDecoder()


class NoJson(ValueError):
    """Of an endpoint that takes a schema this cannot come: it does not heed it."""


async def structured(
    client: Client,
    ledger: Ledger,
    messages: Sequence[Message],
    shape: Shape[T],
    *,
    purpose: str,
    most_tokens: int = 0,
) -> T:
    """An answer that fits the shape. The ledger is asked before each call and charged after, whatever came of it.

    A reply that does not fit goes back with the reason, twice at most; those calls are charged as `repair`.

    Raises Exhausted, and ActFailed: as Client.ask does, model_declined where the model will not answer, model_broken
    where it does not manage to.
    """
    asked = messages
    for again in range(REPAIRS + 1):
        ledger.allow()
        answer = await client.ask(
            asked,
            schema=shape.schema,
            name=shape.name,
            most_tokens=most_tokens,
            paid=partial(ledger.charge, "repair" if again else purpose),
        )
        _accepted(client, answer)
        try:
            return read(answer.text, shape)
        except ValueError as error:
            reason = _reason(answer, error)
            if isinstance(error, NoJson) and answer.finish != "length":
                client.unheeded(shape.name, answer.usage.model)
        asked = [*messages, *_sent_back(answer.text, reason, shape)]
    text = f"{model_in_words(client.endpoint)} does not answer in the shape that was asked for: {reason} "
    raise ActFailed("model_broken", f"{text}Try again, or use a model that follows instructions better.")


def read(text: str, shape: Shape[T]) -> T:
    """What the text says, wherever in it the JSON stands. Raises ValueError with a reason for the model to read."""
    reason: ValueError | None = None
    for value in _objects(text):
        try:
            return shape.decode(value)
        except ValueError as error:
            reason = reason or error
    raise reason or NoJson("There is no JSON object in the answer that is whole.")


def _objects(text: str) -> Iterator[object]:
    """JSON objects in the text, the likeliest first: behind thoughts, then in fences, then anywhere."""
    said = text.rpartition(_THOUGHT)[2].strip()
    for part in (said, *_FENCED.findall(said)):
        value = _decoded(part)
        if isinstance(value, dict):
            yield value
    start = -1
    for _ in range(MOST_PLACES):
        start = said.find("{", start + 1)
        if start < 0:
            return
        try:
            _, end = _JSON.raw_decode(said, start)
        except (ValueError, RecursionError):
            continue
        value = _decoded(said[start:end])
        if isinstance(value, dict):
            yield value
            start = end - 1


def _decoded(text: str) -> object:
    """None where it is no JSON: half a character and numbers that are none are told from it here, and nowhere later."""
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return None


def _accepted(client: Client, answer: Answer) -> None:
    """Raises ActFailed where the model refuses."""
    if answer.text or not (answer.refusal or answer.finish == "content_filter"):
        return
    text = f"{model_in_words(client.endpoint)} will not answer this. Say the task in other words, or use another model."
    raise ActFailed("model_declined", text)


def _reason(answer: Answer, error: ValueError) -> str:
    if answer.finish == "length":
        return "The answer was cut, as it was too long."
    reason = str(error)[:REASON_CHARACTERS].strip()
    return reason if reason.endswith(".") else f"{reason}."


def _sent_back(text: str, reason: str, shape: Shape[T]) -> tuple[Message, Message]:
    """The reply, as far as it helps, and what was wrong with it."""
    shown = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]} …"
    shorter = " Say less." if "cut" in reason else ""
    wrong = f"This answer cannot be used: {reason}{shorter} {in_words(shape.schema)}"
    return Message(role="assistant", text=shown or "(nothing)"), Message(role="user", text=wrong)
