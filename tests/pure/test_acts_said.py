"""An act as people read it, for every act that there is."""

import pytest

from api.acts import said
from api.text import WIDTH
from runner import vocabulary as v
from runner.action_json import as_json

CODE = v.Query(text="Code")
SAVE = v.Query(text="Save", kind="button")

SAID: list[tuple[v.AnyAction, str]] = [
    (v.Navigate(url="http://a.test/"), "navigate http://a.test/"),
    (v.Navigate(url="http://a.test/", new_tab=True), "navigate http://a.test/ in a new tab"),
    (v.Search(query="tea"), 'search duckduckgo for "tea"'),
    (v.Click(target=SAVE), 'click button "Save"'),
    (v.Click(target=v.Query(index=7), button="right"), "click [7] (right)"),
    (v.Click(target=v.Query(kind="link", ordinal=2, row="Tea"), count=2), 'double-click 2. link in the row "Tea"'),
    (
        v.Hover(target=v.Query(kind="link", ordinal=-1, within="Menu", near="A")),
        'hover last link within "Menu" near "A"',
    ),
    (v.Input(text="abc", target=CODE), 'input "abc" into "Code"'),
    (v.Input(text="abc"), 'input "abc"'),
    (v.Input(text="abc", target=CODE, clear=False), 'add "abc" to "Code"'),
    (v.Clear(target=CODE), 'clear "Code"'),
    (v.Select(option="Red", target=CODE), 'select "Red" in "Code"'),
    (v.Options(target=v.Query(index=4)), "options of [4]"),
    (v.Select(option="Red", more=("Blue",), target=CODE), 'select "Red", "Blue" in "Code"'),
    (v.SetValue(value="2026-12-24", what="date", target=CODE), 'set "Code" to 2026-12-24'),
    (v.Expand(target=CODE), 'expand "Code"'),
    (v.Expand(target=CODE, opened=False), 'collapse "Code"'),
    (v.Check(target=CODE), 'check "Code"'),
    (v.Check(target=CODE, checked=False), 'uncheck "Code"'),
    (v.Press(keys="Control+A", target=CODE), 'press Control+A on "Code"'),
    (v.Press(keys="Enter"), "press Enter"),
    (v.Press(keys="Enter", accept=True, answer="Tea"), 'press Enter and confirm with "Tea"'),
    (v.Click(target=SAVE, accept=True), 'click button "Save" and confirm'),
    (v.Upload(path="a.csv", target=CODE), 'upload "a.csv" into "Code"'),
    (v.Scroll(), "scroll down"),
    (v.Scroll(target=SAVE), 'scroll to button "Save"'),
    (v.Scroll(target=v.Query(index=4), direction="up", pages=0.5), "scroll up 0.5 pages in [4]"),
    (v.FindText(text="Terms"), 'find text "Terms"'),
    (v.Wait(seconds=30.0), "wait 30 s"),
    (v.WaitFor(text="Ready"), 'wait for "Ready"'),
    (v.GoBack(), "go back"),
    (v.GoForward(), "go forward"),
    (v.Reload(), "reload"),
    (v.SwitchTab(number=-1), "switch to tab -1"),
    (v.SwitchTab(text="Shop"), 'switch to tab "Shop"'),
    (v.CloseTab(), "close the tab"),
    (v.CloseTab(number=2), "close tab 2"),
    (v.Drag(source=v.Query(index=3), target=v.Query(index=5)), "drag [3] to [5]"),
    (v.Drag(source=SAVE, target=CODE), 'drag button "Save" to "Code"'),
    (v.Expect(text="Ready"), 'expect "Ready"'),
    (v.Expect(text="Ready", absent=True), 'expect no "Ready"'),
    (v.LookFor(text="Ready"), 'look for "Ready"'),
    (v.LookFor(target=SAVE), 'look for button "Save"'),
    (v.Verify(what="count", target=v.Query(kind="row", below="Team"), count=3), 'expect 3 row below "Team"'),
    (v.Verify(what="checked", target=CODE), 'expect "Code" to be checked'),
    (v.Verify(what="value", target=CODE, text="12", exact=True), 'expect "Code" to be "12"'),
    (v.Verify(what="url", text="/done"), 'expect the url to contain "/done"'),
    (v.Screenshot(), "screenshot"),
    (v.Screenshot(file="cart.png"), 'screenshot "cart.png"'),
    (v.SavePdf(file="cart.pdf"), 'save as pdf "cart.pdf"'),
    (v.SavePdf(), "save as pdf"),
    (v.ReadFile(file="a.csv"), 'read "a.csv"'),
    (v.WriteFile(file="a.csv", content="1"), 'write "a.csv"'),
    (v.WriteFile(file="a.csv", content="1", append=True), 'append to "a.csv"'),
    (v.WriteFile(file="a.csv", content="1", replace="2"), 'replace "2" in "a.csv"'),
    (v.Extract(query="the prices"), 'extract "the prices"'),
    (v.Extract(what="heading"), "extract heading"),
    (
        v.Extract(what="attribute", attribute="href", target=SAVE, field="link"),
        'extract attribute "href" of button "Save" as "link"',
    ),
    (v.Ask(prompt="Who?", kind="code"), 'ask (code) "Who?"'),
    (v.Finish(success=True, text="Two"), 'done "Two"'),
    (v.Finish(success=False), "done without success"),
]


@pytest.mark.parametrize(("action", "line"), SAID, ids=[line for _, line in SAID])
def test_an_act_is_said_in_a_line(action: v.AnyAction, line: str) -> None:
    assert line == said(as_json(action)) == said(as_json(action).encode())


def test_every_act_has_its_line() -> None:
    assert set(v.AnyAction.__args__) == {type(action) for action, _ in SAID}


@pytest.mark.parametrize(
    "text", ["no JSON", "7", "[]", "{}", '{"a":{},"b":{}}', '{"wait":{"seconds":"long"}}', '{"click":7}']
)
def test_what_is_no_act_stays_as_it_is(text: str) -> None:
    assert text == said(text)


def test_what_a_client_invented_is_said_by_its_name() -> None:
    assert 'fly away "x"' == said('{"fly_away":{"text":"x","speed":9}}')


@pytest.mark.parametrize(
    "text", ['{"wait_for":{"text":"' + "a" * 9_000 + '"}}', "[" * 9_000, '{"' + "b" * 9_000 + '":{}}', "\ud800" * 200]
)
def test_a_line_is_bounded_and_nothing_in_it_acts_on_a_terminal(text: str) -> None:
    line = said(text)

    assert len(line) <= WIDTH
    assert line.isprintable()
    assert "\x1b" not in said('{"wait_for":{"text":"\\u001b[2J"}}')
