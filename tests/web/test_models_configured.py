"""Tasks name models that are configured, in either family, and their wishes about them are recorded or refused."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli import assemble
from api.client import UNUSABLE
from api.models import Models
from api.service import Service
from eventstore import events as e
from tests.configured import model
from tests.web.conftest import KEY, Client, Drive, MakeClient
from tests.web.test_v2_create import flaw

V1 = "/api/v1/run-task"
V2 = "/api/v2/tasks"
TABLE = (model("big", vision=True, fallback="small"), model("small", vision=False), model("gpt-*"))


@pytest.fixture
def service(service: Service) -> Service:
    """The same, with models."""
    return replace(service, models=Models(table=TABLE, default="small", stand_ins={"browser-use-2.0": "big"}))


async def created(drive: Drive, answer: dict[str, str]) -> e.TaskCreated:
    """The first event of the task."""
    event = (await drive.tape(answer["id"]))[0].event
    assert isinstance(event, e.TaskCreated)
    return event


@pytest.mark.parametrize(("path", "field"), [(V1, "llm_model"), (V2, "llm")])
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (None, "small"),
        ("", "small"),
        ("big", "big"),
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("instructions", "instructions"),
        ("browser-use-2.0", "big"),
    ],
)
async def test_a_task_runs_on_the_model_that_it_names_or_on_the_default(
    client: Client, drive: Drive, path: str, field: str, name: str | None, expected: str
) -> None:
    response = await client.post(path, json={"task": "Find the cheapest lamp.", field: name})

    assert expected == (await created(drive, await response.json())).llm


@pytest.mark.parametrize(("path", "field"), [(V1, "llm_model"), (V2, "llm"), (V2, "judgeLlm")])
async def test_a_name_that_is_not_configured_is_refused_with_those_that_are(
    client: Client, service: Service, path: str, field: str
) -> None:
    response = await client.post(path, json={"task": "Find the cheapest lamp.", field: "claude-sonnet-4-6"})

    sentence = (
        'No model "claude-sonnet-4-6" is configured; configured: small, big, gpt-*, instructions. Leave it out, or '
        "have TAPEWRIGHT_MODEL_ALIASES say what it stands for."
    )
    assert (422, flaw("body", field, msg=sentence), 0) == (
        response.status,
        await response.json(),
        service.store.head,
    )


async def test_pictures_are_not_asked_of_a_model_that_takes_none(client: Client, drive: Drive) -> None:
    body = {"task": "Find the cheapest lamp.", "vision": True}

    refused = await client.post(V2, json={**body, "llm": "small"})
    unknown, seeing = [await client.post(V2, json={**body, "llm": name}) for name in ("gpt-5", "big")]
    without = await client.post(V2, json={**body, "llm": "small", "vision": False})

    sentence = 'The model "small" takes no pictures; leave this out, or name one that does: big.'
    assert (422, flaw("body", "vision", msg=sentence)) == (refused.status, await refused.json())
    tasks = [await created(drive, await response.json()) for response in (unknown, seeing, without)]
    assert ["on", "on", "off"] == [task.agent.vision for task in tasks]


@pytest.mark.parametrize(
    ("llm", "judge_llm", "expected"),
    [
        ("big", None, ""),
        ("big", "gpt-5", "gpt-5"),
        ("big", "browser-use-2.0", "big"),
        ("instructions", None, "small"),
        ("instructions", "big", "big"),
    ],
)
async def test_a_model_judges_the_one_that_is_named_or_the_tasks_own_or_the_default(
    client: Client, drive: Drive, llm: str, judge_llm: str | None, expected: str
) -> None:
    body = {"task": "Open the shop.", "llm": llm, "judge": True, "judgeGroundTruth": "17", "judgeLlm": judge_llm}

    response = await client.post(V2, json=body)

    agent = (await created(drive, await response.json())).agent
    assert e.Agent(judge=True, ground_truth="17", judge_llm=expected) == agent


async def test_the_sentences_of_instructions_cannot_judge(client: Client) -> None:
    response = await client.post(V2, json={"task": "Open the shop.", "judge": True, "judgeLlm": "instructions"})

    sentence = "instructions cannot judge; name a model. Configured: small, big, gpt-*."
    assert (422, flaw("body", "judgeLlm", msg=sentence)) == (response.status, await response.json())


async def test_thinking_that_is_disabled_is_none(client: Client, drive: Drive) -> None:
    body = {"task": "Open the shop.", "thinking": True, "thinkingLevel": "disabled"}

    response = await client.post(V2, json=body)

    assert e.Agent(thinking=False) == (await created(drive, await response.json())).agent


@pytest.mark.parametrize("field", ["systemPromptExtension", "judgeGroundTruth"])
async def test_a_secret_does_not_stand_in_what_is_told_to_a_model(client: Client, service: Service, field: str) -> None:
    body = {"task": "Open the shop.", "secrets": {"pin": "correct horse"}, field: "It is correct horse."}

    response = await client.post(V2, json=body)

    sentence = "The request says the value of this secret elsewhere; write <secret>pin</secret> in its place."
    assert (422, flaw("body", "secrets", "pin", msg=sentence), 0) == (
        response.status,
        await response.json(),
        service.store.head,
    )


async def test_a_follow_up_in_a_session_has_wishes_of_its_own(client: Client, drive: Drive) -> None:
    session = (await (await client.post("/api/v2/sessions", json={})).json())["id"]
    body = {"task": "Open the shop.", "sessionId": session, "llm": "big", "flashMode": True, "thinking": False}

    response = await client.post(V2, json=body)

    task = await created(drive, await response.json())
    assert (session, "big", e.Agent(flash=True, thinking=False)) == (task.session, task.llm, task.agent)


async def test_a_schedule_keeps_what_its_tasks_shall_run_on(client: Client, service: Service) -> None:
    body = {
        "task": "Find the cheapest lamp.",
        "llm_model": "browser-use-2.0",
        "highlight_elements": False,
        "schedule_type": "interval",
        "interval_minutes": 5,
    }

    response = await client.post("/api/v1/scheduled-task", json=body)

    schedule = service.projector.schedules.find((await response.json())["id"])
    assert schedule
    assert ("big", e.Agent(highlight=False)) == (schedule.current.task.llm, schedule.current.task.agent)


async def test_another_wish_under_the_same_key_is_another_request(service: Service, aiohttp_client: MakeClient) -> None:
    client = await aiohttp_client(
        create_app(service), headers={"Authorization": f"Bearer {KEY}", "Idempotency-Key": "order 17"}
    )

    answers = [await client.post(V2, json={"task": "Open.", "flashMode": flash}) for flash in (True, True, False)]

    assert [202, 202, 422] == [answer.status for answer in answers]


def test_a_bad_table_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    table = tmp_path / "models.toml"
    table.write_text('[small]\nprovider = "acme"\n')

    started = CliRunner().invoke(
        assemble(), ["serve", "--data", str(tmp_path / "data"), "--port", "0"], env={"TAPEWRIGHT_MODELS": str(table)}
    )

    said = f'{table}, table "small", key "provider": should be one of openai, azure, anthropic, google, openrouter,'
    assert (UNUSABLE, True) == (started.exit_code, " ".join(said.split()) in " ".join(started.output.split()))
    assert not (tmp_path / "data").exists()


async def test_the_models_are_told_without_their_keys_and_addresses(client: Client) -> None:
    response = await client.get("/api/tape/models")

    def view(name: str, **fields: object) -> dict[str, object]:
        plain = {"name": name, "provider": "compatible", "model": name, "vision": None, "default": False}
        return {**plain, "fallback": None, **fields}

    expected = {
        "models": [
            view("small", vision=False, default=True),
            view("big", vision=True, fallback="small"),
            view("gpt-*"),
            view("instructions", provider="tapewright", vision=False),
        ],
        "aliases": {"browser-use-2.0": "big"},
    }
    assert (200, expected) == (response.status, await response.json())


async def test_without_models_there_are_the_instructions_by_default(drive: Drive, aiohttp_client: MakeClient) -> None:
    bare = replace(drive.service, models=Models())
    client = await aiohttp_client(create_app(bare), headers={"Authorization": f"Bearer {KEY}"})

    answer = await (await client.get("/api/tape/models")).json()

    assert [("instructions", True)] == [(each["name"], each["default"]) for each in answer["models"]]


async def test_the_command_line_lists_the_models(client: Client) -> None:
    url = str(client.make_url(""))

    told = await asyncio.to_thread(CliRunner().invoke, assemble(), ["models", "--url", url, "--key", KEY])

    lines = [" ".join(line.split()) for line in told.output.splitlines()]
    assert [
        "name provider pictures",
        "small compatible no default",
        "big compatible yes falls back to small",
        "gpt-* compatible not known",
        "instructions tapewright no",
        "browser-use-2.0 stands for big",
    ] == lines


async def test_a_task_is_run_on_a_model_from_the_command_line(client: Client, drive: Drive) -> None:
    url = str(client.make_url(""))
    words = ["run", "Find the cheapest lamp.", "--model", "big", "--detach", "--url", url, "--key", KEY]

    told = await asyncio.to_thread(CliRunner().invoke, assemble(), words)

    assert "big" == (await created(drive, {"id": told.output.strip()})).llm
