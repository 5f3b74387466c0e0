"""A blob that arrives in parts: written beside the others as it comes, in its place only once it is whole."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from hashlib import sha256
from pathlib import Path

from eventstore.blobs import Blobs, telling_full
from eventstore.files import NEW

PART = 1 << 20


class Incoming:
    """Use `incoming`. `size` is how many bytes have come."""

    def __init__(self, blobs: Blobs, descriptor: int, path: Path) -> None:
        self.size = 0
        self._blobs = blobs
        self._file = open(descriptor, "wb", buffering=0)  # noqa: SIM115 - closed by `incoming`
        self._path = path
        self._hash = sha256()

    @property
    def digest(self) -> str:
        """The SHA-256 in hex of what has come."""
        return self._hash.hexdigest()

    async def write(self, data: bytes) -> None:
        """The next part. Raises DiskFull."""
        await asyncio.to_thread(self._write, data)

    async def keep(self) -> str:
        """All of it has come: its SHA-256 in hex, once it would survive a power loss. Raises DiskFull."""
        return await asyncio.to_thread(self._blobs.adopt, self._path, self.digest)

    def close(self) -> None:
        """Whatever was not kept goes."""
        self._file.close()
        with suppress(FileNotFoundError):
            self._path.unlink()

    def _write(self, data: bytes) -> None:
        self._hash.update(data)
        with telling_full():
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        self.size += len(data)


@asynccontextmanager
async def incoming(blobs: Blobs) -> AsyncIterator[Incoming]:
    """Room for one more blob, if it is kept before the block is left; else nothing is left of it. Raises DiskFull."""
    with telling_full():
        arriving = _begin(blobs)  # not in a thread: cancelled meanwhile, nobody would know of its file
    try:
        yield arriving
    finally:
        await asyncio.shield(asyncio.to_thread(arriving.close))


async def put_file(blobs: Blobs, path: Path) -> tuple[str, int]:
    """A copy of the file as a blob: its SHA-256 in hex and its size. Raises DiskFull and OSError."""
    async with incoming(blobs) as arriving:
        with await asyncio.to_thread(open, path, "rb") as file:
            while part := await asyncio.to_thread(file.read, PART):
                await arriving.write(part)
        return await arriving.keep(), arriving.size


def _begin(blobs: Blobs) -> Incoming:
    root = blobs.ready()
    descriptor, name = tempfile.mkstemp(dir=root, prefix=NEW)
    os.set_inheritable(descriptor, False)
    return Incoming(blobs, descriptor, Path(name))
