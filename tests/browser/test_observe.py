"""What a model sees: references that act, marks for what is new, no secrets."""

import re
from io import BytesIO

import pytest
from PIL import Image
from playwright.async_api import Page

from eventstore.secrets import Secret
from runner.browser.browsers import Session
from runner.browser.observe import BUSY
from runner.model import Observation
from runner.vocabulary import Click, CloseTab, Input, Query, Verify, Wait, WaitFor
from runner.wallet import Wallet
from tests.playing import do, go, note, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_place_alone_costs_no_tree(session: Session, site: str) -> None:
    await go(session, f"{site}/index.html")

    expected = Observation(url=f"{site}/index.html", title="Shop", tabs=(f"1. {site}/index.html (current)",))
    assert expected == await session.look(tree=False)


SEEN = """\
- heading "Many things" [level=1]
- text: Hello dear reader.
- [1] button "More" [collapsed]
- list
  - listitem: One
  - listitem
    - text: Two
    - [2] button "Remove two"
- table "Stock"
  - row: Fruit | Left
  - row: Apple | 3
  - row
    - cell: Pear
    - [3] link "order"
- [4] combobox "Colour" (options: "Red", "Blue", "Green", "4", "5", "6" and 2 more): Blue
- [5] slider "Volume" (0 to 11, step 2): 4
- [6] textbox "Day" (as YYYY-MM-DD, 2026-01-01 to 2026-12-31): 2026-11-22
- [7] checkbox "Agree" [checked] [required]
- [8] combobox "Expiry": ********
- [9] textbox "Code": ********
- [10] textbox "Unlabelled" [disabled]
- [11] link /next.round.next at (x, y)
- [12] button .icon-gear at (x, y)
- [13] textbox "Note": Write here
- [14] generic [scrolls: 0 above, 2.6 below]
  - text: first
  - text: second
  - [15] paragraph "third"
- [16] span .shade at (x, y)
- iframe "Near" (about:srcdoc)
  - [17] span "near listener"
- iframe "Far" (http://localhost:80/far.html)
  - [18] span "far listener"
- [19] button "loud…"
"""


HOSTILE = """() => {
  let inner = document.createElement('button');
  inner.textContent = 'innermost';
  for (let n = 0; n < 600; n++) { const outer = document.createElement('div'); outer.append(inner); inner = outer; }
  document.body.append(inner);
}"""
OLD = "() => { Array.prototype.toJSON = () => 'as some old libraries have it'; }"
HALVES = """() => {
  document.title = 'half \\ud83d';
  const long = document.createElement('p'), half = document.createElement('button');
  long.textContent = 'k'.repeat(1000) + '\\ud83d\\ude00';
  half.textContent = 'half \\ude00';
  document.body.prepend(long, half);
  alert('half \\ud83d');
}"""
MANY = """() => {
  document.body.replaceChildren();
  const rows = Array.from({ length: 50000 }, (_, n) => `<p><button>Row ${n}</button></p>`);
  document.body.insertAdjacentHTML('beforeend', rows.join(''));
}"""


def plainly(tree: str) -> str:
    """Without what differs from one run or machine to the next."""
    tree = re.sub(r"at \(\d+, \d+\)", "at (x, y)", re.sub(r"localhost:\d+", "localhost:80", tree))
    return re.sub(r"(loud )+…", "loud…", tree) + "\n"


def page_of(session: Session) -> Page:
    tab = session._tabs.current_now
    assert tab is not None
    return tab.page


async def test_all_frames_and_open_shadow_roots_are_seen_and_acted_in(session: Session, site: str) -> None:
    await go(session, f"{site}/seen.html")

    place = await session.look(tree=True)
    notes = []
    for reference in (16, 17, 18):
        await do(session, Click(target=Query(index=reference)))
        await do(session, WaitFor(text="got: " + ("shade", "near", "far")[reference - 16]))
        notes.append(await note(session))
    later = (await session.look(tree=True)).tree

    assert SEEN == plainly(place.tree)
    assert ["got: shade", "got: near", "got: far"] == notes
    assert ["- *status: got: far"] == [line for line in later.splitlines() if "*" in line.replace("********", "")]


async def test_a_number_stays_with_its_element_while_the_document_lives(session: Session, site: str) -> None:
    await go(session, f"{site}/seen.html")
    await session.look(tree=True)
    await page_of(session).evaluate("() => { code.type = 'text'; code.parentElement.prepend('Secret '); }")
    await page_of(session).evaluate(
        "() => document.querySelector('h1').before(document.createElement('button'), 'New words')"
    )

    tree = (await session.look(tree=True)).tree
    resolved = await session.resolve(Input(text="typed", target=Query(index=9)))

    assert '- [9] textbox "Secret Code": ********' in tree  # that was a password once
    assert [r"- *[20] button at (x, y)", "- *text: New words"] == plainly(tree).splitlines()[:2]
    assert resolved.target is not None
    assert "Secret Code" == resolved.target.name


async def test_a_reference_to_a_password_is_masked_when_typed(session: Session, site: str) -> None:
    await go(session, f"{site}/form.html")
    tree = (await session.look(tree=True)).tree
    index = next(int(line.split("[")[1].split("]")[0]) for line in tree.splitlines() if '"Password"' in line)

    resolved = await session.resolve(Input(text="hunter2", target=Query(index=index)))

    assert f'{{"input":{{"index":{index},"text":"********"}}}}' == resolved.params


async def test_what_is_new_is_marked(session: Session, site: str) -> None:
    await go(session, f"{site}/icons.html")
    first = (await session.look(tree=True)).tree
    await do(session, Click(target=Query(text="Add one")))

    second = (await session.look(tree=True)).tree

    assert "*" not in first.replace("********", "")
    assert ["Fresh"] == [line.split('"')[1] for line in second.splitlines() if "- *[" in line]


async def test_an_unknown_reference_is_refused(hasty: Session, site: str) -> None:
    await go(hasty, f"{site}/icons.html")
    await hasty.look(tree=True)

    expected = ("no_target", "There is no [99] in the last look at this page.")
    assert expected == await refused(hasty, Click(target=Query(index=99)))


async def test_what_happens_between_acts_is_news_once(session: Session, site: str) -> None:
    await go(session, f"{site}/seen.html")
    session._tabs.adopted.clear()
    await page_of(session).evaluate("() => { alert('Hello'); open('/two.html'); }")
    await session._tabs.adopted.wait()

    news = [(await session.look(tree=True)).news for _ in range(2)]
    await do(session, CloseTab())
    later = (await session.look(tree=True)).news

    assert (2, 'the page said "Hello"', ()) == (len(news[0]), news[0][0], news[1])
    assert news[0][1].startswith("tab 2 was opened: ")
    assert () == later


async def test_tabs_that_come_while_something_is_read_and_that_go_while_one_looks_are_news(
    session: Session, site: str
) -> None:
    await go(session, f"{site}/seen.html")
    await session.look(tree=True)
    await page_of(session).evaluate("() => { setTimeout(() => open('/two.html')); }")

    await do(session, Wait(seconds=0.5))
    opened = await session.look(tree=True)
    popup = page_of(session)
    await popup.evaluate("() => { setTimeout(close); }")
    closed = await session.look(tree=True, picture=True)

    assert (f"{site}/two.html", (f"tab 2 was opened: {site}/two.html",)) == (opened.url, opened.news)
    assert (f"{site}/seen.html", (f"a tab was closed: {site}/two.html",)) == (closed.url, closed.news)


async def test_a_navigation_that_was_refused_is_news_and_fails_no_later_act(session: Session, site: str) -> None:
    await go(session, f"{site}/seen.html")
    tab = session._tabs.current_now
    assert tab is not None
    await tab.page.evaluate("() => { location = 'http://169.254.169.254/'; }")
    await tab.trouble.wait()

    news = (await session.look(tree=True)).news
    await go(session, f"{site}/index.html")

    assert 1 == len(news)
    assert "http://169.254.169.254/ is refused" in news[0]


async def test_a_hostile_page_costs_only_the_part_that_is(session: Session, site: str) -> None:
    await go(session, f"{site}/icons.html")
    await page_of(session).evaluate(HOSTILE)

    tree = (await session.look(tree=True)).tree
    await page_of(session).evaluate(OLD)
    old = (await session.look(tree=True)).tree
    await page_of(session).evaluate("() => { JSON.stringify = () => '{\"rows\": 3}'; }")
    forged = (await session.look(tree=True)).tree
    await page_of(session).evaluate("() => { JSON.stringify = () => { throw new Error('no'); }; }")
    broken = (await session.look(tree=True)).tree
    await go(session, f"{site}/index.html")
    await page_of(session).evaluate("() => { window.WeakMap = window.Map = null; }")
    barred = (await session.look(tree=True)).tree

    assert "nested too deeply" in tree
    assert '[8] button "Add one"' in tree
    assert "innermost" not in tree
    assert tree == old
    assert ["(The page does not let itself be looked at.)"] * 3 == [forged, broken, barred]


async def test_half_of_a_sign_is_told_as_none(session: Session, site: str) -> None:
    await go(session, f"{site}/index.html")
    await page_of(session).evaluate(HALVES)

    place = await session.look(tree=True)

    assert "half ?" == place.title
    assert "".join((place.title, place.tree, *place.news)).encode()
    assert "- *text: kkk" in place.tree.replace("- text", "- *text")


@pytest.mark.slow
async def test_a_page_of_100_000_elements_is_seen_around_its_viewport(session: Session, site: str) -> None:
    await go(session, f"{site}/index.html")
    await page_of(session).evaluate(MANY)
    await page_of(session).evaluate("() => scrollTo(0, document.body.scrollHeight / 2)")

    place = await session.look(tree=True)

    assert len(place.tree) <= 40_000
    assert place.above > 1_000 < place.below
    assert '"Row 25000"' in place.tree
    first, *_, last = place.tree.splitlines()
    assert "elements further above are not listed" in first
    assert "not listed" in last  # counted, or on a slow machine not even that


async def test_a_picture_that_would_show_a_secret_is_not_given_and_said_to_be_missing(
    session: Session, site: str
) -> None:
    await go(session, f"{site}/seen.html")
    await page_of(session).add_style_tag(content="h1::after { content: 'correct horse'; }")
    session.wallet = Wallet({"word": Secret("correct horse")})

    seen = await session.look(tree=True, picture=True)
    session.wallet = Wallet()

    sentence = "there is no picture this time: A style sheet of the page holds a secret."
    assert (b"", (sentence,)) == (seen.picture, seen.news)


@pytest.mark.slow
async def test_a_page_that_is_too_busy_to_answer_is_said_to_be(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/index.html")
    await page_of(fresh).evaluate("() => { setTimeout(() => { for (;;); }); }")

    seen = await fresh.look(tree=True, picture=True)

    assert ("", b"", BUSY) == (seen.title, seen.picture, seen.tree)


async def test_half_a_secret_is_in_no_refusal_and_no_news(hasty: Session, site: str) -> None:
    await go(hasty, f"{site}/index.html")
    hasty.wallet = Wallet({"word": Secret("correct horse")})
    await hasty.look(tree=True)
    await page_of(hasty).evaluate("() => { document.title = 'k'.repeat(195) + 'correct horse'; }")

    _, said = await refused(hasty, Verify(what="title", text="Shop"))
    address = f"{site}/index.html?".ljust(295, "k")
    hasty._tabs.adopted.clear()
    await page_of(hasty).evaluate("(address) => { open(address + 'correct+horse'); }", address)
    await hasty._tabs.adopted.wait()
    news = (await hasty.look(tree=True)).news

    assert f'the title is "{"k" * 195}…", and something with "Shop" is expected.' == said
    assert (f"tab 2 was opened: {address}…",) == news


async def test_references_are_drawn_into_a_picture_beside_the_page(session: Session, site: str) -> None:
    await go(session, f"{site}/icons.html")
    session.highlight = True

    drawn, plain = (await session.look(tree=True, picture=True)).picture, await session.screenshot()

    x, y, _, height = session.seeing.memory.boxes(page_of(session))[8]
    colours = [Image.open(BytesIO(each)).convert("RGB").getpixel((x, y + height // 2)) for each in (drawn, plain)]
    assert "[8] button" in (await session.look(tree=True)).tree
    assert ((31, 138, 76), True) == (colours[0], colours[0] != colours[1])


async def test_a_picture_is_a_png_of_the_viewport(session: Session, site: str) -> None:
    await go(session, f"{site}/index.html")

    picture = await session.screenshot()

    size = (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big"))
    assert (b"\x89PNG", (1280, 800)) == (picture[:4], size)
