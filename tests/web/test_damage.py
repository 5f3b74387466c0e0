"""A damaged tape and a disk that is nearly full, as clients see them: sentences, and no state passed off as good."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from api.app import create_app
from api.health import FULL
from api.service import Service
from eventstore.scrub import scrub
from eventstore.space import Space
from eventstore.sqlite import SqliteStore, open_sqlite
from eventstore.store import EventStore
from tests.filing import raw
from tests.web.conftest import KEY, Client, Drive, MakeClient

SECONDS = 60.0
NO_ROOM = 1 << 62
ROOM = 0


@pytest.fixture
def reserve() -> int:
    """How much must be free for new tasks."""
    return ROOM


@pytest.fixture
async def store(tmp_path: Path, reserve: int) -> AsyncIterator[EventStore]:
    """A tape in a file."""
    async with open_sqlite(tmp_path / "tape.db", space=Space(tmp_path, reserve=reserve)) as opened:
        yield opened


async def test_once_damage_is_found_every_answer_says_so_and_only_verify_and_health_go_on(
    client: Client, drive: Drive, store: SqliteStore, tmp_path: Path
) -> None:
    task_id = await drive.create()
    await drive.start(task_id)
    with raw(tmp_path / "tape.db", guarded=False) as db:
        db.execute("UPDATE events SET actor = 'somebody' WHERE position = 2")

    before = (await client.get(f"/api/v2/tasks/{task_id}")).status
    async with asyncio.timeout(SECONDS):
        await scrub(store, share=1.0)
    answers = [
        await client.get(f"/api/v2/tasks/{task_id}"),
        await client.get("/api/tape/events"),
        await client.patch(f"/api/v2/tasks/{task_id}", json={"action": "stop"}),
        await client.post("/api/v2/tasks", json={"task": "Go to https://example.com."}),
    ]
    ready, alive = await client.get("/readyz"), await client.get("/healthz")
    verdict = await (await client.get("/api/tape/verify")).json()

    sentence = (
        "The tape is damaged at position 2: its hash does not follow from its content and the hash before it. Nothing"
        " is served from it any more. Stop the service and put a backup in its place; `tapewright verify` tells how"
        " far it is whole."
    )
    assert 200 == before
    assert [(503, {"detail": sentence})] * 4 == [(each.status, await each.json()) for each in answers]
    assert (503, sentence, 200) == (ready.status, (await ready.json())["status"], alive.status)
    assert (False, 2) == (verdict["ok"], verdict["first_bad"])


@pytest.mark.parametrize("reserve", [NO_ROOM])
async def test_without_room_new_tasks_are_refused_and_readiness_says_so(
    service: Service, aiohttp_client: MakeClient, tmp_path: Path, reserve: int
) -> None:
    tight = replace(service, space=Space(tmp_path, reserve=reserve))
    client = await aiohttp_client(create_app(tight), headers={"Authorization": f"Bearer {KEY}"})

    refused = await client.post("/api/v2/tasks", json={"task": "Go to https://example.com."})
    ready = await client.get("/readyz")

    detail = (await refused.json())["detail"]
    assert (507, True) == (refused.status, detail.startswith("New tasks are refused until there is room: less than"))
    assert (200, FULL) == (ready.status, (await ready.json())["status"])
