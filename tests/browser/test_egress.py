"""A hostile page tries every way out: what the rules forbid receives no byte, and everything else arrives."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Error, async_playwright

from runner.browser.browsers import Browsers, BrowserSettings, open_browsers
from runner.browser.chromium import Chromium, find, launch
from runner.egress.addresses import LOOPBACK
from runner.egress.proxy import open_egress
from runner.egress.rules import Rules, private_networks
from runner.ports import Wanted
from runner.vocabulary import Click, Navigate, Query
from tests.browser.test_killed import events, served, until
from tests.hostile import DATAGRAMS, FORBIDDEN, FORBIDDEN_ADDRESS, MOVES, PARTS, Hostile, hostile
from tests.playing import do, go, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECONDS = 120.0
HINTS = {"dns_prefetch", "preconnect", "speculation", "prerender"}
"""What Chromium does not do behind a proxy, or not for other sites; so there is nothing to wait for."""

UDP = {"stun", "turn", "web_transport"}
"""What no proxy carries: behind one it must not happen at all, whatever the rules."""

WAYS = (set(MOVES) | set(PARTS) | {"turn_tcp"}) - HINTS
BY_DOMAIN = Rules(allowed_domains=("127.0.0.1",), private=LOOPBACK)
BY_ADDRESS = Rules(private=private_networks("127.0.0.1"))
OPEN = Rules(private=LOOPBACK)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    """A browser without the guard of a session: the proxy is alone here."""
    opened = await launch("", headless=True, answer_seconds=SECONDS)  # it is busy with all that the pages try
    yield opened
    await opened.close(5.0)


class Lookups:
    """The names that were looked up; the forbidden one leads to this machine."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    async def resolve(self, host: str, _port: int) -> Sequence[str]:
        self.names.add(host)
        if host != FORBIDDEN:
            raise OSError("unknown")
        return [FORBIDDEN_ADDRESS]


async def visit(context: BrowserContext, url: str) -> None:
    """Open the page; it may be on its way elsewhere before it is there."""
    page = await context.new_page()
    try:
        await page.goto(url, wait_until="commit", timeout=SECONDS * 1000)
    except Error:
        return  # the page has gone where it may not


async def attack(chromium: Chromium, rules: Rules) -> tuple[Hostile, set[str], set[str]]:
    """Try everything under these rules: what has arrived, the ways that were refused, the names that were looked up."""
    told: set[str] = set()
    lookups = Lookups()
    async with hostile() as place:

        def heard(url: str, _reason: str) -> None:
            told.add(place.way(url))
            place.seen.news.set()

        async with open_egress(rules, refused=heard, resolve=lookups.resolve) as egress:
            context = await chromium.browser.new_context(proxy={"server": egress.server, "bypass": "<-loopback>"})
            async with asyncio.timeout(SECONDS):
                pages = ["/parts", "/datagrams?milliseconds=1000", *(f"/move/{way}" for way in MOVES)]
                await asyncio.gather(*(visit(context, place.site + page) for page in pages))
                await place.seen.until(lambda: place.seen.ways | told >= WAYS)
                datagrams = next(page for page in context.pages if "/datagrams" in page.url)
                await datagrams.wait_for_function("document.title === 'tried'", timeout=SECONDS * 1000)
            await context.close()
    return place, told, lookups.names


async def test_every_way_out_works_where_it_is_allowed(chromium: Chromium) -> None:
    place, told, _ = await attack(chromium, OPEN)

    assert (WAYS, set()) == (place.seen.ways & (WAYS | UDP), told)


@pytest.mark.parametrize(("rules", "looked_up"), [(BY_DOMAIN, set()), (BY_ADDRESS, {FORBIDDEN})])
async def test_no_way_out_reaches_what_is_forbidden(chromium: Chromium, rules: Rules, looked_up: set[str]) -> None:
    place, told, names = await attack(chromium, rules)

    print(f"{len(told & WAYS)} of {len(WAYS)} ways blocked, {place.seen.arrivals} connections or datagrams arrived")
    assert (WAYS, 0, set()) == (told, place.seen.arrivals, place.seen.ways)
    assert looked_up == names


async def test_without_a_proxy_datagrams_would_get_out() -> None:
    async with async_playwright() as playwright, hostile() as place:
        browser = await playwright.chromium.launch(executable_path=find(""))
        page = await browser.new_page()
        await page.goto(f"{place.site}/datagrams?milliseconds=10000")
        async with asyncio.timeout(SECONDS):
            await place.seen.until(lambda: place.seen.ways >= set(DATAGRAMS))
        await browser.close()

    assert set(DATAGRAMS) == place.seen.ways


@pytest.mark.parametrize(
    "host",
    [
        "2130706434",
        "0x7f000002",
        "017700000002",
        "0x7f.2",
        "127.2",
        "127.0.0.2.",
        "%31%32%37.0.0.2",
        "１２７.0.0.2",  # noqa: RUF001 - that is the point
        "127。0。0。2",
        "[::ffff:127.0.0.2]",
        "[::ffff:7f00:2]",
    ],
)
async def test_no_notation_of_an_address_gets_past_the_browser_and_the_proxy(chromium: Chromium, host: str) -> None:
    told: list[str] = []
    async with (
        hostile() as place,
        open_egress(BY_ADDRESS, refused=lambda _url, reason: told.append(reason)) as egress,
    ):
        context = await chromium.browser.new_context(proxy={"server": egress.server, "bypass": "<-loopback>"})
        await visit(context, f"http://{host}:{place.port}/x")
        await context.close()

    reason = "127.0.0.2 is a loopback address; TAPEWRIGHT_ALLOW_PRIVATE=loopback would allow it"
    assert (0, {reason}) == (place.seen.arrivals, set(told))


async def test_a_context_that_has_no_proxy_reaches_nothing_by_name_or_by_address(chromium: Chromium) -> None:
    async with hostile() as place:
        context = await chromium.browser.new_context()
        for host in ("localhost", FORBIDDEN, FORBIDDEN_ADDRESS):
            await visit(context, f"http://{host}:{place.port}/x")
        await context.close()

    assert 0 == place.seen.arrivals


async def test_the_act_that_leads_to_a_refused_page_fails_and_the_page_stays(browsers: Browsers, site: str) -> None:
    told: list[tuple[str, str]] = []
    reason = "localhost is not among the allowed domains (127.0.0.1)"
    foreign = site.replace("127.0.0.1", "localhost")
    async with browsers.session(
        Wanted(viewport=(800, 600), allowed_domains=("127.0.0.1",), blocked=lambda url, why: told.append((url, why)))
    ) as session:
        tab = session._tabs.current_now
        assert tab is not None
        await go(session, f"{site}/two.html")
        await tab.page.evaluate(
            f'document.body.innerHTML = \'<a href="{site}/redirect?to={foreign}/two.html">Away</a>'
            f'<a href="https://localhost/x">Secure</a><a target=_blank href="https://localhost/y">Popup</a>\''
        )
        failures = [await refused(session, Click(target=Query(text=text))) for text in ("Away", "Secure", "Popup")]
        session._tabs.switch(tab)
        still = await tab.page.inner_text("body")

    urls = [f"{foreign}/two.html", "https://localhost/x", "https://localhost/y"]
    assert [("blocked", f"{url} is refused: {reason}.") for url in urls] == failures
    assert set(urls[:2]) <= {url for url, why in told if why == reason}
    assert "Away" in still


async def test_this_machine_is_refused_until_the_setting_allows_it(site: str) -> None:
    told: list[tuple[str, str]] = []
    async with (
        open_browsers(BrowserSettings()) as strict,
        strict.session(Wanted(viewport=(800, 600), blocked=lambda url, why: told.append((url, why)))) as session,
    ):
        code, sentence = await refused(session, Navigate(url=f"{site}/two.html"))

    why = "127.0.0.1 is a loopback address; TAPEWRIGHT_ALLOW_PRIVATE=loopback would allow it"
    assert ("blocked", f"{site}/two.html is refused: {why}.") == (code, sentence)
    assert [(f"{site}/two.html", why)] == told


@pytest.mark.parametrize("scheme", [pytest.param("http", marks=pytest.mark.slow), "https"])
async def test_a_name_that_leads_to_a_forbidden_place_fails_the_act_that_goes_there(scheme: str, site: str) -> None:
    settings = BrowserSettings(private=private_networks("127.0.0.1"), resolve=Lookups().resolve)
    told: list[tuple[str, str]] = []
    url = f"{scheme}://{FORBIDDEN}/x"
    async with (
        open_browsers(settings) as own,
        own.session(Wanted(viewport=(800, 600), blocked=lambda url, why: told.append((url, why)))) as session,
    ):
        first = await refused(session, Navigate(url=url))
        await go(session, f"{site}/two.html")
        tab = session._tabs.current_now
        assert tab is not None
        await tab.page.evaluate(f"document.body.innerHTML = '<a href=\"{url}\">Away</a>'")
        second = await refused(session, Click(target=Query(text="Away")))
        after = await go(session, f"{site}/two.html")

    why = (
        f"{FORBIDDEN} leads to 127.0.0.2, which is a loopback address; TAPEWRIGHT_ALLOW_PRIVATE=loopback would allow it"
    )
    assert ("blocked", f"{url} is refused: {why}.") == first == second
    assert (f"{scheme}://{FORBIDDEN}/{'x' if scheme == 'http' else ''}", why) in told
    assert f"opened {site}/two.html" == after


async def test_a_session_does_not_reach_the_way_out_of_another(browsers: Browsers, site: str) -> None:
    async with (
        browsers.session(Wanted(viewport=(800, 600))) as one,
        browsers.session(Wanted(viewport=(800, 600), allowed_domains=("127.0.0.1",))) as other,
    ):
        server = one._access.egress.server
        code, sentence = await refused(other, Navigate(url=f"{server}/"))
        await do(other, Navigate(url=f"{site}/two.html"))

    assert "blocked" == code
    assert "belongs to the service itself" in sentence


@pytest.mark.parametrize("isolation", ["context", pytest.param("browser", marks=pytest.mark.slow)])
async def test_no_page_reaches_the_service_that_runs_it(tmp_path: Path, isolation: str) -> None:
    async with served(tmp_path, TAPEWRIGHT_ISOLATION=isolation) as (_, http):
        async with http.get("/healthz") as response:
            url = response.url
        async with http.post("/api/v1/run-task", json={"task": f"Go to {url}."}) as response:
            task_id = (await response.json())["id"]
        await until(http, task_id, "task.failed")
        (blocked,) = [each["data"] for each in await events(http) if each["type"] == "task.navigation_blocked"]

    assert f"port {url.port} of this machine belongs to the service itself" == blocked["reason"]
