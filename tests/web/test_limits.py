"""How much and how often: what a client may not overdo, and that it hears so in the one shape of failures."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import msgspec
import pytest

from api.app import create_app
from api.limits import FAILURES, Rate, network
from api.service import Service
from tests.web.conftest import Client, Drive, MakeClient


class Clock:
    """Stands still unless it is moved."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_so_many_a_second_and_twice_as_many_at_once() -> None:
    clock = Clock()
    rate = Rate(5, clock=clock)

    burst = [rate.take("a") for _ in range(11)]
    other = rate.take("b")
    clock.now += 0.2
    later = [rate.take("a") for _ in range(2)]

    assert [0.0] * 10 == burst[:10]
    assert [pytest.approx(0.2), 0.0, 0.0, pytest.approx(0.2)] == [burst[10], other, *later]


def test_what_is_cheap_counts_less() -> None:
    rate = Rate(1, clock=Clock())

    assert 40 == sum(rate.take("a", 0.05) == 0.0 for _ in range(100))


def test_who_polls_too_fast_is_answered_later_and_never_refused() -> None:
    clock = Clock()
    rate = Rate(100, clock=clock)

    at_once = [rate.pace("a") for _ in range(50)]
    late = [rate.pace("a") for _ in range(3)]
    for _ in range(1_000):
        latest = rate.pace("a")
    other = rate.pace("b")
    clock.now += 2.0

    assert [0.0] * 50 == at_once
    assert [pytest.approx(0.01), pytest.approx(0.02), pytest.approx(0.03)] == late
    assert (1.0, 0.0, 0.0) == (latest, other, rate.pace("a"))


def test_less_than_one_a_second_is_one_at_a_time() -> None:
    clock = Clock()
    rate = Rate(0.1, clock=clock)

    assert [0.0, 10.0] == [rate.take("a"), pytest.approx(rate.take("a"))]
    clock.now += 10
    assert 0.0 == rate.take("a")


def test_however_many_ask_only_so_many_are_remembered_and_those_at_rest_go_first() -> None:
    clock = Clock()
    rate = Rate(1, remember=100, clock=clock)
    for number in range(100):
        rate.take(f"early {number}")
    clock.now += 10
    while not rate.take("busy"):
        pass
    for number in range(1_000):
        rate.take(f"late {number}")
        assert len(rate) <= 101
        rate.take("busy")


@pytest.mark.parametrize(
    ("address", "same", "other"),
    [
        ("10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"),
        ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
        ("fe80::1%eth0", "fe80::2%eth1", "fe80:0:0:1::1"),
        (None, "", "::"),
    ],
)
def test_an_address_stands_for_all_that_one_person_has(address: str | None, same: str, other: str) -> None:
    assert network(address) == network(same) != network(other)


@pytest.fixture
def limited(service: Service, aiohttp_client: MakeClient) -> Callable[[float], Awaitable[Client]]:
    """A client without a key of a service with this limit."""

    async def make(per_second: float) -> Client:
        settings = msgspec.structs.replace(service.settings, rate_limit=per_second)
        return await aiohttp_client(create_app(replace(service, settings=settings)))

    return make


async def test_a_key_that_asks_too_often_is_told_when_to_come_again_and_disturbs_no_other(
    limited: Callable[[float], Awaitable[Client]], drive: Drive
) -> None:
    client, busy, quiet = await limited(0.01), await drive.key("read"), await drive.key("read")

    answers = [await client.get("/api/v1/tasks", headers=busy) for _ in range(2)]
    others = [
        (await client.get(path, headers=headers)).status
        for path, headers in (("/api/v1/tasks", quiet), ("/healthz", busy), ("/readyz", busy), ("/healthz", {}))
    ]

    assert [200, 429] == [each.status for each in answers]
    assert ("100", {"detail": "This key makes too many requests."}) == (
        answers[1].headers["Retry-After"],
        await answers[1].json(),
    )
    assert [200] * 4 == others


async def test_who_names_no_good_key_too_often_is_slowed_and_who_has_one_is_not(
    limited: Callable[[float], Awaitable[Client]], drive: Drive
) -> None:
    client = await limited(1_000)
    wrong, good = {"Authorization": "Bearer wrong"}, await drive.key("read")

    statuses = [(await client.get("/api/v1/tasks", headers=wrong)).status for _ in range(int(FAILURES) * 10)]
    refused = await client.get("/api/v1/tasks")

    assert {401, 429} == set(statuses)
    assert 401 == statuses[0]
    assert (429, "1") == (refused.status, refused.headers["Retry-After"])
    assert 200 == (await client.get("/api/v1/tasks", headers=good)).status


async def test_the_limit_can_be_turned_off(limited: Callable[[float], Awaitable[Client]]) -> None:
    client = await limited(0)

    assert {401} == {(await client.get("/api/v1/tasks")).status for _ in range(100)}


async def test_one_key_holds_only_so_many_streams(service: Service, drive: Drive, aiohttp_client: MakeClient) -> None:
    settings = msgspec.structs.replace(service.settings, max_connections=16)
    client = await aiohttp_client(create_app(replace(service, settings=settings)))
    stream = {"Accept": "text/event-stream", **await drive.key("read")}
    other = {"Accept": "text/event-stream", **await drive.key("read")}

    async with AsyncExitStack() as stack:
        open_ones = [await stack.enter_async_context(client.get("/api/tape/events", headers=stream)) for _ in range(8)]
        ninth = await client.get("/api/tape/events", headers=stream)
        of_another = await stack.enter_async_context(client.get("/api/tape/events", headers=other))

        assert [200] * 9 == [each.status for each in (*open_ones, of_another)]
        assert (429, "5", {"detail": "This key has 8 streams open already."}) == (
            ninth.status,
            ninth.headers["Retry-After"],
            await ninth.json(),
        )


@pytest.mark.parametrize("depth", [100, 1_000, 100_000])
async def test_no_depth_of_json_harms(client: Client, depth: int) -> None:
    nested = "[" * depth + "]" * depth

    for path, key in (("v1/run-task", "unknown"), ("v1/run-task", "structured_output_json"), ("v2/tasks", "metadata")):
        response = await client.post(f"/api/{path}", data=f'{{"task": "t", "{key}": {nested}}}'.encode())

        assert response.status in (200, 202, 422)
        if response.status == 422:
            assert "body" == (await response.json())["detail"][0]["loc"][0]


async def test_fields_that_nobody_knows_are_ignored_for_newer_clients_may_send_them(client: Client) -> None:
    response = await client.post("/api/v1/run-task", json={"task": "Open the shop.", "of_tomorrow": {"a": 1}})

    assert 200 == response.status


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "a/../../b", "\u0000"])
async def test_no_file_name_leads_anywhere(client: Client, name: str) -> None:
    response = await client.post("/api/v1/run-task", json={"task": "Open the shop.", "included_file_names": [name]})

    assert 422 == response.status
