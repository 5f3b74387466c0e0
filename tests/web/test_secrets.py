"""Secrets come in by both families: the vault has the values, the tape the names, and no answer or log either."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from api import control
from api.service import Service
from eventstore import secrets as sealed
from eventstore.errors import Overloaded
from eventstore.secrets import Secret
from tests.web.conftest import Drive

Client = TestClient[Any, Any]

VALUE = "correct horse & battery"
FAMILIES = [("/api/v1/run-task", 200), ("/api/v2/tasks", 202)]
BODY = {"task": 'Go to http://shop.test. Type the secret "password" into "Password".', "secrets": {"password": VALUE}}


def entries(service: Service) -> int:
    """How many entries the vault has."""
    directory: Path = service.settings.data_dir / "vault"
    return len([path for path in directory.iterdir() if not path.name.startswith("vault.")])


async def kept(service: Service, task_id: str) -> dict[str, Secret] | None:
    """What the vault has for the task."""
    created = (await service.tasks.load(control.stream(task_id))).created
    assert created is not None
    return await sealed.get(service.vault, sealed.vault_name(control.stream(task_id), created))


@pytest.mark.parametrize(("path", "status"), FAMILIES)
async def test_the_vault_has_the_values_and_the_tape_the_names(
    client: Client, service: Service, drive: Drive, path: str, status: int
) -> None:
    answer = await client.post(path, json=BODY)
    task_id = (await answer.json())["id"]

    created = (await drive.tape(task_id))[0].event
    assert (status, ("password",)) == (answer.status, created.secrets)  # type: ignore[attr-defined] # a TaskCreated
    assert VALUE not in repr(created)
    assert {"password": Secret(VALUE)} == await kept(service, task_id)


@pytest.mark.parametrize(("path", "status"), FAMILIES)
@pytest.mark.parametrize("secrets", [None, {}])
async def test_no_secrets_leave_nothing_in_the_vault(
    client: Client, service: Service, path: str, status: int, secrets: Any
) -> None:
    answer = await client.post(path, json={**BODY, "secrets": secrets})

    assert (status, 0) == (answer.status, entries(service))


WRONG: list[tuple[Any, list[str], str]] = [
    ({f"n{number}": VALUE for number in range(51)}, [], "At most 50 secrets are allowed."),
    ({"": VALUE}, [], "A name must have 1 to 100 printable characters"),
    ({"n" * 101: VALUE}, [], "A name must have 1 to 100 printable characters"),
    ({"a<b": VALUE}, [], "A name must have 1 to 100 printable characters"),
    ({"password": ""}, ["password"], "A value must have 1 to 4096 characters."),
    ({"password": VALUE * 200}, ["password"], "A value must have 1 to 4096 characters."),
    ({f"n{number}": VALUE * 100 for number in range(15)}, [], "The values may have at most 32768 characters in all."),
    ({"https://*.shop.test": {"password": VALUE}}, ["https://*.shop.test"], "A secret's value must be a string."),
    ({"password": [VALUE]}, ["password"], "A secret's value must be a string."),
    ({"password": 12345678}, ["password"], "A secret's value must be a string."),
    ([VALUE], [], "Expected `object | null`, got `array`"),
    (VALUE, [], "Expected `object | null`, got `str`"),
]


@pytest.mark.parametrize(("path", "status"), FAMILIES)
@pytest.mark.parametrize(("secrets", "inside", "sentence"), WRONG)
async def test_a_wrong_one_is_named_and_its_value_not_repeated(
    client: Client, service: Service, caplog: pytest.LogCaptureFixture,
    path: str, status: int, secrets: Any, inside: list[str], sentence: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)

    answer = await client.post(path, json={**BODY, "secrets": secrets})

    flaw = (await answer.json())["detail"][0]
    assert (422, ["body", "secrets", *inside]) == (answer.status, flaw["loc"])
    assert flaw["msg"].startswith(sentence)
    said = await answer.text() + caplog.text
    assert VALUE not in said
    assert "12345678" not in said
    assert 0 == entries(service)


@pytest.mark.parametrize(
    "more",
    [{"task": f'Go to http://shop.test. Type "{VALUE}" into "Password".'}, {"metadata": {"note": f"it is {VALUE}!"}}],
)
async def test_a_value_that_the_request_says_elsewhere_too_is_refused(client: Client, more: dict[str, Any]) -> None:
    answer = await client.post("/api/v1/run-task", json={**BODY, **more})

    flaw = (await answer.json())["detail"][0]
    assert (422, ["body", "secrets", "password"]) == (answer.status, flaw["loc"])
    assert "write <secret>password</secret> in its place" in flaw["msg"]
    assert VALUE not in await answer.text()


async def test_a_repeated_request_changes_nothing(client: Client, service: Service) -> None:
    first, again = [await client.post("/api/v1/run-task", json=BODY, headers={"Idempotency-Key": "k"}) for _ in "12"]

    task_id = (await first.json())["id"]
    assert {"id": task_id} == await again.json()
    assert ({"password": Secret(VALUE)}, 1) == (await kept(service, task_id), entries(service))


async def test_another_request_under_the_same_key_neither_overwrites_nor_stays(
    client: Client, service: Service
) -> None:
    key = {"Idempotency-Key": "k"}
    task_id = (await (await client.post("/api/v1/run-task", json=BODY, headers=key)).json())["id"]

    other = await client.post("/api/v1/run-task", json={**BODY, "secrets": {"password": "another one"}}, headers=key)

    assert 422 == other.status
    assert "another one" not in await other.text()
    assert ({"password": Secret(VALUE)}, 1) == (await kept(service, task_id), entries(service))


async def test_of_many_requests_at_once_under_one_key_only_the_first_one_leaves_its_secrets(
    client: Client, service: Service
) -> None:
    def post(number: int) -> Any:
        body = {**BODY, "secrets": {"password": f"value {number} of the secret"}}
        return client.post("/api/v1/run-task", json=body, headers={"Idempotency-Key": "k"})

    answers = await asyncio.gather(*[post(number) for number in range(8)])

    (won,) = [number for number, answer in enumerate(answers) if answer.status == 200]
    task_id = (await answers[won].json())["id"]
    assert {"password": Secret(f"value {won} of the secret")} == await kept(service, task_id)
    assert 1 == entries(service)


async def test_a_task_that_the_log_does_not_take_leaves_nothing_behind(service: Service, drive: Drive) -> None:
    created = (await service.tasks.load(control.stream(await drive.create()))).created
    assert created is not None

    with pytest.raises(Overloaded):
        async with control._kept(service, "task-new", created, {"password": Secret(VALUE)}):
            raise Overloaded

    assert 0 == entries(service)


def test_a_secret_is_shown_by_nothing() -> None:
    secret = Secret(VALUE)

    assert ["Secret(***)"] * 3 == [repr(secret), str(secret), f"{secret}"]
