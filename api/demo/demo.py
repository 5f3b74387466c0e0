"""`demo`: a task buys two things in a shop, is paused in the middle and goes on; then its tape is read and proved."""

import asyncio
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from aiohttp import web

from api.client import SUCCESS, UNSUCCESSFUL, Failure, connect
from api.commands.common import finish
from api.demo.child import Child, service
from api.demo.shop import create_app, open_shop
from api.demo.story import Story
from api.demo.voice import heading, tell

WHOLE_SECONDS = 110.0


def demo(keep: Annotated[bool, typer.Option("--keep", help="Keep the data directory, to look at.")] = False) -> None:
    """Watch a browser buy two things in a shop of its own, pause it half-way, and read the tape of it."""
    finish(_demo(keep=keep))


async def _demo(*, keep: bool) -> int:
    began = time.monotonic()
    _end_in_order()
    try:
        async with asyncio.timeout(WHOLE_SECONDS), _folder(keep=keep) as place:
            await _play(place)
    except TimeoutError as error:
        raise Failure(f"The demonstration was not done in {WHOLE_SECONDS:.0f} seconds.", UNSUCCESSFUL) from error
    tell(f"All as promised, in {time.monotonic() - began:.1f} s.", style="bold green")
    return SUCCESS


async def _play(place: Path) -> None:
    """The whole of it, in `place`. Raises Failure."""
    heading("Setting the scene")
    async with _counted_shop() as (shop, requests):
        tell(f"the shop     {shop}")
        async with service(place / "data", place / "service.log") as child:
            tell(f"the service  {child.ready.url}, process {child.pid}, with an empty tape and a key of its own")
            async with connect(child.ready.url, child.ready.api_key) as client:
                await Story(client, shop, requests).play()
    heading("The end")
    _account(child)


@asynccontextmanager
async def _counted_shop() -> AsyncIterator[tuple[str, Callable[[], int]]]:
    """The shop's URL, and a function that tells how many requests it has answered."""
    answered = Counter[str]()

    async def note(request: web.Request, response: web.StreamResponse) -> None:
        answered[request.method] += 1

    app = create_app()
    app.on_response_prepare.append(note)
    async with open_shop(app=app) as url:
        yield url, answered.total


def _end_in_order() -> None:
    """A closed terminal, or whoever ends this process, must not leave the service behind: it is left as by Ctrl-C."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, lambda: task and task.cancel())


def _account(child: Child) -> None:
    """What the service left. Raises Failure for anything."""
    if child.exit_code != 0:
        raise Failure(f"The service ended with exit code {child.exit_code}.", UNSUCCESSFUL)
    if child.left:
        raise Failure(f"The service left processes behind: {', '.join(map(str, sorted(child.left)))}.", UNSUCCESSFUL)
    tell(f"the service ended in order; of its {child.family} processes none is left")


@asynccontextmanager
async def _folder(*, keep: bool) -> AsyncIterator[Path]:
    """A folder for the data and the service's log: gone afterwards, unless it is to be kept or something went wrong."""
    place = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="tapewright-demo-"))
    try:
        yield place
    except Failure:
        keep = True
        raise
    finally:
        if keep:
            tell(f"the data and the service's log are kept in {place}")
        else:
            await asyncio.to_thread(shutil.rmtree, place)
