"""The text of an observation: lines, numbers, marks, and what is cut where there is too much."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstore.secrets import Secret
from runner.browser.outline import Line, Marks, Row, capped, cut, distance, line, over, sign
from runner.masking import Mask

NO_MASK = Mask()


def button(key: int, name: str = "Save", *, quiet: bool = False) -> Row:
    return Row(depth=0, key=key, role="button", name=name, acts=True, quiet=quiet)


@pytest.mark.parametrize(
    ("row", "number", "new", "expected"),
    [
        (button(1), 7, False, '- [7] button "Save"'),
        (button(1), 7, True, '- *[7] button "Save"'),
        (Row(depth=0, key=0, role="text", value="Wrong"), 0, True, "- *text: Wrong"),
        (
            Row(depth=0, key=1, role="textbox", name='A "b"', notes=" [active]"),
            2,
            False,
            r'- [2] textbox "A \"b\"" [active]',
        ),
        (Row(depth=0, key=1, role="row", value="a | b\nc"), 0, False, "- row: a | b c"),
    ],
)
def test_a_row_is_one_line(row: Row, number: int, new: bool, expected: str) -> None:
    assert expected == line(row, NO_MASK, number=number, new=new)


def test_a_line_is_bounded_whatever_a_page_says() -> None:
    endless = Row(depth=0, key=1, role="button", name="n" * 1_000_000, notes="o" * 1_000_000, value="v" * 1_000_000)

    assert 2_001 == len(line(endless, NO_MASK))


@given(st.integers(0, 40), st.integers(1, 60))
def test_no_part_of_a_secret_survives_a_cut(before: int, most: int) -> None:
    mask = Mask({"pin": Secret("correct horse battery")})

    shown = cut("x" * before + "correct horse battery" + " and more" * 20, most, mask)

    assert "corr" not in shown.replace("<secret>pin</secret>", "")


def test_numbers_stay_with_their_elements_and_documents() -> None:
    marks = Marks()

    numbers = [marks.number(1, 5), marks.number(1, 9), marks.number(2, 5), marks.number(1, 5)]

    assert [1, 2, 3, 1] == numbers


def test_only_what_was_not_there_at_the_last_look_is_new() -> None:
    marks, there, text = Marks(), button(1), Row(depth=0, key=0, role="text", value="Hello")
    left, fewer = (Row(depth=0, key=7, role="status", value=f"{count} left") for count in (3, 2))
    first = marks.new(1, there)
    marks.looked({sign(1, each) for each in (there, text, left)}, {(1, 1)})

    same = [marks.new(1, row) for row in (there, text, left, button(3, quiet=True))]
    new = [marks.new(1, row) for row in (button(2), fewer, Row(depth=0, key=0, role="text", value="Bye"))]

    assert (False, [False] * 4, [True] * 3) == (first, same, new)


def test_numbers_of_what_is_gone_are_forgotten_only_where_there_are_very_many() -> None:
    marks = Marks(most=3)
    for key in range(1, 5):
        marks.number(1, key)
    marks.looked(set(), {(1, 4)})

    assert (4, 5) == (marks.number(1, 4), marks.number(1, 1))


def test_how_far_away_is_above_or_below_the_viewport() -> None:
    boxes = [(0, -30, 9, 10), (0, -5, 9, 10), (0, 799, 9, 10), (0, 950, 9, 10)]

    assert [20.0, 0.0, 0.0, 150.0] == [distance(box, 800) for box in boxes]


def test_what_is_near_the_viewport_is_kept_with_the_lines_it_is_under() -> None:
    lines = [Line(depth=0, text="- main"), Line(depth=1, text="- list")]
    lines += [Line(depth=2, text=f"- listitem: {n}", away=abs(n - 50) * 10.0) for n in range(100)]
    lines += [Line(depth=0, text='- dialog "Sure?"')]

    text = capped(lines, most=560)

    assert [
        "- main",
        "  - list",
        "(47 lines above not shown)",
        *(f"    - listitem: {n}" for n in range(47, 53)),
        "(47 lines below not shown)",
        '- dialog "Sure?"',
    ] == text.splitlines()


def test_what_fits_is_not_cut() -> None:
    assert "- main\n  - text: a" == capped([Line(depth=0, text="- main"), Line(depth=1, text="- text: a", away=9.0)])


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 60), st.integers(0, 5)), max_size=80),
    st.integers(600, 2_000),
)
def test_whatever_is_cut_whole_lines_are_left_within_the_bound(drawn: list[tuple[int, int, int]], most: int) -> None:
    lines = [Line(depth=depth, text=f"- {n} {'x' * long}", away=away) for n, (depth, long, away) in enumerate(drawn)]
    parents = over(lines)

    text = capped(lines, most=most)

    assert len(text) <= most
    kept = [int(each.split()[1]) for each in text.splitlines() if each.lstrip().startswith("-")]
    assert kept == sorted(kept)
    assert {parents[index] for index in kept} - {-1} <= set(kept)
    assert {lines[index].text for index in kept} <= {each.strip() for each in text.splitlines()}
