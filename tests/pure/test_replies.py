"""What a model may answer, and what is read from it."""

from typing import Any

import msgspec
import pytest

from runner.llm import offers
from runner.llm.replies import Ending, Form, Malformed, Turn
from runner.vocabulary import Action, AnyAction, Click, Drag, Extract, Finish, Input, Query

SAID = {"evaluation_previous_goal": "It worked.", "memory": "tea: 3 EUR", "next_goal": "Buy it"}
CLICK = {"click": {"index": 12}}
DONE = {"done": {"text": "3 EUR", "success": True}}

UNOFFERED = {
    "clear", "check", "set_value", "expand", "wait_for", "go_forward", "reload", "expect", "look_for", "verify",
}  # fmt: skip
"""What a model can do by other acts; `done` is offered beside them all."""


def objects(schema: Any) -> list[dict[str, Any]]:
    """The schema and all that is in it."""
    if isinstance(schema, list):
        return [found for inner in schema for found in objects(inner)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(found for inner in schema.values() for found in objects(inner))]


def test_acts_are_read_in_the_form_that_clients_know() -> None:
    reply = {**SAID, "action": [{"input": {"index": 3, "text": "Ada"}}, CLICK]}

    turn = Form().read(reply)

    acts = (Input(text="Ada", target=Query(index=3)), Click(target=Query(index=12)))
    assert Turn(acts=acts, evaluation="It worked.", memory="tea: 3 EUR", next_goal="Buy it") == turn


def test_a_drag_names_its_two_ends_by_index() -> None:
    turn = Form().read({**SAID, "action": [{"drag": {"from_index": 1, "to_index": 2}}]})

    assert (Drag(source=Query(index=1), target=Query(index=2)),) == turn.acts


def test_what_may_be_left_out_may_be_null() -> None:
    turn = Form().read({**SAID, "action": [{"click": {"index": 12, "button": None, "count": None}}]})

    assert (Click(target=Query(index=12)),) == turn.acts


def test_the_end_is_read_with_text_or_with_data_whose_nulls_are_kept() -> None:
    text = Form().read({**SAID, "action": [DONE]})
    data = Form(data=True).read({**SAID, "action": [{"done": {"data": {"price": None}, "success": False}}]})

    assert [Ending(success=True, text="3 EUR"), Ending(success=False, data={"price": None})] == [
        text.ending,
        data.ending,
    ]


def test_an_end_beside_other_acts_is_left_out_as_nobody_has_seen_what_they_bring() -> None:
    turn = Form().read({**SAID, "action": [CLICK, DONE]})

    assert ((Click(target=Query(index=12)),), None) == (turn.acts, turn.ending)


def test_flash_says_neither_evaluation_nor_goal_and_thoughts_come_first() -> None:
    assert ["memory", "action"] == Form(flash=True).schema()["required"]
    assert ["thinking", *SAID, "action"] == Form(thinking=True).schema()["required"]
    assert ["memory", "action"] == Form(flash=True, thinking=True).schema()["required"]


def test_in_the_last_step_there_is_nothing_but_the_end() -> None:
    form = Form(last=True, flash=True)

    with pytest.raises(Malformed, match="there is no action 'click'; there are: done"):
        form.read({"memory": "", "action": [CLICK]})
    assert Ending(success=True, text="3 EUR") == form.read({"memory": "", "action": [DONE]}).ending


@pytest.mark.parametrize(("action", "said"), [
    ([], "at /action: there must be 1 to 5 actions, and there are 0."),
    ([CLICK] * 6, "at /action: there must be 1 to 5 actions, and there are 6."),
    ([{"clack": {}}], "at /action/0: there is no action 'clack'"),
    ([CLICK, {"click": {}}], 'at /action/1/click: "index" is a required property'),
    ([{"click": {"index": 0}}], "at /action/0/click/index: 0 is less than"),
    ([{"click": {"index": 1, "button": "middle"}}], "at /action/0/click/button: "),
    ([{"click": {"index": 1}, "hover": {"index": 1}}], "each is an object with one key"),
    ([{"done": {"output": {}}}], "at /action/0/done: Additional properties are not allowed ('output' was unexpected); "
     "there are: success, text."),
    (["click"], "each is an object with one key"),
    ([{"wait": {"seconds": 3000}}], "at /action/0/wait/seconds: "),
    ([{"input": {"index": 1, "text": "x" * 10_001}}], "at /action/0/input/text: "),
    ([{"go_back": "now", "x": 1}], "each is an object with one key"),
])  # fmt: skip
def test_what_has_not_the_shape_is_refused_with_place_and_reason(action: object, said: str) -> None:
    with pytest.raises(Malformed) as refused:
        Form().read({**SAID, "action": action})

    assert said in str(refused.value)
    assert len(str(refused.value)) < 600


def test_a_reply_without_actions_is_refused() -> None:
    values: list[object] = ["click", None, [], {"memory": "x"}, {"action": "click"}]
    for value in values:
        with pytest.raises(Malformed):
            Form().read(value)


def test_every_action_of_the_vocabulary_is_offered_or_left_out_by_name() -> None:
    names = {kind.name for kind in AnyAction.__args__}

    assert names == {*offers.OFFERED, *UNOFFERED, Finish.name}


def test_every_parameter_of_an_offered_action_can_be_said() -> None:
    for kind in offers.HINTS:
        schemas, needed = offers.parameters(kind)
        fields = {field for field in kind.__struct_fields__ if (kind, field) not in offers.UNOFFERED}

        assert len(fields) == len(schemas), kind
        assert set(needed) <= set(schemas)


def test_what_is_left_out_or_bounded_by_name_is_there() -> None:
    tables: list[set[tuple[type[Action], str]]] = [
        {*offers.UNOFFERED}, {*offers.WORDS}, {*offers.NUMBERS}, {*offers.LENGTHS}, {*offers.NEEDED},
    ]  # fmt: skip

    for kind, field in set().union(*tables):
        assert field in kind.__struct_fields__, (kind, field)


@pytest.mark.parametrize("form", [Form(), Form(flash=True), Form(thinking=True, data=True), Form(last=True)])
def test_every_text_number_and_list_of_a_reply_is_bounded(form: Form) -> None:
    for schema in objects(form.schema()):
        if schema.get("type") == "string":
            assert "maxLength" in schema or "enum" in schema
        if schema.get("type") in ("integer", "number"):
            assert {"minimum", "maximum"} <= schema.keys()
        if schema.get("type") == "array":
            assert "maxItems" in schema


def test_the_shape_is_small_as_it_goes_with_every_call() -> None:
    assert len(msgspec.json.encode(Form(thinking=True).schema())) < 8_000


def test_an_act_names_the_elements_that_it_is_about() -> None:
    assert [1, 2] == offers.indexes(Drag(source=Query(index=1), target=Query(index=2)))
    assert [] == offers.indexes(Extract(query="the price"))


def test_words_that_are_missing_or_too_long_are_not_worth_another_call() -> None:
    turn = Form().read({"memory": "m" * 5_000, "next_goal": 7, "mood": "good", "action": [CLICK]})

    assert ("", "m" * 2_000, "") == (turn.evaluation, turn.memory, turn.next_goal)
