"""What the runner's core needs of a browser, as protocols: tests bring a stage, production brings Chromium."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from runner.vocabulary import Eyes, Hands


class Session(Hands, Eyes, Protocol):
    """One isolated browser session: hands and eyes on its current page. `version` is the browser's."""

    version: str

    async def state(self) -> str:
        """Cookies and storage as JSON text, for the vault. Raises ActFailed."""
        ...


class Sessions(Protocol):
    """Where sessions come from."""

    def session(
        self,
        *,
        viewport: tuple[int, int],
        allowed_domains: Sequence[str] = (),
        state: str = "",
        uploads: Path | None = None,
        action_seconds: float = 10.0,
        blocked: Callable[[str, str], None] = ...,
    ) -> AbstractAsyncContextManager[Session]:
        """A new session, closed when left. `state` is what `Session.state` gave. Raises ActFailed (no_browser, …).

        `blocked` is told of every refused request: its URL and the reason.
        """
        ...
