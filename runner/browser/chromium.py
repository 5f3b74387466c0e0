"""One Chromium and its Playwright driver: found, started, asked whether it lives, ended without a trace."""

import asyncio
import os
import shutil
from contextlib import suppress

from playwright.async_api import Browser, Error, Playwright, async_playwright

from runner.browser.selectors import ENGINE, ENGINE_SCRIPT
from runner.vocabulary import ActFailed

INSTALLED = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
START_SECONDS = 60.0
FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    # Names are resolved by the proxy of each session and nowhere else.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


class Chromium:
    """A running browser. `served` counts all sessions that were given to it, `live` those that still run."""

    def __init__(self, driver: asyncio.subprocess.Process | None, playwright: Playwright, browser: Browser) -> None:
        self.browser = browser
        self.driver = driver
        self.served = 0
        self.live = 0
        self.dead = False
        self._playwright = playwright

    @property
    def version(self) -> str:
        """Such as `Chromium 156.0.1.2`."""
        return f"Chromium {self.browser.version}"

    def usable(self, recycle_after: int) -> bool:
        """Whether new sessions may go to it. A dead driver does not show here: a failing new context does."""
        return not self.dead and self.browser.is_connected() and self.served < recycle_after

    async def close(self, seconds: float) -> None:
        """End the browser and the driver; what does not end in time is killed."""
        with suppress(Error, TimeoutError, OSError):
            async with asyncio.timeout(seconds):
                await self.browser.close()
        with suppress(Error, TimeoutError, OSError):
            async with asyncio.timeout(seconds):
                await self._playwright.stop()
        if self.driver is not None and self.driver.returncode is None:
            self.driver.kill()  # Chromium notices that its driver has gone, and ends
            await self.driver.wait()


def driver_process(manager: object) -> asyncio.subprocess.Process | None:
    """The driver's process: Playwright has no public way to end one that hangs."""
    process = getattr(getattr(getattr(manager, "_client", None), "_transport", None), "_proc", None)
    return process if isinstance(process, asyncio.subprocess.Process) else None


def find(executable: str) -> str | None:
    """The browser that is set, else an installed one, else None for Playwright's own. Raises ActFailed."""
    if executable:
        path = shutil.which(executable)
        if path is None:
            raise ActFailed(
                "no_browser",
                f"There is no browser at {executable}; set TAPEWRIGHT_BROWSER to the path of Chrome or Chromium.",
            )
        return path
    return next((path for name in INSTALLED if (path := shutil.which(name))), None)


async def launch(executable: str, *, headless: bool) -> Chromium:
    """Start a driver and a browser. Raises ActFailed with code no_browser when there is none or it does not start."""
    path = find(executable)
    manager = async_playwright()
    playwright = await manager.start()
    try:
        if path is None and shutil.which(playwright.chromium.executable_path) is None:
            raise ActFailed(
                "no_browser",
                "No Chrome or Chromium was found; install one (on Debian: apt install chromium)"
                " or set TAPEWRIGHT_BROWSER to its path.",
            )
        await playwright.selectors.register(ENGINE, ENGINE_SCRIPT, content_script=True)
        browser = await playwright.chromium.launch(
            executable_path=path,
            headless=headless,
            args=list(FLAGS),
            chromium_sandbox=os.geteuid() != 0,  # Chromium refuses to run sandboxed as root
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=START_SECONDS * 1000,
        )
    except BaseException as error:
        await asyncio.shield(playwright.stop())
        if isinstance(error, Error):
            raise ActFailed(
                "no_browser", f"The browser {path or ''} did not start: {error.message.splitlines()[0]}"
            ) from error
        raise
    return Chromium(driver_process(manager), playwright, browser)
