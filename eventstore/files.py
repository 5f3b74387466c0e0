"""Files written whole or not at all."""

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, data: bytes, *, durable: bool) -> None:
    """Put the bytes at the path, for the owner only; another reader sees the old bytes or the new ones.

    `durable`: they survive a power loss. Else a crash of the process loses nothing, but a power loss may tear the file.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
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


def sync(path: Path) -> None:
    """The file's bytes, or what was created or renamed in the directory, survive a power loss from now on."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
