"""Web pages may call the API only from origins that are set; what a browser shows of ours may load nothing else."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import msgspec
import pytest

from api.app import ROUTES, create_app
from api.environment import load
from api.service import Service
from eventstore.errors import CannotOpen
from tests.web.conftest import KEY, Client, MakeClient

PAGE = "https://board.example"
ASKS = {"Origin": PAGE, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
Open = Callable[[str], Awaitable[Client]]


@pytest.fixture
def opened(service: Service, aiohttp_client: MakeClient) -> Open:
    """A client of a service with these origins."""

    async def make(origins: str) -> Client:
        settings = msgspec.structs.replace(service.settings, cors_origins=origins)
        return await aiohttp_client(create_app(replace(service, settings=settings)))

    return make


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_by_default_no_page_may_call_anything(anonymous: Client, route: object) -> None:
    path = route.path.replace("{", "").replace("}", "")  # type: ignore[attr-defined]  # a Route

    for method in ("OPTIONS", route.method):  # type: ignore[attr-defined]  # as above
        response = await anonymous.request(method, path, headers=ASKS, allow_redirects=False)

        assert [] == [name for name in response.headers if name.lower().startswith("access-control")]
    assert 405 == (await anonymous.options(path, headers=ASKS)).status


async def test_a_page_of_an_origin_that_is_set_may_ask_and_call(opened: Open) -> None:
    client = await opened(f"http://other.example:8080, {PAGE}/")

    asked = await client.options("/api/v1/run-task", headers=ASKS)
    called = await client.get("/api/v1/me", headers={"Origin": PAGE, "Authorization": f"Bearer {KEY}"})
    refused = await client.get("/api/v1/me", headers={"Origin": PAGE})

    assert (204, PAGE, "POST") == (
        asked.status,
        asked.headers["Access-Control-Allow-Origin"],
        asked.headers["Access-Control-Allow-Methods"],
    )
    assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]
    assert [(200, PAGE, "Origin"), (401, PAGE, "Origin")] == [
        (each.status, each.headers["Access-Control-Allow-Origin"], each.headers["Vary"]) for each in (called, refused)
    ]
    assert "Access-Control-Allow-Credentials" not in called.headers


@pytest.mark.parametrize(
    "origin", ["https://board.example.evil.test", "http://board.example", "https://board.example:444", "null", "*", ""]
)
async def test_a_page_of_any_other_origin_may_not(opened: Open, origin: str) -> None:
    client = await opened(PAGE)
    headers = {**ASKS, "Origin": origin}

    asked = await client.options("/api/v1/run-task", headers=headers)
    called = await client.get("/api/v1/me", headers={**headers, "Authorization": f"Bearer {KEY}"})

    assert [405, 200] == [asked.status, called.status]
    assert [] == [
        name for each in (asked, called) for name in each.headers if name.lower().startswith("access-control")
    ]


@pytest.mark.parametrize("origins", ["*", "board.example", "https://*.example", "https://a.example/path", "null"])
def test_what_is_no_exact_origin_is_refused_at_the_start(origins: str) -> None:
    with pytest.raises(CannotOpen, match="TAPEWRIGHT_CORS_ORIGINS"):
        load({"TAPEWRIGHT_CORS_ORIGINS": origins})


@pytest.mark.parametrize("path", ["/docs", "/docs/docs.js"])
async def test_our_pages_run_no_strange_script_and_stand_in_no_frame(anonymous: Client, path: str) -> None:
    response = await anonymous.get(path)

    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert {"default-src": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'", "form-action": "'none'"} == {
        name: policy.get(name) for name in ("default-src", "frame-ancestors", "base-uri", "form-action")
    }
    assert ("nosniff", "no-referrer") == (
        response.headers["X-Content-Type-Options"],
        response.headers["Referrer-Policy"],
    )
