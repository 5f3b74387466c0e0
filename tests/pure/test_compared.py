"""Two runs side by side: steps that belong together are found, and what differs in them is named."""

import pytest

from eventstore import events as e
from projections.compared import Compared, Difference, compared
from projections.runs import Act, Run, Step, run_of
from tests.pure.test_replay import BUY, act, cut, step, tape

BUTTON = e.Target(selector="s", role="button", name="Buy")
AIMED = '{"click":{"target":{"kind":"button","selector":"s","text":"Buy"}}}'


def done(action: str = BUY, **fields: object) -> Act:
    known: dict[str, object] = {"target": 'button "Buy"', "ok": True, "url": "http://shop.test/", **fields}
    return Act(action=action, **known)  # type: ignore[arg-type] # a test names the fields that it is about


def run(*acts: Act, **fields: object) -> Run:
    """One act a step."""
    steps = tuple(Step(number=number, acts=(each,)) for number, each in enumerate(acts, 1))
    return Run(steps=steps, **{"end": "finished", "success": True, **fields})  # type: ignore[arg-type] # as above


def named(action: str) -> Act:
    return done(f'{{"{action}":{{}}}}')


def numbers(found: Compared) -> list[tuple[int | None, int | None]]:
    return [(pair.a.number if pair.a else None, pair.b.number if pair.b else None) for pair in found.pairs]


def differences(found: Compared) -> list[Difference]:
    return [each for pair in found.pairs for each in pair.differences]


def test_a_run_is_read_from_its_events() -> None:
    events = [
        *step(1, act(target=BUTTON), act(index=1, ok=False)),
        *cut(2, act(step=2, ok=None)),
        *step(3, act('{"done":{"success":true}}', step=3)),
        e.TaskFinished(fence=2, success=True, output="5"),
    ]

    tried = Act(action=BUY, result="done", error="failed", url="http://shop.test/")
    doubt = Act(action=BUY, error="nobody can say whether it took effect")
    steps = (
        Step(number=1, acts=(done(result="done"), tried)),
        Step(number=2, acts=(doubt,), interrupted="pause"),
        Step(number=3),
    )
    assert Run(steps=steps, end="finished", success=True, output="5") == run_of(tape(events))


def test_a_rerun_aims_in_other_words_at_the_same_and_does_not_differ() -> None:
    found = compared(run(done(BUY)), run(done(AIMED)))

    assert ([(1, 1)], [], False) == (numbers(found), differences(found), found.differ)


@pytest.mark.parametrize(
    ("other", "difference"),
    [
        (done(target='link "Buy"'), Difference(what="target", act=0, a='button "Buy"', b='link "Buy"')),
        (done('{"hover":{}}'), Difference(what="act", act=0, a=BUY, b='{"hover":{}}')),
        (done(url="http://shop.test/x"), Difference(what="url", act=0, a="http://shop.test/", b="http://shop.test/x")),
        (
            done(url="http://shop.test/?n=1"),
            Difference(what="url", act=0, a="http://shop.test/", b="http://shop.test/?n=1", matters=False),
        ),
    ],
    ids=["target", "act", "url", "query"],
)
def test_what_differs_is_named_where_it_is(other: Act, difference: Difference) -> None:
    found = compared(run(done()), run(other))

    assert [difference] == differences(found)
    assert difference.matters == found.differ


def test_what_was_read_is_compared_and_what_was_clicked_is_not() -> None:
    read = '{"extract":{"what":"text"}}'

    found = compared(run(done(read, result="12"), done(result="a")), run(done(read, result="13"), done(result="b")))

    assert [Difference(what="result", act=0, a="12", b="13")] == differences(found)


def test_a_step_that_one_run_has_alone_moves_no_other() -> None:
    a, b, c, d = map(named, "abcd")

    assert [(1, 1), (2, None), (3, 2)] == numbers(compared(run(a, b, c), run(a, c)))
    assert [(1, 1), (None, 2), (2, 3)] == numbers(compared(run(a, c), run(a, b, c)))
    assert [(1, 1), (2, 2), (3, 3)] == numbers(compared(run(a, b, c), run(a, d, c)))


def test_what_failed_and_was_tried_otherwise_counts_for_nothing() -> None:
    tried = done(ok=False, error="covered")

    found = compared(run(named("a"), tried, named("b")), run(named("a"), named("b")))

    assert [(1, 1), (2, None), (3, 2)] == numbers(found)
    assert not found.differ


def test_the_act_at_which_a_run_failed_stands_beside_what_it_should_have_been() -> None:
    failed = done(AIMED, ok=False, target="", error="There is none.")

    found = compared(run(named("a"), done()), run(named("a"), failed, end="failed", success=None, output="differs"))

    assert [(1, 1), (2, 2)] == numbers(found)
    assert [Difference(what="outcome", act=0, a="ok", b="There is none.")] == differences(found)
    assert (Difference(what="end", a="finished", b="failed"),) == found.end


def test_another_output_is_another_end() -> None:
    found = compared(run(output="12"), run(output="13"))

    assert ((Difference(what="result", a="12", b="13"),), True) == (found.end, found.differ)


def test_what_a_rerun_was_given_to_type_is_shown_and_is_as_it_should_be() -> None:
    ada, bob, eve = (
        done(f'{{"input":{{"text":"{name}"}}}}', target=f'textbox "For {name}"') for name in ("Ada", "Bob", "Eve")
    )

    given = compared(run(ada), run(bob, inputs={"Ada": "Bob"}))
    other = compared(run(ada), run(eve, inputs={"Ada": "Bob"}))

    assert (["act", "target"], False) == ([each.what for each in differences(given)], given.differ)
    assert other.differ


def test_what_the_page_then_says_of_it_is_as_it_should_be_too() -> None:
    ada, bob, eve = (done('{"extract":{}}', result=f"Hello {name}!") for name in ("Ada", "Bob", "Eve"))

    given = compared(run(ada, output="Hello Ada!"), run(bob, output="Hello Bob!", inputs={"Ada": "Bob"}))
    other = compared(run(ada), run(eve, inputs={"Ada": "Bob"}))

    assert ["result"] == [each.what for each in differences(given)]
    assert ((Difference(what="result", a="Hello Ada!", b="Hello Bob!", matters=False),), False) == (
        given.end,
        given.differ,
    )
    assert other.differ


def test_texts_are_cut_and_stay_json() -> None:
    long = '{"input":{"text":"' + "x" * 5_000 + '","target":{"text":"Name"}}}'
    aimed = long.replace('"text":"Name"', '"selector":"s"')

    one, other = (run_of(tape(step(1, act(each)))) for each in (long, aimed))

    assert len(one.steps[0].acts[0].action) < 2_100
    assert not compared(one, other).differ
