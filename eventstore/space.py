"""How much room the disk of the data has left, so that new work stops while there is room for what is under way."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from eventstore.errors import DiskFull

RESERVE = 64 * 1024 * 1024
LOOK_SECONDS = 1.0


class Space:
    """The free bytes of the file system that a directory lies on, looked up at most once in LOOK_SECONDS.

    Below `reserve` bytes nothing new is begun and no pictures are kept: what is left is for the facts of the tasks that
    run, and for pausing and stopping them.
    """

    def __init__(self, directory: Path, *, reserve: int = RESERVE, clock: Callable[[], float] = time.monotonic) -> None:
        """The directory need not be there yet; what cannot be looked at counts as roomy."""
        self._directory = directory
        self._reserve = reserve
        self._clock = clock
        self._looked = float("-inf")
        self._low = False

    @property
    def low(self) -> bool:
        """Whether less than the reserve is free."""
        now = self._clock()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._low = _free(self._directory) < self._reserve
        return self._low

    def check(self, what: str) -> None:
        """Raises DiskFull, in a sentence that begins with what is refused."""
        if self.low:
            raise DiskFull(
                f"{what} until there is room: less than {_size(self._reserve)} are free on the disk of the data."
            )


def _free(directory: Path) -> float:
    try:
        found = os.statvfs(directory)
    except OSError:  # Not there yet, or gone: whoever writes there will say so better.
        return float("inf")
    return found.f_bavail * found.f_frsize


def _size(size: int) -> str:
    return f"{size / 2**20:,.4g} MiB"
