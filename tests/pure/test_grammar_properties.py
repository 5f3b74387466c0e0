"""What holds for every text: quotes are literal, only ActFailed is raised, and repetition does no harm."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runner.keyless.clauses import CLOSERS
from runner.keyless.course import Sentence
from runner.keyless.grammar import FORMS, parse
from runner.vocabulary import ActFailed, Click, Expect, Extract, Input, Query, Select

QUOTES = [('"', '"'), ("“", "”"), ("„", "”"), ("«", "»"), ("`", "`")]
# Joined at random these make sentences that are nearly right.
SCRAPS = st.sampled_from(
    ["click", "type", '"a"', "'b'", "“c”", '"', "'", "\\", "the", "first", "button", "in the row of", "near",
     "and", "then", ",", ".", ";", "\n", "go to", "example.com", "https://", "press", "Ctrl+", "wait", "3", "seconds",
     "extract", "text of", "as", "name", "select", "from", "expect", "no", "tab", "[", "]", ":", "number",
     "0", "please", "\0", "1."]
)  # fmt: skip


def quoted(text: str, quotes: tuple[str, str]) -> str:
    opener, closer = quotes
    closing = rf"(\\*)([{CLOSERS[opener]}]|\Z)"
    inner = re.sub(closing, lambda found: found[1] * 2 + (f"\\{found[2]}" if found[2] else ""), text)
    return f"{opener}{inner}{closer}"


def read_or_refused(text: str) -> str | list[str]:
    """The sentences as written, or the word of the refusal."""
    try:
        return [sentence.text for sentence in parse(text)]
    except ActFailed as failed:
        return failed.code


@given(text=st.text(), quotes=st.sampled_from(QUOTES))
@example(text='\\"', quotes=('"', '"'))
@example(text="\\", quotes=('"', '"'))
def test_any_quoted_text_is_typed_literally(text: str, quotes: tuple[str, str]) -> None:
    sentence = f'type {quoted(text, quotes)} into "Note"'

    assert [Sentence(sentence, Input(text=text, target=Query(text="Note")))] == parse(sentence)


@given(text=st.text().filter(str.strip), quotes=st.sampled_from(QUOTES))
def test_any_quoted_name_is_meant_literally(text: str, quotes: tuple[str, str]) -> None:
    name = quoted(text, quotes)
    target = Query(text=text)

    actions = [
        sentence.action
        for sentence in parse(
            f"click {name}. extract the text of {name} as x; expect {name}\nselect {name} from {name} near {name}"
        )
    ]

    assert [
        Click(target=target),
        Extract(what="text", target=target, field="x"),
        Expect(text=text),
        Select(option=text, target=Query(text=text, near=text)),
    ] == actions


@given(
    st.one_of(
        st.text(),
        st.lists(SCRAPS).map(" ".join),
        st.lists(SCRAPS).map("".join),
        st.tuples(st.sampled_from([sentence for _, sentence in FORMS]), st.text(), st.integers(0, 30)).map(
            lambda made: made[0][: made[2]] + made[1] + made[0][made[2] :]
        ),
    )
)
def test_any_text_is_read_or_refused_as_unreadable(text: str) -> None:
    read = read_or_refused(text)

    assert "unreadable" == read or all(sentence in text for sentence in read)


@given(st.lists(st.sampled_from([sentence for _, sentence in FORMS]), min_size=1))
def test_sentences_mean_the_same_alone_and_together(sentences: list[str]) -> None:
    alone = [read for sentence in sentences for read in parse(sentence)]

    assert alone == parse(". ".join(sentences))
    assert alone == parse(" and ".join(sentences))
    assert alone == parse("\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, start=1)))


@pytest.mark.parametrize(
    "start",
    [
        "",
        "click ",
        "drag ",
        "extract ",
        'type "x" into ',
        "press ",
        "go to ",
        "https://",
        "set ",
        "if ",
        'click "a" if ',
        'click "a" until ',
        "expect ",
        "count ",
        'fill in "a" with "b" and ',
    ],
)
@pytest.mark.parametrize(
    "unit",
    ["a", "a ", " ", "\\", '\\"', '\\"\n', '""', '"" ', "'a ", "' ", "\n", ", ", "and please ", "then ", "a.", "a://;",
     "to ", "click a. ", "if ", "until it ",
     '"a" and ', '"a" with "b" and ', "there is no ", 'in the row of "x" ',
     "the first ", "text field ", "a+", "as a ", "\0", "step 1"],
)  # fmt: skip
def test_a_long_text_is_read_or_refused_however_it_repeats(start: str, unit: str) -> None:
    """Repetition is what makes a pattern backtrack; a pattern that did so would not come back from this in hours."""
    assert read_or_refused(start + unit * (20_000 // len(unit)))
