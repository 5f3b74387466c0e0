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
from eventstore.session import Session
from eventstore.store import EventStore
from eventstore.task import Task
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.belongings import sweep
from runner.browser.browsers import BrowserSettings
from runner.browser.chromium import find
from runner.browser.remote import is_remote
from runner.browser.sessions import open_sessions
from runner.door import Door
from runner.equipment import Equipment, Models
from runner.inbox import DOWNLOAD_BYTES
from runner.llm.endpoints import Find, nowhere
from runner.llm.judge import judge_of
from runner.llm.pool import open_clients
from runner.models import Choice
from runner.ports import Sessions
from runner.proxies import Countries
from runner.recording import ASKED, records
from runner.reel import Reels
from runner.vocabulary import ActFailed
from runner.worker import Worker


class RunnerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`keep_paused_seconds` is how long a paused task keeps its browser.

    `files` holds a folder for each task that is at work, and is nobody else's. A task downloads at most so many bytes.
    So many sessions at most keep their browsers open between tasks, each for `session_idle_seconds`. `endpoints` has
    the models that tasks may name.
    """

    browser: BrowserSettings = BrowserSettings()
    max_concurrent: int = 4
    max_attempts: int = MAX_ATTEMPTS
    keep_paused_seconds: float = 1800.0
    screenshots: bool = True
    recordings: str = ASKED
    input_seconds: float = 3600.0
    files: Path | None = None
    downloads_bytes: int = DOWNLOAD_BYTES
    proxies: Countries = {}
    session_idle_seconds: float = 900.0
    max_idle_sessions: int = 8
    endpoints: Find = nowhere


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
    door: Door | None = None,
    reels: Reels | None = None,
    lodgers: Repository[Session] | None = None,
) -> AsyncIterator[Worker]:
    """A worker that has taken up the tasks that wait; its `run` is the caller's to start and to end.

    `models` and `sessions` take the place of the models that tasks name and of a browser. At the `door` people are let
    in; `lodgers` are the streams of sessions. Raises CannotOpen when the browser that was set is not there: better now
    than at the first task.
    """
    refuse_chatter(os.environ)
    try:
        find(settings.browser.executable)
    except ActFailed as failure:
        raise CannotOpen(str(failure)) from failure
    if settings.files is not None:
        sweep(settings.files)
    async with open_clients(settings.endpoints) as clients, open_sessions(settings.browser) as browsers:
        choice = Choice(clients)
        equipment = Equipment(
            models=models or choice.model,
            readers=choice.reader,
            browsers=sessions or browsers,
            blobs=blobs,
            vault=vault,
            files=settings.files,
            downloads_bytes=settings.downloads_bytes,
            screenshots=settings.screenshots,
            reels=reels or Reels(),
            records=records(settings.recordings),
            input_seconds=settings.input_seconds,
            door=door or Door(),
            proxies=settings.proxies,
            session_idle_seconds=settings.session_idle_seconds,
            max_idle_sessions=0 if _has_one(settings.browser) else settings.max_idle_sessions,
            judge=judge_of(clients),
        )
        worker = Worker(
            store,
            tasks,
            equipment,
            name=str(uuid_utils.uuid7()),
            max_concurrent=settings.max_concurrent,
            keep_paused_seconds=settings.keep_paused_seconds,
            max_attempts=settings.max_attempts,
            sessions=lodgers,
        )
        await worker.take_up()
        yield worker


def _has_one(browser: BrowserSettings) -> bool:
    """Whether there is a single browser for one session at a time: idle ones would keep the others waiting."""
    return browser.isolated and is_remote(browser.executable)


def refuse_chatter(environ: Mapping[str, str]) -> None:
    """Raise CannotOpen where Playwright would write all that it is told to stderr, secrets too."""
    wanted = [name for name in re.split(r"[\s,]+", environ.get("DEBUG", "")) if name.startswith(("pw", "*"))]
    variable = "DEBUG" if wanted else "DEBUGP" if "DEBUGP" in environ else ""
    if variable:
        raise CannotOpen(f"{variable} would have Playwright log all that is typed, secrets too. Unset it.")
