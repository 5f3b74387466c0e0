"""The page of failures names tests that exist, so that no promise outlives what shows it."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "reliability.md"
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE.read_text("utf-8"))


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 50


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if not re.search(rf"^(async )?def {name}\(", (TESTS / path).read_text("utf-8"), re.MULTILINE)
    ]

    assert [] == missing


def test_what_make_test_leaves_out_is_marked() -> None:
    marked = {
        f"{path}::{name}" for path, name in re.findall(r"`([\w/]+\.py)::(\w+)` \(slow\)", PAGE.read_text("utf-8"))
    }

    left_out = {
        f"{path}::{name}"
        for path, name in NAMED
        if re.search(rf"^@pytest\.mark\.slow\n(async )?def {name}\(", (TESTS / path).read_text("utf-8"), re.MULTILINE)
    }

    assert left_out == marked
    assert left_out
