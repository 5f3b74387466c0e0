"""Webhooks over HTTP: made, shown, refused, deleted; beside tasks of both families; told and signed as published."""

import asyncio
import hashlib
import hmac
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from api.app import create_app
from api.cli import assemble
from api.service import Service
from eventstore import events as e
from eventstore.errors import DiskFull
from eventstore.hook import vault_name
from runner.egress.dial import system_resolve
from runner.egress.rules import Rules, private_networks
from runner.posting import Post
from runner.webhooks import Webhooks
from tests.receiving import LIMIT, Message, Receiver, receiving
from tests.web.conftest import KEY, Client, Drive, MakeClient, listening

PATH = "/api/tape/webhooks"
HERE = "http://127.0.0.1:9/hook"
SECRET = "a secret of sixteen"
LOOPBACK = Rules(private=private_networks("loopback"))
RUNS = [("/api/v1/run-task", "webhook_url", "webhook_secret"), ("/api/v2/tasks", "webhookUrl", "webhookSecret")]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as found:
        yield found


@asynccontextmanager
async def telling(service: Service) -> AsyncIterator[None]:
    """With a follower that tells at once, and again at once."""
    post = Post(LOOPBACK, system_resolve)
    webhooks = Webhooks(service.store, service.vault, post, service.tally, retry=(0.0, 0.0))
    await webhooks.take_up()
    running = asyncio.create_task(webhooks.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait({running})


async def recorded(service: Service, kind: type[e.Event], number: int = 1) -> None:
    """Return when the tape has so many events of the kind, and the views too."""
    async with asyncio.timeout(LIMIT):
        while sum(isinstance(each.event, kind) for each in await service.store.read()) < number:
            await service.store.wait(service.store.head)
        await service.projector.reached(service.store.head)


async def make(client: Client, **wished: object) -> dict[str, Any]:
    response = await client.post(PATH, json={"url": HERE, **wished})
    assert (201, "no-store") == (response.status, response.headers["Cache-Control"])
    made: dict[str, Any] = await response.json()
    return made


async def get(client: Client, path: str) -> dict[str, Any]:
    response = await client.get(path)
    assert 200 == response.status
    found: dict[str, Any] = await response.json()
    return found


def verified(message: Message, secret: str) -> bool:
    """By the published rule, from what was parsed; and by the raw bytes."""
    at, given = message.headers["X-Browser-Use-Timestamp"], message.headers["X-Browser-Use-Signature"]
    dumped = json.dumps(json.loads(message.body), separators=(",", ":"), sort_keys=True)
    parsed = hmac.new(secret.encode(), f"{at}.{dumped}".encode(), hashlib.sha256).hexdigest()
    raw = hmac.new(secret.encode(), at.encode() + b"." + message.body, hashlib.sha256).hexdigest()
    return given == parsed == raw and message.headers["X-Tapewright-Signature"] == f"t={at},v1={raw}"


async def test_a_webhook_shows_its_secret_once_and_the_tape_never(client: Client, service: Service) -> None:
    made = await make(client, secret=SECRET)

    (listed,) = (await get(client, PATH))["webhooks"]
    whole = await get(client, f"{PATH}/{made['id'].upper()}")
    (event,) = await service.store.read()
    shown = {"id": made["id"], "url": HERE, "task_id": None, "events": ["agent.task.status_update"]}
    assert {**shown, "secret": SECRET} == made
    assert {**shown, "waiting": 0, "dead_letters": 0} == {key: listed[key] for key in listed if key != "created_at"}
    assert {**listed, "deliveries": [], "retries": [], "dead": []} == whole
    assert SECRET.encode() not in (event.payload or b"") + str([listed, whole]).encode()
    assert SECRET.encode() == await service.vault.get(vault_name(made["id"]))


async def test_without_one_a_secret_is_made(client: Client) -> None:
    assert 43 == len((await make(client))["secret"])


WRONG: list[tuple[dict[str, object], str]] = [
    ({"url": "ftp://a.test/"}, "url"),
    ({"url": "a.test/hook"}, "url"),
    ({"url": "https://user:word@a.test/"}, "url"),
    ({"url": "https://a.test/#part"}, "url"),
    ({"url": ""}, "url"),
    ({"url": "https://a.test/" + "x" * 2_048}, "url"),
    ({"secret": "short"}, "secret"),
    ({"secret": "ä" * 20}, "secret"),
    ({"secret": 5}, "secret"),
    ({"events": []}, "events"),
    ({"events": ["agent.task.dreamed"]}, "events"),
    ({"task_id": "t1"}, "task_id"),
]


@pytest.mark.parametrize(("wished", "place"), WRONG)
async def test_a_webhook_that_cannot_be_is_refused_by_its_place(
    client: Client, service: Service, wished: dict[str, object], place: str
) -> None:
    response = await client.post(PATH, json={"url": HERE, **wished})

    (flaw,) = (await response.json())["detail"]
    assert (422, ["body", place], 0) == (response.status, flaw["loc"][:2], service.store.head)


@pytest.fixture
async def strict(service: Service, aiohttp_client: MakeClient) -> Client:
    """A client of a service that looks where webhooks lead, with nothing private allowed."""

    async def resolve(host: str, port: int) -> list[str]:
        return {"inner.test": ["93.184.216.34", "10.0.0.7"], "outer.test": ["93.184.216.34"]}[host]

    guarded = replace(service, refuse_target=Post(Rules(), resolve).refusal)
    return await aiohttp_client(create_app(guarded), headers={"Authorization": f"Bearer {KEY}"})


PRIVATE = [
    "http://127.0.0.1:8000/",
    "http://localhost/",
    "http://[::1]/",
    "http://0x7f.1/",
    "http://10.1.2.3/",
    "http://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data",
    "http://metadata.google.internal/",
    "https://inner.test/",
]


@pytest.mark.parametrize("url", PRIVATE)
async def test_a_private_target_is_refused_by_every_door(strict: Client, service: Service, url: str) -> None:
    answers = [
        await strict.post(PATH, json={"url": url}),
        *[await strict.post(path, json={"task": "Go.", field: url}) for path, field, _ in RUNS],
    ]

    details = [(await answer.json())["detail"][0] for answer in answers]
    places = [["body", "url"], ["body", "webhook_url"], ["body", "webhookUrl"]]
    assert [422] * 3 == [answer.status for answer in answers]
    assert places == [detail["loc"] for detail in details]
    assert all(detail["msg"].startswith("Nothing is sent there: ") for detail in details)
    assert 0 == service.store.head


async def test_a_public_target_is_taken(strict: Client) -> None:
    assert 201 == (await strict.post(PATH, json={"url": "https://outer.test/hook"})).status


async def test_webhooks_of_another_project_do_not_exist(client: Client, anonymous: Client, drive: Drive) -> None:
    made = await make(client)
    anonymous.session.headers.update(await drive.key("admin", project="shop"))
    one = f"{PATH}/{made['id']}"

    answers = [
        await anonymous.get(one),
        await anonymous.delete(one),
        await anonymous.post(f"{one}/test"),
        await anonymous.post(f"{one}/redeliver", json={"source": 1}),
    ]

    assert [(404, {"detail": "Webhook not found"})] * 4 == [(each.status, await each.json()) for each in answers]
    assert {"webhooks": []} == await get(anonymous, PATH)


async def test_a_deleted_webhook_is_gone_with_its_secret(client: Client, service: Service) -> None:
    made = await make(client)

    deleted = await client.delete(f"{PATH}/{made['id']}")
    again = await client.delete(f"{PATH}/{made['id']}")

    assert (200, {}, 404) == (deleted.status, await deleted.json(), again.status)
    assert None is await service.vault.get(vault_name(made["id"]))
    assert {"webhooks": []} == await get(client, PATH)


async def test_a_project_and_a_task_have_a_bounded_number(client: Client, drive: Drive) -> None:
    task, other = await drive.create(), await drive.create()
    for _ in range(100):
        await make(client)
        await make(client, task_id=task)

    refused = [await client.post(PATH, json={"url": HERE, "task_id": each}) for each in (None, task)]

    assert [409, 409] == [each.status for each in refused]
    assert other == (await make(client, task_id=other))["task_id"], "each is counted for itself"


async def test_however_many_tasks_have_one_those_of_the_project_are_listed(
    client: Client, service: Service, drive: Drive
) -> None:
    single = (await make(client, task_id=await drive.create()))["id"]
    wide = (await make(client))["id"]

    listed = [row["id"] for row in (await get(client, PATH))["webhooks"]]

    assert [wide, single] == listed
    assert [wide] == [row.id for row in await service.projector.hooks.of("default", limit=1)]


async def test_an_ended_or_foreign_task_has_nothing_to_tell(client: Client, drive: Drive) -> None:
    ended, foreign = await drive.create(), await drive.create(project="shop")
    await drive.start(ended)
    await drive.finish(ended)

    answers = [await client.post(PATH, json={"url": HERE, "task_id": task}) for task in (ended, foreign)]

    assert [409, 404] == [answer.status for answer in answers]


async def test_deliveries_and_dead_letters_are_shown_and_delivered_once_more(
    client: Client, service: Service, drive: Drive, receiver: Receiver
) -> None:
    receiver.replies["/hook"] = [200, 500, 502, 503]
    made = await make(client, url=receiver.url())
    one = f"{PATH}/{made['id']}"
    async with telling(service):
        await recorded(service, e.HookDelivered)
        task = await drive.create()
        await recorded(service, e.HookFailed, 3)
        dead = await get(client, one)
        source = dead["dead"][0]["source"]
        untold = await client.post(f"{one}/redeliver", json={"source": source + 1})
        absent = await client.post(f"{one}/redeliver", json={"source": 10_000})
        again = await client.post(f"{one}/redeliver", json={"source": source})
        await recorded(service, e.HookDelivered, 2)
        pinged = await client.post(f"{one}/test")
        await recorded(service, e.HookDelivered, 3)
    after = await get(client, one)

    assert ([0], 1) == ([each["source"] for each in dead["deliveries"]], dead["dead_letters"])
    (letter,) = dead["dead"]
    assert (task, 3, None, "HTTP 503") == tuple(letter[key] for key in ("task_id", "attempts", "status", "error"))
    assert [404, 404, 202, 202] == [each.status for each in (untold, absent, again, pinged)]
    assert ([0, source], []) == ([each["source"] for each in after["deliveries"]], after["dead"])
    assert ["test", *["initializing"] * 4, "test"] == receiver.told()
    assert all(verified(message, made["secret"]) for message in receiver.got)
    assert {"test": "ok"} == json.loads(receiver.got[0].body)["payload"]


@pytest.mark.parametrize(("path", "url", "secret"), RUNS)
async def test_a_task_tells_its_own_webhook_from_its_beginning_to_its_end(
    client: Client, service: Service, drive: Drive, receiver: Receiver, path: str, url: str, secret: str
) -> None:
    body = {"task": "Go.", "metadata": {"flow": "résumé"}, url: receiver.url(), secret: SECRET}
    async with telling(service):
        answer = await client.post(path, json=body, headers={"Idempotency-Key": "k"})
        repeated = await client.post(path, json=body, headers={"Idempotency-Key": "k"})
        task = (await answer.json())["id"]
        assert (await repeated.json())["id"] == task
        await drive.start(task)
        await drive.finish(task)
        await recorded(service, e.HookDeleted)
        hook_id = (await service.store.read())[0].stream.removeprefix("hook-")
        async with asyncio.timeout(LIMIT):
            while await service.vault.get(vault_name(hook_id)) is not None:
                pass
    created = (await drive.tape(task))[0]

    assert ["initializing", "started", "finished"] == receiver.told()
    assert all(verified(message, SECRET) for message in receiver.got)
    assert isinstance(created.event, e.TaskCreated)
    first = json.loads(receiver.got[0].body)
    assert {"type", "timestamp", "payload"} == set(first)
    assert "agent.task.status_update" == first["type"]
    assert {
        "session_id": created.event.session,
        "task_id": task,
        "status": "initializing",
        "metadata": {"flow": "résumé"},
    } == first["payload"]
    assert receiver.got[0].body.isascii()


async def test_a_flow_that_waits_for_the_end_is_told_of_nothing_else(
    client: Client, service: Service, drive: Drive, receiver: Receiver
) -> None:
    body = {"task": "Go.", "webhook_url": receiver.url(), "webhook_events": ["finished", "stopped"]}
    async with telling(service):
        task = (await (await client.post("/api/v1/run-task", json=body)).json())["id"]
        await drive.start(task)
        await drive.fail(task)
        await recorded(service, e.HookDeleted)

    assert ["finished"] == receiver.told()


async def test_of_a_task_that_is_refused_no_webhook_is_left(service: Service, aiohttp_client: MakeClient) -> None:
    class Full:
        """Takes webhooks and no tasks."""

        def __getattr__(self, name: str) -> object:
            return getattr(service.tasks, name)

        async def transact(self, *given: object, **more: object) -> object:
            raise DiskFull

    full = replace(service, tasks=Full())  # type: ignore[arg-type] # as much of a Repository as is used
    client = await aiohttp_client(create_app(full), headers={"Authorization": f"Bearer {KEY}"})

    answer = await client.post("/api/v1/run-task", json={"task": "Go.", "webhook_url": HERE})

    tape = await service.store.read()
    assert (507, ["hook.created", "hook.deleted"]) == (answer.status, [each.type for each in tape])
    assert None is await service.vault.get(vault_name(tape[0].stream.removeprefix("hook-")))


async def test_no_secret_of_a_task_or_a_webhook_is_in_a_message_a_log_or_on_the_tape(
    client: Client, service: Service, drive: Drive, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receiver.replies["/hook"] = [500]
    value = "correct horse & battery"
    body = {"task": "Go.", "secrets": {"password": value}, "webhook_url": receiver.url(), "webhook_secret": SECRET}
    async with telling(service):
        task = (await (await client.post("/api/v1/run-task", json=body)).json())["id"]
        await drive.start(task)
        await drive.finish(task)
        await recorded(service, e.HookDeleted)
    named = await client.post("/api/v1/run-task", json={**body, "webhook_url": f"{HERE}?p={value}"})

    said = b"".join(message.body + str(message.headers).encode() for message in receiver.begun)
    tape = b"".join(recorded.payload or b"" for recorded in await service.store.read())
    assert all(secret.encode() not in said + tape + caplog.text.encode() for secret in (value, SECRET))
    assert (422, ["body", "webhook_url"]) == (named.status, (await named.json())["detail"][0]["loc"])


async def test_the_health_page_tells_what_is_owed_and_dead(
    client: Client, service: Service, drive: Drive, receiver: Receiver
) -> None:
    hang = asyncio.Event()
    receiver.replies["/hook"] = [500, 500, 500, hang]
    await make(client, url=receiver.url())
    async with telling(service):
        await recorded(service, e.HookFailed, 3)
        await drive.create()
        await receiver.until(lambda: len(receiver.begun) == 4)
        figures = await (await client.get("/metrics")).text()
        hang.set()

    assert "\ntapewright_webhooks_owed 1.0\n" in figures
    assert "\ntapewright_webhook_dead_letters_total 1.0\n" in figures


async def test_what_a_webhook_was_told_is_seen_on_the_tape_by_its_project_alone(
    client: Client, anonymous: Client, drive: Drive
) -> None:
    made = await make(client)
    anonymous.session.headers.update(await drive.key("read", project="shop"))

    own = (await get(client, "/api/tape/events"))["events"]
    foreign = (await get(anonymous, "/api/tape/events"))["events"]

    assert f"hook-{made['id']}" in [each["stream"] for each in own]
    assert [] == [each for each in foreign if each["stream"].startswith("hook-")]


async def test_the_command_line_makes_shows_and_deletes(service: Service, receiver: Receiver) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(assemble(), ["webhooks", *words, "--url", url, "--key", KEY])
        assert 0 == result.exit_code, result.output
        return result.output

    receiver.replies["/hook"] = [500, 500, 500]
    async with listening(create_app(service)) as port, telling(service):
        url = f"http://127.0.0.1:{port}"
        added = await asyncio.to_thread(run, "add", receiver.url(), "--secret", SECRET)
        (hook,) = await service.projector.hooks.of("default")
        await recorded(service, e.HookFailed, 3)
        listed = await asyncio.to_thread(run, "list")
        shown = await asyncio.to_thread(run, "deliveries", hook.id)
        await asyncio.to_thread(run, "test", hook.id)
        await recorded(service, e.HookDelivered)
        after = await asyncio.to_thread(run, "deliveries", hook.id, "--json")
        await asyncio.to_thread(run, "remove", hook.id)
        empty = await asyncio.to_thread(run, "list", "--json")

    assert f"WEBHOOK_SECRET={SECRET}" in added
    assert (hook.id, "all", receiver.url()) == (listed.split()[-7], *listed.split()[-2:])
    assert "HTTP 500" in shown
    assert [0] == [each["source"] for each in json.loads(after)["deliveries"]]
    assert {"webhooks": []} == json.loads(empty)


async def test_the_page_for_operators_shows_how_a_message_is_verified(
    client: Client, service: Service, receiver: Receiver
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text("utf-8")
    (snippet,) = re.findall(r"```python\n(.*?def verified.*?)```", page, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(snippet, shown)  # noqa: S102  # our own page
    made = await make(client, url=receiver.url())

    async with telling(service):
        await recorded(service, e.HookDelivered)

    (message,) = receiver.got
    assert shown["verified"](message.body, message.headers, made["secret"])
    assert not shown["verified"](message.body + b" ", message.headers, made["secret"])
    assert not shown["verified"](message.body, message.headers, "another secret")
