"""Playwright drivers that browsers of their own are reached through: one serves all, and is replaced when it dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from playwright.async_api import BrowserContext, Error, Playwright, async_playwright

from runner.browser.chromium import driver_process
from runner.browser.selectors import ENGINE, ENGINE_SCRIPT

STOP_SECONDS = 2.0


class Driver:
    """One process of Playwright's. `live` counts those who use it."""

    def __init__(self, playwright: Playwright, process: asyncio.subprocess.Process | None) -> None:
        self.playwright = playwright
        self.live = 0
        self._process = process

    def kill(self) -> None:
        """End it at once: whatever waits for it fails. `stop` is still to be called."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """End it in order; killed if it takes too long."""
        with suppress(Error, TimeoutError, OSError):
            async with asyncio.timeout(STOP_SECONDS):
                await self.playwright.stop()
        self.kill()
        if self._process is not None:
            await self._process.wait()


class Drivers:
    """Gives out the driver of this process."""

    def __init__(self) -> None:
        self._current: Driver | None = None
        self._starting: asyncio.Task[Driver] | None = None
        self._all: set[Driver] = set()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Driver]:
        """The driver, for the length of the block."""
        driver = await self._usable()
        driver.live += 1
        try:
            yield driver
        finally:
            driver.live -= 1
            if driver is not self._current and driver.live == 0:
                await asyncio.shield(self._stop(driver))

    def retire(self, driver: Driver) -> None:
        """It does not answer: the next one to come gets another."""
        if driver is self._current:
            self._current = None

    async def close(self) -> None:
        """End them all."""
        if self._starting is not None:
            await asyncio.wait({self._starting})
            if not self._starting.cancelled() and not self._starting.exception():
                self._all.add(self._starting.result())
        await asyncio.gather(*(self._stop(driver) for driver in set(self._all)))

    async def _usable(self) -> Driver:
        while self._current is None:
            # A start that is cut off would leave its process behind. So it goes on, and whoever comes next has it.
            starting = self._starting = self._starting or asyncio.create_task(_start())
            await asyncio.wait({starting})
            if self._starting is starting:
                self._starting = None
                self._current = starting.result()
                self._all.add(self._current)
        return self._current

    async def _stop(self, driver: Driver) -> None:
        self._all.discard(driver)
        await driver.stop()


async def _start() -> Driver:
    manager = async_playwright()
    playwright = await manager.start()
    await playwright.selectors.register(ENGINE, ENGINE_SCRIPT, content_script=True)
    return Driver(playwright, driver_process(manager))


async def acquaint(context: BrowserContext) -> None:
    """Tell a context that its browser came with of our selectors: Playwright tells those alone that it makes itself."""
    await context._impl_obj._channel.registerSelectorEngine(
        selectorEngine={"name": ENGINE, "source": ENGINE_SCRIPT, "contentScript": True}
    )
