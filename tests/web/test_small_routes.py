"""What a server of one's own cannot have answers honestly, in the shapes that clients read."""

import pytest

from tests.web.conftest import Client

SKILL = "/api/v2/skills/019a0000-1234-7abc-8def-000000000001"
MARKET = "/api/v2/marketplace/skills"
WHY = "Skills are a service of the vendor's cloud; this server has none."


async def test_v1_tells_the_configured_budget_in_cents(client: Client) -> None:
    answer = await client.get("/api/v1/balance")

    assert (200, {"balance": "5000"}) == (answer.status, await answer.json())


async def test_v2_tells_the_configured_budget_as_an_account(client: Client) -> None:
    answer = await client.get("/api/v2/billing/account")

    account = await answer.json()
    expected = {
        "name": "default",
        "totalCreditsBalanceUsd": 50.0,
        "monthlyCreditsBalanceUsd": 50.0,
        "additionalCreditsBalanceUsd": 0.0,
        "rateLimit": 1000,
        "concurrentSessionLimit": 4,
        "activeSessionCount": 0,
        "planInfo": {
            "planName": "self-hosted",
            "subscriptionStatus": None,
            "subscriptionId": None,
            "subscriptionCurrentPeriodEnd": None,
            "subscriptionCanceledAt": None,
        },
        "isFreeTier": False,
        "projectId": account["projectId"],
    }
    assert (200, expected) == (answer.status, account)


@pytest.mark.parametrize("path", ["/api/v2/skills", MARKET])
async def test_there_are_no_skills(client: Client, path: str) -> None:
    answer = await client.get(f"{path}?pageSize=5&pageNumber=2&isPublic=true&query=shop")

    expected = {"items": [], "totalItems": 0, "pageNumber": 2, "pageSize": 5}
    assert (200, expected) == (answer.status, await answer.json())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v2/skills"),
        ("GET", SKILL),
        ("GET", f"{SKILL}/executions"),
        ("GET", f"{SKILL}/executions/019a/output"),
        ("GET", f"{MARKET}/shopping"),
        ("PATCH", SKILL),
        ("DELETE", SKILL),
        ("POST", f"{SKILL}/cancel"),
        ("POST", f"{SKILL}/rollback"),
        ("POST", f"{SKILL}/execute"),
        ("POST", f"{SKILL}/refine"),
        ("POST", f"{MARKET}/019a/clone"),
        ("POST", f"{MARKET}/019a/execute"),
    ],
)
async def test_nothing_can_be_done_with_skills(client: Client, method: str, path: str) -> None:
    answer = await client.request(method, path, json={})

    assert (501, {"detail": WHY}) == (answer.status, await answer.json())


@pytest.mark.parametrize(
    ("path", "asked"),
    [("search-url", {"url": "https://example.com", "query": "prices"}), ("simple-search", {"query": "prices"})],
)
async def test_searching_needs_a_language_model(client: Client, path: str, asked: dict[str, str]) -> None:
    answer = await client.post(f"/api/v1/{path}", json=asked)

    expected = (
        'Searching needs a language model, and none is configured. A task of the model "instructions" can read a page.'
    )
    assert (501, {"detail": expected}) == (answer.status, await answer.json())


async def test_a_search_that_cannot_be_read_names_the_field(client: Client) -> None:
    answer = await client.post("/api/v1/search-url", json={"url": "https://example.com"})

    expected = {"detail": [{"loc": ["body", "query"], "msg": "field required", "type": "value_error.missing"}]}
    assert (422, expected) == (answer.status, await answer.json())
