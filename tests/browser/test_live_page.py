"""The live page in a real browser, at a socket that the test plays: what it shows, and what it says."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, Route, WebSocketRoute, async_playwright, expect

from api.people import MAX_VALUE
from api.watch_words import LARGEST_MESSAGE
from eventstore.human import HumanInput
from runner.browser.chromium import find

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT = 120.0
STATIC = Path(__file__).parents[2] / "api" / "static"
ADDRESS = "http://live.test/live/t1?token=a"
TASK: dict[str, Any] = {
    "type": "task", "id": "t1", "state": "paused", "instruction": "Buy", "right": "control", "controlled": False,
    "driving": False, "ended": False, "question": None, "output": "", "error": "", "screenshot": "", "recordings": [],
}  # fmt: skip
DRIVEN = TASK | {"controlled": True, "driving": True}


class Played:
    """The service's side. `status` is what the page itself is answered with."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.status = 200
        self.heard: list[dict[str, Any]] = []
        self._socket: WebSocketRoute | None = None

    async def open(self) -> None:
        await self.page.route("http://live.test/**", self._serve)
        await self.page.route_web_socket("ws://live.test/**", self._connected)
        await self.page.goto(ADDRESS)

    async def tell(self, *words: dict[str, Any]) -> None:
        """The page has heard them, in order, when this returns."""
        assert self._socket is not None
        for word in words:
            self._socket.send(json.dumps(word))
        await self.page.evaluate("() => new Promise((done) => setTimeout(done))")

    async def lose(self) -> None:
        """The connection is cut, and refused from now on with `status`."""
        assert self._socket is not None
        socket, self._socket = self._socket, None
        await socket.close()

    async def _serve(self, route: Route) -> None:
        name = route.request.url.partition("?")[0].rpartition("/")[2]
        path = STATIC / (name if "." in name else "live.html")
        if self.status != 200 or not path.exists():
            await route.fulfill(status=404 if self.status == 200 else self.status)
        else:
            await route.fulfill(path=path)

    async def _connected(self, socket: WebSocketRoute) -> None:
        if self.status != 200:
            await socket.close()
            return
        self._socket = socket
        socket.on_message(lambda message: self.heard.append(json.loads(message)))


@asynccontextmanager
async def played() -> AsyncIterator[Played]:
    expect.set_options(timeout=LIMIT * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find("") or None)
        try:
            live = Played(await browser.new_page())
            await live.open()
            await expect(live.page.locator("#state")).to_have_text("connecting")
            yield live
        finally:
            await browser.close()


async def test_what_was_left_of_a_task_is_gone_with_it() -> None:
    over = {"state": "finished", "ended": True, "output": "Done."}
    async with played() as live:
        await live.tell(TASK | over | {"screenshot": "../one.png", "recordings": ["../one.webm"]})
        await live.tell(TASK | {"id": "t2"})
        between = await live.page.locator("video").count()
        await live.tell(TASK | over | {"id": "t2", "screenshot": "../two.png", "recordings": ["../two.webm"]})
        shown = [await live.page.locator(each).get_attribute("src") for each in ("#last", "video")]

    assert (0, ["../two.png", "../two.webm"]) == (between, shown)


async def test_a_problem_is_there_until_something_else_is_done() -> None:
    async with played() as live:
        await live.tell(DRIVEN)
        await live.page.get_by_label("Address").fill("http://169.254.169.254/")
        await live.page.get_by_role("button", name="Go").click()
        await live.tell({"type": "done", "number": 1, "url": "", "problem": "It is refused."})
        await live.page.locator("canvas").hover()
        await live.page.wait_for_function("() => moving")
        await live.tell({"type": "done", "number": 2, "url": "http://shop.test/", "problem": ""})
        problem = await live.page.locator("#problem").text_content()
        await live.page.get_by_role("button", name="Reload").click()
        await live.tell({"type": "done", "number": 3, "url": "http://shop.test/", "problem": ""})
        cleared = await live.page.locator("#problem").text_content()

    assert ["navigate", "move", "reload"] == [each["input"]["act"] for each in live.heard]
    assert ("It is refused.", "") == (problem, cleared)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "shop.test", "http://shop.test/"])
async def test_an_address_is_sent_as_it_was_typed(address: str) -> None:
    async with played() as live:
        await live.tell(DRIVEN)
        await live.page.get_by_label("Address").fill(f" {address} ")
        await live.page.get_by_role("button", name="Go").click()
        await live.page.evaluate("() => new Promise((done) => setTimeout(done))")

    assert [{"act": "navigate", "url": address}] == [each["input"] for each in live.heard]


async def test_a_link_that_is_no_longer_good_is_told_and_not_tried_again() -> None:
    async with played() as live:
        await live.tell(TASK)
        live.status = 401
        await live.lose()
        await expect(live.page.locator("#problem")).to_have_text("This link is no longer good; ask for a new one.")
        over = await live.page.evaluate("() => over")

    assert True is over


async def test_a_click_is_meant_for_what_the_picture_shows_there() -> None:
    async with played() as live:
        await live.tell(DRIVEN)
        box = await live.page.locator("canvas").bounding_box()
        assert box is not None
        await live.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    (click,) = [each["input"] for each in live.heard if each["input"]["act"] == "down"]
    assert (True, True) == (abs(click["x"] - 640) <= 2, abs(click["y"] - 480) <= 2), click


async def test_texts_of_pages_are_no_markup() -> None:
    nasty = "<img src=x onerror=\"document.title='owned'\">"
    step = {
        "number": 1, "url": f"http://a/{nasty}", "goal": nasty, "acts": [nasty], "errors": [nasty],
        "interrupted": nasty, "ended": True,
    }  # fmt: skip
    async with played() as live:
        await live.tell(
            TASK | {"instruction": nasty, "question": {"request": "q", "kind": "text", "prompt": nasty}},
            {"type": "steps", "task": "t1", "place": 0, "steps": [step]},
            {"type": "problem", "text": nasty},
        )
        markup = await live.page.locator("main img:not(#last), #problem *, #question img, header img").count()
        title = await live.page.title()

    assert (0, "Live view") == (markup, title)


async def test_a_long_text_is_pasted_in_parts_that_can_be_read() -> None:
    text = "a" * 9_999 + "\U0001f600" * 10_002
    async with played() as live:
        await live.tell(DRIVEN)
        await live.page.evaluate(
            """(text) => {
              at("picture").focus();
              const clipboardData = new DataTransfer();
              clipboardData.setData("text/plain", text);
              document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
            }""",
            text,
        )
        await live.page.evaluate("() => new Promise((done) => setTimeout(done))")
        longest = [await live.page.locator(each).get_attribute("maxlength") for each in ("#text", "#answer")]

    parts = [msgspec.convert(each["input"], HumanInput).text for each in live.heard]
    assert (text, [10_000, 10_000, 1]) == ("".join(parts), [len(part) for part in parts])
    assert all(len(json.dumps(each, ensure_ascii=False).encode()) <= LARGEST_MESSAGE for each in live.heard)
    assert [str(10_000), str(MAX_VALUE)] == longest


def typed(live: Played) -> list[tuple[str, str]]:
    """What the page was given to write or to press."""
    inputs = [each["input"] for each in live.heard]
    return [
        (each["act"], each.get("text") or each["key"]) for each in inputs if each["act"] in ("type", "press", "paste")
    ]


async def test_all_that_can_be_typed_is_sent_once() -> None:
    async with played() as live:
        await live.tell(DRIVEN)
        await live.page.locator("canvas").focus()
        await live.page.keyboard.type("hé €1")
        await live.page.keyboard.insert_text("é€")
        for key in ("Backspace", "Enter", "Control+a", "Shift+Tab"):
            await live.page.keyboard.press(key)
        left = await live.page.locator("#typing").input_value()
        await live.page.keyboard.press("Shift+Escape")
        await live.page.keyboard.press("x")
        label = await live.page.get_by_role("textbox", name="Shift+Escape leaves it").count()

    written = [("press", each) for each in "hé €1"]
    pressed = [("press", each) for each in ("Backspace", "Enter", "Control+a", "Shift+Tab")]
    assert [*written, ("type", "é€"), *pressed] == typed(live)
    assert ("", 1) == (left, label)


async def test_what_is_composed_is_sent_when_it_is_complete() -> None:
    async with played() as live:
        await live.tell(DRIVEN)
        await live.page.locator("canvas").click()
        method = await live.page.context.new_cdp_session(live.page)
        for text in ("に", "にほ"):
            await method.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})
        during = typed(live)
        await live.page.keyboard.insert_text("日本")
        await method.send("Input.imeSetComposition", {"text": "ご語", "selectionStart": 2, "selectionEnd": 2})
        await live.page.mouse.down()
        await live.page.mouse.up()

    acts = [each["input"]["act"] for each in live.heard if each["input"]["act"] != "move"]
    assert ([], [("type", "日本"), ("type", "ご語")]) == (during, typed(live))
    assert ["down", "up", "type", "type", "down", "up"] == acts


async def test_a_keyboard_that_tells_of_no_keys_can_delete_and_end_a_line() -> None:
    async with played() as live:
        await live.tell(DRIVEN)
        await live.page.locator("canvas").focus()
        await live.page.keyboard.insert_text("\n")
        await live.page.locator("#typing").evaluate(
            "(e) => e.dispatchEvent(new InputEvent('beforeinput', { inputType: 'deleteContentBackward' }))"
        )

    assert [("press", "Enter"), ("press", "Backspace")] == typed(live)


@pytest.mark.parametrize(("platform", "key"), [("MacIntel", "@"), ("Win32", "Alt+@")])
async def test_option_writes_characters_on_a_mac(platform: str, key: str) -> None:
    async with played() as live:
        await live.page.evaluate("(it) => Object.defineProperty(navigator, 'platform', { value: it })", platform)
        await live.tell(DRIVEN)
        await live.page.locator("canvas").focus()
        await live.page.evaluate(
            """() => {
              const key = new KeyboardEvent("keydown", { key: "@", altKey: true, bubbles: true, cancelable: true });
              if (document.activeElement.dispatchEvent(key)) document.execCommand("insertText", false, key.key);
            }"""
        )
        await live.page.evaluate("() => new Promise((done) => setTimeout(done))")

    assert [key] == [each["input"]["key"] for each in live.heard]
