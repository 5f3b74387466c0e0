"""What a key opens: its scopes, on every route; and how keys come and go."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from api.app import ROUTES, create_app
from api.auth import digest, ensure_key
from api.cli import assemble
from api.keys import MadeKey
from api.service import Service
from api.sse import STREAMS
from api.wire import Route
from eventstore.directory import hold
from eventstore.key import SCOPES
from eventstore.sqlite import open_sqlite
from projections.keys import Keys
from tests.web.conftest import KEY, Client, Drive, MakeClient

SECONDS = 60.0
GUARDED = [route for route in ROUTES if route.scope is not None]


def name(route: Route) -> str:
    return f"{route.method} {route.path}"


def address(route: Route) -> str:
    return route.path.replace("{", "").replace("}", "")


def test_every_route_that_needs_a_key_says_which_scope_unless_it_tests_the_key() -> None:
    assert {"GET /api/v1/me"} == {name(route) for route in ROUTES if not route.open and route.scope is None}


def test_reading_needs_read_or_admin_and_changing_needs_more() -> None:
    assert {"read", "admin"} >= {route.scope for route in GUARDED if route.method == "GET"}
    assert {"control", "admin"} >= {route.scope for route in GUARDED if route.method != "GET"}


@pytest.mark.parametrize("route", GUARDED, ids=name)
async def test_a_key_without_the_scope_is_told_which_one_it_lacks(
    anonymous: Client, drive: Drive, route: Route
) -> None:
    headers = await drive.key(*(scope for scope in SCOPES if scope not in ("admin", route.scope)))

    response = await anonymous.request(route.method, address(route), headers=headers)

    assert (403, {"detail": f"This needs a key with the scope {route.scope}."}) == (
        response.status,
        await response.json(),
    )


@pytest.mark.parametrize("route", GUARDED, ids=name)
async def test_a_key_with_the_scope_or_an_admin_is_let_in(anonymous: Client, drive: Drive, route: Route) -> None:
    for headers in (await drive.key(route.scope or ""), await drive.key("admin")):
        response = await anonymous.request(route.method, address(route), headers=headers)

        assert response.status not in (401, 403)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.operator], ids=name)
async def test_what_tells_of_all_projects_is_for_the_operators_alone(
    anonymous: Client, drive: Drive, route: Route
) -> None:
    headers = await drive.key("admin", project="shop")

    response = await anonymous.request(route.method, address(route), headers=headers)

    sentence = "This tells of all projects, so it needs a key of the project default."
    assert (403, {"detail": sentence}) == (response.status, await response.json())


async def test_any_good_key_opens_what_tests_the_key(anonymous: Client, drive: Drive) -> None:
    for scope in SCOPES:
        response = await anonymous.get("/api/v1/me", headers=await drive.key(scope))

        assert (200, True) == (response.status, await response.json())


async def made(client: Client, **wished: object) -> MadeKey:
    """A key made over HTTP."""
    response = await client.post("/api/tape/keys", json=wished)
    assert (201, "no-store") == (response.status, response.headers["Cache-Control"])
    return msgspec.json.decode(await response.read(), type=MadeKey)


def bearing(key: MadeKey) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.key}"}


async def test_a_key_is_shown_once_and_nowhere_kept(client: Client, anonymous: Client, service: Service) -> None:
    key = await made(client, name="n8n", scopes=["control", "read", "read"])

    used = await anonymous.get("/api/v1/tasks", headers=bearing(key))
    (listed,) = (await (await client.get("/api/tape/keys")).json())["keys"]
    (event,) = await service.store.read()

    assert 200 == used.status
    expected = {"id": key.id, "name": "n8n", "project": "default", "scopes": ["read", "control"], "revoked_at": None}
    assert expected == {name: value for name, value in listed.items() if name != "created_at"}
    assert ("key:env", digest(key.key)) == (event.actor, msgspec.json.decode(event.payload or b"")["digest"])
    assert key.key.encode() not in (event.payload or b"") + str(listed).encode()


async def test_a_key_reads_and_starts_unless_it_is_asked_for_more_or_less(client: Client) -> None:
    key = await made(client)

    assert (("read", "control"), "default", "") == (tuple(key.scopes), key.project, key.name)


@pytest.mark.parametrize(
    ("wished", "place"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"name": "n" * 101}, "name"),
        ({"project": "../default"}, "project"),
        ({"project": ""}, "project"),
    ],
)
async def test_a_key_that_cannot_be_is_refused_by_its_place(
    client: Client, service: Service, wished: dict[str, object], place: str
) -> None:
    response = await client.post("/api/tape/keys", json=wished)

    (flaw,) = (await response.json())["detail"]
    assert (422, ["body", place], 0) == (response.status, flaw["loc"][:2], service.store.head)


async def test_operators_make_keys_for_every_project_and_others_for_their_own(
    client: Client, anonymous: Client
) -> None:
    shop = await made(client, project="shop", scopes=["admin"])
    anonymous.session.headers.update(bearing(shop))

    own = await made(anonymous, name="till")
    refused = await anonymous.post("/api/tape/keys", json={"project": "default"})
    foreign = await made(client, name="ours")
    revoked = await anonymous.delete(f"/api/tape/keys/{foreign.id}")
    listed = (await (await anonymous.get("/api/tape/keys")).json())["keys"]
    everything = (await (await client.get("/api/tape/keys")).json())["keys"]

    assert "shop" == own.project
    assert (422, ["body", "project"]) == (refused.status, (await refused.json())["detail"][0]["loc"])
    assert (404, {"detail": "Key not found"}) == (revoked.status, await revoked.json())
    assert [shop.id, own.id] == [each["id"] for each in listed]
    assert [shop.id, own.id, foreign.id] == [each["id"] for each in everything]


async def test_a_revoked_key_opens_nothing_from_the_answer_on_and_revoking_twice_is_once(
    client: Client, anonymous: Client, service: Service
) -> None:
    key = await made(client)
    before = await anonymous.get("/api/v1/me", headers=bearing(key))

    first = await client.delete(f"/api/tape/keys/{key.id}")
    after = await anonymous.get("/api/v1/me", headers=bearing(key))
    again = await client.delete(f"/api/tape/keys/{key.id.upper()}")

    told = await first.json()
    assert (200, 200, told) == (first.status, again.status, await again.json())
    assert told["revoked_at"] is not None
    assert (200, True) == (before.status, await before.json())
    assert (401, False) == (after.status, await after.json())
    assert ["key.created", "key.revoked"] == [each.type for each in await service.store.read()]


@pytest.mark.parametrize("path", ["/api/tape/events", "/api/tape/tasks/{}/events"])
async def test_streams_of_a_revoked_key_end_at_once_and_tell_nothing_of_what_came_after(
    client: Client, anonymous: Client, drive: Drive, path: str
) -> None:
    key, task = await made(client), await drive.create()
    headers = {**bearing(key), "Accept": "text/event-stream"}

    async with anonymous.get(path.format(task), headers=headers) as stream, asyncio.timeout(SECONDS):
        while b"task.created" not in await stream.content.readuntil(b"\n\n"):
            pass
        await client.delete(f"/api/tape/keys/{key.id}")
        await drive.claim(task)
        rest = await stream.content.read()

    assert b"task.claimed" not in rest
    assert 0 == anonymous.app[STREAMS].open


async def test_the_last_operator_cannot_lock_everybody_out(service: Service, aiohttp_client: MakeClient) -> None:
    drive = Drive(service)
    alone = replace(service, settings=msgspec.structs.replace(service.settings, api_key=None))
    client = await aiohttp_client(create_app(alone), headers=await drive.key("admin"))
    await drive.key("admin", project="shop")
    await drive.key("read")
    (last, *_) = (await (await client.get("/api/tape/keys")).json())["keys"]

    refused = await client.delete(f"/api/tape/keys/{last['id']}")
    await drive.key("admin")
    gone = await client.delete(f"/api/tape/keys/{last['id']}")

    sentence = "This is the last admin key of the project default; make another one first."
    assert (409, {"detail": sentence}, 200) == (refused.status, await refused.json(), gone.status)


async def test_keys_are_kept_on_the_command_line(service: Service, anonymous: Client) -> None:
    app = assemble()
    env = {"TAPEWRIGHT_URL": str(anonymous.make_url("")), "TAPEWRIGHT_API_KEY": KEY, "NO_COLOR": "1"}

    async def run(*arguments: str) -> str:
        result = await asyncio.to_thread(CliRunner(env=env).invoke, app, ["keys", *arguments])
        assert 0 == result.exit_code, result.output
        return result.stdout

    text = await run("create", "--name", "till", "--project", "shop", "--scope", "read")
    found = re.search(r"TAPEWRIGHT_API_KEY=(tw_\S+)[\s\S]*its id is (\S+)\.", text)
    assert found is not None
    headers = {"Authorization": f"Bearer {found[1]}"}
    listed = await run("list")
    before = await anonymous.get("/api/v1/tasks", headers=headers)
    await run("revoke", found[2])
    after = await anonymous.get("/api/v1/tasks", headers=headers)

    assert [found[2], "shop", "read", "till"] == [
        re.split(r"\s+", listed.splitlines()[1].strip())[n] for n in (0, 1, 2, -1)
    ]
    assert (200, 401) == (before.status, after.status)


async def test_who_has_lost_his_key_makes_another_on_the_data_itself(tmp_path: Path) -> None:
    app = assemble()

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["keys", *arguments, "--data", str(tmp_path), "--json"])
        return result.exit_code, result.stdout + result.stderr

    absent = await asyncio.to_thread(run, "list")
    async with open_sqlite(tmp_path / "tape.db") as store:
        await ensure_key(store)
    code, text = await asyncio.to_thread(run, "create", "--scope", "admin")
    new = msgspec.json.decode(text)
    _, listed = await asyncio.to_thread(run, "list")
    lost = msgspec.json.decode(listed)["keys"][0]["id"]
    revoked = [(await asyncio.to_thread(run, "revoke", each))[0] for each in (lost, lost, "nobody")]
    with hold(tmp_path, holder="process 1"):
        busy = await asyncio.to_thread(run, "create")

    assert (2, f"There is no tape in {tmp_path}.\n") == absent
    assert (0, ["admin"], "default") == (code, new["scopes"], new["project"])
    assert [0, 0, 1] == revoked
    assert (2, True) == (busy[0], "is in use by process 1" in busy[1])
    async with open_sqlite(tmp_path / "tape.db") as store:
        keys = Keys()
        await keys.load(store)
        assert [new["id"]] == [each.id for each in keys.every() if each.revoked_at is None]
        assert new["id"] == (keys.get(digest(new["key"])) or keys.every()[0]).id
