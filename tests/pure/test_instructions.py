"""The keyless model: where it goes on, how it ends, and what an output schema makes of what was extracted."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.keyless.instructions import Instructions
from runner.keyless.numerals import number
from runner.model import Done, Model, Observation, PastAct, PastStep, Reply
from runner.vocabulary import ActFailed, Click, Extract, Navigate, Query

SEEN = Observation(url="https://shop.example/", title="Shop")
INSTRUCTION = 'Go to shop.example. Click "Buy", then extract the text of "Total".'


def step(*results: str, ok: bool = True, url: str = "") -> PastStep:
    acts = tuple(PastAct(name="any", params="{}", ok=ok, effect="look", result=result, url=url) for result in results)
    return PastStep(number=1, acts=acts)


def schema(**properties: object) -> str:
    return msgspec.json.encode({"type": "object", "properties": properties}).decode()


async def test_it_is_a_model_that_needs_no_tree() -> None:
    model: Model = Instructions(INSTRUCTION)

    assert not model.needs_tree
    assert (Click(target=Query(text="Buy")),) == model.recall(1)
    assert () == model.recall(3)


async def test_each_step_is_the_next_sentence() -> None:
    model = Instructions(INSTRUCTION)

    replies = [await model.next(SEEN, [step("")] * count) for count in range(4)]

    assert [
        Reply(
            actions=(Navigate(url="https://shop.example"),),
            memory="0 of 3 sentences done",
            next_goal="Go to shop.example",
        ),
        Reply(
            actions=(Click(target=Query(text="Buy")),),
            evaluation="Done: Go to shop.example.",
            memory="1 of 3 sentences done",
            next_goal='Click "Buy"',
        ),
        Reply(
            actions=(Extract(what="text", target=Query(text="Total")),),
            evaluation='Done: Click "Buy".',
            memory="2 of 3 sentences done",
            next_goal='extract the text of "Total"',
        ),
        Reply(
            done=Done(success=True, output=""),
            evaluation='Done: extract the text of "Total".',
            memory="3 of 3 sentences done",
        ),
    ] == replies


async def test_a_start_url_is_opened_before_the_first_sentence() -> None:
    model = Instructions('Click "Buy"', start_url="https://shop.example/")

    assert Reply(
        actions=(Navigate(url="https://shop.example/"),),
        memory="0 of 2 sentences done",
        next_goal="Go to https://shop.example/",
    ) == await model.next(SEEN, [])
    assert (Click(target=Query(text="Buy")),) == (await model.next(SEEN, [step("")])).actions


async def test_a_step_that_failed_or_did_nothing_does_not_count() -> None:
    model = Instructions(INSTRUCTION)

    reply = await model.next(SEEN, [step(""), step(), step("", ok=False)])

    assert (Click(target=Query(text="Buy")),) == reply.actions
    assert model.ended([step(""), step(), step("", ok=False)]) is None


@given(st.lists(st.booleans(), max_size=6))
async def test_it_is_a_function_of_the_past(oks: list[bool]) -> None:
    past = [step("x", ok=ok) for ok in oks]
    asked_before = Instructions(INSTRUCTION)
    for count in range(len(past)):
        await asked_before.next(SEEN, past[:count])

    assert await Instructions(INSTRUCTION).next(SEEN, past) == await asked_before.next(SEEN, past)


def test_the_output_is_what_was_extracted_in_order() -> None:
    model = Instructions("Extract the main heading. Go back. Extract the links")

    assert Done(success=True, output='Shop\n[{"text":"a","href":"/"}]') == model.ended(
        [step("Shop"), step("ignored"), step('[{"text":"a","href":"/"}]')]
    )


def test_without_an_extract_the_output_says_where_it_ended() -> None:
    past = [step("", url="https://a.example/"), step("", url="https://a.example/next")]

    assert Done(success=True, output="Done: 2 sentences, ending at https://a.example/next.") == Instructions(
        'go to a.example and click "Next"'
    ).ended(past)
    assert Done(success=True, output="Done: 1 sentence.") == Instructions("go back").ended([step("")])


def test_an_unreadable_sentence_is_refused_before_anything_runs() -> None:
    with pytest.raises(ActFailed, match="Cannot read the sentence “buy milk”") as failed:
        Instructions('Click "a". buy milk')

    assert "unreadable" == failed.value.code


NULLABLE = {"anyOf": [{"type": "number"}, {"type": "null"}]}
ROWS = {"type": "array", "items": {"$ref": "#/$defs/Row"}}
ROW = {"type": "object", "properties": {"Item": {"type": "string"}, "Price": {"type": "number"}}}


@pytest.mark.parametrize(
    ("instruction", "properties", "results", "output"),
    [
        ('extract "a" as x', {"x": {"type": "string"}}, ["12"], {"x": "12"}),
        ('extract "a" as x', {"x": {}}, ["12"], {"x": "12"}),
        ('extract "a" as x', {"x": {"type": "integer"}}, ["1,299 pieces"], {"x": 1299}),
        ('extract "a" as x', {"x": {"type": "number"}}, ["Total: $1,299.50"], {"x": 1299.5}),
        ('extract "a" as x', {"x": {"type": "boolean"}}, ["Yes"], {"x": True}),
        ('extract "a" as x', {"x": {"type": "boolean"}}, ["off"], {"x": False}),
        ('extract "a" as x', {"x": NULLABLE}, [""], {"x": None}),
        ('extract "a" as x', {"x": NULLABLE}, ["4.5"], {"x": 4.5}),
        ('extract "a" as x', {"x": {"type": ["integer", "null"]}}, ["7"], {"x": 7}),
        ('extract "a" as x', {"x": {"enum": [1, 2]}}, ["2"], {"x": 2}),
        ('extract "a" as x', {"x": {"type": ["string", "number"]}}, ["2"], {"x": "2"}),
        ('extract "a" as "x y"', {"x y": {"type": "string"}}, ["b"], {"x y": "b"}),
        ('extract "a"', {"x": {"type": "integer"}}, ["3"], {"x": 3}),
        ("extract the links as x", {"x": {"type": "array"}}, ['[{"text":"t"}]'], {"x": [{"text": "t"}]}),
        ("extract the links as x", {"x": {"type": "string"}}, ['[{"text":"t"}]'], {"x": '[{"text":"t"}]'}),
        (
            "extract the table as x",
            {"x": {"anyOf": [ROWS, {"type": "null"}]}},
            ['[{"Item":"1","Price":"2.50 €","Note":"3"}]'],
            {"x": [{"Item": "1", "Price": 2.5, "Note": "3"}]},
        ),
        ('extract "a" as x. go back. extract "b" as y', {"x": {}, "y": {}}, ["1", "", "2"], {"x": "1", "y": "2"}),
    ],
)
def test_extracts_fill_the_schema(
    instruction: str, properties: dict[str, object], results: list[str], output: dict[str, object]
) -> None:
    text = msgspec.json.encode({"type": "object", "properties": properties, "$defs": {"Row": ROW}}).decode()

    done = Instructions(instruction, text).ended([step(result) for result in results])

    assert done is not None
    assert (True, output) == (done.success, msgspec.json.decode(done.output))


def test_a_value_that_does_not_fit_fails_the_task_and_says_where() -> None:
    properties = {"price": {"type": "number"}, "size": {"enum": ["S", "L"]}}
    model = Instructions('extract "a" as price; extract "b" as size', schema(**properties))

    assert Done(
        success=False,
        output='The output does not fit the schema: at /price: "from 5 to 9" is not of type "number"; '
        'at /size: "M" is not one of "S" or "L".',
    ) == model.ended([step("from 5 to 9"), step("M")])


def test_a_list_that_is_no_json_does_not_fit() -> None:
    model = Instructions("extract the links as x", schema(x={"type": "array"}))

    assert Done(
        success=False, output='The output does not fit the schema: at /x: "(masked)" is not of type "array".'
    ) == model.ended([step("(masked)")])


def test_the_schema_may_stand_behind_a_reference() -> None:
    text = '{"$ref": "#/$defs/Out", "$defs": {"Out": {"type": "object", "properties": {"n": {"type": "integer"}}}}}'

    assert Done(success=True, output='{"n":5}') == Instructions('extract "a" as n', text).ended([step("5")])


def test_a_schema_that_turns_in_a_circle_is_walked_once() -> None:
    text = '{"type": "object", "properties": {"n": {"$ref": "#/properties/n", "type": "integer"}}}'

    assert Done(success=True, output='{"n":5}') == Instructions('extract "a" as n', text).ended([step("5")])


@pytest.mark.parametrize(
    ("instruction", "given_schema", "message"),
    [
        (
            'extract "a"',
            schema(x={}, y={}),
            "Every extract must name the property of the output that it fills, as in extract the text of “Total” as x; "
            "the schema has: x, y.",
        ),
        (
            'extract "a"; extract "b"',
            schema(x={}),
            "Every extract must name the property of the output that it fills, as in extract the text of “Total” as x; "
            "the schema has: x.",
        ),
        ('extract "a" as z', schema(x={}, y={}), "The output schema has no property “z”; the schema has: x, y."),
        (
            'extract "a" as z',
            '{"properties": {"x": {}}, "additionalProperties": false}',
            "The output schema has no property “z”; the schema has: x.",
        ),
        ('extract "a" as x; extract "b" as x', schema(x={}), "Two sentences extract “x”; a property is filled once."),
        (
            "go back",
            '{"type": "object", "properties": {"x": {}}, "required": ["x"]}',
            "No sentence extracts x, which the output schema requires; write extract the text of “Total” as x.",
        ),
    ],
)
def test_extracts_that_cannot_fill_the_schema_are_refused_before_anything_runs(
    instruction: str, given_schema: str, message: str
) -> None:
    with pytest.raises(ActFailed) as failed:
        Instructions(instruction, given_schema)

    assert ("unreadable", message) == (failed.value.code, str(failed.value))


@pytest.mark.parametrize(
    "more", ['"additionalProperties": {"type": "integer"}', '"patternProperties": {"^z": {"type": "string"}}']
)
def test_a_name_that_the_schema_does_not_list_may_be_welcome(more: str) -> None:
    done = Instructions('extract "a" as z', '{"properties": {"x": {}}, ' + more + "}").ended([step("5")])

    assert done is not None
    assert done.success


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "true",
        "[" * 100_000,
        '{"type": "objec"}',
        '{"type": "array"}',
        '{"type": "object", "required": "x"}',
        '{"$ref": "#/nowhere"}',
        '{"$ref": "http://127.0.0.1:9/schema.json"}',
        '{"$ref": "file:///etc/hostname"}',
        '{"properties": {"x": {"pattern": "("}}}',
    ],
    ids=lambda text: text[:40],
)
def test_a_text_that_is_no_schema_of_an_object_is_refused(text: str) -> None:
    with pytest.raises(ActFailed) as failed:
        Instructions('extract "a" as x', text)

    assert "bad_schema" == failed.value.code
    assert str(failed.value).startswith("The output schema ")


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("42", 42),
        ("-7", -7),
        ("\u22127", -7),
        ("4.50", 4.5),
        ("3.00", 3),
        ("$1,299.50", 1299.5),
        ("-$5", -5),
        ("1.299,50 €", 1299.5),
        ("1 299,50", 1299.5),
        ("1\u00a0299", 1299),
        ("1'299", 1299),
        ("1,299", 1299),
        ("12,50", 12.5),
        ("1.299", 1.299),
        ("1.234.567", 1234567),
        ("2e3", 2000),
        ("Stock: 12 pieces.", 12),
        ("85%", 85),
        ("(3)", 3),
        ("", None),
        ("none", None),
        ("1.2M", None),
        ("12 million", None),
        ("5k", None),
        ("10px", None),
        ("v2", None),
        ("4 of 5", None),
        ("10-20", None),
        ("2024-01-05", None),
        ("1,2,3", None),
        ("1.2.3", None),
        ("9" * 400, None),
    ],
)
def test_a_number_is_read_as_written_or_not_at_all(text: str, amount: float | None) -> None:
    assert amount == number(text)


@given(st.text(alphabet="0123456789.,-'eE $€ kM%", max_size=30))
def test_whatever_stands_there_a_number_is_finite_or_none(text: str) -> None:
    amount = number(text)

    assert amount is None or abs(amount) < 1e200


def test_a_secret_that_the_task_was_not_given_is_named_before_anything_runs() -> None:
    with pytest.raises(ActFailed) as caught:
        Instructions('Go to a.test. Type the secret "pin" into "PIN".', secrets=("user", "password"))

    sentence = (
        'Cannot do the sentence “Type the secret "pin" into "PIN"”: '
        'There is no secret "pin". There are: password, user.'
    )
    assert ("unknown_secret", sentence) == (caught.value.code, str(caught.value))


def test_a_secret_is_typed_and_nothing_else() -> None:
    with pytest.raises(
        ActFailed, match='The secret "pin" can only be typed into a field, not used in expect'
    ) as caught:
        Instructions('Expect "<secret>pin</secret>".', secrets=("pin",))

    assert "bad_secret" == caught.value.code
