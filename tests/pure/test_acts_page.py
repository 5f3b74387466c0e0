"""The page about acts shows every act there is, as it can be said."""

import re
from pathlib import Path

import pytest

from runner.action_json import as_json, from_json
from runner.files import ALL_BYTES, MOST_FILES, WRITTEN_BYTES
from runner.llm.offers import OFFERED
from runner.llm.replies import DONE
from runner.readable import PAGE_CHARACTERS
from runner.vocabulary import AnyAction

PAGE = (Path(__file__).parents[2] / "docs" / "acts.md").read_text("utf-8")
EXAMPLES = re.findall(r"^\| `(\w+)` \| `(.*?)` \|", PAGE, re.MULTILINE)


def test_every_act_is_shown() -> None:
    assert sorted(kind.name for kind in AnyAction.__args__) == sorted(name for name, _ in EXAMPLES)


def test_it_is_said_which_acts_no_model_is_offered() -> None:
    (names,) = re.findall(r"Whose they are\.\*\* (.*?) are said by \[sentences\]", " ".join(PAGE.split()))

    kept = {kind.name for kind in AnyAction.__args__} - {*OFFERED, DONE}
    assert sorted(kept) == sorted(re.findall(r"`(\w+)`", names))


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_every_example_can_be_said(name: str, example: str) -> None:
    action = from_json(example)

    assert (name, action) == (action.name, from_json(as_json(action)))


def test_the_bounds_of_files_are_those_that_hold() -> None:
    mebibytes = f"at most {WRITTEN_BYTES >> 20} MiB, all that it makes itself at most {ALL_BYTES >> 20} MiB"

    assert f"{mebibytes} and {MOST_FILES} names" in " ".join(PAGE.split())
    assert f"{PAGE_CHARACTERS:,} characters at a time" in PAGE
