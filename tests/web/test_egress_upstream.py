"""A session's own proxy: everything goes through it, by the rules that hold without it; nothing tells its password."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from aiohttp import web

from runner.egress.addresses import LOOPBACK
from runner.egress.dial import Resolve
from runner.egress.proxy import Egress, Trouble, open_egress
from runner.egress.rules import Rules
from runner.egress.upstream import Upstream
from tests.connecting import PASSWORD, USER, proxy

OPEN = Rules(private=LOOPBACK)
SECONDS = 20.0


def resolver(**names: Sequence[str]) -> Resolve:
    """Looks up `a` as a.test, and nothing else."""

    async def resolve(host: str, _port: int) -> Sequence[str]:
        return names[host.removesuffix(".test")]

    return resolve


def deaf(_url: str, _reason: str) -> None:
    """Nobody hears of refusals."""


def through(port: int, *, host: str = "127.0.0.1", password: str = PASSWORD, trusted: bool = False) -> Upstream:
    return Upstream(host=host, port=port, user=USER, password=password, trusted=trusted)


@pytest_asyncio.fixture
async def port() -> AsyncIterator[int]:
    """A web server on 127.0.0.1 that says which host it was asked as."""
    app = web.Application()
    app.router.add_get("/", _host)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


async def _host(request: web.Request) -> web.Response:
    return web.Response(text=request.headers["Host"])


async def got(egress: Egress, url: str) -> str:
    """The page, or that there was none: asked for once, where a client would ask again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", egress.port)
    writer.write(f"GET {url} HTTP/1.1\r\nHost: ignored\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(SECONDS):
        answer = await reader.read(-1)
    writer.close()
    return answer.partition(b"\r\n\r\n")[2].decode() or "nothing"


async def test_a_page_is_asked_for_through_it_by_the_address_that_was_checked(port: int) -> None:
    async with (
        proxy() as ours,
        open_egress(OPEN, refused=deaf, resolve=resolver(shop=["127.0.0.1"]), through=through(ours.port)) as egress,
    ):
        page = await got(egress, f"http://shop.test:{port}/")

    assert f"shop.test:{port}" == page
    assert ([f"127.0.0.1:{port}"], [f"Basic {USER}:{PASSWORD}"]) == (ours.asked, ours.given)


async def test_what_the_rules_refuse_does_not_come_as_far_as_the_proxy(port: int) -> None:
    told: list[str] = []
    rules = Rules(allowed_domains=("shop.test",), private=LOOPBACK)
    resolve = resolver(shop=["10.1.2.3"], bank=["127.0.0.1"])
    async with (
        proxy(to=("127.0.0.1", port)) as ours,
        open_egress(
            rules, refused=lambda _url, why: told.append(why), resolve=resolve, through=through(ours.port)
        ) as egress,
    ):
        pages = [await got(egress, f"http://{name}.test/") for name in ("bank", "shop")]

    assert (["nothing", "nothing"], []) == (pages, ours.asked)
    assert [
        "bank.test is not among the allowed domains (shop.test)",
        "shop.test leads to 10.1.2.3, which is a private address; TAPEWRIGHT_ALLOW_PRIVATE=private would allow it",
    ] == told


async def test_a_name_is_never_left_to_the_proxy_to_look_up(port: int) -> None:
    resolve = resolver(shop=["2001:4860:4860::8888", "93.184.216.34"])
    async with (
        proxy(to=("127.0.0.1", port), refuses=["93.184.216.34:80"]) as ours,
        open_egress(Rules(private=LOOPBACK), refused=deaf, resolve=resolve, through=through(ours.port)) as egress,
    ):
        page = await got(egress, "http://shop.test/")

    assert ("shop.test", ["93.184.216.34:80", "[2001:4860:4860::8888]:80"]) == (page, ours.asked)


async def test_a_proxy_at_a_private_address_is_refused_unless_that_is_allowed_or_the_operator_named_it(
    port: int,
) -> None:
    url = "http://shop.test/"
    resolve = resolver(shop=["93.184.216.34"], proxy=["127.0.0.1"])
    pages: list[str] = []
    async with proxy(to=("127.0.0.1", port)) as ours:
        for rules, trusted in ((Rules(), False), (OPEN, False), (Rules(), True)):
            upstream = through(ours.port, host="proxy.test", trusted=trusted)
            async with open_egress(rules, refused=deaf, resolve=resolve, through=upstream) as egress:
                pages.append(await got(egress, url))
                if not pages[1:]:
                    trouble = egress.trouble(url)

    why = (
        "the session's proxy: proxy.test leads to 127.0.0.1, which is a loopback address;"
        " TAPEWRIGHT_ALLOW_PRIVATE=loopback would allow it"
    )
    assert (["nothing", "shop.test", "shop.test"], Trouble(refused=True, reason=why)) == (pages, trouble)


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal"])
async def test_a_proxy_is_never_where_nobody_may_go(host: str) -> None:
    told: list[str] = []
    async with open_egress(
        OPEN,
        refused=lambda _url, why: told.append(why),
        resolve=resolver(shop=["127.0.0.1"], **{"metadata.google.internal": ["127.0.0.1"]}),
        through=through(80, host=host),
    ) as egress:
        await got(egress, "http://shop.test/")

    assert [f"the session's proxy: {host} is a link-local or cloud-metadata address"] == told


async def test_the_service_itself_is_no_proxy(port: int) -> None:
    told: list[str] = []
    async with open_egress(
        OPEN, refused=lambda _url, why: told.append(why), own={port}, through=through(port)
    ) as egress:
        await got(egress, "http://127.0.0.1:1/")

    assert [f"the session's proxy: port {port} of this machine belongs to the service itself"] == told


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "the session's proxy answered 403"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the session's proxy did not answer as a proxy does"),
        (b"HTTP/1.1 200 OK", "the session's proxy did not answer as a proxy does"),
        (b"x" * 1_000_000, "the session's proxy did not answer as a proxy does"),
        (b"", "the session's proxy does not take the user and password"),
    ],
)
async def test_what_a_proxy_will_not_do_is_said_in_words_without_its_password(answer: bytes, reason: str) -> None:
    url = "http://shop.test/"
    upstream_password = "wrong horse"
    async with (
        proxy(answer=answer) as ours,
        open_egress(
            OPEN,
            refused=deaf,
            resolve=resolver(shop=["93.184.216.34", "93.184.216.35"]),
            through=through(ours.port, password=upstream_password),
        ) as egress,
    ):
        page, trouble = await got(egress, url), egress.trouble(url)

    assert ("nothing", Trouble(refused=False, reason=reason)) == (page, trouble)
    assert (1 if not answer else 2) == len(ours.asked)
    assert upstream_password not in repr(through(1, password=upstream_password))


async def test_a_proxy_that_is_down_is_told_of(unused_tcp_port: int) -> None:
    async with open_egress(
        OPEN, refused=deaf, resolve=resolver(shop=["93.184.216.34"]), through=through(unused_tcp_port)
    ) as egress:
        await got(egress, "http://shop.test/")
        trouble = egress.trouble("http://shop.test/")

    assert Trouble(refused=False, reason="the session's proxy cannot be reached: connection refused") == trouble
