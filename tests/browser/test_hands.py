"""A person's hands in a real browser: what they do, what is said of it, and what is never said."""

import json
from typing import Any

import pytest

from eventstore.human import HumanInput
from runner.browser.browsers import Session
from runner.ports import Touch
from runner.vocabulary import ActFailed
from tests.playing import go

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME, PASSWORD, CARD, BUTTON, SHADED, INNER, CLOSED = (
    {"x": 150.0, "y": y} for y in (20.0, 70.0, 120.0, 175.0, 225.0, 275.0, 355.0)
)
PLACES = {"name": NAME, "password": PASSWORD, "card": CARD}
MASK = "********"


async def hand(session: Session, act: str, **fields: Any) -> Touch:
    return await session.by_hand(HumanInput(act=act, **fields))  # type: ignore[arg-type] # a word of the acts


def page_of(session: Session) -> Any:
    tab = session._tabs.current_now
    assert tab is not None
    return tab.page


async def value_of(session: Session, element: str) -> str:
    return str(await page_of(session).evaluate("(id) => document.getElementById(id).value", element))


def said(touch: Touch) -> tuple[str, dict[str, object], str]:
    """The name, the parameters, and the element in words."""
    aim = f"{touch.target.role} {touch.target.name}" if touch.target else ""
    return touch.name, touch.params, aim


async def test_a_click_tells_what_it_hit(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")

    clicked = await hand(fresh, "click", **BUTTON)
    title = await page_of(fresh).title()
    pressed = await hand(fresh, "down", **SHADED)
    released = await hand(fresh, "up", x=SHADED["x"] + 2, y=SHADED["y"])

    assert ("click", BUTTON, "button Say hello") == said(clicked)
    assert "Clicked" == title
    assert "" == pressed.name
    assert ("click", {"x": SHADED["x"] + 2, "y": SHADED["y"]}, "button Shaded") == said(released)
    assert "In the shadow" == await page_of(fresh).title()


@pytest.mark.parametrize(
    ("act", "x", "y"),
    [("click", 10_000.0, 20.0), ("down", 10.0, -1.0), ("up", -1.0, 10.0), ("wheel", 10.0, 10_000.0)],
)
async def test_a_place_outside_of_the_view_is_told_and_nothing_is_done(
    fresh: Session, site: str, act: str, x: float, y: float
) -> None:
    await go(fresh, f"{site}/hands.html")
    size = await page_of(fresh).evaluate("() => [innerWidth, innerHeight]")

    with pytest.raises(ActFailed) as caught:
        await hand(fresh, act, x=x, y=y)

    said = f"The place {x:g}, {y:g} lies outside of the page's view, which is {size[0]} x {size[1]} pixels large."
    assert ("outside", said) == (caught.value.code, str(caught.value))


async def test_a_button_that_is_let_go_of_elsewhere_has_dragged(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")

    await hand(fresh, "down", **BUTTON)
    dragged = await hand(fresh, "up", x=300.0, y=400.0)

    assert ("drag", {**BUTTON, "to_x": 300.0, "to_y": 400.0}, "button Say hello") == said(dragged)


async def test_what_is_typed_is_told_with_its_field(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")
    await hand(fresh, "click", **NAME)

    touches = [
        await hand(fresh, "type", text="Ad"),
        await hand(fresh, "key_down", key="a"),
        await hand(fresh, "key_up", key="a"),
        await hand(fresh, "press", key="é"),
        await hand(fresh, "press", key="Backspace"),
        await hand(fresh, "paste", text=" Lovelace"),
        await hand(fresh, "key_down", key="Shift"),
        await hand(fresh, "key_down", key="X"),
    ]
    await fresh.let_go()

    field = "textbox Name"
    assert [
        ("type", {"text": "Ad"}, field),
        ("type", {"text": "a"}, field),
        ("", {}, ""),
        ("type", {"text": "é"}, field),
        ("press", {"keys": "Backspace"}, field),
        ("paste", {"text": " Lovelace"}, field),
        ("", {}, ""),
        ("type", {"text": "X"}, field),
    ] == [said(touch) for touch in touches]
    assert "Ada LovelaceX" == await value_of(fresh, "name")
    assert set() == fresh._hand._keys


@pytest.mark.parametrize("where", ["password", "card"])
async def test_what_goes_into_a_secret_field_is_told_to_nobody(fresh: Session, site: str, where: str) -> None:
    await go(fresh, f"{site}/hands.html")
    await hand(fresh, "click", **PLACES[where])

    touches = [
        await hand(fresh, "type", text="hunt"),
        await hand(fresh, "key_down", key="e"),
        await hand(fresh, "press", key="Shift+R"),
        await hand(fresh, "paste", text="2"),
    ]

    assert "hunteR2" == await value_of(fresh, where)
    assert [{"text": MASK}, {"text": MASK}, {"keys": MASK}, {"text": MASK}] == [touch.params for touch in touches]
    assert {True, False} == {touch.secret for touch in touches}


@pytest.mark.parametrize("act", ["press", "key_down"])
async def test_a_key_is_no_name_for_what_it_types_in_a_secret_field(fresh: Session, site: str, act: str) -> None:
    await go(fresh, f"{site}/hands.html")
    await hand(fresh, "click", **PASSWORD)

    touches = [await hand(fresh, act, key=key) for key in ("KeyH", "Digit7", "Space", "NumpadAdd", "Backspace")]

    assert "h7 " == await value_of(fresh, "password")
    assert [*[{"keys": MASK}] * 4, {"keys": "Backspace"}] == [touch.params for touch in touches]


async def test_what_goes_on_into_a_secret_field_is_told_to_nobody(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")
    await page_of(fresh).evaluate(
        "() => document.getElementById('name').oninput = () => document.getElementById('password').focus()"
    )
    await hand(fresh, "click", **NAME)

    touch = await hand(fresh, "type", text="Ahunter2")

    assert ("A", "hunter2") == (await value_of(fresh, "name"), await value_of(fresh, "password"))
    assert ("type", {"text": MASK}, "textbox Name") == said(touch)


async def test_where_no_field_is_seen_nothing_is_told_of_what_is_typed(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")
    nowhere = await hand(fresh, "type", text="x")
    await hand(fresh, "click", **CLOSED)

    hidden = await hand(fresh, "type", text="hunter2")

    assert [("type", {"text": MASK}, "")] * 2 == [said(nowhere), said(hidden)]


async def test_hands_reach_into_frames(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")

    clicked = await hand(fresh, "click", **INNER)
    typed = await hand(fresh, "type", text="deep")

    assert ("click", INNER, "textbox Inner") == said(clicked)
    assert ("type", {"text": "deep"}, "textbox Inner") == said(typed)
    assert typed.target is not None
    assert "about:srcdoc" == typed.target.frame


async def test_the_wheel_scrolls_and_a_move_is_not_worth_a_word(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")

    moved = await hand(fresh, "move", x=5.0, y=500.0)
    turned = await hand(fresh, "wheel", x=5.0, y=500.0, dx=0.0, dy=600.0)
    await page_of(fresh).wait_for_function("() => scrollY > 0")

    assert "" == moved.name
    assert ("wheel", {"x": 5.0, "y": 500.0, "dx": 0.0, "dy": 600.0}, "") == said(turned)


async def test_addresses_are_gone_to_as_acts_go_there(fresh: Session, site: str) -> None:
    home = await hand(fresh, "navigate", url=f"{site}/hands.html")
    other = await hand(fresh, "navigate", url=f"{site}/two.html")
    back = await hand(fresh, "back")
    again = await hand(fresh, "reload")
    missing = await hand(fresh, "navigate", url="http://127.0.0.1:9/")

    assert [f"{site}/hands.html", f"{site}/two.html", f"{site}/hands.html", f"{site}/hands.html"] == [
        home.url, other.url, back.url, again.url,
    ]  # fmt: skip
    assert ("navigate", {"url": "http://127.0.0.1:9/"}) == (missing.name, missing.params)
    assert "did not answer" in missing.problem


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "chrome://version", "http://169.254.169.254/"]
)
async def test_addresses_that_acts_may_not_go_to_hands_may_not_either(fresh: Session, url: str) -> None:
    with pytest.raises(ActFailed) as caught:
        await hand(fresh, "navigate", url=url)

    assert "blocked" == caught.value.code


async def test_tabs_are_switched_and_closed_by_their_numbers(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")
    await page_of(fresh).evaluate("(url) => { window.open(url); }", f"{site}/two.html")
    await fresh._tabs.adopted.wait()

    first = await hand(fresh, "switch_tab", tab=1)
    closed = await hand(fresh, "close_tab", tab=2)
    with pytest.raises(ActFailed, match=r"^There is no tab 2; there are 1\.$"):
        await hand(fresh, "switch_tab", tab=2)

    assert ("switch_tab", {"tab": 1}, f"{site}/hands.html") == (first.name, first.params, first.url)
    assert ("close_tab", {"tab": 2}) == (closed.name, closed.params)


async def test_a_key_that_there_is_not_is_refused(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")

    with pytest.raises(ActFailed, match=r"^There is no key Enterr\.$"):
        await hand(fresh, "press", key="Enterr")


async def test_nothing_that_is_told_of_a_secret_field_holds_its_value(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/hands.html")
    await hand(fresh, "click", **PASSWORD)
    touches = [await hand(fresh, "key_down", key=key) for key in "hunter2"]
    touches.append(await hand(fresh, "click", **PASSWORD))

    told = json.dumps([said(touch) for touch in touches])

    assert "hunter2" == await value_of(fresh, "password")
    assert [] == [key for key in ('"h"', '"2"', "hunter") if key in told]
