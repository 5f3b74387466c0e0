"""One isolated browser context: the hands and eyes of one session. Errors leave it as ActFailed only."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from playwright.async_api import Browser, Error
from playwright.async_api import TimeoutError as PlaywrightTimeout

from eventstore.human import HumanInput
from runner.browser.access import Access
from runner.browser.actions import Scene, asks_for_file, perform, resolve
from runner.browser.bringing import bringing
from runner.browser.chromium import Chromium
from runner.browser.covering import covered
from runner.browser.downloads import downloading
from runner.browser.finder import Finder
from runner.browser.human import Hand
from runner.browser.late import late
from runner.browser.navigation import arrive, settled, verdict
from runner.browser.observe import BUSY, clickable
from runner.browser.screencast import show
from runner.browser.secrets import claimed
from runner.browser.seeing import Seeing
from runner.browser.tabs import MOST_TABS, Tab, Tabs
from runner.model import Observation
from runner.ports import Eyes, Hands, Outcome, Resolved, Touch
from runner.reel import Put
from runner.vocabulary import ActFailed, AnyAction, Effect
from runner.wallet import Wallet

SCREENSHOT_SECONDS = 5.0
STATE_SECONDS = 10.0
LOOK_SECONDS = 2.0

EAGER = frozenset({"move", "key_up", "navigate", "reload", "switch_tab", "close_tab"})
"""What a hand does without waiting for a page that is under way."""

GOING = frozenset({"navigate", "back", "forward", "reload"})


class Session(Hands, Eyes):
    """Use `Browsers.session`. Every method may be cancelled."""

    def __init__(
        self, *, chromium: Chromium, tabs: Tabs, access: Access, action_seconds: float, navigation_seconds: float
    ) -> None:
        self.version = chromium.version
        self.own = ""
        self.attached = self.keep = False
        self.wallet = Wallet()
        self.uploads = access.uploads
        self.inbox = access.inbox
        self._chromium = chromium
        self._tabs = tabs
        self._access = access
        self._action_seconds = action_seconds
        self._navigation_seconds = navigation_seconds
        self.seeing = Seeing(tabs)
        self.highlight = access.highlight
        self._finder = Finder(tabs.spawn)
        self._open = AsyncExitStack()
        self._hand = Hand(tabs, access.egress, navigation_seconds)

    async def open(self) -> None:
        """Open the first tab."""
        async with self._told():
            await self._tabs.current()

    async def receive(self, through: Browser, root: Path | None, *, alone: bool = False) -> None:
        """Have the inbox hear of downloads, which lie in `root` meanwhile; `alone` in the browser. Raises ActFailed."""
        context = None if alone else self._tabs.context
        async with self._told(), asyncio.timeout(STATE_SECONDS):
            await self._open.enter_async_context(
                downloading(through, context, lambda: self.inbox, root, self._tabs.spawn)
            )

    async def close(self) -> None:
        """End what runs beside; the context itself is closed by `Browsers`."""
        await self._tabs.close()
        await self._open.aclose()

    @property
    def url(self) -> str:
        """Where the current tab is."""
        tab = self._tabs.current_now
        return tab.page.url if tab is not None else "about:blank"

    async def resolve(self, action: AnyAction) -> Resolved:
        """Find the one target and wait until it can be acted on. Changes nothing. Raises ActFailed."""
        async with self._told():
            scene = await self._scene()
            await verdict(scene.tab)
            return await claimed(scene, await resolve(scene, action))

    async def act(self, resolved: Resolved) -> Outcome:
        """Do it. Raises ActFailed."""
        async with self._told():
            scene = await self._scene()
            scene.tab.clear()
            self._tabs.adopted.clear()
            told, before = self._tabs.watched(), self._tabs.standing(scene.tab)
            try:
                files = bringing(self._tabs, scene.tab, self.inbox, surely=await asks_for_file(scene, resolved))
                result = await perform(scene, resolved)
                await arrive(
                    self._tabs, scene.tab, self._navigation_seconds, acted=resolved.action.effect is Effect.LASTING
                )
                # What is read is the result as it is; what happened meanwhile is told with the next look.
                reading = resolved.action.effect is Effect.LOOK
                telling = not resolved.action.leaves and not reading
                result += (told() if telling else "") + await files()
                self.seeing.lately.told(self.inbox, questions=telling, tabs=not reading)
            except asyncio.CancelledError:
                self._tabs.spawn(scene.tab.drop())  # after a navigation that was cut off the page hangs otherwise
                raise
            finally:
                scene.tab.assent = None
            if self._tabs.current_now is None and (lost := await self._lost()):
                raise lost  # an act that needs no page outlives it, and would say that it ended on a blank one
            moved = before != self._tabs.standing(self._tabs.current_now)
            return Outcome(result=result, url=self.url, made=tuple(scene.made), moved=moved)

    async def look(self, *, tree: bool, picture: bool = False) -> Observation:
        """The place; with `tree` the outline too, whose references are good until the next look; with `picture` one.

        A tab that closes itself meanwhile, as those do in which one signs in, gives way to the one that is left.
        """
        for _ in range(MOST_TABS):
            try:
                return await self._look(tree=tree, picture=picture)
            except ActFailed as failure:
                if failure.code != "tab_closed":
                    raise
        return await self._look(tree=tree, picture=picture)

    async def _look(self, *, tree: bool, picture: bool) -> Observation:
        async with self._told():
            tab = await self._tab()
            seen = await self.seeing.look(
                tab, self.wallet.mask, self.inbox, self._picture if picture else None, tree=tree, boxes=self.highlight
            )
            if seen.tree == BUSY and (lost := await self._lost()):
                raise lost
            return seen

    async def screenshot(self) -> bytes:
        """The viewport as PNG, with what shows a secret's value covered. Raises ActFailed where that cannot be sure."""
        async with self._told():
            return await self._picture(await self._tab())

    async def _picture(self, tab: Tab) -> bytes:
        if self.wallet.mask:
            return await covered(tab, self.wallet.mask, SCREENSHOT_SECONDS)
        return await tab.page.screenshot(timeout=SCREENSHOT_SECONDS * 1000, scale="css")

    async def show(self, put: Put) -> None:
        """Put pictures of the current tab, with what shows a secret's value covered, until cancelled."""
        await show(self._tabs, lambda: self.wallet.mask, put)

    async def state(self) -> str:
        """Cookies, local storage and indexed DB of the context as JSON, for the vault."""
        async with self._told():
            async with asyncio.timeout(STATE_SECONDS):
                return json.dumps(await self._tabs.context.storage_state(indexed_db=True))

    async def by_hand(self, asked: HumanInput) -> Touch:
        """One input of a person, within the limit of one act. Raises ActFailed where nothing was done."""
        async with self._told():
            tab = await self._tabs.current() if asked.act in EAGER else await self._tab()
            limit = self._navigation_seconds if asked.act in GOING else self._action_seconds
            async with asyncio.timeout(limit + SCREENSHOT_SECONDS):
                try:
                    touch = await self._hand.do(tab, asked)
                except asyncio.CancelledError:
                    self._tabs.spawn(tab.drop())
                    raise
            return msgspec.structs.replace(touch, url=self.url)

    async def let_go(self) -> None:
        """No key and no button is held down any more. Raises ActFailed."""
        async with self._told():
            if (tab := self._tabs.current_now) is not None:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._hand.release(tab)

    async def _scene(self) -> Scene:
        tab = await self._tab()
        return Scene(
            tab=tab,
            tabs=self._tabs,
            memory=self.seeing.memory,
            seconds=self._action_seconds,
            navigation_seconds=self._navigation_seconds,
            egress=self._access.egress,
            uploads=self.uploads,
            inbox=self.inbox,
            scan=lambda: clickable(tab),
            finder=self._finder,
            wallet=self.wallet,
        )

    async def _tab(self) -> Tab:
        """The current tab. A crashed one is told once and given up; the next call gets a new one."""
        tab = await self._tabs.current()
        if tab.crashed:
            url = tab.page.url
            await self._tabs.forget(tab)
            raise ActFailed("page_crashed", f"The page at {url} crashed.")
        await settled(tab, LOOK_SECONDS)
        return tab

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """Turn Playwright's errors into sentences."""
        tab = self._tabs.current_now
        try:
            yield
        except ActFailed as failure:
            raise await self._lost() or failure from failure.__cause__
        except PlaywrightTimeout as error:
            raise await self._lost() or ActFailed("timeout", late(error, self._action_seconds)) from error
        except TimeoutError as error:
            raise await self._lost() or ActFailed("timeout", "The browser did not answer in time.") from error
        except Error as error:
            raise await self._failure(tab, error) from error

    async def _failure(self, tab: Tab | None, error: Error) -> ActFailed:
        if tab is not None and (tab.crashed or "crashed" in error.message):
            if tab in self._tabs.open:
                await self._tabs.forget(tab)
            return ActFailed("page_crashed", f"The page at {tab.page.url} crashed.")
        if "strict mode violation" in error.message:
            return ActFailed("ambiguous_target", "Other elements that look the same appeared; nothing was done.")
        if "has been closed" not in error.message and "Connection closed" not in error.message:
            return ActFailed("failed", error.message.splitlines()[0])
        return await self._lost() or ActFailed("tab_closed", "The tab was closed meanwhile.")

    async def _lost(self) -> ActFailed | None:
        """The browser is to blame for what failed when it has ended, or is frozen, or its driver is."""
        chromium = self._chromium
        if not chromium.dead and chromium.browser.is_connected() and await chromium.answers():
            return None
        chromium.kill()
        return ActFailed("browser_lost", "The browser ended unexpectedly.")
