"""Tags of views: 304 while an answer is the same, and the whole answer as soon as anything of it is another."""

from uuid import uuid4

import pytest

from api import etag
from tests.web.conftest import Client, Drive

VIEWS = (
    "/api/v1/task/{task}",
    "/api/v1/task/{task}/status",
    "/api/v2/tasks/{task}",
    "/api/v2/tasks/{task}/status",
    "/api/v2/sessions/{session}",
    "/api/tape/tasks/{task}",
)
each_view = pytest.mark.parametrize("view", VIEWS)


async def running(drive: Drive) -> tuple[str, str]:
    """A task with a picture, and its session."""
    session = str(uuid4())
    task_id = await drive.create(session=session)
    await drive.start(task_id)
    await drive.step(task_id, screenshot=b"\x89PNG one")
    return task_id, session


@each_view
async def test_who_has_the_answer_gets_304_without_a_body_until_it_changes(
    client: Client, drive: Drive, view: str
) -> None:
    task_id, session = await running(drive)
    path = view.format(task=task_id, session=session)
    first = await client.get(path)
    tag = first.headers["ETag"]

    again = await client.get(path, headers={"If-None-Match": tag})
    among = await client.get(path, headers={"If-None-Match": f'"x", {tag.removeprefix("W/")}'})
    other = await client.get(path, headers={"If-None-Match": 'W/"x"'})
    head = await client.head(path, headers={"If-None-Match": tag})
    whole_head = await client.head(path)
    await drive.finish(task_id, "done")
    later = await client.get(path, headers={"If-None-Match": tag})

    assert tag.startswith('W/"')
    assert [(304, b"", tag)] * 3 == [(r.status, await r.read(), r.headers["ETag"]) for r in (again, among, head)]
    assert [(200, tag)] * 2 == [(r.status, r.headers["ETag"]) for r in (other, whole_head)]
    assert (200, True) == (later.status, later.headers["ETag"] != tag)


@pytest.mark.parametrize("view", ["/api/v1/task/{task}", "/api/v2/sessions/{session}"])
async def test_a_share_changes_what_shows_its_link(client: Client, drive: Drive, view: str) -> None:
    task_id, session = await running(drive)
    path = view.format(task=task_id, session=session)
    tag = (await client.get(path)).headers["ETag"]

    await client.post(f"/api/v2/sessions/{session}/public-share")
    shared = await client.get(path, headers={"If-None-Match": tag})
    await client.delete(f"/api/v2/sessions/{session}/public-share")
    unshared = await client.get(path, headers={"If-None-Match": shared.headers["ETag"]})

    assert [200, 200] == [shared.status, unshared.status]


async def test_a_task_as_it_stood_is_another_answer_once_it_was_redacted(client: Client, drive: Drive) -> None:
    task_id, _ = await running(drive)
    await drive.finish(task_id, "done")
    path = f"/api/tape/tasks/{task_id}"
    tags = [(await client.get(path, params={"at": at})).headers["ETag"] for at in ("2", "3")]

    redacted = await client.post(f"{path}/redact", json={"reason": "asked for"})
    again = await client.get(path, params={"at": "2"}, headers={"If-None-Match": tags[0]})

    assert len(set(tags)) == 2
    assert (True, 200) == (redacted.ok, again.status)


async def test_another_key_has_links_and_so_a_tag_of_its_own(client: Client, drive: Drive) -> None:
    task_id, _ = await running(drive)

    found = [
        (await client.get(f"/api/v1/task/{task_id}", headers=headers)).headers["ETag"]
        for headers in ({}, await drive.key("read"))
    ]

    assert len(set(found)) == 2


async def test_a_deleted_task_is_not_there_whatever_tag_is_sent(client: Client, drive: Drive) -> None:
    task_id, session = await running(drive)
    tag = (await client.get(f"/api/v2/tasks/{task_id}")).headers["ETag"]
    await drive.finish(task_id, "done")

    await client.delete(f"/api/v2/sessions/{session}")
    found = [
        (await client.get(f"/api/v2/tasks/{task_id}", headers={"If-None-Match": each})).status for each in (tag, "*")
    ]

    assert [404, 404] == found


def test_the_links_of_an_answer_outlive_its_tag() -> None:
    # Every link of a tagged view opens for an hour at least.
    assert etag.FRESH_SECONDS <= 3600 / 2


async def test_the_description_tells_of_tags_where_there_are_any(client: Client) -> None:
    document = await (await client.get("/openapi.json")).json()

    tagged = {
        path
        for path, item in document["paths"].items()
        for operation in item.values()
        if "304" in operation["responses"] and "ETag" in operation["responses"]["200"]["headers"]
    }
    asked = {
        path
        for path, item in document["paths"].items()
        for operation in item.values()
        if "If-None-Match" in {each["name"] for each in operation["parameters"]}
    }
    described = {view.replace("{task}", "{task_id}").replace("{session}", "{session_id}") for view in VIEWS}
    assert (described, described) == (tagged, asked)
