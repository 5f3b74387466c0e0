"""What the browser of a task downloads: bounded in number and bytes, and a file of the task once it is whole."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from eventstore.filenames import made_safe

MOST_FILES = 100
"""Downloads of one attempt, the refused ones too."""

DOWNLOAD_BYTES = 100 * 1024 * 1024
DOWNLOAD_SECONDS = 30.0
"""How long an act waits for the file that it asked for, and the end of a task for those that are on their way."""

BEGIN_SECONDS = 2.0
"""How long an act that asked for a file waits for it to begin."""

LATE_SECONDS = 0.1
"""After an act that may have had an effect, a page may still be about to hand out a file that it has made itself."""

Keep = Callable[[str, Path], None]


class Download(msgspec.Struct, kw_only=True):
    """One file on its way; `problem` is why it did not come."""

    name: str
    size: int = 0
    coming: bool = True
    problem: str = ""


class Inbox:
    """`keep` is given the name and the place of each whole file, and moves it away; `used` bytes were kept before."""

    def __init__(self, keep: Keep, *, most_bytes: int = DOWNLOAD_BYTES, used: int = 0) -> None:
        self._keep = keep
        self._most_bytes = most_bytes
        self._used = used
        self._all: dict[str, Download] = {}
        self.ended: list[str] = []
        """In words what became of each download that is no longer on its way, in the order of their ends."""
        self._changed = asyncio.Event()

    @property
    def mark(self) -> int:
        """How many downloads there were so far."""
        return len(self._all)

    def begin(self, key: str, name: str) -> bool:
        """One begins; False when it is not to go on."""
        if key in self._all or len(self._all) > MOST_FILES:
            return False
        download = self._all[key] = Download(name=made_safe(name))
        if len(self._all) > MOST_FILES:
            download.problem = f"a task downloads at most {MOST_FILES} files"
        self._change()
        return not download.problem

    def grow(self, key: str, received: int, total: int) -> bool:
        """So much of it has come, of so much (0: nobody knows); False when it is not to go on."""
        download = self._all.get(key)
        if download is None:
            return False
        download.size = max(received, total)
        if self._used + sum(each.size for each in self._all.values() if not each.problem) > self._most_bytes:
            download.problem = download.problem or f"a task downloads at most {self._most_bytes:,} bytes"
        return not download.problem

    def end(self, key: str, path: Path | None) -> None:
        """All of it has come and lies there, or (None) no more will."""
        download = self._all.get(key)
        if download is None or not download.coming:
            return
        download.coming = False
        if path is not None and not download.problem:
            self._keep(download.name, path)
        else:
            download.problem = download.problem or "it broke off"
        self.ended.append(_words(download))
        self._change()

    async def quiet(self, seconds: float = DOWNLOAD_SECONDS) -> None:
        """Wait until nothing is on its way any more, for so long at most."""
        await self._until(lambda: not any(each.coming for each in self._all.values()), seconds)

    async def last(self, *, late: bool) -> None:
        """Wait for what is on its way at the end; `late`: something may be about to begin."""
        if late:
            mark = self.mark
            await self._until(lambda: self.mark > mark, LATE_SECONDS)
        await self.quiet()

    async def told(self, mark: int, *, expected: bool) -> str:
        """What has come since `mark`, in words, once it is here; `expected` waits for one to begin."""
        if expected:
            await self._until(lambda: self.mark > mark, BEGIN_SECONDS)
        if self.mark == mark:
            return ""
        await self.quiet()
        return "".join(f"; {_words(each)}" for each in list(self._all.values())[mark:])

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return

    def _change(self) -> None:
        self._changed.set()


def _words(download: Download) -> str:
    if download.problem:
        return f"{download.name} was not downloaded: {download.problem}"
    if download.coming:
        return f"{download.name} is still being downloaded"
    return f"downloaded {download.name}"
