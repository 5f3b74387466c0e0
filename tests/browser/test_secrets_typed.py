"""Secrets in a real browser: into the right document only, into no message, and on no picture."""

import base64
import traceback
from collections.abc import Sequence
from typing import Any

import pytest

from eventstore.secrets import Secret
from runner.browser.browsers import Session
from runner.browser.covering import COLOUR, covered
from runner.masking import Mask
from runner.veil import Veiled
from runner.vocabulary import ActFailed, Click, Extract, Input, Query
from runner.wallet import Wallet
from tests.playing import do, go

pytestmark = pytest.mark.asyncio(loop_scope="module")

VALUE = 'k7&Q "z+4/9x'
SECRETS = {"password": Secret(VALUE)}
PASSWORD = Input(text="<secret>password</secret>", target=Query(text="Password"))
USER = Input(text="me <secret>password</secret>!", target=Query(text="User"))
INK = tuple(bytes.fromhex(COLOUR.removeprefix("#")))

PIXELS = """async ([picture, points]) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), draw = canvas.getContext('2d');
  draw.drawImage(image, 0, 0);
  return points.map(([x, y]) => [...draw.getImageData(x, y, 1, 1).data].slice(0, 3));
}"""
INKED = """async (picture) => {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const canvas = new OffscreenCanvas(image.width, image.height), draw = canvas.getContext('2d');
  draw.drawImage(image, 0, 0);
  const data = draw.getImageData(0, 0, image.width, image.height).data;
  let dark = 0;
  for (let at = 0; at < data.length; at += 4) dark += data[at] < 20 && data[at + 1] < 20 && data[at + 2] < 20;
  return dark;
}"""
MIDDLES = """(ids) => ids.map((id) => { const b = document.getElementById(id).getBoundingClientRect();
  return [Math.round(b.x + b.width / 2), Math.round(b.y + b.height / 2)]; })"""


def page_of(session: Session) -> Any:
    tab = session._tabs.current_now
    assert tab is not None
    return tab.page


def veiled(session: Session, *allowed: str) -> Veiled:
    """The session with the secret, as the loop has it."""
    return Veiled(session, Wallet(SECRETS, allowed=allowed))


async def value_of(session: Session, element: str) -> str:
    return str(await page_of(session).evaluate("(id) => document.getElementById(id).value", element))


async def colours(session: Session, picture: bytes, ids: Sequence[str]) -> list[tuple[int, ...]]:
    """The colour in the middle of each element on the picture."""
    points = await page_of(session).evaluate(MIDDLES, list(ids))
    found = await page_of(session).evaluate(PIXELS, [base64.b64encode(picture).decode(), points])
    return [tuple(each) for each in found]


async def inked(session: Session, picture: bytes) -> int:
    """How many pixels are as black as letters; the cover is not."""
    return int(await page_of(session).evaluate(INKED, base64.b64encode(picture).decode()))


async def test_the_value_goes_into_the_field_and_only_its_name_on_the_tape(fresh: Session, site: str) -> None:
    hands = veiled(fresh, "127.0.0.1")
    await go(fresh, f"{site}/echo.html")

    resolved = await hands.resolve(USER)
    outcome = await hands.act(resolved)

    assert f"me {VALUE}!" == await value_of(fresh, "user")
    assert (("password", "127.0.0.1"),) == resolved.secrets
    assert VALUE not in f"{resolved} {outcome}"
    assert "me <secret>password</secret>!" in resolved.params


async def test_in_a_password_field_what_stands_beside_the_placeholder_is_hidden(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/echo.html")

    mixed = Input(text="pepper<secret>password</secret>", target=Query(text="Password"))
    resolved = await veiled(fresh, "127.0.0.1").resolve(mixed)

    assert "********<secret>password</secret>" in resolved.params
    assert "pepper" not in resolved.params


async def test_what_the_page_echoes_comes_out_masked(fresh: Session, site: str) -> None:
    hands = veiled(fresh, "127.0.0.1")
    await go(fresh, f"{site}/echo.html")
    await hands.act(await hands.resolve(PASSWORD))
    await hands.act(await hands.resolve(Click(target=Query(text="Log in"))))

    texts = [
        repr(await hands.look(tree=True)),
        *[repr(await hands.act(await hands.resolve(Extract(what=what)))) for what in ("page", "links", "heading")],
        repr(await hands.act(await hands.resolve(Extract(what="attribute", attribute="aria-label", target=LINK)))),
    ]

    echoed = "\n".join(texts)
    assert "title='Echo <secret>password</secret>'" in echoed
    assert "password=<secret>password</secret>" in echoed
    traces = ("z+4", "z%2B4", "z%2b4", "K7&Q", base64.b64encode(b'k7&Q "').decode())
    assert [] == [trace for trace in traces if trace in echoed]


LINK = Query(text="link", kind="link")


async def test_a_failure_that_names_what_is_on_the_page_is_masked(hasty: Session, site: str) -> None:
    hands = veiled(hasty, "127.0.0.1")
    await go(hasty, f"{site}/echo.html?user=k7%26Q+%22z%2B4%2F9x")

    with pytest.raises(ActFailed) as caught:
        await hands.resolve(Click(target=Query(text="links to nowhere", kind="link")))

    assert 'link "link <secret>password</secret>"' in str(caught.value)
    assert VALUE not in "".join(traceback.format_exception(caught.value))


async def test_an_act_that_cannot_be_done_quotes_nothing(hasty: Session, site: str) -> None:
    hands = veiled(hasty, "127.0.0.1")
    await go(hasty, f"{site}/echo.html")
    resolved = await hands.resolve(PASSWORD)
    await page_of(hasty).evaluate("() => { document.getElementById('password').disabled = true; }")

    with pytest.raises(ActFailed) as caught:
        await hands.act(resolved)

    assert "timeout" == caught.value.code
    assert VALUE not in "".join(traceback.format_exception(caught.value))


async def test_a_frame_of_another_host_gets_nothing(fresh: Session, site: str) -> None:
    other = site.replace("127.0.0.1", "localhost")
    await go(fresh, f"{site}/index.html")
    await page_of(fresh).set_content(f'<iframe src="{other}/echo.html" width="900" height="600"></iframe>')
    await page_of(fresh).frames[1].wait_for_load_state("load")

    with pytest.raises(ActFailed, match='The secret "password" is not typed: its field is on localhost') as caught:
        await veiled(fresh, "127.0.0.1").resolve(PASSWORD)
    resolved = await veiled(fresh, "localhost").resolve(PASSWORD)

    assert "secret_refused" == caught.value.code
    assert (("password", "localhost"),) == resolved.secrets


async def test_a_frame_without_an_address_gets_nothing(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/index.html")
    await page_of(fresh).set_content("""<iframe srcdoc="<label>Password <input type=password></label>"></iframe>""")

    with pytest.raises(ActFailed, match="in a frame without an address of its own"):
        await veiled(fresh, "127.0.0.1").resolve(PASSWORD)


async def test_a_frame_that_goes_elsewhere_between_look_and_act_gets_nothing(fresh: Session, site: str) -> None:
    hands = veiled(fresh, "127.0.0.1")
    await go(fresh, f"{site}/echo.html")
    resolved = await hands.resolve(PASSWORD)
    await go(fresh, f"{site.replace('127.0.0.1', 'localhost')}/echo.html")

    with pytest.raises(ActFailed, match="its field is on localhost"):
        await hands.act(resolved)

    assert "" == await value_of(fresh, "password")


async def test_on_a_picture_every_echo_is_covered_and_nothing_else(fresh: Session, site: str) -> None:
    hands = veiled(fresh, "127.0.0.1")
    await go(fresh, f"{site}/echo.html")
    await do(fresh, Input(text="not a secret", target=Query(text="User")))
    shown = ["user", "raw", "split", "link", "open", "closed", "inner"]
    before = await colours(fresh, await hands.screenshot(), [*shown, "password"])
    await hands.act(await hands.resolve(USER))
    await hands.act(await hands.resolve(PASSWORD))

    after = await colours(fresh, await hands.screenshot(), [*shown, "password", "same"])

    assert [INK] * 8 == after[:-1]
    assert INK not in [*before, after[-1]]


async def test_there_is_no_picture_where_a_style_sheet_may_show_the_value(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/index.html")
    await page_of(fresh).set_content("<style>p::before { content: 'correct horse' }</style><p></p>")
    hands = Veiled(fresh, Wallet({"password": Secret("correct horse")}))

    with pytest.raises(ActFailed, match="A style sheet of the page holds a secret") as caught:
        await hands.screenshot()

    assert "uncovered" == caught.value.code


async def test_there_is_no_picture_where_a_frame_does_not_answer(fresh: Session, site: str) -> None:
    other = site.replace("127.0.0.1", "localhost")
    await go(fresh, f"{site}/index.html")
    await page_of(fresh).set_content(f'<iframe src="{other}/two.html"></iframe>')
    frame = page_of(fresh).frames[1]
    await frame.wait_for_load_state("load")
    await frame.evaluate("() => { setTimeout(() => { for (;;) ; }); }")
    tab = fresh._tabs.current_now
    assert tab is not None

    with pytest.raises(ActFailed, match="It is not sure that the picture would show no secret"):
        await covered(tab, Mask(SECRETS), 1.0)


@pytest.mark.parametrize(
    "style",
    [
        "width: 20px; white-space: nowrap",
        "width: 20px; white-space: nowrap; text-indent: 200px",
        "height: 0",
        "display: contents",
    ],
)
async def test_a_value_that_leaves_its_element_is_covered_too(fresh: Session, site: str, style: str) -> None:
    await go(fresh, f"{site}/index.html")
    value, other = "correct horse battery", "another text as long!"
    page = f"<div style='height: 200px; font-size: 40px'><div style='{style}'>{{}}</div></div>"
    hands = Veiled(fresh, Wallet({"password": Secret(value)}))
    plain = []
    for text in (value, other):
        await page_of(fresh).set_content(page.format(text))
        plain.append(await inked(fresh, await hands.screenshot()))

    assert ([0, True]) == [plain[0], plain[1] > 0]


async def test_there_is_no_picture_where_nothing_is_around_the_value(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/index.html")
    style = "position: absolute; top: 300px; width: 0; height: 0"
    await page_of(fresh).set_content(f"<!doctype html><div style='{style}'>correcthorse</div>")
    hands = Veiled(fresh, Wallet({"password": Secret("correcthorse")}))

    with pytest.raises(ActFailed) as caught:
        await hands.screenshot()

    assert "uncovered" == caught.value.code
