"""An action is written down as JSON and read back as it was, whatever is in it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import vocabulary as v
from runner.action_json import as_json, from_json

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(2**53), 2**53),
    float: NUMBERS,
    bool: st.booleans(),
    tuple[str, ...]: st.lists(st.text(max_size=20), max_size=3).map(tuple),
}
QUERIES = st.one_of(
    st.builds(lambda index: v.Query(index=index), st.integers(0, 99)),
    st.fixed_dictionaries(
        {}, optional={field.name: PLAIN[field.type] for field in msgspec.structs.fields(v.Query)}
    ).map(lambda fields: v.Query(**fields)),
)
OF_FIELDS = {**PLAIN, v.Query: QUERIES, v.Query | None: st.none() | QUERIES}


def built(kind: type[v.AnyAction]) -> st.SearchStrategy[v.AnyAction]:
    """Any action of that kind: what it must have, and some of what it may have."""
    fields = msgspec.structs.fields(kind)
    must = {field.name: OF_FIELDS[field.type] for field in fields if field.required}
    may = {field.name: OF_FIELDS[field.type] for field in fields if not field.required}
    return st.fixed_dictionaries(must, optional=may).map(lambda values: kind(**values))


ACTIONS: st.SearchStrategy[v.AnyAction] = st.one_of([built(kind) for kind in v.AnyAction.__args__])


@given(ACTIONS)
def test_every_action_is_read_as_it_was_written(action: v.AnyAction) -> None:
    assert action == from_json(as_json(action))


@given(ACTIONS)
def test_it_is_written_under_its_name_alone(action: v.AnyAction) -> None:
    assert [action.name] == list(msgspec.json.decode(as_json(action)))


def test_an_index_alone_stands_for_the_target() -> None:
    click, typed = v.Click(target=v.Query(index=7)), v.Input(text="a", target=v.Query(index=7))
    drag = v.Drag(source=v.Query(index=3), target=v.Query(index=5))

    assert '{"click":{"index":7}}' == as_json(click)
    assert '{"input":{"index":7,"text":"a"}}' == as_json(typed)
    assert '{"drag":{"source":{"index":3},"target":{"index":5}}}' == as_json(drag)


def test_a_target_that_is_more_than_an_index_stands_as_that() -> None:
    query = v.Query(index=7, text="Save")

    assert '{"click":{"target":{"text":"Save","index":7}}}' == as_json(v.Click(target=query))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "7",
        '{"click":{}}',
        '{"click":{"index":"seven"}}',
        '{"fly":{}}',
        '{"drag":{"index":3}}',
        '{"go_back":{},"reload":{}}',
    ],
)
def test_what_is_no_action_is_refused(text: str) -> None:
    with pytest.raises((msgspec.ValidationError, KeyError)):
        from_json(text)


def test_every_action_has_a_name_of_its_own() -> None:
    names = [kind.name for kind in v.AnyAction.__args__]

    assert sorted(set(names)) == sorted(names)
