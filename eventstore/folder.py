"""A project's uploads: which files lie ready for its tasks, and how much there may be of them. Pure."""

from collections.abc import Iterable
from functools import reduce

import msgspec

from eventstore import events as e
from eventstore.errors import NoRoom

STREAM = "files-"

MAX_FILES = 10_000
"""So many uploads a project may keep; what is in memory of it is bounded so."""


class Folder(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision needs to know. `files` are the uploads by name; `version` counts the events folded."""

    version: int = 0
    files: dict[str, e.File] = {}


def evolve(folder: Folder, event: e.Event) -> Folder:
    """The state after one more event."""
    files = folder.files
    match event:
        case e.FileUploaded(file=file):
            files = {**files, file.name: file}
        case e.FilesRemoved(files=gone):
            files = {name: file for name, file in files.items() if file.id not in gone}
    return Folder(version=folder.version + 1, files=files)


def fold(events: Iterable[e.Event], folder: Folder | None = None) -> Folder:
    """The state after all the events, from nothing or from an earlier state."""
    return reduce(evolve, events, folder or Folder())


def upload(folder: Folder, *, uploaded: e.FileUploaded) -> list[e.SessionEvent]:
    """A file for the project. The same name again is a newer file in its place; the same file again changes nothing.

    Raises NoRoom.
    """
    file = uploaded.file
    if folder.files.get(file.name) == file:
        return []
    if file.name not in folder.files and len(folder.files) >= MAX_FILES:
        raise NoRoom(f"This project keeps {MAX_FILES} uploads already.")
    return [uploaded]


def remove(folder: Folder, *, files: Iterable[str], reason: str = "") -> list[e.SessionEvent]:
    """These files are to be deleted, by id; those that are not there any more are passed over."""
    known = {file.id for file in folder.files.values()}
    gone = tuple(file for file in files if file in known)
    return [e.FilesRemoved(files=gone, reason=reason)] if gone else []
