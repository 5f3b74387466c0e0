"""What is no tape that this version can read is refused, and left as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eventstore.errors import CannotOpen
from eventstore.sqlite import open_sqlite
from eventstore.tape import prepare
from tests.filing import raw


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tape.db"


def foreign(path: Path) -> None:
    with raw(path) as db:
        db.execute("CREATE TABLE notes (text)")


def newer(path: Path) -> None:
    prepare(path, now=1)
    with raw(path) as db:
        db.execute("PRAGMA user_version = 2")


def nothing_like_it(path: Path) -> None:
    path.write_text("Dear diary, today I was opened by a database.")


def nothing(path: Path) -> None:
    path.touch()


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (nothing_like_it, "is not a tape: it is not an SQLite database."),
        (nothing, "is not a tape: it is not an SQLite database."),
        (foreign, "is not a tape: it is an SQLite database of another application."),
        (newer, "has schema 2, written by a newer version; this version reads up to 1."),
        (Path.mkdir, "cannot be opened: Is a directory."),
    ],
)
async def test_what_is_no_tape_is_refused_and_left_as_it_is(
    path: Path, make: Callable[[Path], None], sentence: str
) -> None:
    make(path)
    before = content(path)

    with pytest.raises(CannotOpen) as refused:
        async with open_sqlite(path):
            pass

    assert str(refused.value).endswith(sentence)
    assert [path.name] == [each.name for each in path.parent.iterdir()]
    assert before == content(path)


async def test_a_newer_schema_that_only_the_write_ahead_log_shows_is_refused(path: Path) -> None:
    prepare(path, now=1)
    with raw(path) as db:
        db.execute("PRAGMA user_version = 2")
        before = content(path)

        with pytest.raises(CannotOpen, match="has schema 2"):
            async with open_sqlite(path):
                pass

        assert before == content(path)


async def test_a_directory_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="No such file or directory"):
        async with open_sqlite(tmp_path / "missing" / "tape.db"):
            pass


def test_a_tape_is_for_its_owner_only(path: Path) -> None:
    prepare(path, now=1)

    assert 0o600 == path.stat().st_mode & 0o777
