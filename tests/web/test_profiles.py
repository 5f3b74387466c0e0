"""Profiles through both families: one and the same, begun with by tasks, and gone with all that was saved to them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.app import create_app
from api.service import Service
from eventstore import events as e
from eventstore.secrets import Secret
from eventstore.snapshots import get_cookies, put_cookies, snapshot_name
from runner.profiles import Profiles
from tests.web.conftest import KEY, Client, Drive, MakeClient

V1, V2 = "/api/v1/browser-profiles", "/api/v2/profiles"
SHOP = {
    "profile_name": "Shop",
    "description": "my account",
    "persist": False,
    "ad_blocker": False,
    "proxy": True,
    "proxy_country_code": "US",
    "browser_viewport_width": 800,
    "browser_viewport_height": 600,
}
STATE = '{"cookies":[{"name":"a","value":"secret","domain":".shop.test"},{"domain":"bank.test"}],"origins":[]}'
UNKNOWN = "0198f0a2-0000-7000-8000-000000000000"


async def asked(client: Client, method: str, path: str, **options: Any) -> tuple[int, Any]:
    response = await client.request(method, path, **options)
    return response.status, await response.json() if await response.read() else None


async def made(client: Client, **fields: object) -> str:
    """The id of a new profile of v2's."""
    return str((await asked(client, "POST", V2, json=fields))[1]["id"])


async def saved(service: Service, profile_id: str, state: str = STATE) -> None:
    """As a runner does at the end of a task."""
    await Profiles(service.store, service.vault, actor="runner:r1").save(profile_id, "task-one", state)
    await service.projector.reached(service.store.head)


async def options(client: Client, drive: Drive, path: str, body: dict[str, object]) -> e.Options:
    """What the tape says of the browser of a task that is created so."""
    _, answer = await asked(client, "POST", path, json={"task": "Open the shop.", **body})
    (recorded, *_) = await drive.tape(answer["id"])
    assert isinstance(recorded.event, e.TaskCreated)
    return recorded.event.options


async def test_what_was_given_through_v1_is_seen_through_it_again(client: Client) -> None:
    status, profile = await asked(client, "POST", V1, json=SHOP)
    again = await asked(client, "GET", f"{V1}/{profile['profile_id']}")
    listed = await asked(client, "GET", V1)

    assert (200, {**SHOP, "profile_id": profile["profile_id"]}) == (status, profile)
    assert (200, profile) == again
    expected = {"profiles": [profile], "total_pages": 1, "page": 1, "limit": 10, "total_count": 1}
    assert (200, expected) == listed


async def test_a_name_is_all_that_v1_needs(client: Client) -> None:
    _, profile = await asked(client, "POST", V1, json={"profile_name": "Shop", "description": None, "persist": None})

    assert {
        "profile_id": profile["profile_id"],
        "profile_name": "Shop",
        "description": "",
        "persist": True,
        "ad_blocker": True,
        "proxy": True,
        "proxy_country_code": "us",
        "browser_viewport_width": 1280,
        "browser_viewport_height": 960,
    } == profile


async def test_v1_changes_what_it_names_and_nothing_else(client: Client) -> None:
    _, profile = await asked(client, "POST", V1, json=SHOP)
    path = f"{V1}/{profile['profile_id']}"

    changed = await asked(client, "PUT", path, json={"persist": True, "browser_viewport_width": 1024})
    again = await asked(client, "PUT", path, json={})

    expected = {**profile, "persist": True, "browser_viewport_width": 1024}
    assert [(200, expected), (200, expected)] == [changed, again]


@pytest.mark.parametrize("body", [None, {}, {"name": None, "userId": None}])
async def test_v2_needs_nothing_at_all(client: Client, body: dict[str, object] | None) -> None:
    status, profile = (
        await asked(client, "POST", V2, json=body) if body is not None else await asked(client, "POST", V2)
    )

    nothing = dict.fromkeys(("name", "userId", "lastUsedAt", "cookieDomains"))
    assert (201, nothing) == (status, {name: profile[name] for name in nothing})
    assert profile["createdAt"] == profile["updatedAt"]
    assert profile["createdAt"].endswith("Z")


async def test_a_body_that_is_not_encoded_as_it_says_is_the_clients_fault(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}

    status, answer = await asked(client, "POST", V2, data=b"{}", headers=headers)

    assert (422, ["body"]) == (status, answer["detail"][0]["loc"])


async def test_a_profile_of_one_family_is_seen_through_the_other(client: Client) -> None:
    _, first = await asked(client, "POST", V1, json=SHOP)
    _, second = await asked(client, "POST", V2, json={"name": "Bank", "userId": "ada"})

    _, through_v2 = await asked(client, "GET", V2)
    _, through_v1 = await asked(client, "GET", V1)
    await asked(client, "PATCH", f"{V2}/{first['profile_id']}", json={"name": "Shop 2", "userId": "ada"})
    renamed = await asked(client, "GET", f"{V1}/{first['profile_id']}")

    assert [(second["id"], "Bank"), (first["profile_id"], "Shop")] == [
        (each["id"], each["name"]) for each in through_v2["items"]
    ]
    assert ["Bank", "Shop"] == [each["profile_name"] for each in through_v1["profiles"]]
    assert (200, {**first, "profile_name": "Shop 2"}) == renamed


async def test_v2_takes_away_what_is_null_and_leaves_what_is_left_out(client: Client) -> None:
    profile_id = await made(client, name="Bank", userId="ada")

    told = [
        (await asked(client, "PATCH", f"{V2}/{profile_id}", json=body))[1]
        for body in ({}, {"name": "Shop"}, {"userId": None})
    ]

    assert [("Bank", "ada"), ("Shop", "ada"), ("Shop", None)] == [(each["name"], each["userId"]) for each in told]


async def test_v2_finds_them_by_their_name_or_whose_they_are_a_page_at_a_time(client: Client) -> None:
    for number in range(3):
        await made(client, name=f"Bank {number}", userId=f"ada-{number}")

    async def found(**query: object) -> tuple[list[str], int]:
        _, page = await asked(client, "GET", V2, params={key: str(value) for key, value in query.items()})
        return [each["name"] for each in page["items"]], page["totalItems"]

    assert (["Bank 2", "Bank 1", "Bank 0"], 3) == await found()
    assert (["Bank 0"], 3) == await found(pageSize=2, pageNumber=2)
    assert (["Bank 1"], 1) == await found(query="bAnK 1")
    assert (["Bank 2"], 1) == await found(query="ADA-2")
    assert ([], 0) == await found(query="nobody")


async def test_what_was_saved_shows_where_its_cookies_belong_and_no_cookie(
    client: Client, service: Service, drive: Drive
) -> None:
    profile_id = await made(client, name="Bank")

    await saved(service, profile_id)
    _, profile = await asked(client, "GET", f"{V2}/{profile_id}")

    assert ["bank.test", "shop.test"] == profile["cookieDomains"]
    assert profile["lastUsedAt"] == profile["updatedAt"] > profile["createdAt"]
    said = [recorded.payload or b"" for recorded in await service.store.read()]
    assert not [payload for payload in said if b"secret" in payload]


async def test_a_deleted_profile_is_gone_with_all_that_was_saved_to_it(
    client: Client, service: Service, tmp_path: Path
) -> None:
    first, second = await made(client, name="Bank"), await made(client, name="Shop")
    for number in range(5):
        for profile_id in (first, second):
            await saved(service, profile_id, f'{{"origins":[{number}]}}')

    by_v2 = await asked(client, "DELETE", f"{V2}/{first}")
    by_v1 = await asked(client, "DELETE", f"{V1}/{second}")

    gone = [await asked(client, method, f"{V2}/{first}", json={}) for method in ("GET", "PATCH", "DELETE")]
    gone += [await asked(client, method, f"{V1}/{second}", json={}) for method in ("GET", "PUT", "DELETE")]
    assert ((204, None), (200, {})) == (by_v2, by_v1)
    assert 3 * [(404, {"detail": "Profile not found"})] + 3 * [(404, {"detail": "Browser profile not found"})] == gone
    assert ([], None) == (
        list((tmp_path / "vault").glob("profile-*")),
        await service.vault.get(snapshot_name(first, 5)),
    )


async def test_so_is_a_snapshot_that_no_event_names(client: Client, service: Service) -> None:
    profile_id = await made(client, name="Bank")
    for version in (1, 2, 3, 4):
        await saved(service, profile_id, f'{{"origins":[{version}]}}')
    for version in (1, 5):  # what a save leaves that fails before its event, or after it
        await service.vault.put(snapshot_name(profile_id, version), STATE.encode())

    await asked(client, "DELETE", f"{V2}/{profile_id}")

    assert 6 * [None] == [await service.vault.get(snapshot_name(profile_id, version)) for version in range(6)]


@pytest.mark.parametrize(
    ("path", "body", "detail"),
    [
        ("/api/v1/run-task", {"browser_profile_id": UNKNOWN}, "Browser profile not found"),
        ("/api/v1/run-task", {"browser_profile_id": "p"}, "Browser profile not found"),
        ("/api/v2/tasks", {"sessionSettings": {"profileId": UNKNOWN}}, "Profile not found"),
    ],
)
async def test_a_task_cannot_begin_with_a_profile_that_is_not_there(
    client: Client, service: Service, path: str, body: dict[str, object], detail: str
) -> None:
    answer = await asked(client, "POST", path, json={"task": "Open the shop.", **body})

    assert (404, {"detail": detail}) == answer
    assert 0 == service.store.head


async def test_nor_with_one_of_another_project(client: Client, anonymous: Client, drive: Drive) -> None:
    profile_id = await made(client, name="Bank")
    anonymous.session.headers.update(await drive.key("admin", project="shop"))

    body = {"task": "Open the shop.", "browser_profile_id": profile_id}
    answer = await asked(anonymous, "POST", "/api/v1/run-task", json=body)

    assert (404, {"detail": "Browser profile not found"}) == answer


async def test_a_task_of_either_family_has_the_settings_of_its_profile_where_it_has_none(
    client: Client, drive: Drive
) -> None:
    _, profile = await asked(client, "POST", V1, json=SHOP)
    profile_id = profile["profile_id"]

    through_v1 = await options(client, drive, "/api/v1/run-task", {"browser_profile_id": profile_id.upper()})
    own = {"browser_profile_id": profile_id, "browser_viewport_width": 1280, "browser_viewport_height": 960}
    with_its_own = await options(client, drive, "/api/v1/run-task", own)
    through_v2 = await options(client, drive, "/api/v2/tasks", {"sessionSettings": {"profileId": profile_id}})

    plain = e.Options(viewport_width=800, viewport_height=600, profile=profile_id)
    assert plain == through_v1 == through_v2
    assert e.Options(profile=profile_id) == with_its_own


async def test_the_cookies_of_a_task_are_told_to_whoever_asked_for_them_once_it_has_ended(
    client: Client, service: Service, drive: Drive
) -> None:
    body = {"task": "Open the shop.", "save_browser_data": True}
    _, created = await asked(client, "POST", "/api/v1/run-task", json=body)
    task_id = created["id"]
    await drive.start(task_id)
    await put_cookies(service.vault, task_id, STATE)

    _, before = await asked(client, "GET", f"/api/v1/task/{task_id}")
    await drive.finish(task_id)
    _, after = await asked(client, "GET", f"/api/v1/task/{task_id}")
    redacted = await asked(client, "POST", f"/api/tape/tasks/{task_id}/redact", json={})

    cookies = msgspec.json.decode(STATE)["cookies"]
    assert (None, {"cookies": cookies}) == (before["browser_data"], after["browser_data"])
    assert (200, None) == (redacted[0], await get_cookies(service.vault, task_id))
    assert b"secret" not in b"".join(recorded.payload or b"" for recorded in await service.store.read())


async def test_the_tape_of_a_project_has_its_profiles(client: Client, anonymous: Client, drive: Drive) -> None:
    profile_id = await made(client, name="Bank")
    await asked(client, "PATCH", f"{V2}/{profile_id}", json={"name": "Shop"})
    anonymous.session.headers.update(await drive.key("admin", project="shop"))

    _, mine = await asked(client, "GET", "/api/tape/events")
    _, theirs = await asked(anonymous, "GET", "/api/tape/events")

    assert ["profile.created", "profile.changed"] == [each["type"] for each in mine["events"]]
    assert ["key.created"] == [each["type"] for each in theirs["events"]]


@pytest.fixture
async def abroad(service: Service, aiohttp_client: MakeClient) -> Client:
    """A client of a service with two proxies."""
    proxies = Secret("us=http://proxy.test:3128,de=http://ada:horse@proxy.test:3129")
    other = replace(service, settings=msgspec.structs.replace(service.settings, proxies=proxies))
    return await aiohttp_client(create_app(other), headers={"Authorization": f"Bearer {KEY}"})


@pytest.mark.parametrize(
    ("body", "here", "there"),
    [
        ({}, "", "us"),
        ({"proxy_country_code": None}, "", "us"),
        ({"proxy_country_code": "US"}, "us", "us"),
        ({"use_proxy": False, "proxy_country_code": "us"}, "", ""),
    ],
)
async def test_a_country_leads_to_its_proxy_and_the_default_one_works_without(
    client: Client, abroad: Client, drive: Drive, body: dict[str, object], here: str, there: str
) -> None:
    codes = [(await options(each, drive, "/api/v1/run-task", body)).country for each in (client, abroad)]

    assert [here, there] == codes


@pytest.mark.parametrize(
    ("settings", "code"), [({}, "us"), ({"proxyCountryCode": None}, ""), ({"proxyCountryCode": "DE"}, "de")]
)
async def test_v2_says_by_null_that_it_wants_no_proxy(
    abroad: Client, drive: Drive, settings: dict[str, object], code: str
) -> None:
    assert code == (await options(abroad, drive, "/api/v2/tasks", {"sessionSettings": settings})).country


async def test_a_profile_leads_abroad_as_long_as_there_is_a_proxy(client: Client, abroad: Client, drive: Drive) -> None:
    _, profile = await asked(abroad, "POST", V1, json={"profile_name": "Bank", "proxy_country_code": "de"})
    _, at_home = await asked(abroad, "POST", V1, json={"profile_name": "Bank", "proxy": False})
    body = {"browser_profile_id": profile["profile_id"]}

    codes = [
        (await options(abroad, drive, "/api/v1/run-task", body)).country,
        (await options(abroad, drive, "/api/v1/run-task", {**body, "proxy_country_code": "us"})).country,
        (await options(client, drive, "/api/v1/run-task", body)).country,
        (await options(abroad, drive, "/api/v1/run-task", {"browser_profile_id": at_home["profile_id"]})).country,
    ]

    assert ["de", "us", "", ""] == codes


@pytest.mark.parametrize(("method", "body"), [("POST", {"profile_name": "Bank"}), ("PUT", {})])
async def test_a_profile_for_a_country_without_a_proxy_is_refused(
    abroad: Client, method: str, body: dict[str, object]
) -> None:
    path = V1 if method == "POST" else f"{V1}/{await made(abroad)}"

    status, answer = await asked(abroad, method, path, json={**body, "proxy_country_code": "fr"})

    flaw = {
        "loc": ["body", "proxy_country_code"],
        "msg": 'There is no proxy for the country "fr"; configured: de, us.',
        "type": "value_error",
    }
    assert (422, [flaw]) == (status, answer["detail"])
