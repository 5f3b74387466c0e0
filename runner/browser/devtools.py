"""The parts of DevTools events that are read here."""

from typing import TypedDict


class Request(TypedDict):
    """What is asked for."""

    url: str


class Frame(TypedDict, total=False):
    """A frame; `unreachableUrl` when it shows an error page."""

    id: str
    unreachableUrl: str


class World(TypedDict):
    """Where scripts run; `auxData` tells of which frame, and whether the page's own do."""

    id: int
    auxData: dict[str, object]


class Event(TypedDict, total=False):
    """One event; which parts it has depends on its name."""

    frameId: str
    requestId: str
    loaderId: str
    url: str
    type: str
    dataLength: int
    response: dict[str, object]
    request: Request
    frame: Frame
    context: World
    navigationType: str
    guid: str
    suggestedFilename: str
    state: str
    receivedBytes: float
    totalBytes: float
