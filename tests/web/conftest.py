"""The application on a tape in memory, without a runner; `drive` writes the facts that a runner would."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from api import control
from api.app import create_app
from api.auth import ENVIRONMENT, digest
from api.background import background
from api.connections import accepting, cut_when_stalled
from api.service import Service
from api.settings import Settings
from api.signing import Signer
from eventstore import decide, folder, schedule, session
from eventstore import events as e
from eventstore.blobs import Blobs
from eventstore.hook import Hook
from eventstore.hook import evolve as hook_evolve
from eventstore.memory import MemoryStore
from eventstore.outbox import Deliveries
from eventstore.outbox import evolve as deliveries_evolve
from eventstore.profile import Profile
from eventstore.profile import evolve as profile_evolve
from eventstore.store import EventStore, Recorded
from eventstore.task import Task, evolve
from eventstore.transact import Repository
from eventstore.vault import Vault
from projections.projector import open_projector

KEY = "a-key-that-is-long-enough"
Client: TypeAlias = TestClient[web.Request, web.Application]
MakeClient: TypeAlias = Callable[..., Awaitable[Client]]


class Drive:
    """Brings tasks into any state, by the decisions and events of a runner called `r1`.

    Every method waits until the views have what it wrote.
    """

    def __init__(self, service: Service) -> None:
        self.service = service

    async def create(self, *, project: str = "default", **fields: object) -> str:
        """A queued task; `fields` are those of TaskCreated."""
        asked: dict[str, object] = {
            "instruction": "Open the shop.",
            "llm": "instructions",
            "session": control.fresh_id(),
            "family": "v1",
        }
        created = msgspec.convert({**asked, "project": project, "request_digest": "", **fields}, e.TaskCreated)
        caller = msgspec.structs.replace(ENVIRONMENT, project=project)
        return (await control.create(self.service, caller, created, digest=control.fresh_id())).id

    async def key(self, *scopes: str, project: str = "default") -> dict[str, str]:
        """The headers of a new key; its id is the actor on what it does."""
        key = f"tw_{control.fresh_id()}"
        created = e.KeyCreated(digest=digest(key), project=project, scopes=scopes)
        (recorded,) = await self.service.store.append(f"key-{control.fresh_id()}", 0, [created], actor="system")
        await self.service.projector.reached(recorded.position)
        return {"Authorization": f"Bearer {key}"}

    async def claim(self, task_id: str) -> None:
        """Claimed by `r1`."""
        await self._decide(task_id, partial(decide.claim, runner="r1"))

    async def start(self, task_id: str) -> None:
        """Running; claimed before, if it was not."""
        await self.claim(task_id)
        fence = await self._fence(task_id)
        started = e.TaskStarted(fence=fence, browser="Chromium 150", viewport_width=1280, viewport_height=960)
        await self.record(task_id, started)

    async def step(self, task_id: str, number: int = 1, *, screenshot: bytes = b"", **fields: object) -> None:
        """One whole step with one click in it; `fields` are those of StepTaken."""
        fence = await self._fence(task_id)
        digest = await self.service.blobs.put(screenshot) if screenshot else ""
        taken: dict[str, object] = {
            "url": "http://shop.test/",
            "title": "Shop",
            "evaluation": "It went well.",
            "memory": f"Step {number} is done.",
            "next_goal": "Go on.",
        }
        await self.record(
            task_id,
            e.StepStarted(fence=fence, number=number),
            e.ActionStarted(
                fence=fence,
                step=number,
                index=0,
                name="click",
                params='{"click":{"target":{"text":"Buy"}}}',
                effect="lasting",
                url="http://shop.test/",
            ),
            e.ActionEnded(fence=fence, step=number, index=0, ok=True, result="clicked", duration_ms=12),
            msgspec.convert(
                {"fence": fence, "number": number, "screenshot": digest, "duration_ms": 1500, **taken, **fields},
                e.StepTaken,
            ),
        )

    async def finish(self, task_id: str, output: str = "", *, success: bool = True) -> None:
        """Finished."""
        await self.record(task_id, e.TaskFinished(fence=await self._fence(task_id), success=success, output=output))

    async def fail(self, task_id: str, code: str = "timeout", message: str = "The task took too long.") -> None:
        """Failed."""
        await self.record(task_id, e.TaskFailed(fence=await self._fence(task_id), code=code, message=message))

    async def ask(self, task_id: str, kind: str = "code", prompt: str = "Which code?", request: str = "") -> None:
        """Parked with a question to a person."""
        fence = await self._fence(task_id)
        question = e.InputRequested(
            fence=fence, step=1, request=request or control.fresh_id(), kind=kind, prompt=prompt, seconds=60.0
        )
        await self._decide(task_id, partial(decide.ask, question=question))

    async def provide(self, task_id: str, request: str) -> None:
        """Answered by somebody."""
        await self._decide(task_id, partial(decide.provide, request=request))

    async def resume_asked(self, task_id: str) -> None:
        """Running again, as what it waited for is there."""
        await self._decide(task_id, partial(decide.unpark, fence=await self._fence(task_id)))

    async def ask_pause(self, task_id: str) -> None:
        """Paused when nobody runs it, pausing otherwise."""
        await self._decide(task_id, decide.pause)

    async def pause(self, task_id: str) -> None:
        """Paused under a runner: asked for, and taken effect."""
        await self.ask_pause(task_id)
        await self._decide(task_id, partial(decide.park, fence=await self._fence(task_id)))

    async def ask_resume(self, task_id: str) -> None:
        """Resuming."""
        await self._decide(task_id, decide.resume)

    async def resume(self, task_id: str) -> None:
        """Running again."""
        await self.ask_resume(task_id)
        await self._decide(task_id, partial(decide.unpark, fence=await self._fence(task_id)))

    async def ask_stop(self, task_id: str) -> None:
        """Stopped when nobody runs it, stopping otherwise."""
        await self._decide(task_id, decide.stop)

    async def stop(self, task_id: str) -> None:
        """Stopped."""
        await self.ask_stop(task_id)
        await self._decide(task_id, partial(decide.stopped, fence=await self._fence(task_id)))

    async def record(self, task_id: str, *facts: e.Event) -> None:
        """Any facts, under the fence of the last claim."""
        await self._decide(task_id, lambda task: decide.record(task, *facts))

    async def answer(self, task_id: str) -> None:
        """Do at once what was asked for last, as a runner would that follows the log."""
        fence = await self._fence(task_id)
        task = await self.service.tasks.load(control.stream(task_id))
        if task.desired == "stop":
            await self._decide(task_id, partial(decide.stopped, fence=fence))
        elif task.desired == "pause":
            await self._decide(task_id, partial(decide.park, fence=fence))
        else:
            await self._decide(task_id, partial(decide.unpark, fence=fence))

    async def tape(self, task_id: str) -> list[Recorded]:
        """All events of the task."""
        return list(await self.service.store.read_stream(control.stream(task_id)))

    async def _fence(self, task_id: str) -> int:
        return (await self.service.tasks.load(control.stream(task_id))).fence

    async def _decide(self, task_id: str, decision: Callable[[Task], list[e.Event]]) -> None:
        done = await self.service.tasks.transact(control.stream(task_id), decision, actor="runner:r1")
        await self.service.projector.reached(done.position)


@pytest.fixture
def store() -> EventStore:
    """An empty tape in memory."""
    return MemoryStore()


@pytest.fixture
async def service(tmp_path: Path, store: EventStore) -> AsyncIterator[Service]:
    """What the handlers use, assembled as in production; the views follow the log, and nobody runs tasks."""
    async with AsyncExitStack() as stack:
        projector = await stack.enter_async_context(open_projector(store, None))
        await stack.enter_async_context(background(projector.run()))
        yield Service(
            settings=Settings(data_dir=tmp_path, api_key=KEY, public_url="http://tape.test"),
            store=store,
            tasks=Repository(store, Task(), evolve),
            profiles=Repository(store, Profile(), profile_evolve),
            schedules=Repository(store, schedule.Schedule(), schedule.evolve),
            sessions=Repository(store, session.Session(), session.evolve),
            folders=Repository(store, folder.Folder(), folder.evolve),
            hooks=Repository(store, Hook(), hook_evolve),
            deliveries=Repository(store, Deliveries(), deliveries_evolve),
            projector=projector,
            blobs=Blobs(tmp_path / "blobs"),
            vault=Vault(tmp_path / "vault"),
            signer=Signer(bytes(32)),
        )


@pytest.fixture
async def client(service: Service, aiohttp_client: MakeClient) -> Client:
    """A client with the right key."""
    return await aiohttp_client(create_app(service), headers={"Authorization": f"Bearer {KEY}"})


@pytest.fixture
async def anonymous(service: Service, aiohttp_client: MakeClient) -> Client:
    """A client without a key."""
    return await aiohttp_client(create_app(service))


@pytest.fixture
def drive(service: Service) -> Drive:
    """The runner's part."""
    return Drive(service)


@asynccontextmanager
async def listening(
    app: web.Application, *, most: int = 50, idle: float = 60, stalled: float = 60
) -> AsyncIterator[int]:
    """The application behind the door that it has in production; gives its port."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            cut_when_stalled(taken, stalled)
            async with accepting(runner, taken, most=most, idle_seconds=idle):
                yield taken.getsockname()[1]
    finally:
        await runner.cleanup()
