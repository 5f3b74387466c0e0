"""What hands do beyond clicks, on one page: what it brings is said as it is, and no other element is hit."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page

from eventstore.secrets import Secret
from runner.browser import moves
from runner.browser.browsers import Browsers, Session
from runner.inbox import Inbox
from runner.ports import Outcome, Wanted
from runner.vocabulary import (
    ActFailed,
    AnyAction,
    Click,
    CloseTab,
    Drag,
    Extract,
    FindText,
    Hover,
    Input,
    Navigate,
    Options,
    Press,
    Query,
    SavePdf,
    Screenshot,
    Scroll,
    Search,
    Select,
    Upload,
)
from runner.wallet import Wallet
from tests.browser.conftest import LIMIT
from tests.playing import do, go, note

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def acting(browsers: Browsers, tmp_path: Path) -> AsyncIterator[Session]:
    """A session with files to give and room for what it downloads."""
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / "paper.csv").write_text("1,2")
    kept: list[str] = []
    inbox = Inbox(lambda name, path: kept.append(name))
    wanted = Wanted(viewport=(1280, 800), action_seconds=LIMIT, uploads=uploads, downloads=tmp_path, inbox=inbox)
    async with browsers.session(wanted) as opened:
        yield opened


def page_of(session: Session) -> Page:
    tab = session._tabs.current_now
    assert tab is not None
    return tab.page


async def index(session: Session, line: str, *, nth: int = 0) -> Query:
    """The reference that a look gives to the line of the outline that says this."""
    tree = (await session.look(tree=True)).tree
    found = re.findall(rf"\[(\d+)\] {line}", tree)
    assert found, tree
    return Query(index=int(found[nth]))


async def did(session: Session, action: AnyAction) -> Outcome:
    return await session.act(await session.resolve(action))


async def why_not(session: Session, action: AnyAction) -> str:
    with pytest.raises(ActFailed) as caught:
        await do(session, action)
    return f"{caught.value.code}: {caught.value}"


def named(text: str, kind: str = "") -> Query:
    return Query(text=text, kind=kind)


async def test_what_hands_do_on_a_page_is_said_as_it_is(
    acting: Session, browsers: Browsers, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await go(acting, f"{site}/acts.html")

    await _questions(acting)
    await _moves(acting)
    await _fields(acting)
    await _places(acting)
    await _drags(acting)
    await _files(acting)
    monkeypatch.setattr(moves, "MOST_TABS", 3)
    await _tabs(acting, site)
    monkeypatch.setitem(moves.ENGINES, "bing", f"{site}/two.html?q=")
    await _searches(acting, site, browsers)


async def _questions(acting: Session) -> None:
    delete, name = named("Delete", "button"), named("Name", "button")

    assert 'clicked button "Delete"; the page asked "Really delete?", which was declined' == await do(
        acting, Click(target=delete)
    )
    assert "got: deleted false" == await note(acting)
    assert await do(acting, Click(target=delete, accept=True)) == (
        'clicked button "Delete"; the page asked "Really delete?", which was confirmed'
    )
    assert "got: deleted true" == await note(acting)
    assert await do(acting, Click(target=name, accept=True, answer="new")) == (
        'clicked button "Name"; the page asked "Which name?", which was answered with "new"'
    )
    assert "got: named new" == await note(acting)
    await do(acting, Press(keys="Space", target=name, accept=True))
    assert "got: named old" == await note(acting)


async def _moves(acting: Session) -> None:
    """Where the page, or the tab, is another one by then, plans for it do not hold: the address tells little."""
    delete, same, again = (named(text, "button") for text in ("Delete", "Same again", "Post"))

    moved = [
        (await did(acting, act)).moved
        for act in (Click(target=delete), Click(target=delete, accept=True), Hover(target=delete), Click(target=again))
    ]
    assert [True, False, False, True] == moved
    opened = await did(acting, Click(target=same))
    assert (True, opened.url) == (opened.moved, (await did(acting, CloseTab())).url)


async def _fields(acting: Session) -> None:
    await do(acting, Input(text=" two", target=named("Note"), clear=False))
    await do(acting, Input(text=" Ada", target=named("Letter"), clear=False))
    page = page_of(acting)
    assert ["one two", "Dear Ada"] == await page.evaluate(
        "() => [document.getElementById('note').value, document.querySelector('[aria-label=Letter]').textContent]"
    )
    assert 'bad_value: field "Day" does not take this value. It takes a date as 2026-12-24.' == await why_not(
        acting, Input(text="24.12.2026", target=named("Day"))
    )

    assert 'drop-down "Size" has 3 options: "Small", "Large" (chosen), "Huge" (disabled)' == await do(
        acting, Options(target=await index(acting, 'combobox "Size"'))
    )
    assert 'drop-down "Town" has 2 options: "Bonn", "Ulm"' == await do(acting, Options(target=named("Town")))
    fruits = await do(acting, Options(target=named("Fruit")))
    assert fruits.startswith('drop-down "Fruit" has 2 options:')
    assert '"Pear"' in fruits
    assert await page.evaluate("() => document.getElementById('fruits').hidden")
    before = await note(acting)
    assert 'bad_action: button "Delete" is no drop-down; click it to see what it does.' == await why_not(
        acting, Options(target=named("Delete", "button"))
    )
    assert before == await note(acting)

    loud = await index(acting, 'slider "Loud"')
    assert 'failed: slider "Loud" was set to 120 but has "100".' == await why_not(
        acting, Select(option="120", target=loud)
    )
    await do(acting, Select(option="70", target=loud))
    assert "70" == await page.evaluate("() => document.querySelector('[type=range]').value")
    await page.evaluate("() => { document.activeElement.blur(); log(''); }")
    assert "pressed a Shift+B ArrowDown" == await do(acting, Press(keys="a Shift+B ArrowDown"))
    assert "got:  a Shift B ArrowDown" == await note(acting)
    assert "bad_key: There is no key Ctrrl. a was pressed before it." == await why_not(acting, Press(keys="a Ctrrl"))
    assert (await why_not(acting, Press(keys="a " * 21))).startswith("bad_key: One act presses 1 to 20 keys")


async def _places(acting: Session) -> None:
    box = named("Messages", "section")
    said = await do(acting, Scroll(target=box, pages=2.5))
    assert re.fullmatch(r'scrolled down 2\.5 pages in .*"Messages"; 2\.5 pages are above and \d\.\d below', said), said
    assert (await do(acting, Scroll(target=box, direction="top"))).startswith("scrolled top in ")
    assert "bad_action: One scrolls by up to 100 pages, not by 101." == await why_not(acting, Scroll(pages=101.0))

    assert 'scrolled to "Terms of use", in paragraph "The terms of use"' == await do(
        acting, FindText(text="Terms of use")
    )
    top = await page_of(acting).evaluate("() => document.getElementById('terms').getBoundingClientRect().top")
    assert 0 < top < 800
    acting.wallet = Wallet({"key": Secret("that is as long as sixty characters and then some more of them")})
    said = await do(acting, FindText(text="a long list"))
    assert 'in paragraph "A long list with a key <secret>key</secret>, and with others that are n…"' in said
    acting.wallet = Wallet()
    assert 'in the frame about:srcdoc, in paragraph "Deep inside"' in await do(acting, FindText(text="Deep inside"))
    assert (await why_not(acting, FindText(text="Only for members"))).startswith('no_text: "Only for members" is on')
    assert (await why_not(acting, FindText(text="Nowhere"))).startswith('no_text: "Nowhere" is not on the page')

    order = await index(acting, 'button "Order"')
    rows = await do(acting, Extract(what="table", target=order))
    assert ('[{"Fruit":"Fig","Left":"3 Order"}]', "Order") == (
        rows,
        await do(acting, Extract(what="text", target=order)),
    )


async def _drags(acting: Session) -> None:
    dragged = await do(acting, Drag(source=named("Card", "button"), target=named("Done column", "button")))
    assert ('dragged button "Card" to button "Done column"', "got: dropped card") == (dragged, await note(acting))
    await do(acting, Drag(source=named("Knob", "button"), target=named("Goal", "button")))
    assert "got: moved true to goal" == await note(acting)
    await do(acting, Hover(target=await index(acting, 'button "Delete"')))


async def _files(acting: Session) -> None:
    await do(acting, Upload(path="paper.csv", target=await index(acting, '(?:button|file|textbox)?.*"Paper"')))
    assert "got: file paper.csv" == await note(acting)
    assert 'clicked link "Report"; downloaded report.txt' == await do(acting, Click(target=named("Report", "link")))

    acting.wallet = Wallet({"fruit": Secret("Pick one")})
    assert "uncovered: The page shows a secret, so it is not printed." == await why_not(acting, SavePdf())
    acting.wallet = Wallet()
    (printed,) = (await did(acting, SavePdf(file="acts"))).made
    (picture,) = (await did(acting, Screenshot(file="acts.png"))).made
    assert [("acts.pdf", b"%PDF-"), ("acts.png", b"\x89PNG")] == [
        (printed.name, printed.data[:5]),
        (picture.name, picture.data[:4]),
    ]


async def _tabs(acting: Session, site: str) -> None:
    two = f"{site}/two.html"
    assert await do(acting, Click(target=named("Save and show", "button"))) == (
        f'clicked button "Save and show"; the page said "Saved."; tab 2 was opened: {two}, which is the current one now'
    )
    assert f"closed {two}; the current tab is {site}/acts.html" == await do(acting, CloseTab())
    assert f"opened {two} in a new tab, number 2" == await do(acting, Navigate(url=two, new_tab=True))
    refused = await why_not(acting, Navigate(url="file:///etc/passwd", new_tab=True))
    assert refused.startswith("blocked: ")
    assert (f"1. {site}/acts.html", f"2. {two} (current)") == (await acting.look(tree=False)).tabs
    await do(acting, Navigate(url=two, new_tab=True))
    assert (await why_not(acting, Navigate(url=two, new_tab=True))).startswith("too_many_tabs: 3 tabs are open")
    await do(acting, CloseTab(number=2))
    await do(acting, CloseTab())
    assert await do(acting, CloseTab()) == f"closed {site}/acts.html, which was the only tab: it is empty now"


async def _searches(acting: Session, site: str, browsers: Browsers) -> None:
    found = f'searched for "tea & milk": opened {site}/two.html?q=tea+%26+milk'
    assert found == await do(acting, Search(query="tea & milk", engine="bing"))
    refused = await why_not(acting, Search(query="tea", engine="altavista"))
    assert "bad_action: There is no search engine altavista; there are duckduckgo, google, bing." == refused
    async with browsers.session(Wanted(viewport=(800, 600), allowed_domains=("shop.test",))) as bound:
        refused = await why_not(bound, Search(query="tea"))
    assert refused.startswith("blocked: https://duckduckgo.com/?q=tea is refused: ")
    assert "one of these hosts has to be allowed: duckduckgo.com for duckduckgo, www.google.com for google" in refused


async def test_a_reference_follows_its_element_or_fails_and_never_hits_another(acting: Session, site: str) -> None:
    await go(acting, f"{site}/acts.html")
    keyed, reused = await index(acting, 'button "Remove"'), await index(acting, 'button "Remove"', nth=3)

    await do(acting, Click(target=named("Turn round", "button")))

    await do(acting, Click(target=keyed))
    assert "got: keyed Tea" == await note(acting)
    said = 'target_changed: This reference leads to button "Remove" now, which is called otherwise than'
    assert (await why_not(acting, Click(target=reused))).startswith(said)
    last = await index(acting, 'button "Remove"', nth=5)
    await do(acting, Click(target=named("Take the first away", "button")))
    assert (await why_not(acting, Click(target=last))).startswith("no_target: ")
    assert "got: keyed Tea" == await note(acting)
