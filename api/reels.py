"""What the API may ask of whoever runs browsers here: their pictures, for people who watch. Protocols."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol


class Picture(Protocol):
    """JPEG or PNG; `width` and `height` are those of the viewport, in CSS pixels. Numbers rise."""

    @property
    def number(self) -> int: ...
    @property
    def data(self) -> bytes: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


class Reel(Protocol):
    """The pictures of one browser."""

    async def newest(self, after: int) -> Picture | None:
        """The newest beyond that number, as soon as there is one; None when there will be none any more."""
        ...


class Reels(Protocol):
    """The pictures of all that runs here."""

    def watching(self, task_id: str) -> AbstractAsyncContextManager[Reel] | None:
        """Watch the browser of that task, or of that client's session, for the length of a block; None without one."""
        ...


class Dark(Reels):
    """No task has a browser here."""

    def watching(self, task_id: str) -> AbstractAsyncContextManager[Reel] | None:
        return None
