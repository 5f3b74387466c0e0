"""The requests of the n8n nodes and of bridges to a server of one's own, word for word."""

import msgspec
import pytest

from api import control
from api.service import Service
from runner.keyless.grammar import SCHEMA_NOTE
from runner.keyless.instructions import Instructions
from tests.web.conftest import KEY, Client, Drive

TASK = "Go to example.com. Extract the main heading."
NODE = {"X-Browser-Use-API-Key": KEY}
SCHEMA = '{"type":"object","properties":{"heading":{"type":"string"}},"required":["heading"]}'


@pytest.mark.parametrize("path", ["/api/v2/ping", "/api/v2/tasks", "/api/v1/ping"])
async def test_the_tests_of_credentials_pass_with_either_header(anonymous: Client, path: str) -> None:
    vendor = await anonymous.get(path, headers=NODE)
    bridge = await anonymous.get(path, headers={"Authorization": f"Bearer {KEY}"})

    assert (200, 200) == (vendor.status, bridge.status)


async def test_a_wrong_key_fails_the_test_of_the_vendors_credential(anonymous: Client) -> None:
    response = await anonymous.get("/api/v2/tasks", headers={"X-Browser-Use-API-Key": "wrong"})

    assert 401 == response.status


async def test_the_vendors_node_starts_a_task_and_asks_without_delay_until_it_is_finished(
    anonymous: Client, drive: Drive
) -> None:
    metadata = {"source": "n8n-node"}
    body = {"task": TASK, "llm": "instructions", "startUrl": "https://example.com", "maxSteps": 20}
    switches = {"highlightElements": False, "flashMode": False, "thinking": False, "vision": True, "judge": False}

    response = await anonymous.post("/api/v2/tasks", json={**body, **switches, "metadata": metadata}, headers=NODE)
    task_id = (await response.json())["id"]
    asked = [await anonymous.get(f"/api/v2/tasks/{task_id}", headers=NODE) for _ in range(50)]
    await drive.start(task_id)
    await drive.finish(task_id, "Example Domain")
    ended = await (await anonymous.get(f"/api/v2/tasks/{task_id}", headers=NODE)).json()

    assert (202, {200}) == (response.status, {each.status for each in asked})
    expected = {"status": "finished", "output": "Example Domain", "metadata": metadata}
    assert expected == {name: ended[name] for name in expected}


async def test_the_model_that_the_vendors_node_names_unasked_is_refused_without_an_alias(
    anonymous: Client,
) -> None:
    response = await anonymous.post("/api/v2/tasks", json={"task": TASK, "llm": "browser-use-2.0"}, headers=NODE)

    assert 422 == response.status
    assert "TAPEWRIGHT_MODEL_ALIASES" in (await response.text())


async def test_a_stop_that_names_the_status_is_a_stop(client: Client, drive: Drive) -> None:
    task_id = await drive.create()

    response = await client.patch(f"/api/v2/tasks/{task_id}", json={"status": "stopped"})

    assert (200, "stopped") == (response.status, (await response.json())["status"])


@pytest.mark.parametrize(
    "body", [{"status": "running"}, {"task": "Go back."}, {"task": "Go back.", "status": "stopped"}, {"status": None}]
)
async def test_an_update_that_names_no_action_and_is_no_stop_changes_nothing(
    client: Client, drive: Drive, body: dict[str, object]
) -> None:
    task_id = await drive.create()
    before = await drive.tape(task_id)

    response = await client.patch(f"/api/v2/tasks/{task_id}", json=body)

    flaw = {"loc": ["body", "action"], "msg": "field required", "type": "value_error.missing"}
    assert (422, {"detail": [flaw]}) == (response.status, await response.json())
    assert before == await drive.tape(task_id)


async def test_a_task_with_the_sentence_that_the_node_appends_fills_its_schema(
    client: Client, service: Service
) -> None:
    body = {"task": f"{TASK}\n\n{SCHEMA_NOTE}", "structuredOutput": SCHEMA}

    response = await client.post("/api/v2/tasks", json=body)
    task_id = (await response.json())["id"]
    task = await service.tasks.load(control.stream(task_id))

    assert 202 == response.status
    assert task.created is not None
    assert Instructions(TASK, SCHEMA)._sentences == Instructions(task.created.instruction, SCHEMA)._sentences


@pytest.mark.parametrize(
    ("path", "status"), [("stop-task", "stopped"), ("pause-task", "paused"), ("resume-task", "created")]
)
async def test_the_bridge_steers_with_the_id_in_the_path(client: Client, drive: Drive, path: str, status: str) -> None:
    task_id = await drive.create()
    if path == "resume-task":
        await drive.ask_pause(task_id)

    response = await client.put(f"/api/v1/{path}/{task_id}")
    shown = await client.get(f"/api/v1/task/{task_id}/status")

    assert (200, {}) == (response.status, await response.json())
    assert status == await shown.json()


@pytest.mark.parametrize(
    "more",
    [{"save_browser_data": False}, {"ai_provider": "openai", "headful": False, "use_custom_chrome": False}],
    ids=["cloud", "local"],
)
async def test_the_bridge_runs_a_task_as_it_does_at_each_of_its_servers(
    client: Client, more: dict[str, object]
) -> None:
    assert 200 == (await client.get("/api/v1/ping")).status

    response = await client.post("/api/v1/run-task", json={"task": TASK, **more})
    task_id = (await response.json())["id"]
    task = await client.get(f"/api/v1/task/{task_id}")
    status = await client.get(f"/api/v1/task/{task_id}/status")
    media = await client.get(f"/api/v1/task/{task_id}/media", params={"type": "screenshot"})
    listed = await client.get("/api/v1/tasks", params={"limit": "50"})

    assert [200] * 5 == [each.status for each in (response, task, status, media, listed)]
    assert "created" == await status.json()


@pytest.mark.parametrize("path", ["/api/v2//tasks", "/api/v2/tasks/", "/api/v1/api/v1/ping"])
async def test_a_base_that_ends_in_a_slash_or_says_the_version_twice_is_told_so(client: Client, path: str) -> None:
    response = await client.get(path)

    assert (404, {"detail": "Not Found"}) == (response.status, msgspec.json.decode(await response.read()))
