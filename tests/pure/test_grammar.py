"""What each sentence means, what separates sentences, and what is refused with which words."""

import pytest

from runner.keyless.course import Sentence
from runner.keyless.grammar import FORMS, TABLE, parse
from runner.keyless.phrases import KIND_OF, KINDS
from runner.vocabulary import (
    ActFailed,
    AnyAction,
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
    Navigate,
    Press,
    Query,
    Reload,
    Screenshot,
    Scroll,
    Select,
    SetValue,
    SwitchTab,
    Upload,
    Wait,
    WaitFor,
)


def q(text: str = "", kind: str = "", ordinal: int = 0, row: str = "", within: str = "", near: str = "") -> Query:
    return Query(text=text, kind=kind, ordinal=ordinal, row=row, within=within, near=near)


def read(text: str, target: Query | None = None, field: str = "") -> Extract:
    return Extract(what=text, target=target, field=field)


SECRET = "<secret>password</secret>"
SENTENCES: list[tuple[str, AnyAction]] = [
    # Places
    ("go to https://example.com/a?b=1&c=2#d", Navigate(url="https://example.com/a?b=1&c=2#d")),
    ("Go to example.com.", Navigate(url="https://example.com")),
    ("open www.example.co.uk/path", Navigate(url="https://www.example.co.uk/path")),
    ("VISIT Example.com:8443/x", Navigate(url="https://Example.com:8443/x")),
    ("visit the page example.com", Navigate(url="https://example.com")),
    ("go to: http://example.com/a;b", Navigate(url="http://example.com/a;b")),
    ('go to "http://example.com/it\'s"', Navigate(url="http://example.com/it's")),
    ("go to <https://example.com>", Navigate(url="https://example.com")),
    ("go to localhost:3000", Navigate(url="http://localhost:3000")),
    ("open localhost", Navigate(url="http://localhost")),
    ("open app.localhost/x", Navigate(url="http://app.localhost/x")),
    ("go to 127.0.0.1:8000/login", Navigate(url="http://127.0.0.1:8000/login")),
    ("go to [::1]:8000", Navigate(url="http://[::1]:8000")),
    ("go to shop:8080/cart", Navigate(url="http://shop:8080/cart")),
    ("navigate to bücher.example", Navigate(url="https://bücher.example")),
    ("go back", GoBack()),
    ("go back to the previous page", GoBack()),
    ("go forward", GoForward()),
    ("reload", Reload()),
    ("refresh the page", Reload()),
    ("switch to tab 2", SwitchTab(number=2)),
    ("go to the last tab", SwitchTab(number=-1)),
    ("switch to the 2nd tab", SwitchTab(number=2)),
    ('switch to tab "Invoice"', SwitchTab(text="Invoice")),
    ('switch to the "Invoice" tab', SwitchTab(text="Invoice")),
    # Clicks
    ('click "Save"', Click(target=q("Save"))),
    ('click on the "Save" button', Click(target=q("Save", "button"))),
    ('Click the button "Save"', Click(target=q("Save", "button"))),
    ('click the link named "Terms"', Click(target=q("Terms", "link"))),
    ("click Save", Click(target=q("Save"))),
    ("click the Save button", Click(target=q("Save", "button"))),
    ("click Download link", Click(target=q("Download", "link"))),
    ("click on Sign in", Click(target=q("Sign in"))),
    ("click Add row", Click(target=q("Add row"))),
    ("click Menu", Click(target=q("Menu"))),
    ("click the menu", Click(target=q(kind="menu"))),
    ("click the user's profile", Click(target=q("user's profile"))),
    ("click the first link", Click(target=q(kind="link", ordinal=1))),
    ('double-click "Report"', Click(target=q("Report"), count=2)),
    ('double click on the "Report" icon', Click(target=q("Report", "icon"), count=2)),
    ('right-click the "photo" image', Click(target=q("photo", "image"), button="right")),
    ('press the "Save" button', Click(target=q("Save", "button"))),
    ("press the Save button", Click(target=q("Save", "button"))),
    ('press "Save"', Click(target=q("Save"))),
    ('hover over "Account"', Hover(target=q("Account"))),
    ("hover over the Account menu", Hover(target=q("Account", "menu"))),
    # Elements
    ('click the second "Edit" button', Click(target=q("Edit", "button", 2))),
    ('click the 3rd "Edit"', Click(target=q("Edit", ordinal=3))),
    ('click the last "Edit" link', Click(target=q("Edit", "link", -1))),
    ('click the "Edit" button number 2', Click(target=q("Edit", "button", 2))),
    ('click "Delete" in the row of "Bob"', Click(target=q("Delete", row="Bob"))),
    ('click "Delete" in the row with "Bob"', Click(target=q("Delete", row="Bob"))),
    ('click "Delete" in the row containing "Bob"', Click(target=q("Delete", row="Bob"))),
    ('click "Delete" in the row for "Bob"', Click(target=q("Delete", row="Bob"))),
    ('click "Delete" in the "Bob" row', Click(target=q("Delete", row="Bob"))),
    ("click Delete in the row of 'Bob'", Click(target=q("Delete", row="Bob"))),
    ('click the checkbox in the row of "Bob"', Click(target=q(kind="checkbox", row="Bob"))),
    ('click "Save" within "Billing"', Click(target=q("Save", within="Billing"))),
    ('click "Save" in the "Billing" section', Click(target=q("Save", within="Billing"))),
    ('click "OK" in the dialog "Sure?"', Click(target=q("OK", within="Sure?"))),
    ('click "Edit" near "Total"', Click(target=q("Edit", near="Total"))),
    ('click "Edit" next to the "Total" label', Click(target=q("Edit", near="Total"))),
    (
        'click the 2nd "Edit" button near "x" within "Team" in the row of "Bob"',
        Click(target=q("Edit", "button", 2, row="Bob", within="Team", near="x")),
    ),
    # Fields
    ('type "Ann" into "Name"', Input(text="Ann", target=q("Name"))),
    ('type the secret "password" into "Password"', Input(text=SECRET, target=q("Password"))),
    ("enter secret password into Password", Input(text=SECRET, target=q("Password"))),
    ('fill in "Password" with the secret "password"', Input(text=SECRET, target=q("Password"))),
    ('type the secret "password"', Input(text=SECRET)),
    (f'type "me-{SECRET}" into "Password"', Input(text=f"me-{SECRET}", target=q("Password"))),
    ('enter "Ann" in the "Name" field', Input(text="Ann", target=q("Name", "field"))),
    ('fill "Ann" into the Name field', Input(text="Ann", target=q("Name", "field"))),
    ('type "1" into Email', Input(text="1", target=q("Email"))),
    ('fill in "Name" with "Ann"', Input(text="Ann", target=q("Name"))),
    ('fill "Name" with "Ann"', Input(text="Ann", target=q("Name"))),
    ('fill in the "First name" box with "Ann"', Input(text="Ann", target=q("First name", "box"))),
    ('type "Ann" into the "Name" field in the row of "2"', Input(text="Ann", target=q("Name", "field", row="2"))),
    ('set "Quantity" to "3"', SetValue(value="3", what="text", target=q("Quantity"))),
    ('set "Code" to "<secret>code</secret>"', Input(text="<secret>code</secret>", target=q("Code"))),
    ('type "x"', Input(text="x")),
    ('type ""', Input(text="")),
    ('clear "Name"', Clear(target=q("Name"))),
    ("clear the search field", Clear(target=q("search", "field"))),
    ('select "Large" from "Size"', Select(option="Large", target=q("Size"))),
    ('pick "Large" in the "Size" dropdown', Select(option="Large", target=q("Size", "dropdown"))),
    ('select the option "Large" from Size', Select(option="Large", target=q("Size"))),
    ('choose "Large" from "Size"', Select(option="Large", target=q("Size"))),
    ('choose "Express"', Check(target=q("Express", "radio"))),
    ('choose "Express" within "Delivery"', Check(target=q("Express", "radio", within="Delivery"))),
    ('select the "Express" radio button', Check(target=q("Express", "radio"))),
    ('check "I agree"', Check(target=q("I agree"))),
    ('tick the "I agree" checkbox', Check(target=q("I agree", "checkbox"))),
    ('uncheck "News"', Check(target=q("News"), checked=False)),
    ('untick "News"', Check(target=q("News"), checked=False)),
    ('upload "cv.pdf" to "Attachment"', Upload(path="cv.pdf", target=q("Attachment"))),
    ('upload "cv.pdf" into the "Attachment" field', Upload(path="cv.pdf", target=q("Attachment"))),
    ('attach the file "cv.pdf" to "Attachment"', Upload(path="cv.pdf", target=q("Attachment"))),
    # Keys
    ("press Enter", Press(keys="Enter")),
    ("press the enter key", Press(keys="Enter")),
    ('press "Enter"', Press(keys="Enter")),
    ('press the "Delete" key', Press(keys="Delete")),
    ("press Tab", Press(keys="Tab")),
    ("hit esc", Press(keys="Escape")),
    ("press ArrowDown", Press(keys="ArrowDown")),
    ("press down arrow", Press(keys="ArrowDown")),
    ("press F5", Press(keys="F5")),
    ("press a", Press(keys="a")),
    ("press Ctrl+A", Press(keys="Control+a")),
    ("press ctrl-a", Press(keys="Control+a")),
    ("press Control + Shift + K", Press(keys="Control+Shift+K")),
    ("press Cmd+Enter", Press(keys="Meta+Enter")),
    ("press Ctrl++", Press(keys="Control++")),
    ('press Enter in "Search"', Press(keys="Enter", target=q("Search"))),
    ("press Enter in the Search field", Press(keys="Enter", target=q("Search", "field"))),
    # Looking
    ("scroll down", Scroll(direction="down")),
    ("scroll up one page", Scroll(direction="up")),
    ("scroll to the top", Scroll(direction="top")),
    ("scroll to the bottom of the page", Scroll(direction="bottom")),
    ('scroll to "Reviews"', Scroll(target=q("Reviews"))),
    ('scroll down to the "Reviews" heading', Scroll(target=q("Reviews", "heading"))),
    ("wait 3 seconds", Wait(seconds=3.0)),
    ("wait 1.5 s", Wait(seconds=1.5)),
    ("wait for 500 ms", Wait(seconds=0.5)),
    ("wait a second", Wait(seconds=1.0)),
    ("wait half a minute", Wait(seconds=30.0)),
    ("wait 3600 seconds", Wait(seconds=3600.0)),
    ('wait for "Welcome"', WaitFor(text="Welcome")),
    ('wait for the text "Welcome" to appear', WaitFor(text="Welcome")),
    ('wait until "Welcome" is visible', WaitFor(text="Welcome")),
    ('wait until "Loading" disappears', Expect(text="Loading", absent=True)),
    ('expect "Saved"', Expect(text="Saved")),
    ('verify that "Saved" is visible', Expect(text="Saved")),
    ('make sure the page contains "Saved"', Expect(text="Saved")),
    ('check that "Saved" is visible', Expect(text="Saved")),
    ('expect to see "Saved"', Expect(text="Saved")),
    ('expect no "Error"', Expect(text="Error", absent=True)),
    ('expect "Error" to be absent', Expect(text="Error", absent=True)),
    ('make sure "Error" is not visible', Expect(text="Error", absent=True)),
    ('verify the page does not contain "Error"', Expect(text="Error", absent=True)),
    ('check that "Error" isn’t visible', Expect(text="Error", absent=True)),  # noqa: RUF001 - as people type it
    ("take a screenshot", Screenshot()),
    ("take a screenshot of the page", Screenshot()),
    ('drag "A" to "B"', Drag(source=q("A"), target=q("B"))),
    (
        'drag the "A" icon in the row of "to" and drop it onto the last cell',
        Drag(source=q("A", "icon", row="to"), target=q(kind="cell", ordinal=-1)),
    ),
    # Extracts
    ('extract the text of "Total"', read("text", q("Total"))),
    ('get the text of the "Total" heading as total', read("text", q("Total", "heading"), "total")),
    ('read "Total" as "Grand total"', read("text", q("Total"), "Grand total")),
    ('get the value of the "Email" field as e-mail', read("text", q("Email", "field"), "e-mail")),
    ("extract the main heading", read("heading")),
    ("read the heading as title", read("heading", field="title")),
    ("extract the page", read("page")),
    ("get the page text", read("page")),
    ("get the text of the page as text", read("page", field="text")),
    ("extract the links", read("links")),
    ("extract the page title", read("title")),
    ("get the title of the page as t", read("title", field="t")),
    ("extract the URL", read("url")),
    ("get all links on the page as links", read("links", field="links")),
    ("extract the table", read("table")),
    ('extract the "Prices" table as prices', read("table", q("Prices", "table"), "prices")),
    ('extract table "Prices"', read("table", q("Prices", "table"))),
    ('extract the "href" attribute of "Terms"', Extract(what="attribute", attribute="href", target=q("Terms"))),
    (
        'get attribute "src" of the first image as picture',
        Extract(what="attribute", attribute="src", target=q(kind="image", ordinal=1), field="picture"),
    ),
    ("read the href of the Terms link", Extract(what="attribute", attribute="href", target=q("Terms", "link"))),
]


@pytest.mark.parametrize(("sentence", "action"), SENTENCES, ids=[sentence for sentence, _ in SENTENCES])
def test_a_sentence_means_one_action(sentence: str, action: AnyAction) -> None:
    assert [action] == [found.action for found in parse(sentence)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.example)
def test_the_example_of_every_form_is_read_by_that_form(row: object) -> None:
    first = next(form for form in TABLE if form is row)

    read_by = [form for form in TABLE if form is first and parse(form.example)]

    assert [first] == read_by


def test_the_forms_for_people_name_each_form_once() -> None:
    shapes = [shape for shape, _ in FORMS]

    assert "go to, open, visit URL" == shapes[0]
    assert len(set(shapes)) == len(shapes) > 25


def test_every_word_for_a_kind_means_one_kind() -> None:
    assert sum(len(words) for words in KINDS.values()) == len(KIND_OF)
    assert all(kind in words for kind, words in KINDS.items())


CLICK_A, CLICK_B = Click(target=q("a")), Click(target=q("b"))


@pytest.mark.parametrize(
    "between",
    [
        ". ", "; ", ";", "\n", "\r\n", "\n\n\n", ", then ", " then ", " and then ", ", and then ", " and ", ", and ",
        ", ", ". Then ", ". Please ", " and please ", ".\n- ", ".\n2. ", "\n2) ", ". 2. ", "\nStep 2: ", "\n• ",
        ", and finally ", ".", "...\n",
    ],
)  # fmt: skip
def test_sentences_are_separated(between: str) -> None:
    assert [Sentence('Click "a"', CLICK_A), Sentence('click "b"', CLICK_B)] == [
        Sentence(found.text.replace("Please ", "").replace("please ", "").replace("finally ", ""), found.action)
        for found in parse(f'Click "a"{between}click "b"')
    ]


def test_numbering_bullets_and_politeness_are_no_part_of_what_is_done() -> None:
    instruction = '1. Please go to example.com\n2. First, click "a", please!\n  - Now, could you click "b".\n\n'

    assert [
        Sentence("Please go to example.com", Navigate(url="https://example.com")),
        Sentence('click "a", please', CLICK_A),
        Sentence('could you click "b"', CLICK_B),
    ] == parse(instruction)


def test_dots_and_verbs_inside_quotes_urls_and_numbers_separate_nothing() -> None:
    instruction = (
        'Go to https://a.example/x;y,click.html, type "a. Then click b; and press c" into "e.g. this" and wait 1.5 s'
    )

    assert [
        Navigate(url="https://a.example/x;y,click.html"),
        Input(text="a. Then click b; and press c", target=q("e.g. this")),
        Wait(seconds=1.5),
    ] == [sentence.action for sentence in parse(instruction)]


def test_the_text_of_a_sentence_is_as_it_was_written() -> None:
    assert ['CLICK   the  "A  b"', 'type "x\ny" into “Note”'] == [
        sentence.text for sentence in parse('  CLICK   the  "A  b" ;\ttype "x\ny" into “Note”  ')
    ]


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        ('"Save"', "Save"),
        ("“Save”", "Save"),
        ("„Save“", "Save"),
        ("«Save»", "Save"),
        ("`Save`", "Save"),
        ("'Save'", "Save"),
        ("\u2018Save\u2019", "Save"),
        ("'don't'", "don't"),
        ("\u2018don\u2019t\u2019", "don\u2019t"),
        ('"it\'s"', "it's"),
        ("'say \"hi\"'", 'say "hi"'),
        (r'"say \"hi\""', 'say "hi"'),
        (r"'the users\' page'", "the users' page"),
        (r'"C:\new\table"', r"C:\new\table"),
        (r'"C:\new\\"', "C:\\new\\"),
        (r'"a\\\"b"', r"a\"b"),
        ('"two\nlines"', "two\nlines"),
        ('" spaces  kept "', " spaces  kept "),
        ('"\0"', "\0"),
    ],
)
def test_what_is_quoted_is_literal(quoted: str, text: str) -> None:
    assert [Sentence(f"type {quoted}", Input(text=text))] == parse(f"type {quoted}")


def test_apostrophes_are_no_quotes() -> None:
    assert [Click(target=q("Bob's")), Click(target=q("the users' page")), Click(target=q("Rock 'n roll"))] == [
        sentence.action for sentence in parse("click Bob's. click \"the users' page\". click Rock 'n roll")
    ]


NO_URL = "it is no URL; write an address such as example.com or https://example.com/page. To open a link, click it"
QUOTE_IT = 'put the name in quotes, as in "Save"'
PLACE = 'after the name only a place can follow: in the row of "Bob", within "Billing" or near "Total"'
HANGING = (
    'write it as click "Accept" if it is there, click "Next" until "Done" is visible, '
    'or if there is a "Yes" button, click it'
)
TWICE = 'it may be two clicks or a double-click; write click "Save" 2 times, or double-click "Save"'
DELETES = 'name what deletes it, as in click the "Delete" button in the row of "Bob"'
CLOSES = 'name what closes it, as in click "Close", click "Accept" if it is there, or close the "Details" section'
SAY_WHAT = (
    'say what to extract, as in extract the text of "Total", the text of the cell in the row of "Lamp" under "Price", '
    'what is beside "Status", the number of rows, the main heading, the links or the table'
)
UNREADABLE = [
    ("open Settings", NO_URL),
    ("go to the home page", NO_URL),
    ("go to ann@example.com", NO_URL),
    ('go to "example.com and more"', NO_URL),
    ("go to 1.5", NO_URL),
    ("go to https://", NO_URL),
    ("go to http://example.com:99999", NO_URL),
    ("go to https:example.com", NO_URL),
    ("go to file:///etc/passwd", "only http and https URLs can be opened"),
    ("go to javascript:alert(1)", "only http and https URLs can be opened"),
    ("open about:blank", "only http and https URLs can be opened"),
    ("click it", QUOTE_IT),
    ("click all links", QUOTE_IT),
    ("click Save and Continue", QUOTE_IT),
    ("click Save if it rains", HANGING),
    ("click Save twice", TWICE),
    ('open "Shipping"', 'it is no URL; write open the "Shipping" section, tab or menu, or click "Shipping"'),
    ("delete Bob from the Staff table", DELETES),
    ('remove "Bob"', DELETES),
    ("close the cookie banner", CLOSES),
    ("close the tab", "a tab cannot be closed; leave it open and switch to another one"),
    ("choose Dog as pet", 'write select "Dog" from "pet", or if it is one button, choose "Dog as pet"'),
    ('choose "Dog" as pet', 'write select "Dog" from "pet", or if it is one button, choose "Dog as pet"'),
    ('click "Load more" 21 times', "it may be done 1 to 20 times"),
    ('click "A" and "B" 2 times', "it names several things; write a sentence for each"),
    ("click Delete in the row of Bob", QUOTE_IT),
    ("click the First name field", QUOTE_IT),
    ("click Image gallery", QUOTE_IT),
    ("click a very long name that goes on and on", QUOTE_IT),
    ('click "Edit" in the row of Bob', PLACE),
    ('click "A" or "B"', PLACE),
    ('click "A" "B"', PLACE),
    ('click ""', "the quotes around a name are empty"),
    ('click "a" near "b" near "c"', "it says near twice; one place of a kind is enough"),
    ('click the 0th "a"', "count from 1"),
    ('click the first "a" number 2', "it counts twice; one number is enough"),
    ('click the link "a" button', "it names two kinds of element; one is enough"),
    ("press Save", 'it is no key; write press Enter or press Control+A, and for a button click "Save"'),
    ('press "Delete"', 'it may be a key or a button; write press the Delete key, or click "Delete"'),
    ('press "1"', 'it may be a key or a button; write press the 1 key, or click "1"'),
    ("wait 3601 seconds", "a wait may last at most 3600 seconds"),
    ("wait 61 minutes", "a wait may last at most 3600 seconds"),
    ("wait a moment", 'write it as wait N seconds or wait for "text" or wait for me to solve the captcha'),
    ("wait for the page to load", 'pages are waited for anyway; leave this out, or write wait for "text"'),
    ('wait for ""', "the quotes are empty"),
    ('type the secret "a<b" into "Name"', "the name of a secret has at most 100 characters, none of them < or >"),
    ('type hello into "Name"', 'put the text in quotes, as in type "Ann" into "Name"'),
    ('type "x" in the row of "Bob"', 'name the field and then its place, as in "Amount" in the row of "Bob"'),
    (
        'select "Large"',
        'say from which field, as in select "Large" from "Size"; for a radio button write choose "Large", '
        "and for a tab click it",
    ),
    ("extract the price", SAY_WHAT),
    ("extract the second column of the table", SAY_WHAT),
    ("extract the price of the Lamp", SAY_WHAT),
    ("extract the names of all cards", SAY_WHAT),
    (
        "extract the last table",
        'name the table by its caption or heading, as in extract the "Prices" table',
    ),
    ("switch to tab 0", "count from 1"),
    ('if "x" is visible', f"it says when but not what to do; {HANGING}"),
    ("for each row", HANGING),
    ('don\'t click "Pay"', "say what to do; what to leave alone need not be said"),
    ("submit the form", "write press Enter, or click the button by its name"),
    (
        'extract the text of the "News" section',
        "a section has no text of its own; name a heading, a paragraph or a cell, or extract the page text",
    ),
    ("log in as Ann", "spell out the steps: what to type into which field, what to click"),
    ('search for "shoes"', 'write type "shoes" into "Search" and press Enter'),
    ("scroll", 'write it as scroll down, up, to the top, to the bottom or scroll to "name"'),
    ('clik "Save"', 'did you mean click the "Delete" button in the row of "Bob"'),
    (
        "buy milk",
        'start with a verb, as in go to example.com, click "Save", type "Ann" into "Name" or extract the main heading',
    ),
    ('click "Save', "a quote is opened and never closed"),
    ("click “Save", "a quote is opened and never closed"),
]


@pytest.mark.parametrize(("sentence", "hint"), UNREADABLE, ids=[sentence for sentence, _ in UNREADABLE])
def test_a_sentence_that_cannot_be_read_is_quoted_with_what_would_be_right(sentence: str, hint: str) -> None:
    with pytest.raises(ActFailed) as failed:
        parse(f'Click "fine".\n{sentence}')

    assert ("unreadable", f"Cannot read the sentence “{sentence}”: {hint}.") == (failed.value.code, str(failed.value))


@pytest.mark.parametrize("instruction", ["", "  \n\t", "...", "1.", " ; "])
def test_an_instruction_without_a_sentence_is_refused(instruction: str) -> None:
    with pytest.raises(ActFailed) as failed:
        parse(instruction)

    message = "The instruction has no sentence. Write one such as: go to example.com."
    assert ("unreadable", message) == (failed.value.code, str(failed.value))
