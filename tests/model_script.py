"""What a scripted model may do with a request, and how that looks on the wire of the chat-completions protocol."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

MODEL = "model-x-2026"
COMMENT = b": " + b"." * 65_534 + b"\n\n"
FLOOD_BYTES = 16 * 2**20


@dataclass(frozen=True)
class Text:
    """An answer in so many parts. `finish` is its reason; `counted` whether its tokens are told."""

    text: str
    finish: str = "stop"
    parts: int = 3
    prompt_tokens: int = 100
    completion_tokens: int = 10
    cached_tokens: int = 0
    counted: bool = True
    said_model: str = MODEL
    whole: bool = False  # answered as one JSON object, though a stream was asked for


@dataclass(frozen=True)
class Tool:
    """A call of a tool in place of a text."""

    arguments: str
    whole: bool = False


@dataclass(frozen=True)
class Refusal:
    """The model will not."""

    text: str = "I can't help with that."
    whole: bool = False


@dataclass(frozen=True)
class Status:
    """A status with an error in OpenAI's form, or with a body of its own."""

    status: int
    code: str = ""
    message: str = "no"
    retry_after: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class Raw:
    """A body as it is, of any content type."""

    body: bytes
    kind: str = "text/event-stream"


@dataclass(frozen=True)
class MidError:
    """An error as a part of the stream, behind a status of 200."""

    code: int | str = 502


@dataclass(frozen=True)
class Hang:
    """Nothing more, after so many parts of a text; before the first, not even a status. Ends when the client leaves.

    `counted` tells the tokens before. With `heard` comments follow, more than any buffer holds; it is set once they are
    sent, so that the client must have heard the parts by then.
    """

    parts: int = 0
    counted: bool = False
    heard: asyncio.Event | None = None


@dataclass(frozen=True)
class Disconnect:
    """The connection is cut after so many parts; before the first, without even a status."""

    parts: int = 0


@dataclass(frozen=True)
class Endless:
    """This part again and again, until the client leaves."""

    part: str = "word "
    every: float = 0.0  # seconds between two of them
    comments: bool = False  # no parts but comments, as of a server that keeps a connection alive


Streamed = Text | Tool | Refusal | MidError | Hang | Disconnect | Endless


class Cut(Exception):
    """The connection is to be cut here."""


async def parts(turn: Streamed, *, counting: bool) -> AsyncIterator[bytes]:
    """The body of a stream, up to its end mark. Raises Cut."""
    match turn:
        case Text():
            for part in _pieces(turn.text, turn.parts):
                yield _event(_chunk({"content": part}, turn.said_model))
            yield _event(_chunk({}, turn.said_model, turn.finish))
        case Tool(arguments=arguments):
            for part in _pieces(arguments, 2):
                call = {"index": 0, "function": {"name": "answer", "arguments": part}}
                yield _event(_chunk({"tool_calls": [call]}))
            yield _event(_chunk({}, finish="tool_calls"))
        case Refusal(text=text):
            yield _event(_chunk({"refusal": text}))
            yield _event(_chunk({}, finish="stop"))
        case MidError(code=code):
            yield _event(_chunk({"content": "half an"}))
            yield _event({"error": {"message": "upstream", "code": code}})
        case Endless():
            line = b": still here\n\n" if turn.comments else _event(_chunk({"content": turn.part}))
            while True:
                yield line if turn.every else line * 50
                await asyncio.sleep(turn.every)
        case Hang() | Disconnect():
            async for event in _unended(turn):
                yield event
    if counting and getattr(turn, "counted", True):
        yield _event({**_chunk({}), "choices": [], "usage": _usage(turn)})


async def _unended(turn: Hang | Disconnect) -> AsyncIterator[bytes]:
    for _ in range(turn.parts):
        yield _event(_chunk({"content": "part "}))
    if isinstance(turn, Disconnect):
        raise Cut
    if turn.counted:
        yield _event({**_chunk({}), "choices": [], "usage": _usage(turn)})
    if turn.heard is not None:
        for _ in range(FLOOD_BYTES // len(COMMENT)):
            yield COMMENT
        turn.heard.set()
    await forever()


def whole(turn: Text | Tool | Refusal) -> dict[str, Any]:
    """The answer as one object."""
    message: dict[str, Any] = {"role": "assistant", "content": None}
    finish, model = "stop", MODEL
    match turn:
        case Text():
            message["content"], finish, model = turn.text, turn.finish, turn.said_model
        case Tool(arguments=arguments):
            call = {"id": "t", "type": "function", "function": {"name": "answer", "arguments": arguments}}
            message["tool_calls"], finish = [call], "tool_calls"
        case Refusal(text=text):
            message["refusal"] = text
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion", "model": model, "choices": [choice], "usage": _usage(turn)}


async def forever() -> None:
    """Until cancelled: the client has left, or the test has ended."""
    await asyncio.Event().wait()


def _event(chunk: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _chunk(delta: dict[str, Any], model: str = MODEL, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


def _usage(turn: Streamed) -> dict[str, Any]:
    counted = turn if isinstance(turn, Text) else Text("")
    return {
        "prompt_tokens": counted.prompt_tokens,
        "completion_tokens": counted.completion_tokens,
        "total_tokens": counted.prompt_tokens + counted.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": counted.cached_tokens},
    }


def _pieces(text: str, number: int) -> list[str]:
    size = max(1, -(-len(text) // number))
    return [text[start : start + size] for start in range(0, len(text), size)]
