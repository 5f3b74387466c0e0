"""What is understood of an endpoint's words, whichever dialect of the protocol it speaks."""

import pytest

from runner.llm.heard import MOST_TOKENS, Heard, Tokens


def heard(*chunks: object) -> Heard:
    """All of them, one after the other."""
    whole = Heard()
    for chunk in chunks:
        whole.add(chunk)
    return whole


def said(delta: object, finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def test_a_text_that_comes_in_parts_of_content_is_put_together() -> None:
    parts = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hello"}]

    assert "Hello you" == heard(said({"content": parts}), said({"content": " you"}), said({}, "stop")).text


def test_of_several_calls_of_tools_the_first_is_the_answer_and_words_beside_it_are_not() -> None:
    first = {"index": 0, "function": {"name": "answer", "arguments": '{"a":'}}
    rest = {"index": 0, "function": {"arguments": "1}"}}
    second = {"index": 1, "function": {"name": "answer", "arguments": '{"a":2}'}}

    whole = heard(
        said({"content": "I will click."}), said({"tool_calls": [first, second]}), said({"tool_calls": [rest]})
    )

    assert '{"a":1}' == whole.text


def test_arguments_that_are_an_object_already_are_read_as_json() -> None:
    assert '{"a":1}' == heard(said({"tool_calls": [{"function": {"arguments": {"a": 1}}}]})).text


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2}, Tokens(input=9, output=2)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 30}, Tokens(input=9, output=21)),
        (
            {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}},
            Tokens(input=9, output=2, cached=4),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 40},
            Tokens(input=9, output=2, cached=9),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 2, "cost": 0.5}, Tokens(input=9, output=2, dollars=0.5)),
        ({"prompt_tokens": -1, "completion_tokens": 2, "prompt_tokens_details": None}, Tokens(input=0, output=2)),
        ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None),
        ({"prompt_tokens": 10**30, "completion_tokens": 2}, Tokens(input=MOST_TOKENS, output=2)),
        *(
            ({"prompt_tokens": 9, "completion_tokens": 2, "cost": cost}, Tokens(input=9, output=2))
            for cost in (-5.0, 1e300, float("inf"), float("nan"))
        ),
    ],
)
def test_tokens_are_counted_as_they_are_billed(usage: object, tokens: Tokens | None) -> None:
    assert tokens == heard({"choices": [], "usage": usage}).tokens


def test_the_last_count_holds_and_an_answer_with_a_count_is_whole_without_a_reason() -> None:
    counts = ({"usage": {"prompt_tokens": 9, "completion_tokens": number}} for number in (1, 2, 3))

    whole = heard(said({"content": "Hi"}), *counts, {"choices": None, "usage": None})

    assert (Tokens(input=9, output=3), True) == (whole.tokens, whole.whole)


def test_a_refusal_is_kept_in_bounds() -> None:
    assert 1000 == len(heard(*(said({"refusal": "no " * 200}) for _ in range(9))).refusal)


@pytest.mark.parametrize("nonsense", [[], "hello", {"choices": 5}, {"choices": [{"delta": "x"}]}, {"usage": []}])
def test_what_no_endpoint_says_is_refused(nonsense: object) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Heard().add(nonsense)
