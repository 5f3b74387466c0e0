"""A session's own proxy in a real browser: pages and what they load come through it, its certificates if they may."""

import datetime
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runner.browser.browsers import BrowserSettings
from runner.browser.sessions import AnySessions, open_sessions
from runner.egress.addresses import LOOPBACK
from runner.egress.upstream import Upstream
from runner.ports import Wanted
from runner.vocabulary import ActFailed, Navigate, WaitFor
from tests.connecting import PASSWORD, USER, proxy

LIMIT = 120.0
PAGE = "<!doctype html><title>Shop</title><h1>Shop</h1><script src='/script.js'></script>"
PUBLIC = "93.184.216.34"
SEEN = '"with script" is visible'


async def resolve(_host: str, _port: int) -> Sequence[str]:
    return [PUBLIC]


@asynccontextmanager
async def shop(*, secure: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A site on a port of 127.0.0.1, with a script."""
    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/script.js", script)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=secure).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def page(_request: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def script(_request: web.Request) -> web.Response:
    return web.Response(text="document.body.append('with script')", content_type="text/javascript")


def opened(path: Path, *, isolated: bool) -> AbstractAsyncContextManager[AnySessions]:
    settings = BrowserSettings(
        navigation_seconds=LIMIT,
        private=LOOPBACK,
        resolve=resolve,
        isolated=isolated,
        directory=path / "browsers" if isolated else None,
    )
    return open_sessions(settings)


async def shown(browsers: AnySessions, url: str, through: Upstream) -> str:
    """What comes of opening the page and waiting for its script, or why nothing did."""
    async with browsers.session(Wanted(viewport=(800, 600), action_seconds=LIMIT, proxy=through)) as session:
        try:
            await session.act(await session.resolve(Navigate(url=url)))
            return (await session.act(await session.resolve(WaitFor(text="with script")))).result
        except ActFailed as failure:
            return str(failure)


@pytest.mark.parametrize("isolated", [False, True])
async def test_a_page_and_what_it_loads_come_through_the_proxy(tmp_path: Path, isolated: bool) -> None:
    async with shop() as port, proxy(to=("127.0.0.1", port)) as ours, opened(tmp_path, isolated=isolated) as browsers:
        through = Upstream(host="127.0.0.1", port=ours.port, user=USER, password=PASSWORD)
        seen = await shown(browsers, "http://shop.test/", through)

    assert SEEN == seen
    assert f"{PUBLIC}:80" in ours.asked
    assert {f"Basic {USER}:{PASSWORD}"} == set(ours.given)


async def test_a_wrong_password_is_told_in_words(tmp_path: Path) -> None:
    async with proxy() as ours, opened(tmp_path, isolated=False) as browsers:
        through = Upstream(host="127.0.0.1", port=ours.port, user=USER, password="wrong horse")
        seen = await shown(browsers, "http://shop.test/", through)

    assert "the session's proxy does not take the user and password" in seen
    assert "horse" not in seen


@pytest.mark.parametrize("isolated", [False, True])
async def test_certificates_are_checked_unless_the_proxy_may_sign_its_own(tmp_path: Path, isolated: bool) -> None:
    async with (
        shop(secure=self_signed(tmp_path)) as port,
        proxy(to=("127.0.0.1", port)) as ours,
        opened(tmp_path, isolated=isolated) as browsers,
    ):
        seen = [
            await shown(
                browsers,
                "https://shop.test/",
                Upstream(host="127.0.0.1", port=ours.port, user=USER, password=PASSWORD, untrusted=untrusted),
            )
            for untrusted in (False, True)
        ]

    assert [False, True] == [each == SEEN for each in seen], seen


def self_signed(path: Path) -> ssl.SSLContext:
    """For shop.test, by nobody whom a browser knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.test")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (path / "pair.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path / "pair.pem")
    return context
