"""What every attempt of a runner shares: where models, browsers and blobs come from, and the bounds that are set."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from eventstore.blobs import Blobs
from eventstore.vault import Vault
from runner.door import Door
from runner.inbox import DOWNLOAD_BYTES
from runner.judgement import Judge, unjudged
from runner.model import Assignment, Model, Reader
from runner.ports import Sessions
from runner.proxies import Countries
from runner.recording import Records, unrecorded
from runner.reel import Reels

Models = Callable[[Assignment], Model]
"""The model for a task. Raises ActFailed for an instruction that it cannot read."""

Readers = Callable[[Assignment], Reader | None]
"""Who answers a task's questions about pages, if anybody does. Raises ActFailed."""


def nobody(_assignment: Assignment) -> None:
    """No reader."""


class Equipment(msgspec.Struct, frozen=True, kw_only=True):
    """One for all attempts. A person has `input_seconds` to answer a question.

    So many sessions at most keep their browsers open between tasks, each for so many seconds.
    """

    models: Models
    browsers: Sessions
    blobs: Blobs
    vault: Vault
    files: Path | None = None
    downloads_bytes: int = DOWNLOAD_BYTES
    screenshots: bool = True
    reels: Reels = msgspec.field(default_factory=Reels)
    records: Records = unrecorded
    input_seconds: float = 3600.0
    door: Door = msgspec.field(default_factory=Door)
    proxies: Countries = {}
    session_idle_seconds: float = 900.0
    max_idle_sessions: int = 8
    judge: Judge = unjudged
    readers: Readers = nobody
