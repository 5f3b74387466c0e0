"""What one endpoint takes is found out from what it refuses; who stands in for whom."""

import asyncio
from typing import Any

import pytest

from runner.llm.client import Client, Message
from runner.llm.endpoints import Endpoint, Provider, Structured
from runner.llm.pool import open_clients
from runner.vocabulary import ActFailed
from tests.model_server import Asked, React, Status, Text, Turn, model_server
from tests.modelled import found

ASKED = [Message(role="system", text="Be brief."), Message(role="user", text="Which one?")]
LIMIT = 60.0
STRICT: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "boolean"}},
    "required": ["a"],
    "additionalProperties": False,
}
LOOSE: dict[str, Any] = {**STRICT, "required": []}


def way(asked: Asked) -> str:
    """How the shape of the answer was asked for."""
    asked_for = asked.body.get("response_format")
    if asked_for is None:
        return "words" if "JSON schema" in asked.texts[0] else "none"
    return "strict" if asked_for.get("json_schema", {}).get("strict") else str(asked_for["type"])


def taking(*ways: str) -> React:
    """An endpoint that refuses all other ways, as they do."""

    def react(asked: Asked) -> Turn:
        return Text('{"a": true}') if way(asked) in ways else Status(400, message="response_format is not supported")

    return react


@pytest.mark.parametrize(
    ("ways", "schema", "tried"),
    [
        (("strict",), STRICT, ["strict"]),
        (("json_schema",), STRICT, ["strict", "json_schema"]),
        (("json_schema",), LOOSE, ["json_schema"]),
        (("json_object",), LOOSE, ["json_schema", "json_object"]),
        (("words",), STRICT, ["strict", "json_schema", "json_object", "words"]),
    ],
)
async def test_a_shape_is_asked_for_as_strictly_as_the_endpoint_takes_it_and_that_is_remembered(
    ways: tuple[str, ...], schema: dict[str, Any], tried: list[str]
) -> None:
    async with model_server([taking(*ways)]) as served, Client(served.endpoint()) as client:
        first = await client.ask(ASKED, schema=schema)
        second = await client.ask(ASKED, schema=schema)

    assert ('{"a": true}', '{"a": true}') == (first.text, second.text)
    assert [*tried, tried[-1]] == [way(asked) for asked in served.requests]


@pytest.mark.parametrize(
    ("setting", "tried"),
    [
        (Structured.JSON_SCHEMA, ["strict", "json_schema"]),
        (Structured.JSON_OBJECT, ["json_object"]),
        (Structured.PROMPT, ["words"]),
    ],
)
async def test_what_is_set_is_not_gone_below(setting: Structured, tried: list[str]) -> None:
    async with model_server([taking()]) as served, Client(served.endpoint(structured=setting)) as client:
        with pytest.raises(ActFailed) as failed:
            await client.ask(ASKED, schema=STRICT)

    assert ("model_refused", tried) == (failed.value.code, [way(asked) for asked in served.requests])


async def test_what_did_not_help_is_not_remembered_and_one_shape_teaches_nothing_about_another() -> None:
    odd = Status(400, message="your picture is too small")
    async with model_server([odd, odd, odd, odd, taking("json_object")]) as served, Client(served.endpoint()) as client:
        with pytest.raises(ActFailed):
            await client.ask(ASKED, schema=STRICT, name="a")
        await client.ask(ASKED, schema=LOOSE, name="a")
        await client.ask(ASKED, schema=LOOSE, name="b")
        await client.ask(ASKED, schema=LOOSE, name="a")

    learnt = ["json_schema", "json_object"]
    assert [*learnt, *learnt, "json_object"] == [way(asked) for asked in served.requests[4:]]


async def test_a_bound_is_called_what_the_endpoint_calls_it_and_what_it_does_not_take_is_left_out() -> None:
    def reasoning(asked: Asked) -> Turn:
        for word in ("max_tokens", "temperature", "stream_options"):
            if word in asked.body:
                return Status(400, message=f"Unsupported parameter: '{word}' is not supported with this model.")
        return Text("ok", counted=False)

    async with model_server([reasoning]) as served, Client(served.endpoint(temperature=0.1)) as client:
        await client.ask(ASKED)
        await client.ask(ASKED)

    told = [sorted(asked.body.keys() - {"model", "messages", "stream"}) for asked in served.requests]
    assert [
        ["max_tokens", "stream_options", "temperature"],
        ["max_completion_tokens", "stream_options", "temperature"],
        ["max_completion_tokens", "stream_options"],
        ["max_completion_tokens"],
        ["max_completion_tokens"],
    ] == told


def thinking(*efforts: str, told: str) -> React:
    """An endpoint that takes these efforts of `reasoning_effort` and refuses others so."""

    def react(asked: Asked) -> Turn:
        return Text('{"a": true}') if effort(asked) in efforts else Status(400, message=told)

    return react


def effort(asked: Asked) -> str:
    """How much the model was to think."""
    return str(asked.body.get("reasoning_effort", ""))


@pytest.mark.parametrize(
    ("takes", "told", "wanted", "tried"),
    [
        (("minimal", "high", ""), "", "minimal", ["minimal"]),
        (("minimal", "high", ""), "", "high", ["high"]),
        (("low", ""), "invalid reasoning value: 'minimal' (must be low)", "minimal", ["minimal", "low"]),
        (("",), "Unsupported value: 'reasoning_effort' does not support it.", "minimal", ["minimal", "low", ""]),
        (("",), "Unrecognized request argument supplied: reasoning_effort", "high", ["high", ""]),
        (("",), "model-x does not support thinking", "high", ["high", ""]),
        (("",), "Extra inputs are not permitted", "high", ["high"] * 4 + [""]),
    ],
)
async def test_a_model_is_told_how_much_to_think_as_far_as_its_endpoint_takes_that_and_that_is_remembered(
    takes: tuple[str, ...], told: str, wanted: str, tried: list[str]
) -> None:
    async with model_server([thinking(*takes, told=told)]) as served, Client(served.endpoint()) as client:
        for _ in range(2):
            await client.ask(ASKED, schema=STRICT, effort=wanted)
        await client.ask(ASKED, schema=STRICT)

    assert [*tried, tried[-1], ""] == [effort(asked) for asked in served.requests]
    assert "strict" == way(served.requests[-1])


async def test_a_schema_that_is_refused_for_its_thoughts_says_nothing_about_how_much_is_thought() -> None:
    def refusing(asked: Asked) -> Turn:
        told = "Invalid schema for step_thinking: ('properties', 'thinking') has maxLength; use reasoning models."
        return Status(400, message=told) if way(asked) == "strict" else Text("{}")

    async with model_server([refusing]) as served, Client(served.endpoint()) as client:
        await client.ask(ASKED, schema=STRICT, effort="high")

    assert [("strict", "high"), ("json_schema", "high")] == [(way(asked), effort(asked)) for asked in served.requests]


@pytest.mark.parametrize("status", [500, 404, 400])
async def test_pictures_are_left_out_where_nobody_said_that_they_are_taken_and_they_are_not(status: int) -> None:
    def blind(asked: Asked) -> Turn:
        return Status(status, message="image input is not supported") if asked.pictures else Text("ok")

    shown = [Message(role="user", text="Look.", pictures=(b"png",))]
    async with model_server([blind]) as served:
        async with Client(served.endpoint(retries=0)) as client:
            await client.ask(shown)
            await client.ask(shown)
        async with Client(served.endpoint(retries=0, vision=True)) as client:
            with pytest.raises(ActFailed):
                await client.ask(shown)

    assert [1, 0, 0, 1] == [len(asked.pictures) for asked in served.requests]


@pytest.mark.parametrize(
    ("provider", "word"),
    [(Provider.OPENAI, "max_completion_tokens"), (Provider.OLLAMA, "max_tokens"), (Provider.COMPATIBLE, "max_tokens")],
)
async def test_the_word_that_the_provider_takes_is_tried_first(provider: Provider, word: str) -> None:
    async with model_server(["ok"]) as served, Client(served.endpoint(provider=provider)) as client:
        await client.ask(ASKED, most_tokens=7)

    assert 7 == served.requests[0].body[word]


FAILING = [Status(503), Status(429), Status(401), Status(402), Status(404)]


@pytest.mark.parametrize("turn", FAILING)
async def test_the_fallback_is_asked_where_there_is_no_service_and_the_usage_names_it(turn: Turn) -> None:
    async with model_server([turn]) as first, model_server(["ok"]) as second:
        main = first.endpoint("main", retries=0, fallback="spare")
        async with open_clients(found(main, second.endpoint("spare"))) as clients:
            answer = await clients.of("main").ask(ASKED)

    assert ("ok", "spare") == (answer.text, answer.usage.model)
    assert (1, 1) == (len(first.requests), len(second.requests))


async def test_a_request_that_is_wrong_in_itself_is_not_tried_elsewhere() -> None:
    async with model_server([Status(400)]) as first, model_server(["ok"]) as second:
        main = first.endpoint("main", fallback="spare")
        async with open_clients(found(main, second.endpoint("spare"))) as clients:
            with pytest.raises(ActFailed):
                await clients.of("main").ask(ASKED)

    assert [] == second.requests


async def test_fallbacks_that_stand_in_for_each_other_are_asked_once_round() -> None:
    async with model_server([Status(500)]) as first, model_server([Status(401)]) as second:
        main = first.endpoint("main", retries=0, fallback="spare")
        spare = second.endpoint("spare", retries=0, fallback="main")
        async with open_clients(found(main, spare)) as clients:
            for name in ("main", "spare"):
                with pytest.raises(ActFailed) as failed:
                    await asyncio.wait_for(clients.of(name).ask(ASKED), LIMIT)

    assert (2, 2) == (len(first.requests), len(second.requests))
    assert "model_refused" == failed.value.code
    assert "refused the key" in str(failed.value).partition(" Its fallback: ")[0]
    assert "does not work at present" in str(failed.value).partition(" Its fallback: ")[2]


async def test_a_model_is_one_client_for_all_and_what_is_gone_from_the_settings_is_named() -> None:
    endpoint = Endpoint(name="main", model="m", base_url="http://127.0.0.1:1/v1")
    async with open_clients(found(endpoint)) as clients:
        assert clients.of("main") is clients.of("main")
        with pytest.raises(ActFailed) as failed:
            clients.of("other")

    assert "no_model" == failed.value.code
    assert 'The model "other" is not configured any more.' == str(failed.value)


async def test_of_names_without_end_only_so_many_clients_are_kept() -> None:
    async with open_clients(lambda name: Endpoint(name=name, model=name, base_url="http://127.0.0.1:1/v1")) as clients:
        first, used = clients.of("first"), clients.of("used")
        for number in range(300):
            clients.of(f"any-{number}")
            clients.of("used")

        assert (False, True) == (first is clients.of("first"), used is clients.of("used"))
