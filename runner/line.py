"""Who waits for a runner, in the order of their coming, and who lives where: of one session one task runs at a time."""

import asyncio
from collections import OrderedDict


class Line:
    """The unended tasks that a runner has heard of, by their streams."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._arrived = asyncio.Event()
        self._sessions: dict[str, str] = {}
        self._inside: dict[str, str] = {}
        self._behind: dict[str, dict[str, None]] = {}

    def note(self, stream: str, session: str) -> None:
        """The task belongs into that session."""
        self._sessions[stream] = session

    def forget(self, stream: str) -> None:
        """The task has ended."""
        self._sessions.pop(stream, None)

    def of(self, session: str) -> list[str]:
        """All tasks of the session, the oldest first."""
        return [stream for stream, lives in self._sessions.items() if lives == session]

    def join(self, stream: str) -> None:
        """Wait from now on; who does so already stays where he is."""
        self._waiting.setdefault(stream)
        self._arrived.set()

    async def arrival(self) -> None:
        """Wait until somebody waits."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()

    def first(self) -> str:
        """Whose turn it is; he waits no longer."""
        return self._waiting.popitem(last=False)[0]

    def enter(self, stream: str) -> str | None:
        """The session that the task may run in. None while another one does: that lets it join when it leaves."""
        session = self._sessions.get(stream, stream)
        if session in self._inside:
            self._behind.setdefault(session, {})[stream] = None
            return None
        self._inside[session] = stream
        return session

    def leave(self, session: str) -> None:
        """The task in the session runs no longer."""
        del self._inside[session]
        for stream in self._behind.pop(session, ()):
            self.join(stream)

    def occupied(self, session: str) -> bool:
        """Whether a task runs in the session."""
        return session in self._inside
