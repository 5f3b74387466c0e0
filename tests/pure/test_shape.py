"""Shapes of answers: nothing unbounded, everything said, and JSON is found wherever a model puts it."""

from enum import StrEnum
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from runner.llm.shape import Shape, all_said, bounded, unbounded
from runner.llm.structured import read


class Colour(StrEnum):
    RED = "red"


class Inner(msgspec.Struct):
    number: Annotated[int, Meta(ge=0, le=9)]


class Outer(msgspec.Struct):
    text: Annotated[str, Meta(max_length=10)]
    colour: Colour = Colour.RED
    share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    sure: bool = False
    inner: Inner | None = None
    many: Annotated[list[Inner], Meta(max_length=3)] = []


SHAPE = bounded(Outer, "outer")
RIGHT = Outer(text="{ok}", inner=Inner(number=1))
JSON = '{"text":"{ok}","inner":{"number":1}}'


def test_the_schema_of_a_struct_has_bounds_everywhere_and_lets_nothing_be_left_out() -> None:
    expected = {
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 10},
            "colour": {"enum": ["red"]},
            "share": {"type": "number", "minimum": 0, "maximum": 1},
            "sure": {"type": "boolean"},
            "inner": {"anyOf": [INNER, {"type": "null"}]},
            "many": {"type": "array", "items": INNER, "maxItems": 3},
        },
        "required": ["text", "colour", "share", "sure", "inner", "many"],
        "additionalProperties": False,
    }

    assert expected == SHAPE.schema
    assert [] == list(unbounded(SHAPE.schema))
    assert all_said(SHAPE.schema)


INNER = {
    "type": "object",
    "properties": {"number": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["number"],
    "additionalProperties": False,
}


class LongText(msgspec.Struct):
    text: str


class LargeNumber(msgspec.Struct):
    number: Annotated[int, Meta(ge=0)]


class LongList(msgspec.Struct):
    many: list[bool]


class LongTextInside(msgspec.Struct):
    many: Annotated[list[str], Meta(max_length=3)]


class Anything(msgspec.Struct):
    value: Any


class Mapping(msgspec.Struct):
    by_name: dict[str, bool]


class Endless(msgspec.Struct):
    next: "Endless | None" = None


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (LongText, "$.text"),
        (LargeNumber, "$.number"),
        (LongList, "$.many"),
        (LongTextInside, "$.many[]"),
        (Anything, "$.value"),
        (Mapping, "$.by_name"),
    ],
)
def test_a_struct_with_something_unbounded_is_no_shape_and_the_place_is_named(kind: type[Any], place: str) -> None:
    with pytest.raises(TypeError) as refused:
        bounded(kind, "it")

    assert f"it has no bounds at {place}" == str(refused.value)


def test_a_struct_that_holds_itself_is_no_shape() -> None:
    with pytest.raises(TypeError, match="hold itself"):
        bounded(Endless, "it")


def test_a_schema_in_which_something_may_be_left_out_is_not_one_to_be_strict_with() -> None:
    assert not all_said({"type": "object", "properties": {"a": INNER}, "required": [], "additionalProperties": False})
    assert not all_said({"type": "array", "items": {"type": "object", "properties": {}}})
    assert not all_said({"anyOf": [INNER, {"type": "object"}]})


@pytest.mark.parametrize(
    "text",
    [
        JSON,
        f"  {JSON}\n",
        f"```json\n{JSON}\n```",
        f"Here you are:\n```\n{JSON}\n```\nAnything else?",
        f"Sure! {JSON} Good luck.",
        f'<think>I could say {{"text": "no"}}, but</think>\n{JSON}',
        f"thoughts whose beginning is not sent</think>{JSON}",
        f'As {{you}} asked, not {{"a": 1}} but {JSON}',
        f"I mean {JSON}, again: {JSON}",
    ],
)
def test_an_answer_is_found_wherever_its_json_stands(text: str) -> None:
    assert RIGHT == read(text, SHAPE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "There is no JSON object in the answer that is whole."),
        ("I would click it.", "There is no JSON object in the answer that is whole."),
        (JSON[:-1], "Object missing required field `text`"),
        ('{"text": "ab', "There is no JSON object in the answer that is whole."),
        ('["text"]', "There is no JSON object in the answer that is whole."),
        ('{"text": "\\ud83d"}', "There is no JSON object in the answer that is whole."),
        ('{"text": "a", "share": NaN}', "There is no JSON object in the answer that is whole."),
        ('{"a":' * 100_000, "There is no JSON object in the answer that is whole."),
        ('{"text": 5}', "Expected `str`, got `int` - at `$.text`"),
        ('{"text": "12345678901"}', "Expected `str` of length <= 10 - at `$.text`"),
        ('{"text": "a", "many": [{"number": 10}]}', "Expected `int` <= 9 - at `$.many[0].number`"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_place_and_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 (the whole sentence is compared below)
        read(text, SHAPE)

    assert reason == str(refused.value)


def test_what_a_page_says_is_not_taken_for_the_answer_where_a_model_quotes_it_beside_its_own() -> None:
    quoted = 'The page says {"text": "evil"}, but I say {"text": "good"}.'

    with pytest.raises(ValueError, match="more than one JSON object"):
        read(quoted, SHAPE)


def test_what_a_shape_itself_finds_wrong_is_the_reason() -> None:
    def odd(value: object) -> int:
        raise ValueError("at $.n: must be odd")

    with pytest.raises(ValueError, match=r"^at \$\.n: must be odd$"):
        read('{"n": 2}', Shape(name="odd", schema=INNER, decode=odd))
