"""Which routes a client has really exercised, and the table of it that the README shows. Pure but for `counted`."""

import re
from collections.abc import Iterable, Mapping

import aiohttp

from api.app import ROUTES

FAMILIES = ("v1", "v2")
BEGIN, END = "<!-- conformance: begin -->", "<!-- conformance: end -->"
_COUNT = re.compile(r'tapewright_http_requests_total\{method="(\w+)",route="([^"]+)",status="(\d+)"\} (\d+)')

Called = set[tuple[str, str]]
"""Method and path of routes."""

SERVED: Called = {(route.method, route.path) for route in ROUTES if route.family in FAMILIES and route.documented}


async def counted(http: aiohttp.ClientSession) -> dict[tuple[str, str, int], int]:
    """How often each route was answered with each status since the service started: what `/metrics` says."""
    async with http.get("/metrics") as response:
        text = await response.text()
    return {(method, path, int(status)): int(n) for method, path, status, n in _COUNT.findall(text)}


def called(before: Mapping[tuple[str, str, int], int], after: Mapping[tuple[str, str, int], int]) -> Called:
    """The routes that were answered in between, with anything but a failure of the service or an unknown path."""
    failures = {key for key in after if key[2] == 500}
    assert not {key for key in failures if after[key] > before.get(key, 0)}
    return {key[:2] for key, n in after.items() if n > before.get(key, 0)} & SERVED


def table(clients: Mapping[str, Called]) -> str:
    """One row a path, with the methods that each client called there; `-` where a client has no such call."""
    names = list(clients)
    lines = [f"| path | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for path in dict.fromkeys(route.path for route in ROUTES if (route.method, route.path) in SERVED):
        cells = [_methods(path, clients[name]) for name in names]
        lines.append(f"| `{path}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def shown(readme: str) -> str:
    """The table that stands in the README."""
    return readme.partition(BEGIN)[2].partition(END)[0].strip()


def _methods(path: str, calls: Iterable[tuple[str, str]]) -> str:
    order = ("GET", "POST", "PUT", "PATCH", "DELETE")
    return " ".join(sorted((method for method, where in calls if where == path), key=order.index)) or "-"
