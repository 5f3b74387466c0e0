"""The pages for people say what is so: every setting, sentence form and command; and their links lead somewhere."""

import re
from pathlib import Path

import pytest
from typer.main import get_group

from api.cli import assemble
from api.environment import descriptions
from runner.keyless.grammar import FORMS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SENTENCES = (ROOT / "docs" / "sentences.md").read_text("utf-8")
PAGES = ["README.md", "SECURITY.md", *(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]


def test_every_setting_is_described_in_the_words_of_its_error_message() -> None:
    rows = [[cell.strip(" `") for cell in line.split("|")] for line in README.splitlines()]
    table = {row[1]: row[3] for row in rows if len(row) == 5 and row[1].startswith("TAPEWRIGHT_")}

    assert descriptions() == table


@pytest.mark.parametrize(("form", "example"), FORMS)
def test_every_form_of_sentence_is_shown(form: str, example: str) -> None:
    assert f"| {form} | `{example}` |" in SENTENCES


def test_every_command_is_named() -> None:
    commands = get_group(assemble()).commands

    assert [] == [name for name in commands if f"`{name}`" not in README and f"tapewright {name} " not in README]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_page_and_a_heading(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]*)#?([^):]*)\)", (ROOT / page).read_text("utf-8"))

    missing = [(path, heading) for path, heading in links if heading not in {"", *_headings(ROOT / page, path)}]

    assert [] == missing


def _headings(page: Path, path: str) -> list[str]:
    titles = re.findall(r"^#+ (.*)$", (page.parent / path if path else page).read_text("utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles]
