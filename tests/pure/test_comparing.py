"""What a recorded answer says that a page can be asked for, and which addresses are the same page."""

import pytest

from runner.comparing import place, stands, values


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"price": 12.50, "items": [{"name": "Tea"}, 3]}', ["12.5", "Tea", "3"]),
        ("The tea costs 12.50", ["The tea costs 12.50"]),
        ("Tea\n(100 more characters follow; extract with offset 30000.)", ["Tea"]),
        ('{"sold out": true, "name": null}', [None, None]),
        ("[]", [None]),
        ('{"name": " "}', [None]),
    ],
)
def test_an_answer_is_texts_and_numbers_and_what_no_page_can_show(answer: str, expected: list[str | None]) -> None:
    assert expected == list(values(answer))


@pytest.mark.parametrize(
    ("value", "text", "there"),
    [
        ("3", "13 or 3.5, v3", False),
        ("3", "All 3.", True),
        ("12.5", "for 12.50 pounds", True),
        ("1250.5", "$1,250.50", True),
        ("1250", "1,250,000", False),
        ("Tea  pot", "a Tea\npot.", True),
        ("Tea", "Teapot", False),
        ("C++", "in C++, too", True),
    ],
)
def test_a_value_stands_in_a_text_only_whole(value: str, text: str, there: bool) -> None:
    assert there == stands(value, text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("http://shop.test/a?n=1#x", "http://shop.test:80/a", True),
        ("http://shop.test/a", "https://shop.test/a", False),
        ("http://shop.test/a", "http://shop.test/b", False),
        ("about:blank", "about:blank", True),
        ("http://[nonsense", "http://[nonsense", True),
    ],
)
def test_a_page_is_its_origin_and_path(one: str, other: str, same: bool) -> None:
    assert same == (place(one) == place(other))
