"""Starting a task as v1 has it: what is recorded, and what is the same request again."""

import json

import pytest

from api.service import Service
from eventstore import events as e
from tests.web.conftest import KEY, Client, Drive

RUN = "/api/v1/run-task"


def flaw(*loc: str | int, msg: str, type: str = "value_error") -> dict[str, object]:  # noqa: A002 # the wire's word
    return {"detail": [{"loc": list(loc), "msg": msg, "type": type}]}


async def created(drive: Drive, task_id: str) -> e.TaskCreated:
    """The first event of the task, without what is made by chance."""
    event = (await drive.tape(task_id))[0].event
    assert isinstance(event, e.TaskCreated)
    assert (36, 64) == (len(event.session), len(event.request_digest))
    return e.TaskCreated(
        **{name: getattr(event, name) for name in event.__struct_fields__} | {"session": "s", "request_digest": "d"}
    )


def wish(**fields: object) -> e.TaskCreated:
    """What a body that holds no more than `Open the shop.` amounts to, and more."""
    plain: dict[str, object] = {
        "instruction": "Open the shop.",
        "llm": "instructions",
        "session": "s",
        "project": "default",
        "family": "v1",
        "request_digest": "d",
        "agent": e.Agent(highlight=True),
    }
    return e.TaskCreated(**plain | fields)  # type: ignore[arg-type] # a mistake shows in the comparison


async def test_a_task_needs_no_more_than_its_sentence(client: Client, drive: Drive) -> None:
    response = await client.post(RUN, json={"task": "Open the shop."})

    answer = await response.json()
    assert (200, {"id"}) == (response.status, set(answer))
    assert wish() == await created(drive, answer["id"])


async def test_every_field_that_has_a_meaning_is_recorded(client: Client, drive: Drive) -> None:
    body = {
        "task": "Open the shop.",
        "secrets": {},
        "allowed_domains": ["*.shop.test", "https://pay.test/checkout"],
        "browser_profile_id": "",
        "save_browser_data": False,
        "structured_output_json": '{"type": "object"}',
        "llm_model": "instructions",
        "use_adblock": False,
        "use_proxy": True,
        "proxy_country_code": "US",
        "highlight_elements": False,
        "included_file_names": [],
        "browser_viewport_width": 1024,
        "browser_viewport_height": 768,
        "max_agent_steps": 200,
        "enable_public_share": False,
        "metadata": {"order": "17"},
        "unheard_of": {"is": "ignored"},
    }

    response = await client.post(RUN, json=body)

    given = '{"use_adblock":false,"enable_public_share":false}'
    expected = wish(
        allowed_domains=("*.shop.test", "pay.test"),
        output_schema='{"type": "object"}',
        limits=e.Limits(max_steps=200),
        options=e.Options(viewport_width=1024, viewport_height=768, given=given, country="us"),
        metadata={"order": "17"},
        agent=e.Agent(highlight=False),
    )
    assert 200 == response.status
    assert expected == await created(drive, (await response.json())["id"])


async def test_null_counts_as_left_out(client: Client, drive: Drive) -> None:
    nulls = dict.fromkeys(
        (
            "secrets",
            "allowed_domains",
            "browser_profile_id",
            "save_browser_data",
            "structured_output_json",
            "llm_model",
            "highlight_elements",
            "included_file_names",
            "browser_viewport_width",
            "browser_viewport_height",
            "max_agent_steps",
            "metadata",
        )
    )

    response = await client.post(RUN, json={"task": "Open the shop.", **nulls})

    assert 200 == response.status
    assert wish() == await created(drive, (await response.json())["id"])


async def test_a_schema_may_be_sent_as_the_object_itself(client: Client, drive: Drive) -> None:
    schema = {"type": "object", "properties": {"price": {"type": "number"}}}

    response = await client.post(RUN, json={"task": "Open the shop.", "structured_output_json": schema})

    assert 200 == response.status
    assert schema == json.loads((await created(drive, (await response.json())["id"])).output_schema)


async def test_the_task_is_in_the_list_at_once(client: Client) -> None:
    task_id = (await (await client.post(RUN, json={"task": "Open the shop."})).json())["id"]

    status = await client.get(f"/api/v1/task/{task_id}/status")

    assert (200, '"created"') == (status.status, await status.text())


async def test_any_text_comes_back_as_it_was_sent(client: Client) -> None:
    text = 'Type "a\\b" \u0000 \U0001f600 \u202e öäü </script>\r\n'
    task_id = (await (await client.post(RUN, json={"task": text, "metadata": {"k": text}})).json())["id"]

    view = await (await client.get(f"/api/v1/task/{task_id}")).json()

    assert (text, {"k": text}) == (view["task"], view["metadata"])


async def test_the_same_key_and_body_are_the_same_task(client: Client, service: Service) -> None:
    headers = {"Idempotency-Key": "order 17"}

    first = await client.post(RUN, data=b'{"task": "Open the shop.", "max_agent_steps": 5}', headers=headers)
    again = await client.post(RUN, data=b'{"max_agent_steps":5,"task":"Open the shop."}', headers=headers)

    assert (200, 200, await first.json(), 1) == (first.status, again.status, await again.json(), service.store.head)
    assert (None, "true") == (first.headers.get("Idempotency-Replayed"), again.headers.get("Idempotency-Replayed"))


async def test_the_same_key_and_another_body_are_refused(client: Client, service: Service) -> None:
    headers = {"Idempotency-Key": "order 17"}
    await client.post(RUN, json={"task": "Open the shop."}, headers=headers)

    response = await client.post(RUN, json={"task": "Open the other shop."}, headers=headers)

    sentence = "This Idempotency-Key was used for another request; send the same body again, or a new key."
    assert (422, flaw("header", "Idempotency-Key", msg=sentence), 1) == (
        response.status,
        await response.json(),
        service.store.head,
    )


async def test_without_a_key_the_same_body_is_another_task(client: Client) -> None:
    body = {"task": "Open the shop."}

    ids = {(await (await client.post(RUN, json=body)).json())["id"] for _ in range(3)}

    assert 3 == len(ids)


@pytest.mark.parametrize("key", ["k" * 256, "\u00e9"])
async def test_a_key_that_is_no_key_is_refused(client: Client, service: Service, key: str) -> None:
    response = await client.post(RUN, json={"task": "Open the shop."}, headers={"Idempotency-Key": key})

    assert (422, 0) == (response.status, service.store.head)
    assert ["header", "Idempotency-Key"] == (await response.json())["detail"][0]["loc"]


async def test_without_an_api_key_nothing_is_recorded(anonymous: Client, service: Service) -> None:
    response = await anonymous.post(RUN, json={"task": "Open the shop."})

    assert (401, {"detail": "An API key is required."}, 0) == (
        response.status,
        await response.json(),
        service.store.head,
    )


async def test_the_vendors_header_is_good_for_v1_as_well(anonymous: Client) -> None:
    response = await anonymous.post(RUN, json={"task": "Open the shop."}, headers={"X-Browser-Use-API-Key": KEY})

    assert 200 == response.status
