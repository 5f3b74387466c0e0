"""A proxy that a client brings: where it is goes on the tape, who may use it into the vault and nowhere else."""

from pathlib import Path

import pytest

from api import proxies
from api.auth import ENVIRONMENT
from api.proxies import Custom
from api.service import Service
from eventstore import events as e
from eventstore.errors import Invalid
from eventstore.secrets import Secret, get
from runner.egress.upstream import Upstream
from runner.proxies import forget, take_up, upstream
from runner.vocabulary import ActFailed
from tests.web.conftest import Client

USER, PASSWORD = Secret("ada"), Secret("correct horse")
OURS = Custom(host="proxy.test", port=3128, user=USER, password=PASSWORD, untrusted=True)


def entries(service: Service) -> int:
    directory: Path = service.settings.data_dir / "vault"
    return len(list(directory.glob("proxy-*")))


async def put(service: Service, custom: Custom, key: str = "") -> e.Proxy:
    proxy = await proxies.put_away(service, ENVIRONMENT, custom, "body", "customProxy", idempotency_key=key)
    assert proxy is not None
    return proxy


async def test_what_is_put_away_is_what_a_browser_leaves_through(service: Service) -> None:
    proxy = await put(service, OURS)

    through = await upstream(service.vault, e.Options(proxy=proxy, country="us"), {"us": Upstream(host="o", port=1)})
    assert e.Proxy(host="proxy.test", port=3128, secret=proxy.secret, untrusted=True) == proxy
    assert Upstream(host="proxy.test", port=3128, user="ada", password="correct horse", untrusted=True) == through
    assert "horse" not in f"{proxy} {through} {OURS}"


@pytest.mark.parametrize("custom", [Custom(host="proxy.test", port=80), Custom(host="[2001:db8::1]", port=80)])
async def test_one_that_wants_no_password_leaves_nothing_in_the_vault(service: Service, custom: Custom) -> None:
    proxy = await put(service, custom)

    assert (e.Proxy(host=custom.host.strip("[]"), port=80), 0) == (proxy, entries(service))
    assert Upstream(host=proxy.host, port=80) == await upstream(service.vault, e.Options(proxy=proxy), {})


async def test_the_same_request_again_is_the_same_proxy(service: Service) -> None:
    first, second = await put(service, OURS, "order-1"), await put(service, OURS, "order-1")
    others = [await put(service, OURS, "order-2"), await put(service, OURS), await put(service, OURS)]

    assert (first, 4) == (second, entries(service))
    assert 4 == len({proxy.secret for proxy in (first, *others)})


async def test_a_password_is_kept_for_a_session_that_lives_and_for_no_other_request(
    client: Client, service: Service
) -> None:
    async def begin(password: str) -> tuple[int, int]:
        custom = {"host": "proxy.test", "port": 3128, "username": "ada", "password": password}
        key = {"Idempotency-Key": "order-1"}
        response = await client.post("/api/v2/sessions", json={"customProxy": custom}, headers=key)
        return response.status, entries(service)

    first, again, other = await begin("one"), await begin("one"), await begin("two")
    session = (await (await client.get("/api/v2/sessions")).json())["items"][0]["id"]
    await client.patch(f"/api/v2/sessions/{session}", json={"action": "stop"})
    await forget(service.store, service.vault, f"session-{session}")
    late = await begin("one")

    assert [(201, 1), (201, 1), (422, 1), (201, 0)] == [first, again, other, late]


@pytest.mark.parametrize(
    ("custom", "field"),
    [
        (Custom(host=" ", port=1), "host"),
        (Custom(host="http://proxy.test", port=1), "host"),
        (Custom(host="ada@proxy.test", port=1), "host"),
        (Custom(host="proxy.test", port=1, user=Secret("a:b")), "username"),
    ],
)
async def test_what_is_no_proxy_is_refused_by_its_field(service: Service, custom: Custom, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await put(service, custom)

    assert ("body", "customProxy", field) == caught.value.field


async def test_a_country_without_a_proxy_any_more_leads_straight_to_the_sites(service: Service) -> None:
    abroad = Upstream(host="proxy.test", port=1)

    assert [abroad, None, None] == [
        await upstream(service.vault, e.Options(country=code), {"us": abroad}) for code in ("us", "de", "")
    ]


async def test_a_browser_does_not_leave_without_the_password_that_it_should_have(service: Service) -> None:
    proxy = await put(service, OURS)
    await service.vault.delete(proxy.secret)

    with pytest.raises(ActFailed) as caught:
        await upstream(service.vault, e.Options(proxy=proxy), {})

    assert "proxy_lost" == caught.value.code


async def test_the_password_is_forgotten_when_the_session_stops(service: Service) -> None:
    kept, stopped, missed = [await put(service, OURS) for _ in range(3)]
    await put(service, OURS)  # of a session that never came to be
    for name, proxy in (("kept", kept), ("stopped", stopped), ("missed", missed)):
        created = e.SessionCreated(project="default", family="v2", options=e.Options(proxy=proxy))
        await service.store.append(f"session-{name}", 0, [created], actor="key:k")
    for name in ("stopped", "missed"):
        await service.store.append(f"session-{name}", 1, [e.SessionStopped()], actor="key:k")

    await forget(service.store, service.vault, "session-stopped")
    after_the_stop = entries(service)
    await take_up(service.store, service.vault)

    assert (3, 1) == (after_the_stop, entries(service))
    assert {"user": USER, "password": PASSWORD} == await get(service.vault, kept.secret)
