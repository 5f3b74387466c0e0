"""Files written whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path

NEW = ".new-"
"""How the name of what is being made begins."""


def write_whole(path: Path, data: bytes, *, durable: bool, beside: Path | None = None) -> None:
    """Put the bytes at the path, for the owner only; another reader sees the old bytes or the new ones.

    `durable`: they survive a power loss. Else a crash of the process loses nothing, but a power loss may tear the file.
    `beside`: the directory, on the same file system, where a kill in between leaves what is half made.
    """
    descriptor, name = tempfile.mkstemp(dir=beside or path.parent, prefix=NEW)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    if durable:
        sync(path.parent)


def sweep(directory: Path) -> None:
    """Delete what processes that were killed have left half made in this directory, which nobody else writes to."""
    for left in directory.glob(f"{NEW}*"):
        if left.is_dir():
            shutil.rmtree(left)
        else:
            left.unlink()


def sync(path: Path) -> None:
    """The file's bytes, or what was created or renamed in the directory, survive a power loss from now on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
