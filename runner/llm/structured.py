"""Answers in shape: asked for by schema, found in what came, read; what does not fit is sent back with the reason."""

import json
from collections.abc import Sequence
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
FOLLOWING = "Try again, or use a model that follows instructions better."
MOST_PLACES = 100
"""Braces in an answer where JSON is looked for."""

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
    effort: str = "",
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
            effort=effort,
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
    text = f"{model_in_words(client.endpoint)} does not answer in the shape that was asked for: {reason}"
    advice = "Allow it longer ones: max_output_tokens." if answer.finish == "length" else FOLLOWING
    raise ActFailed("model_broken", f"{text} {advice}")


def read(text: str, shape: Shape[T]) -> T:
    """What the text says, wherever in it the JSON stands. Raises ValueError with a reason for the model to read.

    Of several objects that fit none is taken: one of them may be what a page says, and not what the model wants.
    """
    said = text.rpartition(_THOUGHT)[2].strip()
    if isinstance(whole := _decoded(said), dict):
        return shape.decode(whole)
    fitting: list[T] = []
    reason: ValueError | None = None
    for value in _objects(said):
        try:
            fitting.append(shape.decode(value))
        except ValueError as error:
            reason = reason or error
    if len(fitting) > 1:
        raise ValueError("There is more than one JSON object in the answer. Say one, and nothing else.")
    if not fitting:
        raise reason or NoJson("There is no JSON object in the answer that is whole.")
    return fitting[0]


def _objects(said: str) -> list[object]:
    """The JSON objects in a text, each once."""
    found: list[object] = []
    start = -1
    for _ in range(MOST_PLACES):
        start = said.find("{", start + 1)
        if start < 0:
            break
        try:
            _, end = _JSON.raw_decode(said, start)
        except (ValueError, RecursionError):
            continue
        value = _decoded(said[start:end])
        if isinstance(value, dict) and value not in found:
            found.append(value)
        start = end - 1
    return found


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
