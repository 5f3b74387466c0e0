"""One Chromium and its Playwright driver: found, started, asked whether it lives, ended without a trace."""

import asyncio
import os
import shutil
import signal
from contextlib import suppress

from playwright.async_api import Browser, CDPSession, Error, Playwright, async_playwright

from runner.browser.remote import connect, is_remote
from runner.browser.selectors import ENGINE, ENGINE_SCRIPT
from runner.browser.surroundings import surroundings
from runner.vocabulary import ActFailed

INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
START_SECONDS = 60.0
ANSWER_SECONDS = 5.0
"""How long a browser may take to answer a plain question before it is taken for dead."""

ASK_SECONDS = 1.0
"""Between questions; also what a browser has for a second chance, and its driver to notice that it has ended."""

FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autofill-server-url=about:blank",  # else the vendor is asked about the forms of every page
    # Two names of one switch: Chromium has renamed it, and the headless shell has not.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Names are resolved by the proxy of each session and nowhere else.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


class Chromium:
    """A running browser. `served` counts all sessions that were given to it, `live` those that still run.

    Nothing tells of a browser or a driver that is frozen, nor of a driver that has died: so it is asked now and then.
    """

    def __init__(
        self,
        driver: asyncio.subprocess.Process | None,
        playwright: Playwright,
        browser: Browser,
        questions: CDPSession | None = None,
        *,
        pid: int = 0,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """`pid` is the browser's process and the leader of its group, 0 when it is not ours to end."""
        self.browser = browser
        self.driver = driver
        self.pid = pid
        self.served = 0
        self.live = 0
        self.dead = False
        self._killed = False
        self._playwright = playwright
        self._questions = questions
        self._answer_seconds = answer_seconds
        self._watching = asyncio.create_task(self._watch()) if questions else None

    @property
    def version(self) -> str:
        """Such as `Chromium 156.0.1.2`."""
        return f"Chromium {self.browser.version}"

    def usable(self, recycle_after: int) -> bool:
        """Whether new sessions may go to it. A dead driver does not show here: a failing new context does."""
        return not self.dead and self.browser.is_connected() and self.served < recycle_after

    async def close(self, seconds: float) -> None:
        """End the browser and the driver; what does not end in time is killed."""
        if self._watching is not None:
            self._watching.cancel()
        if not self.dead:
            try:
                async with asyncio.timeout(seconds):
                    await self.browser.close()
            except (Error, TimeoutError, OSError):
                self.kill()
        with suppress(Error, TimeoutError, OSError):
            async with asyncio.timeout(ASK_SECONDS):
                await self._playwright.stop()
        self._kill_driver()
        if self.driver is not None:
            await self.driver.wait()

    def kill(self) -> None:
        """End the browser at once, even if it is frozen: whatever waits for it fails. `close` is still to be called."""
        self.dead = True
        if self.pid and not self._killed:  # once: the number may be another's afterwards
            self._killed = True
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    async def answers(self) -> bool:
        """Whether it answers, at the second time of asking at the latest: a machine may be busy."""
        for seconds in (self._answer_seconds, ASK_SECONDS):
            try:
                async with asyncio.timeout(seconds):
                    if self._questions is not None:
                        await self._questions.send("Browser.getVersion")
                return True
            except TimeoutError:
                continue
            except Error:
                break
        return False

    async def _watch(self) -> None:
        while await self.answers():  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(ASK_SECONDS)
        self.kill()
        await asyncio.sleep(ASK_SECONDS)
        if self.browser.is_connected():  # a driver that lives would have noticed
            self._kill_driver()

    def _kill_driver(self) -> None:
        if self.driver is not None and self.driver.returncode is None:
            self.driver.kill()  # Chromium notices that its driver has gone, and ends


def driver_process(manager: object) -> asyncio.subprocess.Process | None:
    """The driver's process: Playwright has no public way to end one that hangs."""
    process = getattr(getattr(getattr(manager, "_client", None), "_transport", None), "_proc", None)
    return process if isinstance(process, asyncio.subprocess.Process) else None


def find(executable: str) -> str | None:
    """The browser that is set, else an installed one, else None for Playwright's own. Raises ActFailed.

    A URL is taken as it is: whether anybody answers there shows when a task needs it.
    """
    if is_remote(executable):
        return executable
    if executable:
        path = shutil.which(executable)
        if path is None:
            raise ActFailed(
                "no_browser",
                f"There is no browser at {executable}; set TAPEWRIGHT_BROWSER to the path of Chrome or Chromium.",
            )
        return path
    return next((path for name in INSTALLED if (path := shutil.which(name))), None)


def executable_of(executable: str, playwright: Playwright) -> str:
    """As `find`, with Playwright's own where there is no other. Raises ActFailed when there is none at all."""
    path = find(executable) or shutil.which(playwright.chromium.executable_path)
    if path is None:
        raise ActFailed(
            "no_browser",
            "No Chrome or Chromium was found; install one (on Debian: apt install chromium)"
            " or set TAPEWRIGHT_BROWSER to its path.",
        )
    return path


async def launch(executable: str, *, headless: bool, answer_seconds: float = ANSWER_SECONDS) -> Chromium:
    """Start a driver and a browser, or reach the one at a URL.

    Raises ActFailed with code no_browser when there is none or it does not start.
    """
    remote = is_remote(executable)
    manager = async_playwright()
    playwright = await manager.start()
    try:
        await playwright.selectors.register(ENGINE, ENGINE_SCRIPT, content_script=True)
        browser = await (connect(playwright, executable) if remote else _start(playwright, executable, headless))
        questions = await browser.new_browser_cdp_session()
        processes = [] if remote else (await questions.send("SystemInfo.getProcessInfo"))["processInfo"]
    except BaseException as error:
        await asyncio.shield(playwright.stop())
        if isinstance(error, Error):
            raise ActFailed(
                "no_browser",
                f"The browser {'' if remote else executable} did not start: {error.message.splitlines()[0]}",
            ) from error
        raise
    return Chromium(
        driver_process(manager),
        playwright,
        browser,
        questions,
        pid=next((int(process["id"]) for process in processes if process["type"] == "browser"), 0),
        answer_seconds=answer_seconds,
    )


async def _start(playwright: Playwright, executable: str, headless: bool) -> Browser:
    return await playwright.chromium.launch(
        executable_path=executable_of(executable, playwright),
        headless=headless,
        args=list(FLAGS),
        chromium_sandbox=os.geteuid() != 0,  # Chromium refuses to run sandboxed as root
        handle_sigint=False,
        handle_sigterm=False,
        handle_sighup=False,
        env=dict(surroundings()),
        timeout=START_SECONDS * 1000,
    )
