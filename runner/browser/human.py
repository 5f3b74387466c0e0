"""The hands of a person in the tabs of a session: mouse, keyboard and addresses, each with a limit."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
from playwright.async_api import Error, Page

from eventstore.events import Target
from eventstore.human import Act, Button, HumanInput
from runner.browser.navigation import breathe, goto, move, verdict
from runner.browser.tabs import Tab, Tabs
from runner.browser.touch import at_point, focused, within
from runner.egress.proxy import Egress
from runner.ports import Touch
from runner.vocabulary import ActFailed

ARRIVE_SECONDS = 1.0
"""How long a hand waits to see where what it did has led: the next input waits as long."""

CLICK_PIXELS = 4.0
"""A button that is let go of so near to where it was pressed has clicked; farther away it has dragged."""

AIMED = frozenset({"down", "click", "wheel"})
"""What has its effect at a place. A drag may end outside of the view."""

MASK = "********"
MODIFIERS = frozenset({"Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock"})
CHORDS = frozenset({"Control", "Alt", "Meta"})
SILENT = frozenset(
    {"Enter", "Tab", "Escape", "Backspace", "Delete", "Insert", "Home", "End", "PageUp", "PageDown"}
    | {"ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"}
    | {f"F{number}" for number in range(1, 13)}
)
"""Keys that write nothing. Any other may, also by such a name as KeyA or Digit1."""

Params = dict[str, object]


class Hand:
    """Of one session. Remembers what it holds down."""

    def __init__(self, tabs: Tabs, egress: Egress, navigation_seconds: float) -> None:
        self._tabs = tabs
        self._egress = egress
        self._navigation_seconds = navigation_seconds
        self._keys: set[str] = set()
        self._pressed: dict[Button, tuple[float, float, Target | None]] = {}
        self._table: dict[Act, Callable[[Tab, HumanInput], Awaitable[Touch]]] = {
            "move": self._move,
            "down": self._down,
            "up": self._up,
            "click": self._click,
            "wheel": self._wheel,
            "key_down": self._key_down,
            "key_up": self._key_up,
            "press": self._press,
            "type": self._type,
            "paste": self._type,
            "navigate": self._navigate,
            "back": self._history,
            "forward": self._history,
            "reload": self._history,
            "switch_tab": self._switch,
            "close_tab": self._close,
        }

    async def do(self, tab: Tab, asked: HumanInput) -> Touch:
        """One input. Raises ActFailed where nothing was done, and Playwright's errors for the session to translate."""
        if asked.act in AIMED or (asked.act == "up" and asked.button not in self._pressed):
            within(tab.page, asked.x, asked.y)
        tab.clear()
        return await self._table[asked.act](tab, asked)

    async def release(self, tab: Tab) -> None:
        """Let go of all that is held down."""
        keys, buttons = sorted(self._keys), sorted(self._pressed)
        self._keys.clear()
        self._pressed.clear()
        for key in keys:
            await tab.page.keyboard.up(key)
        for button in buttons:
            await tab.page.mouse.up(button=button)

    async def _move(self, tab: Tab, asked: HumanInput) -> Touch:
        await tab.page.mouse.move(asked.x, asked.y)
        return Touch()

    async def _down(self, tab: Tab, asked: HumanInput) -> Touch:
        found = await at_point(tab.page, asked.x, asked.y)
        await tab.page.mouse.move(asked.x, asked.y)
        self._pressed[asked.button] = asked.x, asked.y, found
        await tab.page.mouse.down(button=asked.button, click_count=asked.count)
        return Touch()

    async def _up(self, tab: Tab, asked: HumanInput) -> Touch:
        x, y, found = self._pressed.pop(asked.button, (asked.x, asked.y, None))
        await tab.page.mouse.move(asked.x, asked.y)
        await tab.page.mouse.up(button=asked.button, click_count=asked.count)
        problem = await _after(tab)
        if max(abs(asked.x - x), abs(asked.y - y)) <= CLICK_PIXELS:
            return Touch(name="click", params=_clicked(asked), target=found, problem=problem)
        params: Params = {"x": x, "y": y, "to_x": asked.x, "to_y": asked.y}
        return Touch(name="drag", params=params, target=found, problem=problem)

    async def _click(self, tab: Tab, asked: HumanInput) -> Touch:
        found = await at_point(tab.page, asked.x, asked.y)
        await tab.page.mouse.click(asked.x, asked.y, button=asked.button, click_count=asked.count)
        return Touch(name="click", params=_clicked(asked), target=found, problem=await _after(tab))

    async def _wheel(self, tab: Tab, asked: HumanInput) -> Touch:
        await tab.page.mouse.move(asked.x, asked.y)
        await tab.page.mouse.wheel(asked.dx, asked.dy)
        return Touch(name="wheel", params={"x": asked.x, "y": asked.y, "dx": asked.dx, "dy": asked.dy})

    async def _key_down(self, tab: Tab, asked: HumanInput) -> Touch:
        key = asked.key
        if key in MODIFIERS:
            self._keys.add(key)
            await _known(tab.page.keyboard.down(key), key)
            return Touch()
        found, secret = await focused(tab.page)
        chord = sorted(self._keys & CHORDS)
        if len(key) == 1 and not chord:
            await self._character(tab.page, key)
            return _typed(key, found, secret=secret)
        self._keys.add(key)
        await _known(tab.page.keyboard.down(key), key)
        name = "+".join([*chord, _shown(key, secret=secret)])
        return Touch(name="press", params={"keys": name}, target=found, problem=await _after(tab))

    async def _character(self, page: Page, key: str) -> None:
        """One that the keyboard lacks is inserted."""
        try:
            await page.keyboard.down(key)
            self._keys.add(key)
        except Error as error:
            if "Unknown key" not in error.message:
                raise
            await page.keyboard.insert_text(key)

    async def _key_up(self, tab: Tab, asked: HumanInput) -> Touch:
        if asked.key in self._keys:
            self._keys.discard(asked.key)
            await tab.page.keyboard.up(asked.key)
        return Touch()

    async def _press(self, tab: Tab, asked: HumanInput) -> Touch:
        found, secret = await focused(tab.page)
        if len(asked.key) == 1:
            await self._character(tab.page, asked.key)
            await self._key_up(tab, asked)
            return _typed(asked.key, found, secret=secret)
        await _known(tab.page.keyboard.press(asked.key), asked.key)
        params: Params = {"keys": _shown(asked.key, secret=secret)}
        return Touch(name="press", params=params, target=found, problem=await _after(tab))

    async def _type(self, tab: Tab, asked: HumanInput) -> Touch:
        found, secret = await focused(tab.page)
        if asked.act == "paste":
            await tab.page.keyboard.insert_text(asked.text)
            touch = _typed(asked.text, found, secret=secret)
            return msgspec.structs.replace(touch, name="paste")
        await tab.page.keyboard.type(asked.text)
        # The page may have moved the focus on to another field meanwhile.
        secret = secret or (len(asked.text) > 1 and (await focused(tab.page))[1])
        return _typed(asked.text, found, secret=secret)

    async def _navigate(self, tab: Tab, asked: HumanInput) -> Touch:
        """An address that is refused was not gone to; one that did not answer was."""
        try:
            await goto(tab, asked.url, self._egress, self._navigation_seconds)
        except ActFailed as failure:
            if failure.code == "blocked":
                raise
            return Touch(name="navigate", params={"url": asked.url}, problem=str(failure))
        return Touch(name="navigate", params={"url": asked.url})

    async def _history(self, tab: Tab, asked: HumanInput) -> Touch:
        await move(tab, asked.act, self._egress, self._navigation_seconds)
        return Touch(name=asked.act)

    async def _switch(self, _tab: Tab, asked: HumanInput) -> Touch:
        tab = self._numbered(asked.tab)
        self._tabs.switch(tab)
        await tab.page.bring_to_front()
        return Touch(name="switch_tab", params={"tab": asked.tab})

    async def _close(self, tab: Tab, asked: HumanInput) -> Touch:
        closing = self._numbered(asked.tab) if asked.tab else tab
        number = self._tabs.open.index(closing) + 1
        await self._tabs.forget(closing)
        return Touch(name="close_tab", params={"tab": number})

    def _numbered(self, number: int) -> Tab:
        tabs = self._tabs.open
        if not 0 < number <= len(tabs):
            raise ActFailed("no_tab", f"There is no tab {number}; there are {len(tabs)}.")
        return tabs[number - 1]


async def _after(tab: Tab) -> str:
    """Where an act leads shows a moment later. What it was refused is a sentence."""
    if tab.page.is_closed():
        return ""
    await breathe(tab)
    try:
        async with asyncio.timeout(ARRIVE_SECONDS):
            await tab.arrived.wait()
    except TimeoutError:
        return ""  # it is still on its way
    try:
        await verdict(tab)
    except ActFailed as failure:
        return str(failure)
    return ""


async def _known(pressing: Awaitable[None], key: str) -> None:
    try:
        await pressing
    except Error as error:
        if "Unknown key" in error.message:
            raise ActFailed("bad_key", f"There is no key {key}.") from error
        raise


def _shown(keys: str, *, secret: bool) -> str:
    """A key or a chord as it may be told. Shift+A writes a character as A does."""
    return MASK if secret and keys.rpartition("+")[2] not in SILENT else keys


def _typed(text: str, found: Target | None, *, secret: bool) -> Touch:
    return Touch(name="type", params={"text": MASK if secret else text}, target=found, secret=secret)


def _clicked(asked: HumanInput) -> Params:
    params: Params = {"x": asked.x, "y": asked.y}
    if asked.button != "left":
        params["button"] = asked.button
    return params | ({"count": asked.count} if asked.count > 1 else {})
