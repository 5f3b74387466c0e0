"""The file of a tape: made whole or not at all, and refused untouched when it is no tape that this version can read."""

import os
import sqlite3
import tempfile
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from eventstore.errors import CannotOpen
from eventstore.files import sync

APPLICATION_ID = 0x54415045
SCHEMA = 1

_MAGIC = b"SQLite format 3\x00"
_HEADER = 100
_USER_VERSION = slice(60, 64)
_APPLICATION_ID = slice(68, 72)


def uri(path: Path, mode: str) -> str:
    """What SQLite opens this file by; `mode` is `ro` or `rw`."""
    return f"{path.absolute().as_uri()}?mode={mode}"


def prepare(path: Path, *, now: int) -> None:
    """See that a tape of this schema lies at the path; make an empty one where there is no file.

    Raises CannotOpen with a sentence. A file that is refused is not written to.
    """
    try:
        header = _header(path)
        if header is None:
            _create(path, now)
            return
        _check_header(path, header)
        _check_contents(path)
    except OSError as error:
        raise CannotOpen(f"The tape {path} cannot be opened: {error.strerror}.") from error
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise CannotOpen(f"The tape {path} cannot be opened: {error}.") from error


def check(path: Path) -> None:
    """See that a tape that this version can read lies there. Writes nothing. Raises CannotOpen with a sentence."""
    try:
        header = _header(path)
    except OSError as error:
        raise CannotOpen(f"The tape {path} cannot be opened: {error.strerror}.") from error
    if header is None:
        raise CannotOpen(f"There is no tape {path}.")
    _check_header(path, header)


def _header(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER)
    except FileNotFoundError:
        return None


def _check_header(path: Path, header: bytes) -> None:
    """From the bytes alone: SQLite itself might already write to the file when it opens it."""
    if not header.startswith(_MAGIC) or len(header) < _HEADER:
        raise CannotOpen(f"{path} is not a tape: it is not an SQLite database.")
    _check_numbers(
        path, int.from_bytes(header[_APPLICATION_ID], "big"), schema=int.from_bytes(header[_USER_VERSION], "big")
    )


def _check_contents(path: Path) -> None:
    """What a newer version wrote may still be in the write-ahead log, where the header does not show it."""
    with closing(sqlite3.connect(uri(path, "ro"), uri=True, isolation_level=None)) as db:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (schema,) = db.execute("PRAGMA user_version").fetchone()
    _check_numbers(path, application, schema=schema)


def _check_numbers(path: Path, application: int, *, schema: int) -> None:
    if application != APPLICATION_ID:
        raise CannotOpen(f"{path} is not a tape: it is an SQLite database of another application.")
    if schema > SCHEMA:
        raise CannotOpen(
            f"The tape {path} has schema {schema}, written by a newer version; this version reads up to {SCHEMA}."
        )


def _create(path: Path, now: int) -> None:
    """Beside its place first, then renamed: whenever it is interrupted, there is a whole tape or none."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as directory:
        new = Path(directory) / "tape"
        with closing(sqlite3.connect(new, isolation_level=None)) as db:
            # Not statement by statement: all of it is synced once, before anybody can see it.
            db.execute("PRAGMA synchronous = OFF")
            db.executescript(files("eventstore").joinpath("schema.sql").read_text("utf-8"))
            db.execute("INSERT INTO head (id, log_id, created_at) VALUES (1, ?, ?)", (os.urandom(16), now))
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA}")
            # Kept in the header: whoever opens the file, also a person with sqlite3, gets it.
            db.execute("PRAGMA journal_mode = WAL")
        new.chmod(0o600)
        sync(new)
        os.replace(new, path)
    sync(path.parent)
