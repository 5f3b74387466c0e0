"""What a key opens: its scopes, on every route; and how keys come and go."""

import pytest

from api.app import ROUTES
from api.wire import Route
from eventstore.key import SCOPES
from tests.web.conftest import Client, Drive

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
