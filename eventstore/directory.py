"""The data directory belongs to one process at a time; a second one is told who has it."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eventstore.errors import CannotOpen, InUse

# Where locks and shared memory do not do what a database needs, whatever the server promises. Not 9p: it is a local
# disk under some sandboxes; where it is not, SQLite itself finds that it has no shared memory, and says so.
NETWORK = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "ncpfs",
        "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.davfs",
    }
)  # fmt: skip

_MOUNTS = Path("/proc/self/mountinfo")


@contextmanager
def hold(directory: Path, *, holder: str) -> Iterator[None]:
    """Create the directory if need be and hold it for the length of the block; `holder` says who does.

    The lock goes with the process, however it ends. Raises InUse when another one holds the directory, naming it;
    CannotOpen for a directory that cannot be written to, or lies on a network file system.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_network(directory)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotOpen(_sentence(directory, error)) from error
    with open(descriptor, "r+", encoding="utf-8", errors="replace") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(f"The data directory {directory} is in use by {lock.read() or 'another process'}.") from error
        try:
            lock.truncate(0)
            os.write(descriptor, holder.encode())  # past the buffer, as closing would try again what was refused
        except OSError as error:
            raise CannotOpen(_sentence(directory, error)) from error
        yield


def file_system(path: Path, mounts: str) -> str:
    """The type of the file system that a path lies on, by the text of /proc/self/mountinfo; empty when unknown."""
    found, longest = "", -1
    for line in mounts.splitlines():
        fields, _, rest = line.partition(" - ")
        point = Path(_unescaped(fields.split()[4]))
        # Of two mounted on the same point, the later one is seen.
        if path.is_relative_to(point) and len(point.parts) >= longest:
            found, longest = rest.split()[0], len(point.parts)
    return found


def _refuse_network(directory: Path) -> None:
    with suppress(FileNotFoundError):
        kind = file_system(directory.resolve(), _MOUNTS.read_text("utf-8", errors="surrogateescape"))
        if kind in NETWORK:
            raise CannotOpen(
                f"The data directory {directory} is on a network file system ({kind}); a tape needs a local disk."
            )


def _unescaped(text: str) -> str:
    """Space, tab, newline and backslash are written as octal numbers there."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def _sentence(directory: Path, error: OSError) -> str:
    match error.errno:
        case errno.EEXIST | errno.ENOTDIR:
            return f"The data directory {directory} is a file, or lies below one."
        case errno.EROFS:
            return f"The data directory {directory} is on a read-only file system."
        case errno.EACCES | errno.EPERM:
            return f"The data directory {directory} cannot be written to: permission denied."
    return f"The data directory {directory} cannot be used: {error.strerror}."
