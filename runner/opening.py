"""Opens the runner of one process: browsers, models and the worker, for the length of a block."""

import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uuid_utils

from eventstore.blobs import Blobs
from eventstore.decide import MAX_ATTEMPTS
from eventstore.errors import CannotOpen
from eventstore.events import TaskCreated
from eventstore.store import EventStore
from eventstore.task import Task
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.attempt import Equipment, Models
from runner.browser.browsers import BrowserSettings
from runner.browser.chromium import find
from runner.browser.sessions import open_sessions
from runner.keyless.instructions import Instructions
from runner.ports import Model, Sessions
from runner.vocabulary import ActFailed
from runner.worker import Worker


class RunnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`keep_paused_seconds` is how long a paused task keeps its browser; `uploads` holds a folder a task."""

    browser: BrowserSettings = BrowserSettings()
    max_concurrent: int = 4
    max_attempts: int = MAX_ATTEMPTS
    keep_paused_seconds: float = 1800.0
    screenshots: bool = True
    uploads: Path | None = None


@asynccontextmanager
async def open_worker(
    store: EventStore,
    tasks: Repository[Task],
    blobs: Blobs,
    vault: Vault,
    settings: RunnerSettings,
    *,
    models: Models | None = None,
    sessions: Sessions | None = None,
) -> AsyncIterator[Worker]:
    """A worker that has taken up the tasks that wait; its `run` is the caller's to start and to end.

    `models` and `sessions` take the place of the models that tasks name and of a browser.
    Raises CannotOpen when the browser that was set is not there: better now than at the first task.
    """
    refuse_chatter(os.environ)
    try:
        find(settings.browser.executable)
    except ActFailed as failure:
        raise CannotOpen(str(failure)) from failure
    async with open_sessions(settings.browser) as browsers:
        equipment = Equipment(
            models=models or model_of,
            browsers=sessions or browsers,
            blobs=blobs,
            vault=vault,
            uploads=settings.uploads,
            screenshots=settings.screenshots,
        )
        worker = Worker(
            store,
            tasks,
            equipment,
            name=str(uuid_utils.uuid7()),
            max_concurrent=settings.max_concurrent,
            keep_paused_seconds=settings.keep_paused_seconds,
            max_attempts=settings.max_attempts,
        )
        await worker.take_up()
        yield worker


def refuse_chatter(environ: Mapping[str, str]) -> None:
    """Raise CannotOpen where Playwright would write all that it is told to stderr, secrets too."""
    wanted = [name for name in re.split(r"[\s,]+", environ.get("DEBUG", "")) if name.startswith(("pw", "*"))]
    variable = "DEBUG" if wanted else "DEBUGP" if "DEBUGP" in environ else ""
    if variable:
        raise CannotOpen(f"{variable} would have Playwright log all that is typed, secrets too. Unset it.")


def model_of(created: TaskCreated) -> Model:
    """The model that the task asked for. Raises ActFailed for an instruction or a schema that it cannot read."""
    return Instructions(
        created.instruction, created.output_schema, start_url=created.start_url, secrets=created.secrets
    )
