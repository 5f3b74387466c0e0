"""Every action does what it says on a real page, and says so when it cannot."""

import json
from pathlib import Path

import pytest

from runner.browser.browsers import Browsers, Session
from runner.ports import Wanted
from runner.vocabulary import (
    Check,
    Clear,
    Click,
    Drag,
    Expect,
    Extract,
    GoBack,
    GoForward,
    Hover,
    Input,
    Press,
    Query,
    Reload,
    Screenshot,
    Scroll,
    Select,
    SwitchTab,
    Upload,
    Wait,
    WaitFor,
)
from tests.playing import clicked, do, go, note, read, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        (Query(text="Name"), "Ann", "Ann"),
        (Query(text="E-mail"), "a@b.c", "a@b.c"),
        (Query(text="Your city", kind="field"), "Rome", "Rome"),
        (Query(text="Born"), "2001-02-03", "2001-02-03"),
        (Query(text="Amount"), "12.5", "12.5"),
        (Query(text="Notes"), "two\nlines", "two\nlines"),
        (Query(text="Street"), "Elm", "Elm"),
        (Query(text="Editor"), "new", "new"),
    ],
)
async def test_typing_replaces_what_was_there(
    session: Session, site: str, query: Query, text: str, expected: str
) -> None:
    await go(session, f"{site}/form.html")
    await do(session, Input(text="2000-01-01" if query.text == "Born" else "1", target=query))

    await do(session, Input(text=text, target=query))

    assert expected == await read(session, "text", target=Query(text=query.text, kind="field"))


async def test_clearing_empties_a_field(session: Session, site: str) -> None:
    await go(session, f"{site}/form.html")
    await do(session, Input(text="Ann", target=Query(text="Name")))

    await do(session, Clear(target=Query(text="Name")))

    assert "" == await read(session, "text", target=Query(text="Name", kind="field"))


async def test_typing_without_a_target_goes_to_the_focus(session: Session, hasty: Session, site: str) -> None:
    await go(session, f"{site}/form.html")
    await go(hasty, f"{site}/form.html")
    await do(session, Click(target=Query(text="Name", kind="field")))

    resolved = await session.resolve(Input(text="here"))
    await session.act(resolved)

    assert resolved.target is not None
    assert ("Name", "got: name here") == (resolved.target.name, await note(session))
    assert ("no_focus", "Nothing that can be typed into has the focus.") == await refused(hasty, Input(text="x"))


@pytest.mark.parametrize("field", ["Password", "Card"])
async def test_what_is_typed_into_a_secret_field_is_masked(session: Session, site: str, field: str) -> None:
    await go(session, f"{site}/form.html")

    resolved = await session.resolve(Input(text="hunter2", target=Query(text=field)))
    outcome = await session.act(resolved)
    await do(session, Click(target=Query(text=field, kind="field")))
    by_focus = await session.resolve(Input(text="hunter2"))

    assert (
        json.dumps({"input": {"text": "********", "target": {"text": field}}}, separators=(",", ":")) == resolved.params
    )
    assert ('{"input":{"text":"********"}}', f'typed into field "{field}"') == (by_focus.params, outcome.result)
    assert "secret" == (await refused(session, read_of(field)))[0]


def read_of(field: str) -> Extract:
    return Extract(what="text", target=Query(text=field, kind="field"))


async def test_what_cannot_be_typed_into_is_no_field(hasty: Session, site: str) -> None:
    await go(hasty, f"{site}/form.html")

    fixed = await refused(hasty, Input(text="x", target=Query(text="Fixed")))
    button = await refused(hasty, Input(text="x", target=Query(text="Send")))

    assert ("timeout", "no_target") == (fixed[0], button[0])
    assert fixed[1].startswith('field "Fixed" cannot be typed into')


@pytest.mark.parametrize(("option", "value"), [("Green", "g"), ("g", "g"), ("green", "g")])
async def test_an_option_is_chosen_by_label_or_value(session: Session, site: str, option: str, value: str) -> None:
    await go(session, f"{site}/form.html")

    result = await do(session, Select(option=option, target=Query(text="Colour")))

    assert (f'selected "{option}" in drop-down "Colour"', f"got: colour {value}") == (result, await note(session))


async def test_a_missing_option_is_refused_with_the_others_named(session: Session, site: str) -> None:
    await go(session, f"{site}/form.html")

    native = await refused(session, Select(option="Grey", target=Query(text="Colour")))
    built = await refused(session, Select(option="Fig", target=Query(text="Fruit")))

    assert ("no_option", 'drop-down "Colour" has no option "Grey". It has: "Red", "Green".') == native
    assert ("no_option", 'drop-down "Fruit" has no option "Fig". It has: option "Pear", option "Plum".') == built


async def test_a_built_drop_down_is_opened_and_clicked(session: Session, site: str) -> None:
    await go(session, f"{site}/form.html")

    await do(session, Select(option="Plum", target=Query(text="Fruit")))

    assert "got: fruit plum" == await note(session)


@pytest.mark.parametrize("box", ["I accept", "Newsletter", "Dark mode"])
async def test_checking_twice_is_checking_once(session: Session, site: str, box: str) -> None:
    await go(session, f"{site}/form.html")
    target = Query(text=box)

    results = [await do(session, Check(target=target, checked=checked)) for checked in (True, True, False, False)]

    word = "switch" if box == "Dark mode" else "checkbox"
    thing = f'{word} "{box}"'
    assert [
        f"checked {thing}",
        f"{thing} is checked already",
        f"unchecked {thing}",
        f"{thing} is unchecked already",
    ] == results


async def test_a_radio_button_is_left_only_for_another(session: Session, site: str) -> None:
    await go(session, f"{site}/form.html")

    await do(session, Check(target=Query(text="Small")))
    code, _ = await refused(session, Check(target=Query(text="Small"), checked=False))
    await do(session, Check(target=Query(text="Large")))

    assert ("bad_action", "got: size L") == (code, await note(session))


async def test_keys_go_to_the_target_or_the_page(session: Session, site: str) -> None:
    await go(session, f"{site}/form.html")

    await do(session, Press(keys="Enter", target=Query(text="Name")))
    submitted = await note(session)
    await do(session, Press(keys="F2"))

    assert ("got: submitted", "got: F2") == (submitted, await note(session))
    assert ("bad_key", "There is no key Sausage.") == await refused(session, Press(keys="Sausage"))


async def test_hovering_right_and_double_clicks_and_drags_arrive(session: Session, site: str) -> None:
    await go(session, f"{site}/form.html")
    notes = []

    for action in (
        Hover(target=Query(text="Hover me")),
        Click(target=Query(text="Special"), button="right"),
        Click(target=Query(text="Special"), count=2),
        Drag(source=Query(text="Drag me"), target=Query(text="Drop here")),
    ):
        await do(session, action)
        notes.append(await note(session))

    assert ["got: hovered", "got: right", "got: double", "got: dropped"] == notes


async def test_only_the_files_of_the_task_can_be_uploaded(browsers: Browsers, site: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "me.png").write_bytes(b"x")
    (tmp_path / "outside.txt").write_text("x")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    async with browsers.session(Wanted(viewport=(800, 600), uploads=folder, action_seconds=2.0)) as session:
        await go(session, f"{site}/form.html")

        results = []
        for target in (Query(text="Avatar"), Query(text="Choose a file")):
            await do(session, Upload(path="me.png", target=target))
            results.append(await note(session))
        refusals = [
            (await refused(session, Upload(path=path, target=Query(text="Avatar"))))[0]
            for path in ("../outside.txt", "/etc/passwd", "link.txt", "none.png", "")
        ]

    assert ["got: file me.png", "got: chosen me.png"] == results
    assert ["bad_path"] * 5 == refusals


async def test_the_page_scrolls_and_says_when_it_cannot(session: Session, site: str) -> None:
    await go(session, f"{site}/index.html")

    results = [
        await do(session, action)
        for action in (
            Scroll(direction="up"),
            Scroll(direction="down"),
            Scroll(direction="bottom"),
            Scroll(direction="bottom"),
            Scroll(direction="top"),
            Scroll(target=Query(text="Far below")),
        )
    ]

    nothing = "there is nothing more to scroll"
    expected = [nothing, "scrolled down", "scrolled bottom", nothing, "scrolled top", 'scrolled to button "Far below"']
    assert expected == results


async def test_waiting_and_expecting_look_at_what_is_visible(session: Session, hasty: Session, site: str) -> None:
    await go(session, f"{site}/tables.html")
    await go(hasty, f"{site}/tables.html")

    results = [
        await do(session, action)
        for action in (
            Wait(seconds=0.01),
            WaitFor(text="Total:  61 eur"),
            Expect(text="Lamp"),
            Expect(text="hidden words", absent=True),
            Expect(text="Rome"),
            Screenshot(),
        )
    ]

    expected = [
        "waited 0.01 s",
        '"Total:  61 eur" is visible',
        '"Lamp" is visible',
        '"hidden words" is not visible',
        '"Rome" is visible',
        "screenshot taken",
    ]
    assert expected == results
    assert ("expectation", '"Lamp" is still visible after 0.5 s.') == await refused(
        hasty, Expect(text="Lamp", absent=True)
    )
    assert ("expectation", '"hunter2" is not visible after 0.5 s.') == await refused(hasty, Expect(text="hunter2"))
    assert "timeout" == (await refused(hasty, WaitFor(text="Never")))[0]


async def test_what_is_extracted_is_text_for_programs(session: Session, site: str) -> None:
    await go(session, f"{site}/tables.html")

    links = [
        {"text": "Second", "href": f"{site}/two.html"},
        {"text": "Elsewhere", "href": "https://example.com/x"},
    ]
    prices = [
        {"Item": "Lamp", "Price": "20", "column 3": "x", "Price 2": "21"},
        {"Item": "Chair", "Price": "40", "column 3": "", "Price 2": "41"},
    ]
    assert "The main thing" == await read(session, "heading")
    assert links == json.loads(await read(session, "links"))
    assert prices == json.loads(await read(session, "table", target=Query(text="prices")))
    assert [{"Item": "Lamp", "Left": "3"}] == json.loads(await read(session, "table", target=Query(text="Stock")))
    assert "Total: 61 EUR" == await read(session, "text", target=Query(text="Total"))
    assert "Rome" == await read(session, "text", target=Query(text="City", kind="field"))
    assert "A tip" == await read(session, "attribute", target=Query(text="Second"), attribute="title")
    assert f"{site}/two.html" == await read(session, "attribute", target=Query(text="Second"), attribute="href")
    page = await read(session, "page")
    assert ("Small\nThe main thing\nPrices\n", False) == (page[:28], "hidden words" in page)


async def test_the_only_table_needs_no_name(session: Session, hasty: Session, site: str) -> None:
    await go(session, f"{site}/one_table.html")
    await go(hasty, f"{site}/tables.html")

    rows = json.loads(await read(session, "table"))

    assert [{"Name": "Anna", "Age": "31"}, {"Name": "Nobody", "Age": ""}] == rows
    expected = ("ambiguous_target", '2 tables are meant; say which by caption or heading: "Prices", "Stock".')
    assert expected == await refused(hasty, read_table())


def read_table() -> Extract:
    return Extract(what="table")


async def test_history_goes_both_ways_and_ends(fresh: Session, site: str) -> None:
    await go(fresh, f"{site}/index.html")
    first = await refused(fresh, GoBack())
    await do(fresh, Click(target=Query(text="Second page", kind="link")))

    results = [await do(fresh, action) for action in (GoBack(), GoForward(), Reload())]

    assert ("no_history", "There is no page to go back to.") == first
    assert [
        f"went back to {site}/index.html",
        f"went forward to {site}/two.html",
        f"reloaded {site}/two.html",
    ] == results


@pytest.mark.parametrize("opener", ["New tab", "Popup"])
async def test_a_new_window_becomes_the_current_tab(fresh: Session, site: str, opener: str) -> None:
    await go(fresh, f"{site}/windows.html")

    outcome = await fresh.act(await fresh.resolve(Click(target=Query(text=opener))))
    opened = await fresh.look(tree=False)
    back = await do(fresh, SwitchTab(number=1))
    forth = await do(fresh, SwitchTab(text="second"))

    tabs = (f"1. {site}/windows.html", f"2. {site}/two.html (current)")
    assert (f"{site}/two.html", tabs, "Second") == (outcome.url, opened.tabs, opened.title)
    assert (f"switched to {site}/windows.html", f"switched to {site}/two.html") == (back, forth)
    code, sentence = await refused(fresh, SwitchTab(text="nowhere"))
    names = f'1. "Windows" {site}/windows.html, 2. "Second" {site}/two.html'
    assert ("no_tab", f'No tabs match "nowhere". Open tabs: {names}.') == (code, sentence)


@pytest.mark.parametrize(
    ("button", "expected"),
    [("Alert", "alerted"), ("Confirm", "confirm false"), ("Prompt", "prompt null")],
)
async def test_dialogs_are_answered_and_block_nothing(session: Session, site: str, button: str, expected: str) -> None:
    await go(session, f"{site}/windows.html")

    assert f"got: {expected}" == await clicked(session, Query(text=button))


async def test_a_page_that_does_not_want_to_be_left_is_left(session: Session, site: str) -> None:
    await go(session, f"{site}/windows.html")
    await do(session, Click(target=Query(text="Guard")))

    assert f"opened {site}/two.html" == await go(session, f"{site}/two.html")


@pytest.mark.parametrize("button", ["Leave by script", "Search"])
async def test_after_a_click_that_navigates_the_new_page_is_seen(session: Session, site: str, button: str) -> None:
    await go(session, f"{site}/windows.html")

    await do(session, Click(target=Query(text=button)))

    assert "Second" == (await session.look(tree=False)).title
