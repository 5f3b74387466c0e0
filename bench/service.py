"""The whole service, as it is served, for the length of a measurement: its own data directory, port and key."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec

from api.serving import bound, listening
from api.settings import Settings
from api.wiring import open_service
from eventstore.store import EventStore
from runner.equipment import Models

KEY = "a-key-for-the-benchmark"


@asynccontextmanager
async def served(
    settings: Settings, *, models: Models | None = None
) -> AsyncIterator[tuple[EventStore, aiohttp.ClientSession]]:
    """Its log, and a client with a key. The data lies beside the repository's files, so on their disk."""
    with tempfile.TemporaryDirectory(dir=Path(__file__).parents[1], prefix=".bench-") as directory:
        settings = msgspec.structs.replace(
            settings, data_dir=Path(directory) / "data", port=0, api_key=KEY, log_level="error"
        )
        with bound(settings) as port:
            async with open_service(settings, models=models) as running, listening(running.service, port) as url:
                headers = {"Authorization": f"Bearer {KEY}"}
                async with aiohttp.ClientSession(url, headers=headers) as http:
                    yield running.service.store, http
