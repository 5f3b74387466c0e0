"""A masked text holds no secret in any spelling, and nothing else of it has changed."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from eventstore import events as e
from eventstore.secrets import Secret
from runner.masking import Mask
from runner.placeholders import names, placeholder

VALUE = 'h&n ter<2>é/"x'
MASKED = "<secret>password</secret>"
SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "upper": str.upper,
    "percent": lambda text: quote(text, safe=""),
    "percent in small letters": lambda text: quote(text, safe="").lower(),
    "percent where needed": quote,
    "percent of percent": lambda text: quote(quote(text, safe=""), safe=""),
    "form": quote_plus,
    "html": html.escape,
    "html numbers": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "html hex numbers": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "json": lambda text: json.dumps(text)[1:-1],
    "json in json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "json as it is": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "hex": lambda text: text.encode().hex(),
}


def mask(value: str = VALUE) -> Mask:
    return Mask({"password": Secret(value)})


def encoded(value: str, before: bytes, after: bytes) -> list[str]:
    """The value between other bytes in base64, of both alphabets."""
    data = before + value.encode() + after
    return [base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode().rstrip("=")]


def core(value: str, offset: int) -> str:
    """The base64 digits that are the value's alone when it begins so many bytes after a boundary."""
    text = base64.b64encode(bytes(offset) + value.encode()).decode().rstrip("=")
    return text[(0, 2, 3)[offset] : None if (offset + len(value.encode())) % 3 == 0 else -1]


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_is_masked(spell: Callable[[str], str]) -> None:
    assert f"before {MASKED} after" == mask().text(f"before {spell(VALUE)} after")


@pytest.mark.parametrize("offset", [0, 1, 2])
@pytest.mark.parametrize("after", [b"", b"!", b"!!"])
def test_base64_is_masked_wherever_the_value_begins(offset: int, after: bytes) -> None:
    for text in encoded(VALUE, b"??"[:offset], after):
        masked = mask().text(text)

        assert MASKED in masked
        assert len(masked) - len(MASKED) <= 10


@pytest.mark.parametrize("text", ['field "h&n ter<', "was h&n ter<2>é", 'a link "h&n ter<2>", and more', "h&n ter<2…"])
def test_what_is_left_of_a_value_where_a_text_was_cut_is_masked(text: str) -> None:
    assert MASKED in mask().text(text)
    assert "ter<" not in mask().text(text)


def test_a_short_value_counts_only_where_it_stands_alone() -> None:
    assert "PIN <secret>password</secret>, not 1234 or a12" == mask("12").text("PIN 12, not 1234 or a12")


def test_of_values_that_overlap_nothing_is_left() -> None:
    both = Mask({"a": Secret("abcdef"), "b": Secret("xxabc")})

    assert "<secret>b</secret>-<secret>a</secret>" == both.text("xxabcdef-abcdef")


def test_the_longest_of_values_within_each_other_is_named() -> None:
    both = Mask({"user": Secret("hunter"), "password": Secret("hunter22")})

    assert "<secret>password</secret> <secret>user</secret>." == both.text("hunter22 hunter.")


def test_a_value_of_several_lines_is_masked_line_by_line() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASCB\n-----END KEY-----"

    assert f"{MASKED} / {MASKED}" == mask(key).text("MIIEvQIBADANBgkqh / kiG9w0BAQEFAASCB")


@pytest.mark.parametrize("spell", [str, quote, lambda text: json.dumps(text)[1:-1]])
def test_a_long_value_is_masked(spell: Callable[[str], str]) -> None:
    value = "The quick brown fox & co. " * 100

    assert f"<{MASKED}>" == mask(value).text(f"<{spell(value)}>")


def test_without_secrets_nothing_changes() -> None:
    started = e.ActionStarted(fence=2, step=1, index=0, name="input", params='{"input": {}}', effect="local")

    assert ("hunter", started) == (Mask().text("hunter"), Mask().struct(started))


def test_every_text_of_an_event_is_masked_and_our_own_words_are_not() -> None:
    words = Mask({"one": Secret("input"), "two": Secret("local"), "three": Secret("hunter22")})
    started = e.ActionStarted(
        fence=2, step=1, index=0, name="input", params='{"input":{"text":"hunter22"}}', effect="local",
        url="http://shop.test/?q=hunter22", target=e.Target(selector="#x", name="hunter22", box=(1, 2, 3, 4)),
    )  # fmt: skip

    masked = words.struct(started)

    assert started.name == masked.name
    assert started.effect == masked.effect
    assert {"input": {"text": "<secret>three</secret>"}} == msgspec.json.decode(masked.params)
    assert "http://shop.test/?q=<secret>three</secret>" == masked.url
    assert e.Target(selector="#x", name="<secret>three</secret>", box=(1, 2, 3, 4)) == masked.target


VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=4, max_size=40).filter(
    lambda value: value.strip() == value and value.lower() not in "<secret>password</secret>"
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(deadline=None, max_examples=60)
@example(value="Straße", before="", after="", spelling="upper")
@given(value=VALUES, before=TEXTS, after=TEXTS, spelling=st.sampled_from(sorted(SPELLINGS)))
def test_no_text_with_a_value_holds_it_once_it_was_masked(value: str, before: str, after: str, spelling: str) -> None:
    spelt = SPELLINGS[spelling](value)

    masked = mask(value).text(before + spelt + after)

    rest = masked.replace(MASKED, "\x00")
    assert MASKED in masked
    assert not any(each in rest for each in (value, quote(value), quote_plus(value), html.escape(value)))
    assert masked == mask(value).text(masked)


@settings(deadline=None, max_examples=60)
@given(value=VALUES, before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_no_base64_of_a_value_is_left(value: str, before: bytes, after: bytes) -> None:
    for text in encoded(value, before, after):
        masked = mask(value).text(text).replace(MASKED, "\x00")

        part = core(value, len(before) % 3).lstrip("+/")
        assert len(part) < 4 or part not in masked.replace("-", "+").replace("_", "/")


@settings(deadline=None, max_examples=60)
@given(value=VALUES, text=TEXTS)
def test_a_struct_and_a_text_are_masked_alike(value: str, text: str) -> None:
    taken = e.StepTaken(fence=1, number=1, title=text + value)

    assert e.StepTaken(fence=1, number=1, title=mask(value).text(text + value)) == mask(value).struct(taken)


def test_placeholders_are_found_once_each_in_order() -> None:
    text = f"{placeholder('b')} {placeholder('a')} {placeholder('b')} <secret></secret> <secret>x"

    assert ["b", "a"] == names(text)


@pytest.mark.parametrize("value", ["hunter2secret", "CORP\\user", "\\" * 60, 'a\\\n"b' * 20])
def test_a_page_full_of_backslashes_is_masked_in_time(value: str) -> None:
    text = value[:4] + "\\" * 200_000

    masked = mask(value).text(f"{text} {value}")

    assert value not in masked
    assert masked.endswith(MASKED)
