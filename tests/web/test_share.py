"""Public shares and logs: what whoever has the link may see, and for how long."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest

from api import control, share
from api.service import Service
from eventstore import events as e
from tests.web.conftest import Client, Drive

SESSIONS, TASKS = "/api/v2/sessions", "/api/v2/tasks"
NOT_SHARED = (404, {"detail": "This is not shared (any more)."})


async def shared(client: Client, session: str) -> dict[str, str]:
    response = await client.post(f"{SESSIONS}/{session}/public-share")
    assert 201 == response.status
    return dict(await response.json())


async def one_step(drive: Drive, project: str = "default") -> tuple[str, str]:
    """A finished task of one step with a picture, and its session."""
    session = control.fresh_id()
    task = await drive.create(session=session, project=project)
    await drive.start(task)
    await drive.step(task, screenshot=b"a picture")
    await drive.finish(task, "All done.")
    return task, session


def path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


async def test_a_share_has_a_link_that_everybody_can_open(client: Client, anonymous: Client, drive: Drive) -> None:
    task, session = await one_step(drive)
    answer = await shared(client, session)

    page = await anonymous.get(path(answer["shareUrl"]))

    text = await page.text()
    assert {
        "shareToken": answer["shareToken"],
        "shareUrl": f"http://tape.test/share/{answer['shareToken']}",
        "viewCount": 0,
        "lastViewedAt": None,
    } == answer
    assert (200, "text/html") == (page.status, page.content_type)
    for said in ("Open the shop.", "Go on.", "All done.", f"{task}/1.png"):
        assert said in text


async def test_pictures_of_the_page_come_from_the_service(client: Client, anonymous: Client, drive: Drive) -> None:
    _, session = await one_step(drive)
    page = await anonymous.get(path((await shared(client, session))["shareUrl"]))

    (picture,) = re.findall(r'src="([^"]+)"', await page.text())
    response = await anonymous.get(picture)

    assert (200, "image/png", b"a picture") == (response.status, response.content_type, await response.read())


async def test_nothing_on_the_page_can_run_and_nobody_is_told_of_it(
    client: Client, anonymous: Client, drive: Drive
) -> None:
    session = control.fresh_id()
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    task = await drive.create(session=session, instruction=nasty)
    await drive.start(task)
    await drive.step(task, url=f"javascript:{nasty}", title=nasty, next_goal=nasty)
    await drive.finish(task, nasty)

    page = await anonymous.get(path((await shared(client, session))["shareUrl"]))

    text, policy = await page.text(), page.headers["Content-Security-Policy"]
    assert "<script" not in text
    assert "<img" not in text
    assert policy.startswith("default-src 'none'; img-src 'self'; style-src 'sha256-")
    assert ("no-referrer", "noindex, nofollow", "private, no-store") == tuple(
        page.headers[name] for name in ("Referrer-Policy", "X-Robots-Tag", "Cache-Control")
    )


async def test_sharing_twice_is_one_share(client: Client, drive: Drive, service: Service) -> None:
    _, session = await one_step(drive)

    first, second = await shared(client, session), await shared(client, session)

    assert first == second
    said = [type(recorded.event) for recorded in await service.store.read_stream(f"session-{session}")]
    assert [e.SessionCreated, e.SessionShared] == said


async def test_a_link_that_was_taken_back_opens_nothing_and_a_new_share_has_another(
    client: Client, anonymous: Client, drive: Drive
) -> None:
    task, session = await one_step(drive)
    old = path((await shared(client, session))["shareUrl"])

    gone = await client.delete(f"{SESSIONS}/{session}/public-share")
    read = await client.get(f"{SESSIONS}/{session}/public-share")
    closed = [await anonymous.get(each) for each in (old, f"{old}/{task}/1.png")]
    new = path((await shared(client, session))["shareUrl"])

    assert (204, 404, {"detail": "Public share not found"}) == (gone.status, read.status, await read.json())
    assert [NOT_SHARED] * 2 == [(each.status, await each.json()) for each in closed]
    assert (True, 200, 404) == (old != new, (await anonymous.get(new)).status, (await anonymous.get(old)).status)


@pytest.mark.parametrize("how", ["delete", "purge"])
async def test_what_is_gone_is_shared_no_more(client: Client, anonymous: Client, drive: Drive, how: str) -> None:
    _, session = await one_step(drive)
    link = path((await shared(client, session))["shareUrl"])

    await (client.delete(f"{SESSIONS}/{session}") if how == "delete" else client.post(f"{SESSIONS}/{session}/purge"))

    page = await anonymous.get(link)
    assert NOT_SHARED == (page.status, await page.json())


async def test_a_token_that_was_guessed_opens_nothing(client: Client, anonymous: Client, drive: Drive) -> None:
    _, session = await one_step(drive)
    token = (await shared(client, session))["shareToken"]
    near = token[:-1] + ("0" if token[-1] != "0" else "1")

    answers = [await anonymous.get(f"/share/{each}") for each in (near, "x", token.upper(), token[:71], token * 2)]

    assert [NOT_SHARED] * 5 == [(each.status, await each.json()) for each in answers]


async def test_a_link_shows_pictures_of_its_own_session_alone(client: Client, anonymous: Client, drive: Drive) -> None:
    task, session = await one_step(drive)
    theirs, _ = await one_step(drive, project="theirs")
    link = path((await shared(client, session))["shareUrl"])

    answers = [await anonymous.get(f"{link}/{each}.png") for each in (f"{theirs}/1", f"{task}/2", f"{task}/x", "x/1")]

    assert [404] * 4 == [each.status for each in answers]


async def test_looks_are_counted_at_once_and_told_now_and_then(
    client: Client, anonymous: Client, drive: Drive, service: Service
) -> None:
    _, session = await one_step(drive)
    link = path((await shared(client, session))["shareUrl"])
    app = client.server.app  # type: ignore[attr-defined] # a TestServer has one
    views = app[share.VIEWS]

    await asyncio.gather(*(client.get(link) for _ in range(20)))
    await client.head(link)
    before = await (await client.get(f"{SESSIONS}/{session}/public-share")).json()
    await views.tell()
    await views.tell()
    after = await (await client.get(f"{SESSIONS}/{session}/public-share")).json()

    last = (await service.store.read_stream(f"session-{session}"))[-1].event
    assert (20, 20) == (before["viewCount"], after["viewCount"])
    assert None is not before["lastViewedAt"]
    assert isinstance(last, e.ShareViewed)
    assert 20 == last.views
    assert 3 == len(await service.store.read_stream(f"session-{session}"))


async def test_what_was_counted_is_told_when_the_service_ends(client: Client, drive: Drive, service: Service) -> None:
    _, session = await one_step(drive)
    await client.get(path((await shared(client, session))["shareUrl"]))

    await client.close()

    assert "session.share_viewed" == (await service.store.read_stream(f"session-{session}"))[-1].type


async def test_a_session_tells_where_it_is_shared(client: Client, drive: Drive) -> None:
    task, session = await one_step(drive)
    before = await (await client.get(f"{SESSIONS}/{session}")).json()
    answer = await shared(client, session)

    after = await (await client.get(f"{SESSIONS}/{session}")).json()
    v1 = await (await client.get(f"/api/v1/task/{task}")).json()

    assert (None, answer["shareUrl"]) == (before["publicShareUrl"], after["publicShareUrl"])
    assert answer["shareUrl"] == v1["public_share_url"]


async def test_a_v1_task_can_be_shared_from_its_beginning(client: Client, anonymous: Client) -> None:
    body = {"task": "Open the shop.", "enable_public_share": True}
    shown = await (await client.post("/api/v1/run-task", json=body)).json()
    hidden = await (await client.post("/api/v1/run-task", json={"task": "Open the shop."})).json()

    urls = [
        (await (await client.get(f"/api/v1/task/{each['id']}")).json())["public_share_url"] for each in (shown, hidden)
    ]

    assert None is urls[1]
    assert "Open the shop." in await (await anonymous.get(path(urls[0]))).text()


async def test_a_log_is_read_by_a_link_that_expires(client: Client, anonymous: Client, drive: Drive) -> None:
    task, _ = await one_step(drive)

    answer = await (await client.get(f"{TASKS}/{task}/logs")).json()
    response = await anonymous.get(path(answer["downloadUrl"]))
    text = await response.text()
    forged = await anonymous.get(path(answer["downloadUrl"]).replace("expires=", "expires=9"))
    bare = await anonymous.get(f"/api/tape/tasks/{task}/log.txt")

    assert (200, "text/plain") == (response.status, response.content_type)
    assert [401, 401] == [forged.status, bare.status]
    kinds = [line.split()[1] for line in text.splitlines() if not line.startswith(" ")]
    assert [recorded.type.removeprefix("task.") for recorded in await drive.tape(task)] == kinds
    for said in ("    task: Open the shop.", "    goal: Go on.", "    output: All done."):
        assert said in text.splitlines()


async def test_who_asks_for_the_head_of_a_log_alone_gets_no_more(client: Client, drive: Drive) -> None:
    task, _ = await one_step(drive)
    link = path((await (await client.get(f"{TASKS}/{task}/logs")).json())["downloadUrl"])

    heads = [await client.head(link) for _ in range(2)]  # what is too much would be taken for the next answer

    assert [(200, "text/plain")] * 2 == [(each.status, each.content_type) for each in heads]
    assert 200 == (await client.get(link)).status


async def test_the_log_of_a_redacted_task_is_gone(client: Client, drive: Drive) -> None:
    task, session = await one_step(drive)
    link = path((await (await client.get(f"{TASKS}/{task}/logs")).json())["downloadUrl"])

    await client.post(f"{SESSIONS}/{session}/purge")

    assert 410 == (await client.get(link)).status
