"""A folder for what Chromium and its driver put aside; what a killed service left in it goes with the next start."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventstore.files import write_whole

PREFIX = "tapewright-"
RECORD = "temporary"
LONGEST = 40
"""Bytes of the temporary folder's own name. Chromium adds 45 for a socket and we 20; the name of a socket has 107."""


@contextmanager
def scratch(directory: Path) -> Iterator[None]:
    """For the length of the block TMPDIR is a new folder, for this process and all that it starts.

    The folder's name is kept in `directory`, which the caller holds. Not in there: Chromium binds a socket in its
    temporary folder, and the name of a socket is short.
    """
    record = directory / RECORD
    _remove(record)
    before = os.environ.get("TMPDIR")
    place = outside() if len(os.fsencode(outside())) <= LONGEST else "/tmp"  # noqa: S108 - the folder in it is our own
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=place, ignore_cleanup_errors=True) as folder:
        write_whole(record, folder.encode(), durable=False)
        os.environ["TMPDIR"] = folder
        try:
            yield
        finally:
            os.environ.pop("TMPDIR")
            if before is not None:
                os.environ["TMPDIR"] = before


def outside() -> str:
    """The temporary folder for what outlives the service."""
    return tempfile.gettempdir()  # found out once, before it was ours


def _remove(record: Path) -> None:
    """Remove the folder that the record names, if it is one of ours."""
    try:
        folder = Path(os.fsdecode(record.read_bytes()))
        ours = folder.name.startswith(PREFIX) and folder.is_dir() and not folder.is_symlink()
        if ours and folder.stat().st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
    except (OSError, ValueError):
        return  # there is no record, or nothing where it points to
