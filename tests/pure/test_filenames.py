"""What a file may be called, and what names of downloads become."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventstore.filenames import MOST_BYTES, good, made_safe


@pytest.mark.parametrize(
    "name", ["a", "a.pdf", "Übersicht (3).csv", "a..b", "名前.txt", "x" * MOST_BYTES, "-rf", "con"]
)
def test_names_that_people_give_are_kept_as_they_are(name: str) -> None:
    assert (True, name) == (good(name), made_safe(name))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.pdf", "a.pdf"),
        ("a/b.pdf", "b.pdf"),
        (".bashrc", "bashrc"),
        ("..", "download"),
        ("", "download"),
        ("///", "download"),
        ("a\x00b\n.pdf", "a_b_.pdf"),
        ("fdp.\u202eexe", "fdp._exe"),
        ("\ud800.txt", "_.txt"),
        ("a.pdf. ", "a.pdf"),
        ("x" * 300 + ".pdf", "x" * (MOST_BYTES - 4) + ".pdf"),
        ("é" * 200 + ".tar.gz", "é" * 126 + ".gz"),
        ("x" * 10 + "." + "y" * 300, "x" * 10 + "." + "y" * (MOST_BYTES - 11)),
    ],
)
def test_other_names_are_refused_and_made_safe(name: str, safe: str) -> None:
    assert (False, safe) == (good(name), made_safe(name))


@given(st.text(st.characters(), max_size=400))
def test_whatever_a_page_calls_a_file_its_name_is_good(name: str) -> None:
    assert good(made_safe(name))
