"""What a step of a free-form task costs: time in our process, and tokens that a model is sent.

The real runner, Chromium and client; the tape is in memory, and the model is a script behind a socket, in a process of
its own, that answers at once. Time is the processor's in our process over a step: model, driver and page are other
processes. Reach: 50 ms p50 on a small page, 300 ms on one of 5,000 elements. Tokens are a guess of four characters
each: of the rules, what was done so far, the page, and the schema that goes with each call. The chore in the shop is to
log in, look at products, buy and look at the basket. Usage: `python bench/agent.py [steps]`.
"""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import uvloop
from noise import spread, table
from observing import site

sys.path.insert(0, str(Path(__file__).parent.parent))
from api.demo.shop import open_shop
from eventstore import decide
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.memory import MemoryStore
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.browser.browsers import Browsers, BrowserSettings, open_browsers
from runner.egress.addresses import LOOPBACK
from runner.equipment import Equipment
from runner.llm.endpoints import Endpoint
from runner.llm.pool import open_clients
from runner.model import Assignment, Model, Observation, PastStep, Reply
from runner.models import Choice
from runner.worker import Worker
from tests.model_server import Asked, model_server
from tests.modelled import ends, says
from tests.reading_models import indexes

LIMIT = 300.0
PER_TOKEN = 4
TASKS = {"small": "Fill in the small page.", "rows": "Fill in the orders.", "shop": "Buy things."}


class Sent(msgspec.Struct, frozen=True):
    """Characters of one request."""

    rules: int
    past: int
    page: int
    schema: int


def types(asked: Asked) -> str:
    """Type something else each time: little work for the page, and no standstill."""
    field = (indexes(asked, "textbox") or indexes(asked, "searchbox"))[0]
    text = f"tea {asked.last.count(chr(10) + 'Step ')}"
    return says({"input": {"index": field, "text": text}}, goal="Fill in the form", memory="Nothing is sent yet.")


def shops(asked: Asked) -> str:
    """The chore in the shop, read off the page."""
    email, password, button = (indexes(asked, named) for named in ('"Email"', '"Password"', 'button "Log in"'))
    if email and password and button:
        return says(
            {"input": {"index": email[0], "text": "ada@example.com"}},
            {"input": {"index": password[0], "text": "lovelace"}},
            {"click": {"index": button[0]}},
            goal="Log in",
            memory="Not logged in yet.",
        )
    adds, step = indexes(asked, 'button "Add to basket"'), asked.last.count("\nStep ")
    if step < 7 and adds:
        return says({"click": {"index": adds[step % len(adds)]}}, goal="Buy the next", memory=f"Bought {step - 1}.")
    baskets = indexes(asked, 'link "Basket')
    if baskets and step < 8:
        return says({"click": {"index": baskets[0]}}, goal="Look at the basket", memory="Bought all.")
    return ends("Bought.")


def serve(line: Connection, steps: int) -> None:
    """The scripted model, until it is told to end; then what it was sent, a list for each task."""

    async def serving() -> None:
        def answer(asked: Asked) -> str:
            text = asked.last
            task = (
                "shop" if "Buy things" in asked.texts[0] else "small" if "the small page" in asked.texts[0] else "rows"
            )
            past, _, page = text.partition("# The page now")
            schema = len(msgspec.json.encode(asked.body.get("response_format", {})))
            sent.setdefault(task, []).append(Sent(len(asked.texts[0]), len(past), len(page), schema))
            if task == "shop":
                return shops(asked)
            return types(asked) if len(sent[task]) <= steps else ends()

        sent: dict[str, list[Sent]] = {}
        async with model_server([answer]) as served:
            line.send(served.url)
            await asyncio.to_thread(line.recv)
            line.send(sent)

    uvloop.run(serving())


class Timed:
    """A model that notes when it is asked: by the processor time of this process."""

    def __init__(self, model: Model, times: list[float]) -> None:
        self._model, self._times = model, times
        self.needs_tree, self.needs_picture = model.needs_tree, model.needs_picture
        self.ended, self.recall = model.ended, model.recall

    async def next(self, observation: Observation, past: Sequence[PastStep]) -> Reply:
        self._times.append(time.process_time())
        return await self._model.next(observation, past)


async def steps_of(browsers: Browsers, url: str, instruction: str, start: str) -> list[float]:
    """The milliseconds that each step of the task took in this process."""
    store, times = MemoryStore(), list[float]()
    tasks = Repository(store, Task(), evolve)
    endpoint = Endpoint(name="scripted", model="model-x", base_url=url)
    async with open_clients(lambda _: endpoint) as clients, folder() as path:
        choice = Choice(clients)

        def model(assignment: Assignment) -> Model:
            return Timed(choice.model(assignment), times)

        equipment = Equipment(
            models=model, readers=choice.reader, browsers=browsers, blobs=Blobs(path), vault=Vault(path / "vault")
        )
        worker = Worker(store, tasks, equipment, name="w", max_concurrent=1, keep_paused_seconds=60.0)
        running = asyncio.create_task(worker.run())
        created = e.TaskCreated(
            instruction=instruction,
            llm="scripted",
            session="s",
            project="p",
            family="v2",
            request_digest="d",
            start_url=start,
            agent=e.Agent(thinking=False),
            limits=e.Limits(max_steps=1000, action_seconds=60.0),
        )
        await tasks.transact("task-a", lambda task: decide.create(task, created), actor="key:bench")
        await ended(store)
        await worker.leave()
        running.cancel()
        await asyncio.wait({running})
    return [(after - before) * 1000 for before, after in pairwise(times[2:])]


async def ended(store: MemoryStore) -> None:
    async with asyncio.timeout(LIMIT):
        while True:
            head = store.head
            for recorded in await store.read_stream("task-a", max(store.head - 10, 0)):
                if isinstance(recorded.event, e.TaskFailed):
                    raise SystemExit(f"The task failed: {recorded.event.message}")
                if isinstance(recorded.event, e.TaskFinished):
                    return
            await store.wait(head)


@asynccontextmanager
async def folder() -> AsyncIterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tapewright-bench-") as name:
        yield Path(name)


def tokens(sent: Sequence[Sent]) -> tuple[str, ...]:
    """Of a step in the middle, and of the largest."""
    parts = [median(getattr(each, part) for each in sent) / PER_TOKEN for part in Sent.__struct_fields__]
    whole = [(each.rules + each.past + each.page + each.schema) / PER_TOKEN for each in sent]
    return (*(f"{part:,.0f}" for part in parts), f"{median(whole):,.0f}", f"{max(whole):,.0f}")


async def main(steps: int) -> None:
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there, steps))
    process.start()
    url = await asyncio.to_thread(here.recv)
    took: dict[str, list[float]] = {}
    async with (
        site() as pages,
        open_shop() as shop,
        open_browsers(BrowserSettings(private=LOOPBACK, max_page_bytes=1 << 26)) as browsers,
    ):
        took["small"] = await steps_of(browsers, url, TASKS["small"], f"{pages}/small")
        took["rows"] = await steps_of(browsers, url, TASKS["rows"], f"{pages}/rows")
        took["shop"] = await steps_of(browsers, url, TASKS["shop"], f"{shop}/login")
    here.send("end")
    sent: dict[str, Any] = await asyncio.to_thread(here.recv)
    process.join(10)
    head = ("a step", "ours, p50 in ms", "noise", "rules", "past", "page", "schema", "tokens, p50", "most")
    names = {"small": "small page", "rows": "orders, 5,000 elements", "shop": "shop"}
    found = [(names[name], f"{median(each):.1f}", spread(each), *tokens(sent[name])) for name, each in took.items()]
    table([head, *found])


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 25))
