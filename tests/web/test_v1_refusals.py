"""What v1 refuses to start, naming the field, and without a word on the tape."""

from io import BytesIO

import pytest

from api.service import Service
from tests.web.conftest import Client

RUN = "/api/v1/run-task"
UNSUPPORTED = "This version does not support this field yet; leave it out."
NO_MODEL = (
    'No model "gpt-4.1" is configured; configured: instructions. Leave it out, or have '
    "TAPEWRIGHT_MODEL_ALIASES say what it stands for."
)


def flaw(*loc: str | int, msg: str, type: str = "value_error") -> dict[str, object]:  # noqa: A002 # the wire's word
    return {"detail": [{"loc": list(loc), "msg": msg, "type": type}]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, flaw("body", "task", msg="field required", type="value_error.missing")),
        ({"task": None}, flaw("body", "task", msg="Expected `str`, got `null`")),
        ({"task": 5}, flaw("body", "task", msg="Expected `str`, got `int`")),
        ({"task": ""}, flaw("body", "task", msg="Expected `str` of length >= 1")),
        ({"task": " \n"}, flaw("body", "task", msg="The task must not be empty.")),
        ({"task": "x" * 50_001}, flaw("body", "task", msg="Expected `str` of length <= 50000")),
        ([], flaw("body", msg="Expected `object`, got `array`")),
        (5, flaw("body", msg="Expected `object`, got `int`")),
        ("task", flaw("body", msg="Expected `object`, got `str`")),
    ],
)
async def test_a_task_without_a_sentence_is_refused(client: Client, body: object, expected: object) -> None:
    response = await client.post(RUN, json=body)

    assert (422, expected) == (response.status, await response.json())


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"proxy_country_code": "de"},
            flaw("body", "proxy_country_code", msg='There is no proxy for the country "de"; configured: none.'),
        ),
        (
            {"llm_model": "gpt-4.1"},
            flaw("body", "llm_model", msg=NO_MODEL),
        ),
        ({"allowed_domains": "a.test"}, flaw("body", "allowed_domains", msg="Expected `array | null`, got `str`")),
        ({"allowed_domains": [5]}, flaw("body", "allowed_domains", 0, msg="Expected `str`, got `int`")),
        (
            {"allowed_domains": ["a.test", "a b"]},
            flaw(
                "body",
                "allowed_domains",
                1,
                msg='"a b" is not a domain; write a host (example.com) or *.host (*.example.com).',
            ),
        ),
        (
            {"structured_output_json": "[]"},
            flaw("body", "structured_output_json", msg="A JSON Schema must be a JSON object."),
        ),
        (
            {"structured_output_json": {"type": "objekt"}},
            flaw(
                "body",
                "structured_output_json",
                msg="This is not a valid JSON Schema: "
                "\"objekt\" is not valid under any of the schemas listed in the 'anyOf' keyword",
            ),
        ),
        (
            {"structured_output_json": 5},
            flaw("body", "structured_output_json", msg="Expected `str | object | null`, got `int`"),
        ),
        ({"metadata": {"b": "", "a": 5}}, flaw("body", "metadata", "a", msg="Expected `str`, got `int`")),
        ({"metadata": {"a" * 200: 5}}, flaw("body", "metadata", "a" * 100 + "…", msg="Expected `str`, got `int`")),
        (
            {"metadata": {str(place): "" for place in range(11)}},
            flaw("body", "metadata", msg="At most 10 pairs are allowed."),
        ),
        ({"max_agent_steps": 0}, flaw("body", "max_agent_steps", msg="Expected `int` >= 1")),
        ({"max_agent_steps": 201}, flaw("body", "max_agent_steps", msg="Expected `int` <= 200")),
        ({"max_agent_steps": "75"}, flaw("body", "max_agent_steps", msg="Expected `int | null`, got `str`")),
        ({"browser_viewport_width": 319}, flaw("body", "browser_viewport_width", msg="Expected `int` >= 320")),
        ({"browser_viewport_width": 10**30}, flaw("body", "browser_viewport_width", msg="Expected `int` <= 6144")),
        ({"browser_viewport_height": 3457}, flaw("body", "browser_viewport_height", msg="Expected `int` <= 3456")),
        ({"use_adblock": "yes"}, flaw("body", "use_adblock", msg="Expected `bool | null`, got `str`")),
    ],
)
async def test_a_field_that_cannot_be_honoured_is_named_and_nothing_is_recorded(
    client: Client, service: Service, fields: dict[str, object], expected: object
) -> None:
    response = await client.post(RUN, json={"task": "Open the shop.", **fields})

    assert (422, expected, 0) == (response.status, await response.json(), service.store.head)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"task": "x"',
        b"\xef\xbb\xbf{}",
        b'{"task": "\xff"}',
        b'{"task": "\xed\xa0\x80"}',
        b'{"task": "\\ud800"}',
        b'{"task": "\\udc00\\ud800"}',
        b"task=Open+the+shop",
        b"NaN",
        b"[" * 100_000,
        b'{"task": "x", "unheard_of": ' + b"[" * 100_000,
    ],
)
async def test_what_is_no_json_is_refused(client: Client, service: Service, body: bytes) -> None:
    response = await client.post(RUN, data=body)

    answer = await response.json()
    assert (422, ["body"], "value_error", 0) == (
        response.status,
        answer["detail"][0]["loc"],
        answer["detail"][0]["type"],
        service.store.head,
    )


async def test_an_empty_body_is_refused(client: Client) -> None:
    response = await client.post(RUN)

    assert (422, flaw("body", msg="A JSON body is required.")) == (response.status, await response.json())


async def test_a_huge_body_is_refused(client: Client, service: Service) -> None:
    body = b'{"task": "' + b"x" * service.settings.max_body_bytes + b'"}'

    response = await client.post(RUN, data=BytesIO(body))

    assert (413, {"detail"}, 0) == (response.status, set(await response.json()), service.store.head)


async def test_what_is_too_large_for_the_tape_is_refused(client: Client, service: Service) -> None:
    response = await client.post(RUN, json={"task": "\u0001" * 50_000})

    assert (422, 0) == (response.status, service.store.head)
