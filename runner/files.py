"""The files of a task at work: what it was given and what it has produced. One name is one file, the newest.

What an act makes goes into the blobs first, and on the tape together with the act's end: after a kill in between, the
act has not been done, and nothing of it is there.
"""

import asyncio
import mimetypes
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import structlog
import uuid_utils

from eventstore import events as e
from eventstore.blobs import Blobs, DamagedBlob
from eventstore.errors import DiskFull
from eventstore.filenames import made_safe
from runner.past import Past
from runner.ports import Made, Outcome
from runner.readable import page, text_of
from runner.tape import Tape
from runner.vocabulary import ActFailed, ReadFile, WriteFile

log = structlog.get_logger()

WRITTEN_BYTES = 1024 * 1024
"""Of one text file that a task writes."""

READ_BYTES = 20 * 1024 * 1024
"""Of one file that is read as text."""

ALL_BYTES = 100 * 1024 * 1024
"""Of all that a task makes itself, each newer file of the same name too. Downloads have a bound of their own."""

MOST_FILES = 200
"""Names of files of a task."""

MOST_NAMED = 20


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt. `folder` is where uploads are taken from; None where there is no room for it."""

    tape: Tape
    past: Past
    blobs: Blobs
    given: tuple[e.File, ...] = ()
    folder: Path | None = None

    async def read(self, action: ReadFile) -> str:
        """A part of the file's text. Raises ActFailed: no_file, no_text, file_lost, bad_action."""
        file = self._named(action.file)
        return page(await self._text(file), file.name, action.offset, self.tape.mask)

    async def write(self, action: WriteFile) -> Outcome:
        """What the file holds from now on. Raises ActFailed: no_file, no_text, bad_action, too_large, file_lost."""
        name = made_safe(action.file, otherwise="file.txt")
        before = self._find(name)
        text, did = action.content, "wrote"
        if action.append and action.replace:
            raise ActFailed("bad_action", "A text is either appended or put in place of another one.")
        if action.replace:
            text, did = _replaced(name, await self._text(self._named(name)), action)
        elif action.append and before is not None:
            text, did = await self._text(before) + action.content, "appended to"
        elif before is not None:
            did = "wrote anew"
        data = text.encode(errors="replace")
        _writable(name, len(data))
        return Outcome(result=f"{did} {name}, which has {len(data):,} bytes", made=(Made(name=name, data=data),))

    async def produced(self, step: int, made: Sequence[Made]) -> list[e.FileProduced]:
        """Facts to be written with the act's end; the bytes are in the blobs. Raises ActFailed: too_large, not_kept."""
        facts: list[e.FileProduced] = []
        for each in made:
            name = made_safe(each.name, otherwise="file")
            self._bounded(name, sum(len(other.data) for other in made))
            try:
                blob = await self.blobs.put(each.data)
            except (DiskFull, OSError) as failure:
                log.warning("a file was not kept", stream=self.tape.stream, reason=str(failure))
                raise ActFailed("not_kept", f"{name} could not be kept: the disk took no more.") from failure
            facts.append(e.FileProduced(fence=self.tape.fence, step=step, file=described(name, blob, len(each.data))))
        return facts

    async def lay(self, name: str) -> None:
        """Put a file that the task has produced where uploads are taken from. Raises ActFailed: file_lost."""
        await self.tape.settle()  # it may have been downloaded a moment ago
        file = self.past.files.get(name)
        if self.folder is None or file is None:
            return
        try:
            blob = await self.blobs.sound(file.blob)
            if blob is not None:
                await asyncio.to_thread(shutil.copyfile, blob, self.folder / made_safe(name))
                return
        except (DamagedBlob, OSError) as failure:
            raise ActFailed("file_lost", f"{name} cannot be read any more: {failure}") from failure
        raise ActFailed("file_lost", f"{name} is no longer on the disk.")

    def _bounded(self, name: str, size: int) -> None:
        if self.past.made_bytes + size > ALL_BYTES:
            raise ActFailed("too_large", f"{name} was not kept: a task makes at most {ALL_BYTES:,} bytes of files.")
        if name not in self.past.files and len(self.past.files) >= MOST_FILES:
            raise ActFailed("too_large", f"{name} was not kept: a task makes at most {MOST_FILES} files.")

    def _find(self, name: str) -> e.File | None:
        """What the task produced comes before what it was given: it is newer."""
        return self.past.files.get(name) or next((file for file in self.given if file.name == name), None)

    def _named(self, name: str) -> e.File:
        file = self._find(name) or self._find(made_safe(name))
        if file is None:
            raise ActFailed("no_file", f"There is no file {name}. {_there_are([*self.past.files, *self._given_names])}")
        return file

    @property
    def _given_names(self) -> Iterable[str]:
        return (file.name for file in self.given if file.name not in self.past.files)

    async def _text(self, file: e.File) -> str:
        if file.size > READ_BYTES:
            raise ActFailed("too_large", f"{file.name} has {file.size:,} bytes; at most {READ_BYTES:,} are read.")
        try:
            data = await self.blobs.get(file.blob)
        except (DamagedBlob, OSError) as failure:
            raise ActFailed("file_lost", f"{file.name} cannot be read any more: {failure}") from failure
        if data is None:
            raise ActFailed("file_lost", f"{file.name} is no longer on the disk.")
        return await text_of(file.name, data)


def described(name: str, blob: str, size: int) -> e.File:
    """A file of that good name, which is in the blobs."""
    kind = mimetypes.guess_type(name)[0] or ""
    return e.File(id=str(uuid_utils.uuid7()), name=name, blob=blob, size=size, content_type=kind)


def _replaced(name: str, old: str, action: WriteFile) -> tuple[str, str]:
    """The new text, and what was done. It is weighed before it is made: a word for each letter may be gigabytes."""
    if not (times := old.count(action.replace)):
        raise ActFailed("no_text", f"{name} does not hold the text that is to be replaced.")
    _writable(name, len(old) + times * (len(action.content) - len(action.replace)))
    return old.replace(action.replace, action.content), f"replaced {times} times in"


def _writable(name: str, size: int) -> None:
    if size > WRITTEN_BYTES:
        raise ActFailed("too_large", f"{name} would have {size:,} bytes; at most {WRITTEN_BYTES:,} are written.")


def _there_are(names: Sequence[str]) -> str:
    if not names:
        return "The task has no files."
    more = f", and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"There are: {', '.join(names[:MOST_NAMED])}{more}."
