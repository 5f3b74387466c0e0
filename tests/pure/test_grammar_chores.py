"""How chores are said: several things at once, places, values, conditions, counts; and what of them is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.keyless.conditions import Condition
from runner.keyless.course import Sentence
from runner.keyless.dates import when
from runner.keyless.grammar import parse
from runner.keyless.instructions import Instructions
from runner.model import Done, Observation, PastAct, PastStep
from runner.vocabulary import (
    ActFailed,
    AnyAction,
    Check,
    Clear,
    Click,
    Expand,
    Expect,
    Extract,
    Input,
    LookFor,
    Press,
    Query,
    Select,
    SetValue,
    Verify,
)

A, B, C = Query(text="A"), Query(text="B"), Query(text="C")
SEEN = Observation(url="https://shop.example/", title="Shop")


def dated(value: str, what: str = "date") -> SetValue:
    return SetValue(value=value, what=what, target=A)


SENTENCES: list[tuple[str, list[AnyAction]]] = [
    # Several things
    ('click "A", "B" and "C"', [Click(target=A), Click(target=B), Click(target=C)]),
    ('click "A", "B", and "C"', [Click(target=A), Click(target=B), Click(target=C)]),
    ('check "A" and "B"', [Check(target=A), Check(target=B)]),
    ('uncheck "A" and "B"', [Check(target=A, checked=False), Check(target=B, checked=False)]),
    ('clear "A" and "B"', [Clear(target=A), Clear(target=B)]),
    (
        'click the "A" and "B" buttons within "Team"',
        [Click(target=Query(text=name, kind="button", within="Team")) for name in "AB"],
    ),
    (
        'check "A" in the row of "x" and "B" in the row of "y"',
        [Check(target=Query(text="A", row="x")), Check(target=Query(text="B", row="y"))],
    ),
    ('click the first "A" and the link "B"', [
        Click(target=Query(text="A", ordinal=1)), Click(target=Query(text="B", kind="link"))
    ]),
    ('type "x" into "A" and "y" into "B"', [Input(text="x", target=A), Input(text="y", target=B)]),
    ('type "x" into "A" and "B"', [Input(text="x", target=A), Input(text="x", target=B)]),
    ('fill in "A" with "x" and "B" with "y"', [Input(text="x", target=A), Input(text="y", target=B)]),
    ('select "x", "y" and "z" from "A"', [Select(option="x", more=("y", "z"), target=A)]),
    ('expect "x" and "y"', [Expect(text="x"), Expect(text="y")]),
    ('extract the text of "A" and "B"', [Extract(what="text", target=A), Extract(what="text", target=B)]),
    (
        'extract the text of "A" as a and of "B" as "b c"',
        [Extract(what="text", target=A, field="a"), Extract(what="text", target=B, field="b c")],
    ),
    # Places
    ('click "A" below "x"', [Click(target=Query(text="A", below="x"))]),
    ('click the button above the "x" heading', [Click(target=Query(kind="button", above="x"))]),
    ('click the button to the left of "x"', [Click(target=Query(kind="button", left_of="x"))]),
    ('click the 2nd "A" right of "x"', [Click(target=Query(text="A", ordinal=2, right_of="x"))]),
    ('click "A" under "x"', [Click(target=Query(text="A", below="x"))]),
    ('click "A" in the row of "x" under "y"', [Click(target=Query(text="A", row="x", column="y"))]),
    (
        'extract the text of the cell in the row of "x" under "y" as z',
        [Extract(what="text", target=Query(kind="cell", row="x", column="y"), field="z")],
    ),
    ('click "A" in the "y" column', [Click(target=Query(text="A", column="y"))]),
    ('click the button next to "x"', [Click(target=Query(kind="button", near="x"))]),
    (
        'click the 2nd "A" button in the row of "x" within "y"',
        [Click(target=Query(text="A", kind="button", ordinal=2, row="x", within="y"))],
    ),
    ("click the trash icon", [Click(target=Query(text="trash", kind="icon"))]),
    ('click the "delete" icon in the row of "x"', [Click(target=Query(text="delete", kind="icon", row="x"))]),
    # Values
    ('set "A" to 24 December 2026', [dated("2026-12-24")]),
    ('set "A" to the 24th of December, 2026', [dated("2026-12-24")]),
    ('set "A" to December 24th 2026', [dated("2026-12-24")]),
    ('pick 2026-12-24 in "A"', [dated("2026-12-24")]),
    ('enter Dec 24, 2026 into "A"', [dated("2026-12-24")]),
    ('fill in "A" with 24 dec 2026', [dated("2026-12-24")]),
    ('set "A" to 24 December 2026 at 9:30 pm', [dated("2026-12-24T21:30", "datetime")]),
    ('set "A" to 2026-12-24T09:30', [dated("2026-12-24T09:30", "datetime")]),
    ('set "A" to 9 am', [dated("09:00", "time")]),
    ('set "A" to 12:15 am', [dated("00:15", "time")]),
    ('choose December 2026 in "A"', [dated("2026-12", "month")]),
    ('choose May in "A"', [Check(target=Query(text="May", kind="radio", within="A"))]),
    ('set "A" to December 2026', [dated("2026-12", "month")]),
    ('set "A" to week 52 of 2026', [dated("2026-W52", "week")]),
    ('set "A" to 70', [dated("70", "number")]),
    ('set "A" to 12.5 %', [dated("12.5", "number")]),
    ('enter 5 into "A"', [dated("5", "number")]),
    ('set "A" to #F00', [dated("#ff0000", "colour")]),
    ('set "A" to "70"', [SetValue(value="70", what="text", target=A)]),
    ('type "x" into "A" and choose "B"', [Input(text="x", target=A), Check(target=Query(text="B", kind="radio"))]),
    ('choose "B" in "A"', [Select(option="B", target=A)]),
    ('type "x" into "A" and press Enter', [Input(text="x", target=A), Press(keys="Enter")]),
    # What is closed
    ('open the "A" section', [Expand(target=Query(text="A", kind="section"))]),
    ('open the accordion "A"', [Expand(target=Query(text="A", kind="section"))]),
    ('open the "A" tab', [Expand(target=Query(text="A", kind="tab"))]),
    ('expand "A"', [Expand(target=A)]),
    ('collapse "A"', [Expand(target=A, opened=False)]),
    ('close the "A" panel', [Expand(target=Query(text="A", kind="section"), opened=False)]),
    # Counting, and what must be so
    ('count the items in "A" as n', [Extract(what="count", target=Query(kind="list item", within="A"), field="n")]),
    ("extract the number of rows", [Extract(what="count", target=Query(kind="row"))]),
    ('extract the number of "A" buttons', [Extract(what="count", target=Query(text="A", kind="button"))]),
    ("extract the number of items left", [Extract(what="number", target=Query(text="items left"))]),
    ("extract the number of items in cart", [Extract(what="number", target=Query(text="items in cart"))]),
    ('get the number of "A"', [Extract(what="number", target=A)]),
    ('extract what is beside "A" as s', [Extract(what="beside", target=A, field="s")]),
    (
        'extract what is beside "A" as s and what is beside "B" as "t u"',
        [Extract(what="beside", target=A, field="s"), Extract(what="beside", target=B, field="t u")],
    ),
    ("expect 1 row", [Verify(what="count", target=Query(kind="row"), count=1)]),
    ('expect one item in "A"', [Verify(what="count", target=Query(kind="list item", within="A"), count=1)]),
    ('expect no "A" link', [Verify(what="count", target=Query(text="A", kind="link"), count=0)]),
    ('expect "A" to be on', [Verify(what="checked", target=A)]),
    ('expect "A" to be switched off', [Verify(what="unchecked", target=A)]),
    ('switch on "A" and switch off "B"', [Check(target=A), Check(target=B, checked=False)]),
    ('click "A" 3 times', [Click(target=A)] * 3),
    ('click "A" in the row of "x" two times', [Click(target=Query(text="A", row="x"))] * 2),
    ("press Tab 2 times", [Press(keys="Tab")] * 2),
    ("expect 3 rows", [Verify(what="count", target=Query(kind="row"), count=3)]),
    ('expect no "A" links', [Verify(what="count", target=Query(text="A", kind="link"), count=0)]),
    ('expect no "A"', [Expect(text="A", absent=True)]),
    ('check that there are two items in "A"', [
        Verify(what="count", target=Query(kind="list item", within="A"), count=2)
    ]),
    ('expect "A" to be checked', [Verify(what="checked", target=A)]),
    ('check that "A" is not checked', [Verify(what="unchecked", target=A)]),
    ('expect the "A" button to be disabled', [Verify(what="disabled", target=Query(text="A", kind="button"))]),
    ('expect the field "A" to contain "x"', [Verify(what="value", target=Query(text="A", kind="field"), text="x")]),
    ('expect "A" to be "x"', [Verify(what="value", target=A, text="x", exact=True)]),
    ('expect the URL to contain "/x"', [Verify(what="url", text="/x")]),
    ('expect the page title to be "x"', [Verify(what="title", text="x", exact=True)]),
    ('expect the page to contain "x"', [Expect(text="x")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "actions"), SENTENCES, ids=[text for text, _ in SENTENCES])
def test_a_chore_means_its_actions(text: str, actions: list[AnyAction]) -> None:
    assert actions == [sentence.action for sentence in parse(text)]


CLICK = Click(target=A)
ITSELF, TEXT = LookFor(target=A), LookFor(text="x")
HANGING: list[tuple[str, AnyAction, Condition]] = [
    ('click "A" if it is there', CLICK, Condition(look=ITSELF)),
    ('click "A", if there is one', CLICK, Condition(look=ITSELF)),
    ('click A if it exists', CLICK, Condition(look=ITSELF)),
    ('if it is visible, click "A"', CLICK, Condition(look=ITSELF)),
    ('click "A" if "x" is visible', CLICK, Condition(look=TEXT)),
    ('click "A" if the page says "x"', CLICK, Condition(look=TEXT)),
    ('if "x" appears, then click "A"', CLICK, Condition(look=TEXT)),
    ('click "A" if "x" is not visible', CLICK, Condition(look=TEXT, there=False)),
    ('click "A" unless "x" is visible', CLICK, Condition(look=TEXT, there=False)),
    ('click "A" if there is no "x"', CLICK, Condition(look=TEXT, there=False)),
    ('click "A" until "x" is visible', CLICK, Condition(look=TEXT, there=False, most=20)),
    ('click "A" until "x" is gone, at most 5 times', CLICK, Condition(look=TEXT, most=5)),
    ('click "A" until it is gone', CLICK, Condition(look=ITSELF, most=20)),
    ('click "A" until it is disabled', CLICK, Condition(look=ITSELF, most=20)),
    ('check "A" if it is there', Check(target=A), Condition(look=LookFor(target=Query(text="A", kind="checkbox")))),
    (
        'if there is a "B" button, click it',
        Click(target=Query(text="B", kind="button")),
        Condition(look=LookFor(target=Query(text="B", kind="button"))),
    ),
    (
        'click "A" when the "B" dialog appears',
        CLICK,
        Condition(look=LookFor(target=Query(text="B", kind="dialog"))),
    ),
    ('if "x" is visible, type "it is" into "A"', Input(text="it is", target=A), Condition(look=TEXT)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "action", "when"), HANGING, ids=[text for text, *_ in HANGING])
def test_an_act_hangs_on_its_condition(text: str, action: AnyAction, when: Condition) -> None:
    assert [Sentence(text, action, when)] == parse(f"{text}.")


SO = (
    'write it as click "Accept" if it is there, click "Next" until "Done" is visible, '
    'or if there is a "Yes" button, click it'
)
REFUSED = [
    (
        'click "A" near "x" and "B"',
        "it is not clear which place holds for which; give each its own, or one to all of them",
    ),
    ('set "A" to tomorrow', "it means another date every day; write the date, as in 24 December 2026"),
    ('set "A" to 3/4/2026', "it could be two dates; write 24 December 2026 or 2026-12-24"),
    ('pick 30 February 2026 in "A"', "there is no such date or time"),
    ('set "A" to week 60 of 2026', "there is no such date or time"),
    (
        'set "A" to soon',
        "it is no value; write a number, a date as in 24 December 2026, a time as in 9:30, a colour as in #ff0000, "
        "or put a text in quotes",
    ),
    ('click "A" and "B" if "x" is visible', "one condition governs one act; write a sentence for each"),
    ("press Enter if it is there", "it is not clear what “it” is; name it"),
    (
        'click "A" if it is there, at most 3 times',
        "only what is done until something is so can be done several times",
    ),
    ('click "A" until "x" is visible, at most 99 times', "it may be done 1 to 50 times"),
    ('click "A" if Bob says so', SO),
    (
        'if "x" is visible, click "A", otherwise click "B"',
        'there is no otherwise; write a second sentence with unless, as in click "Log in" unless "Log out" is visible',
    ),
    ('otherwise click "A"', 'write a second sentence with unless, as in click "Log in" unless "Log out" is visible'),
    (
        'extract the text of "A" and "B" as c',
        "one field of the output holds one text; write a sentence for each",
    ),
    ('count "A" and more', 'say of what, as in extract the number of list items in "Todos", or of "items left"'),
]  # fmt: skip


@pytest.mark.parametrize(("sentence", "hint"), REFUSED, ids=[sentence for sentence, _ in REFUSED])
def test_what_could_mean_two_things_is_refused_with_what_is_right(sentence: str, hint: str) -> None:
    with pytest.raises(ActFailed) as failed:
        parse(sentence)

    assert f"Cannot read the sentence “{sentence}”: {hint}." == str(failed.value)


def test_a_condition_in_front_reaches_no_further_than_one_act() -> None:
    with pytest.raises(ActFailed) as failed:
        parse('if there is a "A" button, click it and click "B"')

    assert "it is not clear whether the condition before it holds for it too" in str(failed.value)
    assert 2 == len(parse('if there is a "A" button, click it. Click "B"'))


@pytest.mark.parametrize("text", ['if "x" is visible. Click "A"', 'if "x" is visible'])
def test_a_condition_without_an_act_is_refused(text: str) -> None:
    with pytest.raises(ActFailed, match='Cannot read the sentence “if "x" is visible”'):
        parse(text)


@given(st.dates().filter(lambda day: day.year >= 1000))
def test_every_date_is_read_as_it_is_written(day: object) -> None:
    assert ("date", f"{day:%Y-%m-%d}") == when(f"{day:%d %B %Y}") == when(f"{day:%B %d, %Y}") == when(f"{day:%Y-%m-%d}")


def done(result: str = "", name: str = "click") -> PastStep:
    return PastStep(number=1, acts=(PastAct(name=name, params="{}", ok=True, effect="look", result=result),))


def looked(answer: str) -> PastStep:
    return done(answer, "look_for")


async def goals(instruction: str, past: list[PastStep]) -> tuple[str, str]:
    """What is wanted next, and what became of the sentence before."""
    reply = await Instructions(instruction).next(SEEN, past)
    return (reply.actions[0].name if reply.actions else "end", reply.evaluation)


async def test_what_is_not_there_is_skipped_and_told() -> None:
    instruction = 'click "A" if it is there. go back'

    assert ("look_for", "") == await goals(instruction, [])
    assert ("click", "Its condition holds.") == await goals(instruction, [looked("there")])
    assert ("go_back", 'Skipped: click "A" if it is there.') == await goals(instruction, [looked("not there")])
    assert ("go_back", 'Done: click "A" if it is there.') == await goals(instruction, [looked("there"), done()])
    assert Done(success=True, output="Done: 2 sentences. 1 was skipped.") == Instructions(instruction).ended(
        [looked("not there"), done()]
    )


async def test_an_act_is_repeated_until_it_has_come_to_that_and_no_oftener() -> None:
    instruction = 'click "A" until "x" is visible, at most 2 times'
    once = [looked("not there"), done()]

    assert ("look_for", "Done 1 times.") == await goals(instruction, once)
    assert ("end", f"Done: {instruction}.") == await goals(instruction, [*once, looked("there")])
    assert ("look_for", "Done 2 times.") == await goals(instruction, once * 2)
    with pytest.raises(ActFailed, match="it did not come to that in 2 times"):
        await goals(instruction, [*once, *once, looked("not there")])


def test_an_extract_that_was_skipped_leaves_its_field_out() -> None:
    schema = '{"type": "object", "properties": {"a": {}, "b": {}}}'
    model = Instructions('extract "A" as a if it is there. extract "B" as b', schema)

    assert Done(success=True, output='{"b":"2"}') == model.ended([looked("not there"), done("2")])


def test_an_extract_that_is_repeated_brings_what_it_found_last() -> None:
    model = Instructions('extract "A" until "x" is visible. extract "B"')
    past = [looked("not there"), done("1"), looked("not there"), done("2"), looked("there"), done("3")]

    assert Done(success=True, output="2\n3") == model.ended(past)


def test_acts_after_a_condition_are_recalled_from_the_tape_alone() -> None:
    model = Instructions('click "A". click "B" if it is there. click "C"')

    assert [(Click(target=A),), (), ()] == [model.recall(step) for step in range(3)]
