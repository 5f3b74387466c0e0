"""A model server behind the models of a world, and what a scripted model says."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from eventstore import events as e
from runner.llm.client import Client
from runner.llm.endpoints import Endpoint, Find
from runner.llm.pace import Pace
from runner.llm.pool import open_clients
from runner.models import Choice
from tests.model_server import ModelServer, Turn, model_server


class Hours:
    """A clock that only sleeping moves; `slept` is how long, each time."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def client(self, endpoint: Endpoint) -> Client:
        return Client(endpoint, pace=Pace(endpoint.max_concurrent, self.now, self.sleep))


def says(*acts: dict[str, Any], memory: str = "", goal: str = "go on", evaluation: str = "so far so good") -> str:
    """A reply with these acts."""
    said = {"evaluation_previous_goal": evaluation, "memory": memory, "next_goal": goal, "action": list(acts)}
    return json.dumps(said)


def ends(text: str = "all done", *, success: bool = True, **said: str) -> str:
    """A reply that is the end."""
    return says({"done": {"text": text, "success": success}}, **said)


def gives(data: object, *, success: bool = True) -> str:
    """A reply that is the end of a task with an output schema."""
    return says({"done": {"data": data, "text": None, "success": success}})


def found(*endpoints: Endpoint) -> Find:
    """Finds these by their names."""
    return {endpoint.name: endpoint for endpoint in endpoints}.get


async def free_task(world: Any, name: str = "buy tea", **fields: Any) -> str:
    """A task that the scripted model runs."""
    stream: str = await world.create(name, llm="scripted", **fields)
    return stream


async def facts(world: Any, stream: str, kind: type[e.Event]) -> list[Any]:
    """Those of that kind on its tape."""
    return [recorded.event for recorded in await world.store.read_stream(stream) if isinstance(recorded.event, kind)]


@asynccontextmanager
async def modelled(world: Any, turns: Sequence[Turn], **settings: Any) -> AsyncIterator[ModelServer]:
    """Tasks of the world whose model is `scripted` are run by these turns."""
    async with model_server(turns) as served:
        endpoint = served.endpoint(**settings)
        async with open_clients(found(endpoint)) as clients:
            world.choice = Choice(clients)
            yield served
