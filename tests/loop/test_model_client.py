"""The client of models against a server that speaks the real protocol, in all the ways that it goes wrong."""

import logging
import traceback
from collections.abc import Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from eventstore.events import Usage
from eventstore.secrets import Secret
from runner.llm.client import Answer, Client, Message
from runner.llm.endpoints import Provider
from runner.vocabulary import ActFailed
from tests.model_server import (
    KEY,
    Disconnect,
    MidError,
    ModelServer,
    Raw,
    Refusal,
    Status,
    Text,
    Tool,
    Turn,
    model_server,
)
from tests.modelled import Hours

PROMPT = "the prompt of the task"
ASKED = [Message(role="system", text="Be brief."), Message(role="user", text=PROMPT)]
SCHEMA = {"type": "object", "properties": {"a": {"type": "boolean"}}, "required": ["a"], "additionalProperties": False}
COUNTED = Usage(model="scripted", input_tokens=100, output_tokens=10)


async def answers(script: Sequence[Turn], hours: Hours | None = None, **settings: Any) -> tuple[Answer, ModelServer]:
    """What the client makes of the script."""
    async with model_server(script) as served, (hours or Hours()).client(served.endpoint(**settings)) as client:
        return await client.ask(ASKED), served


async def fails(script: Sequence[Turn], hours: Hours | None = None, **settings: Any) -> tuple[ActFailed, ModelServer]:
    async with model_server(script) as served, (hours or Hours()).client(served.endpoint(**settings)) as client:
        with pytest.raises(ActFailed) as failed:
            await client.ask(ASKED)
        return failed.value, served


async def test_a_question_is_put_in_the_words_of_the_protocol_and_the_stream_is_put_together() -> None:
    async with model_server([Text("Hello there.", cached_tokens=40)]) as served:
        endpoint = served.endpoint(headers={"X-Team": Secret("blue")}, temperature=0.5, max_output_tokens=300)
        async with Client(endpoint) as client:
            answer = await client.ask([*ASKED, Message(role="user", text="And this?", pictures=(b"png",))])

    (asked,) = served.requests
    assert {
        "model": "model-x",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": PROMPT},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "And this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}},
                ],
            },
        ],
        "max_tokens": 300,
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    } == asked.body
    assert (f"Bearer {KEY}", "blue") == (asked.headers["Authorization"], asked.headers["X-Team"])
    usage = Usage(model="scripted", input_tokens=100, output_tokens=10, cached_tokens=40)
    assert Answer(text="Hello there.", usage=usage, finish="stop", milliseconds=answer.milliseconds) == answer


@pytest.mark.parametrize(
    "turn",
    [
        Text("Hi", whole=True),
        Raw(b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}', "application/json"),
    ],
)
async def test_an_endpoint_that_does_not_stream_is_heard_too(turn: Turn) -> None:
    answer, _ = await answers([turn])

    assert "Hi" == answer.text


@pytest.mark.parametrize("whole", [False, True])
async def test_a_call_of_a_tool_is_read_as_the_answer_and_a_refusal_is_told_apart(whole: bool) -> None:
    called, _ = await answers([Tool('{"a": true}', whole=whole)])
    refused, _ = await answers([Refusal("No.", whole=whole)])

    assert ('{"a": true}', "") == (called.text, called.refusal)
    assert ("", "No.") == (refused.text, refused.refusal)


async def test_a_picture_is_not_sent_to_a_model_that_takes_none() -> None:
    async with model_server(["ok"]) as served, Client(served.endpoint(vision=False)) as client:
        await client.ask([Message(role="user", text="Look.", pictures=(b"png",))])

    assert [{"role": "user", "content": "Look."}] == served.requests[0].body["messages"]


async def test_half_a_character_of_a_page_is_sent_as_none_and_one_that_comes_in_two_parts_is_one() -> None:
    parts = b"".join(b'data: {"choices":[{"delta":{"content":"%s"}}]}\n\n' % half for half in (b"\\ud83d", b"\\ude00"))
    end = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    async with model_server([Raw(parts + end)]) as served, Client(served.endpoint()) as client:
        answer = await client.ask([Message(role="user", text="a\ud83db")])

    assert ("\U0001f600", "a\ufffdb") == (answer.text, served.requests[0].last)


async def test_without_a_count_the_tokens_are_guessed_and_the_price_is_not() -> None:
    answer, _ = await answers([Text("four", counted=False)], provider=Provider.OPENAI, model="gpt-4.1")

    assert Usage(model="scripted", input_tokens=8, output_tokens=1, cost_usd=None) == answer.usage


@pytest.mark.parametrize(
    "turn",
    [
        Status(500),
        Status(408),
        Status(409),
        Status(429),
        Status(502, body="<html>bad gateway</html>"),
        MidError(502),
        MidError("rate_limit_exceeded"),
        Disconnect(),
        Disconnect(2),
        Raw(b""),
        Raw(b"data: {broken\n\n"),
        Raw(b'data: {"choices":[{"delta":{"content":"half"}}]}\n\n'),
    ],
)
async def test_what_passes_is_asked_again_after_longer_and_longer_pauses(turn: Turn) -> None:
    hours = Hours()

    answer, served = await answers([turn, turn, turn, "ok"], hours)

    assert ("ok", 4) == (answer.text, len(served.requests))
    assert len(hours.slept) == 3
    assert all(
        low <= slept <= 1.25 * high for slept, low, high in zip(hours.slept, (0.25, 0.5, 1), (0.5, 1, 2), strict=True)
    )


@pytest.mark.parametrize(
    ("turn", "code", "words"),
    [
        (Status(500), "model_unavailable", "does not work at present (500)"),
        (Status(503, code="overloaded"), "model_unavailable", "does not work at present (503, overloaded)"),
        (Status(429), "model_rate_limited", "takes no more calls for now (429)"),
        (Disconnect(), "model_unreachable", "cannot be reached"),
        (Disconnect(1), "model_unreachable", "broke off in the middle of its answer"),
    ],
)
async def test_what_does_not_pass_is_asked_no_more_often_than_is_set(turn: Turn, code: str, words: str) -> None:
    failed, served = await fails([turn], retries=2)

    assert (code, 3) == (failed.code, len(served.requests))
    assert words in str(failed)


@pytest.mark.parametrize(
    ("turn", "code", "words"),
    [
        (
            Status(401, message=f"Incorrect API key provided: {KEY}"),
            "model_refused",
            "refused the key of its settings (401)",
        ),
        (Status(403), "model_refused", "refused the key"),
        (Status(402), "model_refused", "has no credit left (402)"),
        (Status(429, code="insufficient_quota"), "model_refused", "has no credit left (429, insufficient_quota)"),
        (Status(404, code="model_not_found"), "model_refused", "is not known there (404, model_not_found)"),
        (Status(400, message=PROMPT), "model_refused", "did not take the request (400: Bad Request)"),
        (Status(400, code="context_length_exceeded"), "model_too_long", "cannot take in so much at once"),
        (Status(413), "model_too_long", "cannot take in so much at once"),
        (Status(400, code="content_filter"), "model_declined", "content filter took offence"),
        (Status(400, code=f"odd {KEY}"), "model_refused", "(400: Bad Request)"),
        (Status(307, headers={"Location": "/v1/other"}), "model_refused", "is not where its base URL points (307)"),
        (Raw(b"<html>Welcome</html>", "text/html"), "model_refused", "not as chat completions do"),
        (Raw(b"[]", "application/json"), "model_refused", "not as chat completions do"),
        (Raw(b"Hello.", "text/plain"), "model_refused", "not as chat completions do"),
        (Raw(b"[" * 200_000, "application/json"), "model_refused", "not as chat completions do"),
    ],
)
async def test_what_will_not_pass_is_asked_once_and_said_without_the_key_or_the_prompt(
    turn: Turn, code: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logged:
        failed, served = await fails([turn])

    assert (code, 1) == (failed.code, len(served.requests))
    assert words in str(failed)
    assert str(failed).startswith('The model "scripted" (model-x, 127.0.0.1:')
    told = "".join([*traceback.format_exception(failed), str(logged), caplog.text])
    assert (False, False) == (KEY in told, PROMPT in told)


async def test_nobody_at_the_address_is_said_so() -> None:
    async with model_server([]) as served:
        endpoint = served.endpoint(retries=1)
    hours = Hours()
    async with hours.client(endpoint) as client:
        with pytest.raises(ActFailed) as failed:
            await client.ask(ASKED)

    assert ("model_unreachable", 1) == (failed.value.code, len(hours.slept))
