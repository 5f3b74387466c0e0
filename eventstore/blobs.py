"""Screenshots and files by the SHA-256 of their bytes, outside the log; durable before the event that names them.

`root/ab/cd/<sha256>`. Not obstore: its LocalStore does not fsync, so a power loss could leave an event on the tape that
names a blob which is not there.
"""

import asyncio
import errno
import os
import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest, sha256
from pathlib import Path

from eventstore.errors import DiskFull, Invalid
from eventstore.files import sync, write_whole
from eventstore.space import Space

_DIGEST = re.compile(r"[0-9a-f]{64}")
PARTS = 256

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class DamagedBlob(Exception):
    """The stored bytes are not those that the name promises."""


class Blobs:
    """Bytes in, name out; the same bytes have the same name and are kept once."""

    def __init__(self, root: Path, space: Space | None = None) -> None:
        """While `space` is low nothing is put."""
        self._root = root
        self._space = space
        self._durable = bytearray(0x10000)
        # Between the look at how old a blob is and its deletion nobody may find it and count on it.
        self._ageing = threading.Lock()

    def path(self, digest: str) -> Path:
        """Where the blob lies, if it is there. Raises Invalid for what is no SHA-256 in lower-case hex."""
        if not _DIGEST.fullmatch(digest):
            raise Invalid("A blob is named by 64 lower-case hexadecimal digits.")
        return self._root / digest[:2] / digest[2:4] / digest

    async def put(self, data: bytes) -> str:
        """Keep the bytes and answer their SHA-256 in hex once they would survive a power loss. Raises DiskFull."""
        return await asyncio.to_thread(self._put, data)

    async def get(self, digest: str) -> bytes | None:
        """The bytes, or None where there are none. Raises DamagedBlob when they changed on the disk."""
        if not _DIGEST.fullmatch(digest):
            return None
        return await asyncio.to_thread(self._get, digest)

    async def sizes(self, digests: Collection[str]) -> dict[str, int]:
        """Bytes on the disk of each blob that is there."""
        return await asyncio.to_thread(self._sizes, digests)

    async def sound(self, digest: str) -> Path | None:
        """Where the blob lies, read through and found whole; None where there is none. Raises DamagedBlob."""
        return await asyncio.to_thread(self._sound, digest)

    async def touch(self, digests: Collection[str]) -> set[str]:
        """Those of these that are there: as young as if they were new, for those who delete what is old."""
        return await asyncio.to_thread(lambda: {digest for digest in digests if self._touched(self.path(digest))})

    def ready(self) -> Path:
        """The root, where what arrives is written until it is whole. Raises DiskFull while `space` is low."""
        if self._space is not None:
            self._space.check("Screenshots and files are not kept")
        self._root.mkdir(parents=True, exist_ok=True)
        return self._root

    def adopt(self, path: Path, digest: str) -> str:
        """Take the file, which has that digest and lies in the root, for a blob; durable then. Raises DiskFull."""
        place = self.path(digest)
        with telling_full():
            sync(path)
            self._directories(place.parent)
            self._touched(place)
            os.replace(path, place)
            sync(place.parent)
        return digest

    async def delete(self, digests: Collection[str], *, before: int) -> int:
        """Delete these, but none that was put again after `before` (microseconds since 1970); tells how many went."""
        return await asyncio.to_thread(self._delete, digests, before)

    async def old(self, part: int, *, before: int) -> list[str]:
        """The blobs of one of PARTS parts of the store that were not put again after `before`."""
        return await asyncio.to_thread(self._old, part, before)

    def _sizes(self, digests: Collection[str]) -> dict[str, int]:
        sizes = {}
        for digest in digests:
            with suppress(FileNotFoundError, Invalid):
                sizes[digest] = self.path(digest).stat().st_size
        return sizes

    def _delete(self, digests: Collection[str], before: int) -> int:
        deleted = 0
        for digest in digests:
            with suppress(FileNotFoundError, Invalid), self._ageing:
                path = self.path(digest)
                if path.stat().st_mtime_ns // 1_000 <= before:
                    path.unlink()
                    deleted += 1
        return deleted

    def _old(self, part: int, before: int) -> list[str]:
        names: list[str] = []
        for path in (self._root / f"{part:02x}").glob("*/*"):
            with suppress(FileNotFoundError):
                if _DIGEST.fullmatch(path.name) and path.stat().st_mtime_ns // 1_000 <= before:
                    names.append(path.name)
        return names

    def _put(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        path = self.path(digest)
        with telling_full():
            there = self._touched(path) and path.read_bytes() == data
            if not there and self._space is not None:
                self._space.check("Screenshots and files are not kept")
            self._directories(path.parent)
            if not there:
                write_whole(path, data, durable=True, beside=self._root)
            else:
                # Another put may have renamed it this moment, and not have synced the directory yet.
                sync(path.parent)
        return digest

    def _touched(self, path: Path) -> bool:
        """Whether it is there; then it is as young as if it were new, for those who delete what is old."""
        with suppress(FileNotFoundError), self._ageing:
            os.utime(path)
            return True
        return False

    def _get(self, digest: str) -> bytes | None:
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError:
            return None
        if sha256(data).hexdigest() != digest:
            raise DamagedBlob(f"The blob {digest} was damaged on the disk.")
        return data

    def _sound(self, digest: str) -> Path | None:
        path = self.path(digest)
        try:
            with path.open("rb") as file:
                found = file_digest(file, sha256).hexdigest()
        except FileNotFoundError:
            return None
        if found != digest:
            raise DamagedBlob(f"The blob {digest} was damaged on the disk.")
        return path

    def _directories(self, path: Path) -> None:
        """A new directory is durable when its parent is synced; once in this process is enough."""
        place = int(path.parent.name + path.name, 16)
        if self._durable[place]:
            return
        path.mkdir(parents=True, exist_ok=True)
        for parent in (path.parent, self._root, self._root.parent):
            sync(parent)
        self._durable[place] = 1


@contextmanager
def telling_full() -> Iterator[None]:
    """Turn the disk's word for being full into ours."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise DiskFull from error
        raise
