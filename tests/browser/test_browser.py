"""The browser starts when needed, is replaced when it dies, and leaves nothing behind."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from runner.browser.browsers import Browsers, BrowserSettings, Session, open_browsers
from runner.egress.addresses import LOOPBACK
from runner.ports import Wanted
from runner.vocabulary import ActFailed, Click, Expect, Navigate, Query
from tests.playing import do, go, read, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 60.0


class Process:
    """A process that must end."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._descriptor = os.pidfd_open(pid)

    async def ended(self) -> None:
        """Wait for its end: the kernel makes the descriptor readable then."""
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._descriptor, done.set)
        try:
            async with asyncio.timeout(LIMIT):
                await done.wait()
        finally:
            loop.remove_reader(self._descriptor)
            os.close(self._descriptor)


async def process_of(browsers: Browsers) -> Process:
    """The process of the browser that new sessions go to."""
    chromium = browsers._current
    assert chromium is not None
    cdp = await chromium.browser.new_browser_cdp_session()
    processes = (await cdp.send("SystemInfo.getProcessInfo"))["processInfo"]
    await cdp.detach()
    return Process(next(int(process["id"]) for process in processes if process["type"] == "browser"))


@pytest_asyncio.fixture(loop_scope="module")
async def own() -> AsyncIterator[Browsers]:
    """Browsers of one test alone: it is going to harm them."""
    async with open_browsers(BrowserSettings(navigation_seconds=LIMIT, recycle_after=2, private=LOOPBACK)) as opened:
        yield opened


async def test_nothing_starts_before_the_first_session_and_nothing_is_left(site: str) -> None:
    async with open_browsers(BrowserSettings(private=LOOPBACK)) as browsers:
        before = browsers._current
        async with browsers.session(Wanted(viewport=(800, 600))) as session:
            await go(session, f"{site}/index.html")
            process = await process_of(browsers)
    await process.ended()

    assert before is None
    assert browsers._current is None


async def test_a_missing_browser_is_named() -> None:
    async with open_browsers(BrowserSettings(executable="/nowhere/chromium")) as browsers:
        with pytest.raises(ActFailed) as caught:
            await browsers.version()

    expected = "There is no browser at /nowhere/chromium; set TAPEWRIGHT_BROWSER to the path of Chrome or Chromium."
    assert ("no_browser", expected) == (caught.value.code, str(caught.value))


async def test_sessions_share_a_browser_and_nothing_else(browsers: Browsers, site: str) -> None:
    async with (
        browsers.session(Wanted(viewport=(800, 600))) as one,
        browsers.session(Wanted(viewport=(800, 600))) as other,
    ):
        await go(one, f"{site}/cookie?set=one")
        await go(other, f"{site}/cookie?set=other")
        await go(one, f"{site}/cookie")
        await go(other, f"{site}/cookie")

        assert ("had one", "had other") == (await read(one, "heading"), await read(other, "heading"))


async def test_the_state_of_a_session_goes_on_in_another(browsers: Browsers, site: str) -> None:
    async with browsers.session(Wanted(viewport=(800, 600))) as one:
        await go(one, f"{site}/cookie?set=kept")
        state = await one.state()

    async with browsers.session(Wanted(viewport=(800, 600), state=state)) as other:
        await go(other, f"{site}/cookie")

        assert "had kept" == await read(other, "heading")


@pytest.mark.parametrize(
    ("path", "code", "sentence"),
    [
        ("http://127.0.0.1:{closed}/", "navigation_failed", "{url} did not answer: connection refused"),
        ("https://127.0.0.1:{closed}/", "navigation_failed", "{url} did not answer: connection refused"),
        ("http://nowhere.invalid/", "navigation_failed", "{url} did not answer: the name does not resolve"),
        ("https://nowhere.invalid/", "navigation_failed", "{url} did not answer: the name does not resolve"),
        (
            "{site}/download",
            "navigation_failed",
            "{url} is a file to download, and not a page. Downloads are not accepted here.",
        ),
        ("{site}/declared", "page_too_large", "{url} is larger than 2 MiB."),
        ("{site}/endless", "page_too_large", "{url} is larger than 2 MiB."),
        ("file:///etc/passwd", "blocked", "{url} cannot be opened: only http and https addresses can."),
        ("javascript:alert(1)", "blocked", "{url} cannot be opened: only http and https addresses can."),
        (
            "http://169.254.169.254/latest",
            "blocked",
            "{url} is refused: 169.254.169.254 is a link-local or cloud-metadata address.",
        ),
    ],
)
async def test_a_failed_navigation_says_why(
    session: Session, site: str, path: str, code: str, sentence: str, unused_tcp_port: int
) -> None:
    url = path.format(site=site, closed=unused_tcp_port)

    assert (code, sentence.format(url=url)) == await refused(session, Navigate(url=url))
    assert f"opened {site}/two.html" == await go(session, f"{site}/two.html")


async def test_a_page_that_does_not_answer_is_given_up(fresh: Session, site: str) -> None:
    url, patience = f"{site}/silent", fresh._navigation_seconds
    fresh._navigation_seconds = 1.0

    assert ("navigation_failed", f"{url} did not answer within 1 s.") == await refused(fresh, Navigate(url=url))
    fresh._navigation_seconds = patience
    assert f"opened {site}/two.html" == await go(fresh, f"{site}/two.html")


async def test_an_error_page_is_shown_as_it_is(session: Session, site: str) -> None:
    result = await go(session, f"{site}/missing")

    assert (f"opened {site}/missing (404 Not Found)", "Nothing here") == (result, await read(session, "heading"))


async def test_only_the_allowed_domains_are_reached(browsers: Browsers, site: str) -> None:
    foreign, told = site.replace("127.0.0.1", "localhost"), []
    async with browsers.session(
        Wanted(
            viewport=(800, 600),
            allowed_domains=("127.0.0.1",),
            action_seconds=1.0,
            blocked=lambda url, reason: told.append((url, reason)),
        )
    ) as session:
        await go(session, f"{site}/frames.html")
        frame = await refused(session, Click(target=Query(text="Foreign button")))
        direct = await refused(session, Navigate(url=f"{foreign}/two.html"))
        redirected = await refused(session, Navigate(url=f"{site}/redirect?to={foreign}/two.html"))
        after = await session.look(tree=False)

    reason = "localhost is not among the allowed domains (127.0.0.1)"
    assert "no_target" == frame[0]
    assert ("blocked", f"{foreign}/two.html is refused: {reason}.") == direct == redirected
    assert [(f"{foreign}/other.html", reason), (f"{foreign}/two.html", reason)] == told
    assert "two.html" not in after.url


async def test_after_a_cancelled_navigation_the_page_answers(session: Session, site: str) -> None:
    await go(session, f"{site}/two.html")
    going = asyncio.create_task(go(session, f"{site}/silent"))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(going), 0.2)

    going.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await going

    assert "Second page" == await read(session, "heading")
    assert "opened" == (await go(session, f"{site}/two.html")).split()[0]


async def test_a_crashed_page_is_told_once_and_replaced(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/two.html")
    tab = fresh._tabs.current_now
    assert tab is not None
    assert tab.cdp is not None
    crashed = asyncio.Event()
    tab.page.on("crash", lambda _page: crashed.set())
    crash = asyncio.create_task(tab.cdp.send("Page.crash"))
    await asyncio.wait_for(crashed.wait(), LIMIT)
    crash.cancel()

    first = await refused(fresh, Expect(text="Second page"))

    assert ("page_crashed", f"The page at {site}/two.html crashed.") == first
    assert f"opened {site}/two.html" == await go(fresh, f"{site}/two.html")


async def test_a_killed_browser_is_replaced(own: Browsers, site: str) -> None:
    async with own.session(Wanted(viewport=(800, 600))) as session:
        await go(session, f"{site}/two.html")
        process = await process_of(own)
        os.kill(process.pid, signal.SIGKILL)
        await process.ended()
        lost = await refused(session, Expect(text="Second page", absent=True))

    async with own.session(Wanted(viewport=(800, 600))) as session:
        assert f"opened {site}/two.html" == await go(session, f"{site}/two.html")
    assert ("browser_lost", "The browser ended unexpectedly.") == lost


async def test_a_killed_driver_is_replaced(own: Browsers, site: str) -> None:
    async with own.session(Wanted(viewport=(800, 600))) as session:
        await go(session, f"{site}/two.html")
        assert own._current is not None
        driver = own._current.driver
        assert driver is not None
        driver.kill()
        code, _ = await refused(session, Expect(text="Second page", absent=True))

    async with own.session(Wanted(viewport=(800, 600))) as session:
        assert f"opened {site}/two.html" == await go(session, f"{site}/two.html")
    assert "browser_lost" == code


async def test_an_old_browser_goes_when_its_last_session_does(own: Browsers, site: str) -> None:
    async with own.session(Wanted(viewport=(800, 600))) as first:
        old = await process_of(own)
        async with own.session(Wanted(viewport=(800, 600))), own.session(Wanted(viewport=(800, 600))):
            new = await process_of(own)
            assert f"opened {site}/two.html" == await go(first, f"{site}/two.html")
    await old.ended()

    assert old.pid != new.pid
    assert not own._draining


async def test_a_session_that_is_cancelled_gives_its_context_back(browsers: Browsers, site: str) -> None:
    inside = asyncio.Event()
    await browsers.version()
    assert browsers._current is not None
    before = browsers._current.browser.contexts

    async def visit() -> None:
        async with browsers.session(Wanted(viewport=(800, 600))) as session:
            await go(session, f"{site}/two.html")
            inside.set()
            await asyncio.Event().wait()

    visiting = asyncio.create_task(visit())
    await inside.wait()
    visiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await visiting

    assert before == browsers._current.browser.contexts


async def test_popups_beyond_ten_are_closed(browsers: Browsers, site: str) -> None:
    async with browsers.session(Wanted(viewport=(800, 600), action_seconds=20.0)) as session:
        await go(session, f"{site}/windows.html")

        await do(session, Click(target=Query(text="Many")))

        assert len((await session.look(tree=False)).tabs) <= 10
