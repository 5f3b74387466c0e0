"""Answers in shape from a real endpoint: what they cost is on the ledger, and what is broken is repaired."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from eventstore.events import Usage
from runner.llm.client import Client, Message
from runner.llm.endpoints import Structured
from runner.llm.shape import bounded
from runner.llm.structured import structured
from runner.model import Exhausted
from runner.vocabulary import ActFailed
from tests.model_server import Asked, Hang, ModelServer, Refusal, Status, Text, Tool, Turn, model_server

ASKED = [Message(role="system", text="Be brief."), Message(role="user", text="Which one?")]
LIMIT = 60.0


class Choice(msgspec.Struct, frozen=True):
    index: Annotated[int, Meta(ge=1, le=9)]


SHAPE = bounded(Choice, "choice")


class Book:
    """A ledger: so many calls are allowed; `charged` is what each was for, and its tokens."""

    def __init__(self, calls: int = 100) -> None:
        self.calls = calls
        self.charged: list[tuple[str, int]] = []

    def allow(self) -> None:
        if len(self.charged) >= self.calls:
            raise Exhausted("max_tokens", "Enough.")

    def charge(self, purpose: str, usage: Usage, milliseconds: int) -> None:
        self.charged.append((purpose, usage.input_tokens + usage.output_tokens))


async def asked(script: Sequence[Turn], book: Book) -> tuple[Choice | ActFailed | Exhausted, ModelServer]:
    """What the client makes of the script."""
    async with model_server(script) as served, Client(served.endpoint(retries=0, quiet_seconds=0.5)) as client:
        try:
            return await structured(client, book, ASKED, SHAPE, purpose="step"), served
        except (ActFailed, Exhausted) as failed:
            return failed, served


@pytest.mark.parametrize(
    "turn",
    [
        '{"index": 3}',
        Text('{"index": 3}', whole=True),
        '```json\n{"index": 3}\n```',
        '<think>{"index": 1}?</think> {"index": 3}',
        Tool('{"index": 3}'),
        Text('{"index": 3}', finish="length"),
        Text('{"index": 3}', finish="content_filter"),
    ],
)
async def test_an_answer_that_can_be_read_is_taken_and_charged_once(turn: Turn) -> None:
    book = Book()

    answer, served = await asked([turn], book)

    assert Choice(3) == answer
    assert ([("step", 110)], 1) == (book.charged, len(served.requests))


async def test_a_broken_answer_goes_back_with_the_reason_and_each_repair_is_charged_as_one() -> None:
    book = Book()

    answer, served = await asked(['{"index": 12}', "The third one.", '{"index": 3}'], book)

    assert Choice(3) == answer
    assert [("step", 110), ("repair", 110), ("repair", 110)] == book.charged
    first, second, third = served.requests
    assert ["Be brief.", "Which one?"] == first.texts == second.texts[:2]
    assert ('{"index": 12}', "The third one.") == (second.texts[2], third.texts[2])
    assert [4, 4] == [len(second.texts), len(third.texts)]
    assert "Expected `int` <= 9 - at `$.index`" in second.last
    assert "There is no JSON object in the answer that is whole." in third.last
    assert '"maximum":9' in third.last


async def test_an_endpoint_that_takes_a_schema_and_does_not_heed_it_is_told_it_in_words_from_then_on() -> None:
    def heedless(request: Asked) -> Turn:
        return '{"index": 3}' if "JSON schema" in "".join(request.texts) else "The third one."

    async with model_server([heedless]) as served, Client(served.endpoint()) as client:
        answers = [await structured(client, Book(), ASKED, SHAPE, purpose="step") for _ in range(2)]

    assert [Choice(3), Choice(3)] == answers
    assert [True, False, False] == ["response_format" in request.body for request in served.requests]
    assert "JSON schema" in served.requests[2].texts[0]


async def test_what_is_set_about_shapes_stays_though_it_is_not_heeded() -> None:
    async with model_server(["No."]) as served, Client(served.endpoint(structured=Structured.JSON_OBJECT)) as client:
        with pytest.raises(ActFailed):
            await structured(client, Book(), ASKED, SHAPE, purpose="step")

    assert [True] * 3 == ["response_format" in request.body for request in served.requests]


async def test_an_answer_that_was_cut_goes_back_cut_with_a_request_to_say_less() -> None:
    endless = Text('{"index": ' + "1" * 50_000, finish="length")

    answer, served = await asked([endless, '{"index": 3}'], Book())

    assert Choice(3) == answer
    assert "was cut, as it was too long. Say less." in served.requests[1].last
    assert len(served.requests[1].texts[2]) < 4_100


async def test_a_model_that_uses_up_its_tokens_before_it_answers_fails_with_what_to_set() -> None:
    failed, _ = await asked([Text("", finish="length")], Book())

    assert isinstance(failed, ActFailed)
    assert str(failed).endswith("The answer was cut, as it was too long. Allow it longer ones: max_output_tokens.")


async def test_a_model_that_reacts_to_what_it_is_told_mends_its_answer() -> None:
    def model(request: Asked) -> Turn:
        return '{"index": 3}' if "cannot be used" in request.last else "{}"

    assert Choice(3) == (await asked([model], Book()))[0]


async def test_after_two_repairs_the_task_fails_with_the_model_and_the_reason() -> None:
    book = Book()

    failed, served = await asked(["No."], book)

    assert isinstance(failed, ActFailed)
    assert ("model_broken", 3, 3) == (failed.code, len(served.requests), len(book.charged))
    assert 'The model "scripted"' in str(failed)
    assert "There is no JSON object in the answer that is whole." in str(failed)


async def test_an_empty_answer_is_sent_back_as_something_that_can_be_sent() -> None:
    _, served = await asked(["", '{"index": 3}'], Book())

    assert "(nothing)" == served.requests[1].texts[2]


@pytest.mark.parametrize("turn", [Refusal(), Refusal(whole=True), Text("", finish="content_filter")])
async def test_a_model_that_will_not_answer_is_not_asked_to_repair_that(turn: Turn) -> None:
    book = Book()

    failed, served = await asked([turn], book)

    assert isinstance(failed, ActFailed)
    assert ("model_declined", 1, 1) == (failed.code, len(served.requests), len(book.charged))


async def test_no_call_is_made_that_the_ledger_does_not_allow_and_no_repair_either() -> None:
    none, some = Book(calls=0), Book(calls=1)

    first, unasked = await asked(['{"index": 3}'], none)
    second, once = await asked(["No.", '{"index": 3}'], some)

    assert (True, True) == (isinstance(first, Exhausted), isinstance(second, Exhausted))
    assert (0, 1) == (len(unasked.requests), len(once.requests))


async def test_what_was_counted_is_charged_though_the_answer_is_lost_and_what_cost_nothing_is_not() -> None:
    lost, refused = Book(), Book()

    await asked([Hang(parts=1, counted=True)], lost)
    await asked([Status(500)], refused)

    assert ([("step", 110)], []) == (lost.charged, refused.charged)


async def test_who_is_cancelled_while_an_answer_comes_is_charged_for_what_came() -> None:
    book, came = Book(), asyncio.Event()
    script = [Hang(parts=1, heard=came)]
    async with model_server(script) as served, Client(served.endpoint(max_output_tokens=100_000)) as client:
        call = asyncio.create_task(structured(client, book, ASKED, SHAPE, purpose="step"))
        await asyncio.wait_for(came.wait(), LIMIT)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(served.requests[0].hung_up.wait(), LIMIT)

    assert [("step", 7)] == book.charged
