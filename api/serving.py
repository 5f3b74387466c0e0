"""The process that serves: takes the port, opens the service, listens, and ends in time at a signal."""

import asyncio
import errno
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

import msgspec
import structlog
import uvloop
from aiohttp import web

from api import log
from api.app import create_app
from api.connections import accepting, cut_when_stalled
from api.service import Service
from api.settings import Settings
from api.wiring import Running, open_service
from eventstore.errors import Broken, CannotOpen

EXIT_SECONDS = 10.0
"""From the first signal to the end of the process, whatever hangs. The log does not mind being cut off."""

REQUESTS_SECONDS = 2.0
"""How long requests that are under way may take when the service ends."""

OnReady = Callable[[str, str | None], None]
Opened = Callable[[Settings], AbstractAsyncContextManager[Running]]
_log = structlog.get_logger("serving")


@contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """The port, taken and not yet listened on. Raises CannotOpen: better before a runner has begun than after."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        cut_when_stalled(taken)
        try:
            taken.bind((settings.host, settings.port))
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            if error.errno == errno.EADDRINUSE:
                sentence = f"Something else listens on {where} already. Choose another port with TAPEWRIGHT_PORT."
            else:
                sentence = f"The service cannot listen on {where}: {error.strerror or error}."
            raise CannotOpen(sentence) from error
        yield taken


@asynccontextmanager
async def listening(service: Service, on: socket.socket) -> AsyncIterator[str]:
    """The application, answering on a bound socket; gives its URL."""
    runner = web.AppRunner(
        create_app(service),
        handler_cancellation=False,  # a client that hangs up does not undo what it asked for
        shutdown_timeout=REQUESTS_SECONDS,
    )
    await runner.setup()
    try:
        async with accepting(runner, on, most=service.settings.max_connections):
            host, port = on.getsockname()[:2]
            yield f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def serve(settings: Settings, *, on_ready: OnReady, opened: Opened = open_service) -> None:
    """Run until SIGTERM or SIGINT, then end within EXIT_SECONDS. `on_ready` hears the URL and a fresh key, if any.

    `opened` opens the service for the length of a block. Raises CannotOpen in a sentence, Broken when the log failed.
    """
    log.set_up(settings.log_level)
    stopping = asyncio.Event()
    with bound(settings) as port, _signals(stopping):
        settings = msgspec.structs.replace(settings, port=port.getsockname()[1])
        try:
            async with opened(settings) as running, listening(running.service, port) as url:
                # What is there now stays to the end. A full collection that looked at it too would take twice as long
                # while a thousand streams are open, and nothing else runs meanwhile.
                gc.collect()
                gc.freeze()
                on_ready(url, running.new_key)
                await stopping.wait()
                await running.leave()
        except Broken as broken:
            _log.critical("the log has failed; the service ends", reason=str(broken))
            raise


def run(settings: Settings, *, on_ready: OnReady, opened: Opened = open_service) -> None:
    """`serve` on the event loop that it is meant for."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(settings, on_ready=on_ready, opened=opened))


@contextmanager
def _signals(stopping: asyncio.Event) -> Iterator[None]:
    """The first signal asks for an orderly end. A second one, or too long an end, cuts it off."""
    loop = asyncio.get_running_loop()

    def hear() -> None:
        if stopping.is_set():
            os._exit(1)
        stopping.set()
        loop.call_later(EXIT_SECONDS, os._exit, 1)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, hear)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
