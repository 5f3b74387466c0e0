"""Ordinary chores as plain sentences on one page: places, icons, sections, dates, sliders, conditions, counts."""

import pytest

from runner.browser.browsers import Session
from runner.keyless.course import Sentence, course
from runner.keyless.grammar import parse
from runner.model import PastAct, PastStep
from runner.vocabulary import ActFailed, Query, SetValue
from tests.playing import do, go, note

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def say(session: Session, text: str) -> str:
    """Do the sentences; what the last act brought."""
    sentences: list[Sentence] = parse(text)
    past: list[PastStep] = []
    result = ""
    while (at := course(sentences, past)).number < len(sentences):
        sentence = sentences[at.number]
        action = sentence.when.look if sentence.when and not at.cleared else sentence.action
        result = await do(session, action)
        act = PastAct(name=action.name, params="", ok=True, effect="", result=result)
        past.append(PastStep(number=len(past) + 1, acts=(act,)))
    return result


async def refusal(session: Session, text: str) -> str:
    with pytest.raises(ActFailed) as failed:
        await say(session, text)
    return str(failed.value)


CLICKS = [
    ('click "Buy" in the row of "Lamp"', "Lamp"),
    ('click the button in the card "Chair"', "Chair"),
    ('click "Change" in the row of "Status"', "status"),
    ('click "Change" in the row of "Owner"', "owner"),
    ('click "Edit" in the row of "Bob" under "Email"', "mail Bob"),
    ('click the 1st "Edit" in the "Phone" column', "call Ann"),
    ('click "Go" above "Compass"', "north"),
    ('click "Go" below "Compass"', "south"),
    ('click "Go" to the right of "Compass"', "east"),
    ("click the gear icon", "gear"),
    ('click the "settings" icon', "gear"),
    ("click the trash icon", "bin"),
    ('click the "star" icon', "star"),
]
"""Each with what the page writes down."""

CHORES = [
    ('extract the text of the cell in the row of "Bob" under "Name"', "Bob"),
    ('extract what is beside "Status"', "Open Change"),
    ('extract what is beside "Due"', "Friday"),
    ('extract the number of "people listed"', "2"),
    ('count the items in "Todos"', "2"),
    ("expect 2 rows", "there are 2 of row"),
    ('type "Main St 1" into "Street" and expect the "Street" field to be "Main St 1"', 'field is "Main St 1"'),
    ('type "123" into "Postcode" and expect the field "Postcode" to contain "2"', 'field contains "2"'),
    (
        'check the checkbox in the row of "Milk" and expect the checkbox in the row of "Milk" to be checked',
        "checkbox .toggle is checked",
    ),
    ('expect the checkbox in the row of "Bread" to be unchecked', "checkbox .toggle is unchecked"),
    ('set "Arrival" to 24 December 2026', 'set field "Arrival" to 2026-12-24'),
    ('set "Alarm" to 7:05 am', 'set field "Alarm" to 07:05'),
    ('set "Start" to December 24, 2026 at 9:30', 'set field "Start" to 2026-12-24T09:30'),
    ('set "Billing month" to May 2027', 'set field "Billing month" to 2027-05'),
    ('set "Sprint" to week 3 of 2027', 'set field "Sprint" to 2027-W03'),
    ('set "Colour" to #f00', 'set field "Colour" to #ff0000'),
    ('set "Volume" to 70', 'set slider "Volume" to 70'),
    ('set "Brightness" to 8', 'set slider "Brightness" to 8'),
    ('set "Contrast" to 3', 'set slider "Contrast" to 3'),
    ('set "Departure" to 14 February 2027', 'set field "Departure" to 2027-02-14'),
    ('pick 30 September 2026 in "Departure"', 'set field "Departure" to 2026-09-30'),
    ('type "Ber" into "City" and choose "Berlin"', 'chose option "Berlin"'),
    ('expect "City" to be "Berlin"', 'drop-down "City" is "Berlin"'),
    ('select "Olives" and "Cheese" from "Toppings"', 'selected "Olives", "Cheese" in list "Toppings"'),
    ('expect "Toppings" to be "Olives, Cheese"', 'list "Toppings" is "Olives, Cheese"'),
    ('click "Load more" until it is gone', "not there"),
    ('expect no "Load more"', '"Load more" is not visible'),
    ('open the "Delivery" section. type "3" into "Floor"', 'typed into field "Floor"'),
    ('expand "Payment". expand "Payment"', 'button "Payment" is open already'),
    ('open the "Alerts" tab and click "Mute"', 'clicked button "Mute"'),
    ('hover over "Milk". click the "destroy" icon in the row of "Milk"', "clicked button .destroy"),
    ('expect the title to be "Chores"', 'the title is "Chores"'),
]
REFUSALS = [
    ('click "Buy" in the row of "Sold out"', 'No element "Buy" in the row of "Sold out" is on the page.'),
    (
        'type "3" into "Floor"',
        'It is hidden in the section "Delivery", which is closed; first write open the "Delivery" section.',
    ),
    ('click "Mute"', 'It is hidden in the tab "Alerts", which is closed; first write open the "Alerts" tab.'),
    (
        'type "x" into "IBAN"',
        'It is hidden in the section "Payment", which is closed; first write open the "Payment" section.',
    ),
    ('click "Edit" in the row of "Bob"', '2 elements match element "Edit" in the row of "Bob"'),
    ('set "Volume" to 72', 'slider "Volume" was set to 72 but has "70".'),
    ('set "Brightness" to 12', 'slider "Brightness" goes from 0 to 10, not to 12.'),
    ('set "Arrival" to 9:30', 'field "Arrival" takes a date, which 09:30 is not.'),
    ('set "City" to 24 December 2026', "opens no calendar that can be read"),
    (
        'select "Olives" and "Nuts" from "Toppings"',
        'list "Toppings" has no option "Nuts". It has: "Olives", "Onions", "Cheese".',
    ),
    ('set "PIN" to 1234', 'field "PIN" holds a secret, which is typed and never read; type into it.'),
    ("expect 3 rows", "3 of row are expected, and there are 2."),
    ('expect "Arrival" to be "x"', 'field "Arrival" is "", and "x" is expected.'),
    ('expect the checkbox in the row of "Milk" to be checked', "checkbox .toggle is not checked after 0.5 s."),
]


async def test_what_is_named_by_its_place_or_its_picture_is_clicked(session: Session, site: str) -> None:
    await go(session, f"{site}/chores.html")
    noted: list[tuple[str, str]] = []

    for sentence, _ in CLICKS:
        await say(session, sentence)
        noted.append((sentence, (await note(session)).removeprefix("got: ")))

    assert CLICKS == noted


async def test_chores_bring_what_they_say(session: Session, site: str) -> None:
    await go(session, f"{site}/chores.html")

    assert CHORES == [(sentences, await say(session, sentences)) for sentences, _ in CHORES]


CELLS = [
    ('extract the text of the cell in the row of "Bob" under "Email"', "bob@x.org"),
    ('extract the text of the cell in the row of "bob@x.org" under "Name"', "Bob"),
    ('extract the text of the cell in the row of "Dora" under "Email"', "dora@x.org"),
    ('extract the text of the cell in the row of "dora@x.org" under "Name"', "Dora"),
    ('extract the text of the cell in the row of "Eve" under "Email"', "eve@x.org"),
    ('extract the text of the cell in the row of "Eve" under "Actions"', "Edit Delete"),
    ('extract the text of the cell in the row of "Hal" under "Email"', "hal@x.org"),
    ('extract the text of the 2nd cell in the row of "Bob"', "bob@x.org"),
]
"""Each names its row by the text of another cell."""


async def test_a_cell_is_found_by_both_its_headers_in_every_kind_of_table(session: Session, site: str) -> None:
    await go(session, f"{site}/staff.html")

    assert CELLS == [(sentence, await say(session, sentence)) for sentence, _ in CELLS]


async def test_the_title_and_the_address_of_a_page_are_read(session: Session, site: str) -> None:
    await go(session, f"{site}/staff.html")

    assert ("Staff", f"{site}/staff.html") == (
        await say(session, "extract the page title"),
        await say(session, "extract the URL"),
    )


BESIDE = [
    ('check "Mail me"', "mail"),
    ('check "Call me"', "call"),
    ('choose "Free"', "free"),
    ('choose "Paid"', "paid"),
    ('check "Day"', "day"),
    ('check "Night"', "night"),
]
"""Boxes without labels, each with what the page writes down."""

SET = [
    ('set "Colour" to "Red" and expect "Colour" to be "Red"', 'drop-down "Colour" is "Red"'),
    ('set "Note" to "Red" and expect "Note" to be "Red"', 'field "Note" is "Red"'),
    ('set "Password" to "hush"', 'typed into field "Password"'),
]


async def test_boxes_are_called_by_the_texts_before_or_behind_them_all(session: Session, site: str) -> None:
    await go(session, f"{site}/patched.html")
    noted: list[tuple[str, str]] = []

    for sentence, _ in BESIDE:
        await say(session, sentence)
        noted.append((sentence, (await note(session)).removeprefix("got: ")))

    assert BESIDE == noted


async def test_a_text_is_set_where_it_is_typed_and_where_it_is_chosen(session: Session, site: str) -> None:
    await go(session, f"{site}/patched.html")

    assert SET == [(sentences, await say(session, sentences)) for sentences, _ in SET]
    password = await session.resolve(SetValue(value="hush", what="text", target=Query(text="Password")))
    assert "hush" not in password.params


async def test_a_page_that_patches_its_elements_is_read_all_the_same_and_not_before_its_answers_are_there(
    session: Session, site: str
) -> None:
    await go(session, f"{site}/patched.html?patched")

    assert "2" == await say(session, 'click "Order" and extract the number of items left')
    assert "Orders" == await say(session, "extract the main heading")
    assert "got: ordered" == await note(session)


async def test_what_cannot_be_done_for_certain_is_refused_with_what_is_right(
    session: Session, hasty: Session, site: str
) -> None:
    for each in (session, hasty):
        await go(each, f"{site}/chores.html")

    # What is set is acted on before it is refused, and that may take a busy browser a while.
    said = [(told, await refusal(session if told.startswith("set ") else hasty, told)) for told, _ in REFUSALS]

    pin = await hasty.resolve(SetValue(value="1234", what="number", target=Query(text="PIN")))
    assert "1234" not in pin.params
    assert [] == [told for told, (_, part) in zip(said, REFUSALS, strict=True) if part not in told[1]]
