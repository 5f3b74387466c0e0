"""Scheduled tasks as v1 has them: made, shown, changed in part, deleted, and refused by the field."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from api.service import Service
from eventstore import events as e
from eventstore import schedule, secrets
from eventstore.secrets import Secret
from tests.web.conftest import Client, Drive

ONE, ALL = "/api/v1/scheduled-task", "/api/v1/scheduled-tasks"
HOURLY = {
    "task": "Open the shop.",
    "schedule_type": "interval",
    "interval_minutes": 60,
    "start_at": "2100-01-01T00:00:00Z",
}
VIEW: dict[str, object] = {
    "task": "Open the shop.",
    "secrets": [],
    "allowed_domains": [],
    "browser_profile_id": None,
    "save_browser_data": False,
    "structured_output_json": None,
    "llm_model": "instructions",
    "use_adblock": True,
    "use_proxy": True,
    "proxy_country_code": None,
    "highlight_elements": True,
    "included_file_names": [],
    "browser_viewport_width": 1280,
    "browser_viewport_height": 960,
    "max_agent_steps": 75,
    "enable_public_share": False,
    "metadata": {},
    "schedule_type": "interval",
    "interval_minutes": 60,
    "cron_expression": None,
    "start_at": "2100-01-01T00:00:00Z",
    "next_run_at": "2100-01-01T00:00:00Z",
    "end_at": "2101-01-01T00:00:00Z",
    "is_active": True,
}


async def made(client: Client, **fields: object) -> str:
    answer = await client.post(ONE, json={**HOURLY, **fields})
    assert 200 == answer.status, await answer.text()
    schedule_id: str = (await answer.json())["id"]
    return schedule_id


async def shown(client: Client, schedule_id: str) -> dict[str, object]:
    """The view without its id and times of making, which it must have."""
    view: dict[str, object] = await (await client.get(f"{ONE}/{schedule_id}")).json()
    assert schedule_id == view.pop("id")
    for name in ("created_at", "updated_at"):
        datetime.fromisoformat(str(view.pop(name)))
    return view


async def test_a_schedule_is_shown_as_it_was_made(client: Client) -> None:
    assert VIEW == await shown(client, await made(client))


async def test_everything_that_a_task_may_have_is_shown(client: Client) -> None:
    fields = {
        "allowed_domains": ["*.shop.test"],
        "save_browser_data": True,
        "structured_output_json": '{"type":"object"}',
        "use_adblock": False,
        "enable_public_share": True,
        "browser_viewport_width": 800,
        "max_agent_steps": 10,
        "metadata": {"team": "a"},
        "secrets": {"password": "hunter2-and-more"},
        "schedule_type": "cron",
        "interval_minutes": None,
        "cron_expression": "0  9 * * 1",
        "end_at": "2100-02-01T00:00:00+01:00",
        "is_active": False,
    }

    view = await shown(client, await made(client, **fields))

    expected = {
        **VIEW,
        **fields,
        "secrets": ["password"],
        "cron_expression": "0 9 * * 1",
        "end_at": "2100-01-31T23:00:00Z",
        "next_run_at": None,
    }
    assert expected == view


async def test_a_change_leaves_alone_what_it_does_not_name(client: Client, service: Service) -> None:
    schedule_id = await made(client, secrets={"password": "hunter2-and-more"}, metadata={"team": "a"}, use_proxy=False)

    answer = await client.put(f"{ONE}/{schedule_id}", json={"task": "Close the shop.", "metadata": None})

    expected = {
        **VIEW,
        "task": "Close the shop.",
        "secrets": ["password"],
        "metadata": {"team": "a"},
        "use_proxy": False,
    }
    assert 200 == answer.status
    assert expected == await shown(client, schedule_id)
    kept = await secrets.get(service.vault, schedule.vault_name(schedule_id, ""))
    assert {"password": Secret("hunter2-and-more")} == kept


async def test_a_view_that_is_sent_back_changes_what_was_changed_in_it(client: Client, service: Service) -> None:
    schedule_id = await made(client, secrets={"password": "hunter2-and-more"})
    view = await (await client.get(f"{ONE}/{schedule_id}")).json()

    answer = await client.put(f"{ONE}/{schedule_id}", json={**view, "interval_minutes": 30})
    other = await client.put(f"{ONE}/{schedule_id}", json={"secrets": ["pin"]})

    assert (200, 422) == (answer.status, other.status)
    assert {**VIEW, "secrets": ["password"], "interval_minutes": 30} == await shown(client, schedule_id)
    kept = await secrets.get(service.vault, schedule.vault_name(schedule_id, ""))
    assert {"password": Secret("hunter2-and-more")} == kept


async def test_a_change_that_arrives_slowly_takes_back_none_that_was_made_meanwhile(client: Client) -> None:
    schedule_id = await made(client)
    asked, rest = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        asked.set()
        await rest.wait()
        yield b'{"interval_minutes": 30}'

    async with asyncio.TaskGroup() as group:
        group.create_task(client.put(f"{ONE}/{schedule_id}", data=slowly(), expect100=True))
        await asked.wait()  # the service has begun with it, and waits for the rest
        await client.put(f"{ONE}/{schedule_id}", json={"task": "Open the other shop."})
        rest.set()

    expected = {**VIEW, "task": "Open the other shop.", "interval_minutes": 30}
    assert expected == await shown(client, schedule_id)


async def test_a_change_moves_neither_beginning_nor_end_that_nobody_named(client: Client) -> None:
    schedule_id = await made(client, start_at=None)
    before = await shown(client, schedule_id)

    await client.put(f"{ONE}/{schedule_id}", json={"task": "Close the shop."})

    assert {**before, "task": "Close the shop."} == await shown(client, schedule_id)


async def test_a_schedule_turns_from_an_interval_to_cron_and_rests(client: Client) -> None:
    schedule_id = await made(client)

    await client.put(f"{ONE}/{schedule_id}", json={"schedule_type": "cron", "cron_expression": "0 9 * * *"})
    await client.put(f"{ONE}/{schedule_id}", json={"is_active": False})

    expected = {
        **VIEW,
        "schedule_type": "cron",
        "interval_minutes": None,
        "cron_expression": "0 9 * * *",
        "is_active": False,
        "next_run_at": None,
    }
    assert expected == await shown(client, schedule_id)


async def test_a_deleted_schedule_is_not_there_and_its_secrets_are_gone(client: Client, service: Service) -> None:
    schedule_id = await made(client, secrets={"password": "hunter2-and-more"})

    deleted = await client.delete(f"{ONE}/{schedule_id}")
    again = await client.get(f"{ONE}/{schedule_id}")

    assert (200, {}) == (deleted.status, await deleted.json())
    assert (404, {"detail": "Scheduled task not found"}) == (again.status, await again.json())
    assert await secrets.get(service.vault, schedule.vault_name(schedule_id, "")) is None


async def test_the_list_has_the_newest_first_in_pages(client: Client) -> None:
    ids = [await made(client, task=f"Task {number}.") for number in range(3)]

    answer = await (await client.get(f"{ALL}?page=2&limit=2")).json()

    assert ids[:1] == [each["id"] for each in answer.pop("tasks")]
    assert {"total_pages": 2, "page": 2, "limit": 2, "total_count": 3} == answer


async def test_the_schedules_of_another_project_do_not_exist(client: Client, drive: Drive) -> None:
    schedule_id = await made(client)
    stranger = await drive.key("read", "control", project="other")

    answers = [
        await client.get(f"{ONE}/{schedule_id}", headers=stranger),
        await client.put(f"{ONE}/{schedule_id}", json={"is_active": False}, headers=stranger),
        await client.delete(f"{ONE}/{schedule_id}", headers=stranger),
    ]
    listed = await (await client.get(ALL, headers=stranger)).json()

    assert [404, 404, 404] == [answer.status for answer in answers]
    assert [] == listed["tasks"]


async def test_a_secret_is_nowhere_on_the_tape(client: Client, service: Service) -> None:
    schedule_id = await made(client, secrets={"password": "hunter2-and-more"}, webhook_secret="hunter2-or-less")

    (recorded,) = await service.store.read_stream(f"schedule-{schedule_id}")
    assert isinstance(recorded.event, e.ScheduleCreated)
    assert b"hunter2" not in (recorded.payload or b"")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"schedule_type": "often"}, "schedule_type"),
        ({"interval_minutes": None}, "interval_minutes"),
        ({"interval_minutes": 0}, "interval_minutes"),
        ({"schedule_type": "cron"}, "cron_expression"),
        ({"schedule_type": "cron", "cron_expression": "61 * * * *"}, "cron_expression"),
        ({"end_at": "2099-01-01T00:00:00Z"}, "end_at"),
        ({"start_at": "soon"}, "start_at"),
        ({"start_at": "9999-01-01T00:00:00Z"}, "start_at"),
        ({"llm_model": "gpt-4.1"}, "llm_model"),
        ({"task": ""}, "task"),
        ({"webhook_url": "https://example.com/"}, "webhook_url"),
        ({"included_file_names": ["nothing.pdf"]}, "included_file_names"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_field(
    client: Client, service: Service, fields: dict[str, object], field: str
) -> None:
    answer = await client.post(ONE, json={**HOURLY, **fields})

    (flaw,) = (await answer.json())["detail"]
    assert (422, ["body", field], 0) == (answer.status, flaw["loc"][:2], service.store.head)


async def test_a_change_that_cannot_be_changes_nothing(client: Client) -> None:
    schedule_id = await made(client)

    answer = await client.put(f"{ONE}/{schedule_id}", json={"interval_minutes": -1, "task": "Other."})

    assert 422 == answer.status
    assert VIEW == await shown(client, schedule_id)
