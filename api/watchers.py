"""Who watches here: a bounded number for each task and in all, and who of them drives a browser."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from aiohttp import web

MOST_EACH = 20
MOST = 200
RETRY_SECONDS = 5


class Page(Protocol):
    """One open page."""

    def end(self) -> None:
        """The service ends."""
        ...

    def stir(self) -> None:
        """Something changed that no event tells of."""
        ...


class Watchers:
    """The open pages of a server."""

    def __init__(self, *, each: int = MOST_EACH, most: int = MOST) -> None:
        self.closing = False
        self._each = each
        self._most = most
        self._pages: dict[Page, str] = {}
        self._drivers: dict[str, Page] = {}

    def __len__(self) -> int:
        return len(self._pages)

    @contextmanager
    def room(self, page: Page, identifier: str) -> Iterator[None]:
        """One more page about that task or session for the length of the block. Raises HTTPTooManyRequests."""
        of_it = Counter(self._pages.values())[identifier]
        if len(self._pages) >= self._most or of_it >= self._each:
            raise web.HTTPTooManyRequests(
                text="Too many people watch already.", headers={"Retry-After": str(RETRY_SECONDS)}
            )
        self._pages[page] = identifier
        try:
            yield
        finally:
            del self._pages[page]
            self._drivers = {task: driver for task, driver in self._drivers.items() if driver is not page}

    def drives(self, page: Page, task_id: str) -> bool:
        """Whether this is the page that took control of the task's browser last."""
        return self._drivers.get(task_id) is page

    def take(self, page: Page, task_id: str) -> None:
        """From now on this page drives, and no other."""
        before = self._drivers.get(task_id)
        self._drivers[task_id] = page
        if before is not None and before is not page:
            before.stir()

    def leave(self, page: Page, task_id: str) -> None:
        """Control was given back: whoever takes it next drives."""
        if self.drives(page, task_id):
            del self._drivers[task_id]

    def close(self) -> None:
        """End every page, in order; there will be no more."""
        self.closing = True
        for page in list(self._pages):
            page.end()


WATCHERS = web.AppKey("watchers", Watchers)
