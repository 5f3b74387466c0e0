"""The README says what is so: every setting, every sentence form, every command."""

from pathlib import Path

import pytest

from api.settings import descriptions
from runner.keyless.grammar import FORMS

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("variable", "description"), descriptions().items(), ids=descriptions())
def test_every_setting_is_described(variable: str, description: str) -> None:
    rows = [line for line in README.splitlines() if line.startswith(f"| `{variable}` |")]

    assert [True] == [row.endswith(f"| {description} |") for row in rows]


@pytest.mark.parametrize(("form", "example"), FORMS)
def test_every_form_of_sentence_is_shown(form: str, example: str) -> None:
    assert f"| {form} | `{example}` |" in README
