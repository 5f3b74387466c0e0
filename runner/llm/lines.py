"""The lines of one process: models at the same address, reached by the same key, share one."""

import asyncio
from typing import TYPE_CHECKING

from runner.llm.endpoints import Endpoint

if TYPE_CHECKING:
    from runner.llm.line import Line


class Lines:
    """Each is opened when it is first asked for, and all are closed together."""

    def __init__(self) -> None:
        self._lines: dict[object, Line] = {}
        self._opening = asyncio.Lock()
        self._closed = False

    async def to(self, endpoint: Endpoint) -> "Line":
        """The line to that endpoint."""
        key = (
            endpoint.provider,
            endpoint.base_url,
            endpoint.key,
            endpoint.api_version,
            frozenset(endpoint.headers.items()),
            endpoint.quiet_seconds,
        )
        async with self._opening:
            if self._closed:
                raise RuntimeError("the lines are closed")
            if key not in self._lines:
                self._lines[key] = await asyncio.to_thread(_line, endpoint)
            return self._lines[key]

    async def close(self) -> None:
        """Hang up."""
        async with self._opening:
            self._closed = True
            lines, self._lines = self._lines, {}
            for line in lines.values():
                await line.close()


def _line(endpoint: Endpoint) -> "Line":
    from runner.llm.line import Line  # here, since it takes a second: a service without models starts without

    return Line(endpoint)
