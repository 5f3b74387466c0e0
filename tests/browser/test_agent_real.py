"""A free-form task in a real browser, by a model that knows nothing but what it is shown."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from api.demo.shop import open_shop
from eventstore import decide
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.memory import MemoryStore
from eventstore.secrets import Secret, put, vault_name
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.browsers import Browsers
from runner.equipment import Equipment
from runner.llm.pool import open_clients
from runner.models import Choice
from runner.worker import Worker
from tests.model_server import Asked, model_server
from tests.modelled import gives
from tests.reading_models import click, doing, index

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 60.0
SCHEMA = (
    '{"type":"object","properties":{"product":{"type":"string"}},"required":["product"],"additionalProperties":false}'
)


def log_in(asked: Asked) -> list[dict[str, Any]]:
    return [
        {"input": {"index": index(asked, 'textbox "Email"'), "text": "ada@example.com"}},
        {"input": {"index": index(asked, 'textbox "Password"'), "text": "<secret>password</secret>"}},
        {"click": {"index": index(asked, 'button "Log in"')}},
    ]


async def test_a_model_logs_in_with_a_secret_goes_through_a_popup_and_gives_what_was_asked_for(
    browsers: Browsers, site: str, tmp_path: Path
) -> None:
    store, vault = MemoryStore(), Vault(tmp_path / "vault")
    tasks = Repository(store, Task(), evolve)

    async with open_shop() as shop:
        turns = [
            doing(log_in, goal="log in"),
            doing(
                lambda _: [{"extract": {"what": "heading"}}, {"navigate": {"url": f"{site}/windows.html"}}], goal="go"
            ),
            click('button "Popup"'),
            lambda asked: gives({"product": "two" if "/two.html" in asked.last else 2}),
        ]
        async with model_server(turns) as served, open_clients(lambda name: served.endpoint(vision=True)) as clients:
            choice = Choice(clients)
            equipment = Equipment(
                models=choice.model,
                readers=choice.reader,
                browsers=browsers,
                blobs=Blobs(tmp_path / "blobs"),
                vault=vault,
                screenshots=False,
            )
            worker = Worker(store, tasks, equipment, name="w", max_concurrent=1, keep_paused_seconds=60.0)
            running = asyncio.create_task(worker.run())
            created = e.TaskCreated(
                instruction="Log in, open the popup and say what it is.",
                llm="scripted",
                session="s",
                project="p",
                family="v2",
                request_digest="d",
                start_url=f"{shop}/login",
                output_schema=SCHEMA,
                secrets=("password",),
                allowed_domains=("127.0.0.1",),
            )
            await put(vault, vault_name("task-a", created), {"password": Secret("lovelace")})
            await tasks.transact("task-a", lambda task: decide.create(task, created), actor="key:test")
            events = await ended(store)
            await worker.leave()
            running.cancel()
            await asyncio.wait({running})

    acts = [event.name for event in events if isinstance(event, e.ActionStarted)]
    assert ["navigate", "input", "input", "click", "extract", "navigate", "click", "done"] == acts
    assert [] == [event.error for event in events if isinstance(event, e.ActionEnded) and not event.ok]
    assert [("password", "127.0.0.1")] == [
        (event.name, event.host) for event in events if isinstance(event, e.SecretUsed)
    ]
    assert e.TaskFinished(fence=2, success=True, output='{"product":"two"}') == events[-1]
    # The shop tells its password to everybody, in a hint; what the model is told has it masked.
    assert not [asked for asked in served.requests if "lovelace" in str(asked.texts)]
    assert [1, 1, 1, 1] == [len(asked.pictures) for asked in served.requests]
    assert "Step 1: Open" in served.requests[0].last
    assert "two.html" in served.requests[3].last.partition("Tabs:")[2].partition("\n")[0]


async def ended(store: MemoryStore) -> list[e.Event]:
    """All events of the task, once it has ended."""
    async with asyncio.timeout(LIMIT):
        while True:
            head = store.head
            events = [recorded.event for recorded in await store.read_stream("task-a")]
            if events and isinstance(events[-1], e.TaskFinished | e.TaskFailed):
                return events
            await store.wait(head)
