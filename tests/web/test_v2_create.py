"""Starting a task as v2 has it: what is recorded and what is refused."""

import pytest

from api.service import Service
from eventstore import events as e
from tests.web.conftest import KEY, Client, Drive

TASKS = "/api/v2/tasks"
UNSUPPORTED = "This version does not support this field yet; leave it out."
NO_LEVEL = '"deep" is no level of thinking; there are: disabled, minimal, low, medium, high.'
NO_JUDGE = "instructions cannot judge; leave this out, or name a model in judgeLlm. Configured: none."
NO_SUCH_JUDGE = "instructions cannot judge; name a model. Configured: none."
UNKNOWN = "01890000-0000-7000-8000-000000000000"
NO_MODEL = (
    'No model "browser-use-2.0" is configured; configured: instructions. Leave it out, or have '
    "TAPEWRIGHT_MODEL_ALIASES say what it stands for."
)


def flaw(*loc: str | int, msg: str, type: str = "value_error") -> dict[str, object]:  # noqa: A002 # the wire's word
    return {"detail": [{"loc": list(loc), "msg": msg, "type": type}]}


async def created(drive: Drive, answer: dict[str, str]) -> e.TaskCreated:
    """The first event of the task, without its digest."""
    event = (await drive.tape(answer["id"]))[0].event
    assert isinstance(event, e.TaskCreated)
    return e.TaskCreated(**{name: getattr(event, name) for name in event.__struct_fields__} | {"request_digest": ""})


def wish(session: str, **fields: object) -> e.TaskCreated:
    """What a body that holds no more than `Open the shop.` amounts to, and more."""
    plain: dict[str, object] = {
        "instruction": "Open the shop.",
        "llm": "instructions",
        "session": session,
        "project": "default",
        "family": "v2",
        "request_digest": "",
        "limits": e.Limits(max_steps=100),
    }
    return e.TaskCreated(**plain | fields)  # type: ignore[arg-type] # a mistake shows in the comparison


async def test_a_task_needs_no_more_than_its_sentence(client: Client, drive: Drive) -> None:
    response = await client.post(TASKS, json={"task": "Open the shop."})

    answer = await response.json()
    assert (202, {"id", "sessionId"}) == (response.status, set(answer))
    assert wish(answer["sessionId"]) == await created(drive, answer)


async def test_every_field_that_has_a_meaning_is_recorded(client: Client, drive: Drive) -> None:
    body = {
        "task": "Open the shop.",
        "llm": "instructions",
        "startUrl": "http://shop.test/",
        "maxSteps": 10_000,
        "structuredOutput": '{"type": "object"}',
        "metadata": {"order": "17"},
        "secrets": {},
        "allowedDomains": ["*.shop.test"],
        "opVaultId": "",
        "sessionSettings": {
            "profileId": None,
            "proxyCountryCode": None,
            "browserScreenWidth": 1024,
            "browserScreenHeight": 768,
            "enableRecording": False,
        },
        "highlightElements": False,
        "flashMode": True,
        "thinking": False,
        "thinkingLevel": "high",
        "vision": True,
        "systemPromptExtension": "Be kind.",
        "judge": False,
        "judgeGroundTruth": "17",
        "judgeLlm": "instructions",
        "skillIds": [],
        "unheardOf": {"is": "ignored"},
    }

    response = await client.post(TASKS, json=body)

    answer = await response.json()
    expected = wish(
        answer["sessionId"],
        start_url="http://shop.test/",
        limits=e.Limits(max_steps=10_000),
        options=e.Options(viewport_width=1024, viewport_height=768),
        output_schema='{"type": "object"}',
        allowed_domains=("*.shop.test",),
        metadata={"order": "17"},
        agent=e.Agent(
            flash=True,
            thinking=False,
            thinking_level="high",
            vision="on",
            highlight=False,
            extension="Be kind.",
            ground_truth="17",
            judge_llm="instructions",
        ),
    )
    assert 202 == response.status
    assert expected == await created(drive, answer)


async def test_null_counts_as_left_out(client: Client, drive: Drive) -> None:
    nulls = dict.fromkeys(
        (
            "llm",
            "startUrl",
            "maxSteps",
            "structuredOutput",
            "sessionId",
            "metadata",
            "secrets",
            "allowedDomains",
            "opVaultId",
            "sessionSettings",
            "highlightElements",
            "flashMode",
            "thinking",
            "thinkingLevel",
            "vision",
            "systemPromptExtension",
            "judge",
            "judgeGroundTruth",
            "judgeLlm",
            "skillIds",
        )
    )

    response = await client.post(TASKS, json={"task": "Open the shop.", **nulls})

    answer = await response.json()
    assert 202 == response.status
    assert wish(answer["sessionId"]) == await created(drive, answer)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"task": ""}, flaw("body", "task", msg="Expected `str` of length >= 1")),
        ({"task": " "}, flaw("body", "task", msg="The task must not be empty.")),
        ({"task": "x" * 50_001}, flaw("body", "task", msg="Expected `str` of length <= 50000")),
        (
            {"llm": "browser-use-2.0"},
            flaw("body", "llm", msg=NO_MODEL),
        ),
        ({"opVaultId": "v"}, flaw("body", "opVaultId", msg=UNSUPPORTED)),
        (
            {"systemPromptExtension": "x" * 2_001},
            flaw("body", "systemPromptExtension", msg="Expected `str` of length <= 2000"),
        ),
        ({"thinkingLevel": "deep"}, flaw("body", "thinkingLevel", msg=NO_LEVEL)),
        ({"judgeGroundTruth": "x" * 10_001}, flaw("body", "judgeGroundTruth", msg="Expected `str` of length <= 10000")),
        ({"judge": True}, flaw("body", "judge", msg=NO_JUDGE)),
        ({"judge": True, "judgeLlm": "instructions"}, flaw("body", "judgeLlm", msg=NO_SUCH_JUDGE)),
        ({"judgeLlm": "browser-use-2.0"}, flaw("body", "judgeLlm", msg=NO_MODEL)),
        ({"skillIds": ["*"]}, flaw("body", "skillIds", msg=UNSUPPORTED)),
        (
            {"sessionSettings": {"proxyCountryCode": "de"}},
            flaw(
                "body",
                "sessionSettings",
                "proxyCountryCode",
                msg='There is no proxy for the country "de"; configured: none.',
            ),
        ),
        (
            {"sessionSettings": {"browserScreenWidth": 319}},
            flaw("body", "sessionSettings", "browserScreenWidth", msg="Expected `int` >= 320"),
        ),
        (
            {"sessionSettings": {"browserScreenHeight": 3457}},
            flaw("body", "sessionSettings", "browserScreenHeight", msg="Expected `int` <= 3456"),
        ),
        ({"sessionSettings": []}, flaw("body", "sessionSettings", msg="Expected `object | null`, got `array`")),
        ({"maxSteps": 0}, flaw("body", "maxSteps", msg="Expected `int` >= 1")),
        ({"maxSteps": 10_001}, flaw("body", "maxSteps", msg="Expected `int` <= 10000")),
        ({"vision": "always"}, flaw("body", "vision", msg="Invalid enum value 'always'")),
        ({"sessionId": "session"}, flaw("body", "sessionId", msg="Invalid UUID")),
        ({"structuredOutput": {}}, flaw("body", "structuredOutput", msg="Expected `str | null`, got `object`")),
        ({"structuredOutput": "[]"}, flaw("body", "structuredOutput", msg="A JSON Schema must be a JSON object.")),
        (
            {"startUrl": "file:///etc/passwd"},
            flaw(
                "body",
                "startUrl",
                msg="The start URL must be an http or https URL without user name, of at most 8192 characters.",
            ),
        ),
        (
            {"allowedDomains": ["a b"]},
            flaw(
                "body",
                "allowedDomains",
                0,
                msg='"a b" is not a domain; write a host (example.com) or *.host (*.example.com).',
            ),
        ),
        ({"metadata": {"": "x"}}, flaw("body", "metadata", msg="A key must have 1 to 100 characters.")),
    ],
)
async def test_a_field_that_cannot_be_honoured_is_named_and_nothing_is_recorded(
    client: Client, service: Service, fields: dict[str, object], expected: object
) -> None:
    response = await client.post(TASKS, json={"task": "Open the shop.", **fields})

    assert (422, expected, 0) == (response.status, await response.json(), service.store.head)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"task": "\\ud800"}', b"\xff", b"[" * 100_000])
async def test_what_is_no_object_is_refused(client: Client, service: Service, body: bytes) -> None:
    response = await client.post(TASKS, data=body)

    answer = await response.json()
    assert (422, ["body"], 0) == (response.status, answer["detail"][0]["loc"], service.store.head)


async def test_a_task_is_required(client: Client) -> None:
    response = await client.post(TASKS, json={})

    expected = flaw("body", "task", msg="field required", type="value_error.missing")
    assert (422, expected) == (response.status, await response.json())


async def test_the_same_key_and_body_are_the_same_task_and_session(client: Client, service: Service) -> None:
    headers = {"Idempotency-Key": "order 17"}

    first = await client.post(TASKS, json={"task": "Open the shop."}, headers=headers)
    again = await client.post(TASKS, json={"task": "Open the shop."}, headers=headers)

    assert (202, 202, await first.json(), 1) == (first.status, again.status, await again.json(), service.store.head)
    assert (None, "true") == (first.headers.get("Idempotency-Replayed"), again.headers.get("Idempotency-Replayed"))


@pytest.mark.parametrize("path", [TASKS, "/api/v1/run-task"])
async def test_the_same_key_and_another_request_are_refused(client: Client, service: Service, path: str) -> None:
    headers = {"Idempotency-Key": "order 17"}
    await client.post(TASKS, json={"task": "Open the shop."}, headers=headers)

    response = await client.post(path, json={"task": "Open the shop.", "metadata": {}}, headers=headers)

    sentence = "This Idempotency-Key was used for another request; send the same body again, or a new key."
    assert (422, flaw("header", "Idempotency-Key", msg=sentence), 1) == (
        response.status,
        await response.json(),
        service.store.head,
    )


async def test_either_header_carries_the_key(anonymous: Client) -> None:
    answers = [
        await anonymous.post(TASKS, json={"task": "Open the shop."}, headers=headers)
        for headers in ({"X-Browser-Use-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {})
    ]

    assert [202, 202, 401] == [answer.status for answer in answers]
