"""What of a task's tape is played again: what was done and ended well, once, with other texts where they are given."""

from collections.abc import Sequence

import msgspec
import pytest

from eventstore import events as e
from eventstore.inputs import hidden, key_of, secrets, typed, with_inputs
from eventstore.replay import Played, Told, told
from eventstore.store import Recorded

CREATED = e.TaskCreated(instruction="Buy.", llm="m", session="s", project="p", family="v1", request_digest="")
BUY = '{"click":{"target":{"text":"Buy"}}}'
ADA = '{"input":{"text":"Ada","target":{"text":"Name"}}}'
ROW = e.Target(selector='internal:role=row >> internal:has-text="Ada"i >> nth=1', role="button", name="Delete Ada")


def act(params: str = BUY, *, step: int = 1, index: int = 0, ok: bool | None = True, **fields: object) -> list[e.Event]:
    """An act that succeeded, failed, or (None) never ended."""
    name = next(iter(msgspec.json.decode(params)))
    effect = "lasting" if name == "click" else "local"
    known = {"fence": 2, "step": step, "index": index, "name": name, "params": params, "effect": effect}
    began = msgspec.convert({**known, **fields}, e.ActionStarted)
    ended = e.ActionEnded(fence=2, step=step, index=index, ok=bool(ok), result="done", url="http://shop.test/")
    return [began] if ok is None else [began, ended]


def step(number: int, *acts: list[e.Event], goal: str = "") -> list[e.Event]:
    facts = [fact for each in acts for fact in each]
    return [e.StepStarted(fence=2, number=number), *facts, e.StepTaken(fence=2, number=number, next_goal=goal)]


def cut(number: int, *acts: list[e.Event]) -> list[e.Event]:
    return [*step(number, *acts)[:-1], e.StepInterrupted(fence=2, number=number, cause="pause")]


def read(*facts: Sequence[e.Event], until: int = 0) -> Told:
    return told(tape([CREATED, *(fact for each in facts for fact in each)]), until=until)


def tape(events: Sequence[e.Event]) -> list[Recorded]:
    envelope = {"stream": "task-1", "type": "", "at": 1, "actor": "", "command_id": ""}
    sealed = {"payload": b"", "salt": b"", "commitment": b"", "hash": b""}
    return [
        Recorded(position=number, version=number, event=event, **envelope, **sealed)  # type: ignore[arg-type] # by name
        for number, event in enumerate(events, 1)
    ]


def done(then: Told) -> list[tuple[int, str]]:
    return [(each.step, each.params) for each in then.acts]


def test_an_act_is_told_with_all_that_is_needed_to_do_it_again() -> None:
    then = read(step(1, act(target=ROW), goal="Delete it."))

    expected = Played(
        step=1,
        version=3,
        name="click",
        params=BUY,
        lasting=True,
        target=ROW,
        url="http://shop.test/",
        result="done",
        goal="Delete it.",
    )
    assert Told(created=CREATED, acts=(expected,), steps=(1,), gone="") == then


def test_what_failed_or_never_ended_is_left_out() -> None:
    then = read(step(1, act(ADA), act(index=1, ok=False)), cut(2, act(step=2, ok=None)))

    assert [(1, ADA)] == done(then)


def test_what_an_interrupted_step_did_counts() -> None:
    then = read(cut(1, act(ADA)), step(2, act(step=2)), cut(3, act(step=3)))

    assert [(1, ADA), (2, BUY), (3, BUY)] == done(then)


def test_what_is_done_again_after_an_interruption_counts_once() -> None:
    then = read(cut(1, act(ADA)), step(2, act(ADA, step=2), act(step=2, index=1)))

    assert [(2, ADA), (2, BUY)] == done(then)


def test_what_a_click_did_twice_is_done_twice() -> None:
    then = read(cut(1, act()), step(2, act(step=2)))

    assert [(1, BUY), (2, BUY)] == done(then)


def test_what_a_person_did_has_its_place_and_a_look_has_none() -> None:
    touched = [e.HumanActed(fence=2, name=name, params="{}") for name in ("click", "wheel")]

    then = read(step(1, act()), touched, step(2, act(ADA, step=2)))

    assert [(1, False), (2, True), (2, False)] == [(each.step, each.by_hand) for each in then.acts]


@pytest.mark.parametrize("until", [1, 2])
def test_it_is_read_up_to_a_step_and_that_one_is_played(until: int) -> None:
    then = read(step(1, act(ADA)), step(2, act(step=2)), step(3, act(step=3)), until=until)

    assert [(1, ADA), (2, BUY)][:until] == done(then)
    assert tuple(range(1, until + 1)) == then.steps


def test_what_a_person_did_behind_the_last_step_is_not_in_the_way() -> None:
    touched = [e.HumanActed(fence=2, name="click", params="{}")]

    assert [(1, BUY)] == done(read(step(1, act()), touched, until=1))


@pytest.mark.parametrize(
    ("end", "told_as"),
    [
        (e.TaskFinished(fence=2, success=True, output="5"), ("finished", True, "5", "")),
        (e.TaskFailed(fence=2, code="timeout", message="Too long."), ("failed", False, "", "timeout: Too long.")),
        (e.TaskStopped(fence=2, step=1), ("stopped", False, "", "it was stopped")),
    ],
    ids=["finished", "failed", "stopped"],
)
def test_how_it_ended_is_told(end: e.Event, told_as: tuple[str, bool, str, str]) -> None:
    then = read(step(1, act()), [end])

    assert told_as == (then.end, then.success, then.output, then.message)


@pytest.mark.parametrize(
    ("last", "why"),
    [(e.TaskRedacted(project="p", request_digest="", events=1), "redacted"), (e.TaskDeleted(), "deleted")],
)
def test_what_is_gone_is_told_as_such(last: e.Event, why: str) -> None:
    assert (why, "absent") == (read([last]).gone, told([]).gone)


PLAYED = Played(step=3, version=1, name="input", params=ADA)
MASKED = msgspec.structs.replace(PLAYED, params='{"input":{"text":"********"}}')


def test_texts_that_were_typed_can_be_given_anew() -> None:
    navigate = msgspec.structs.replace(PLAYED, name="navigate", params='{"navigate":{"url":"http://shop.test/"}}')
    broken = msgspec.structs.replace(PLAYED, params="nonsense")

    assert ["Ada", "http://shop.test/", "", ""] == [
        typed(each) for each in (PLAYED, navigate, broken, msgspec.structs.replace(PLAYED, name="click", params=BUY))
    ]
    assert ["Ada", "", ""] == [key_of(PLAYED, inputs) for inputs in ({"Ada": "Bob"}, {"Ad": ""}, {"step 3": ""})]


def test_a_hidden_text_is_named_by_its_mask_or_its_step() -> None:
    assert (True, False) == (hidden(MASKED), hidden(PLAYED))
    assert ["********", "step 3", ""] == [key_of(MASKED, {key: "x"}) for key in ("********", "step 3", "step 4")]
    assert ["pass", "pin"] == secrets("<secret>pass</secret> and <secret>pin</secret><secret>pass</secret>")


def test_another_text_is_typed_and_found_where_the_page_then_says_it() -> None:
    before = Played(step=1, version=1, name="click", params=BUY, target=ROW)
    after = msgspec.structs.replace(before, step=4, goal="Delete the row of Ada.")
    expect = Played(step=5, version=1, name="expect", params='{"expect":{"text":"Hello Ada, not Adam"}}')

    changed = with_inputs((before, PLAYED, after, expect), {"Ada": 'Bo"b'})

    aimed = e.Target(
        selector='internal:role=row >> internal:has-text="Bo\\"b"i >> nth=1', role="button", name='Delete Bo"b'
    )
    assert before == changed[0]
    assert 'Bo"b' == typed(changed[1])
    assert (aimed, 'Delete the row of Bo"b.') == (changed[2].target, changed[2].goal)
    assert '{"expect":{"text":"Hello Bo\\"b, not Adam"}}' == changed[3].params


def test_the_address_that_an_act_leads_to_has_the_new_text_as_addresses_write_it() -> None:
    search = msgspec.structs.replace(PLAYED, params='{"input":{"text":"green tea"}}')
    click = Played(step=4, version=1, name="click", params=BUY, url="http://shop.test/green%20tea?q=green%20tea&page=1")

    changed = with_inputs((search, click), {"green tea": "a/b c"})

    assert "http://shop.test/a/b%20c?q=a/b%20c&page=1" == changed[1].url


def test_numbers_that_count_are_no_texts() -> None:
    number = msgspec.structs.replace(PLAYED, params='{"input":{"text":"1"}}')
    click = Played(step=4, version=1, name="click", params=BUY, target=ROW)

    assert click == with_inputs((number, click), {"1": "2"})[1]
