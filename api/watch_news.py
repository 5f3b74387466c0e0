"""The news of one live page: how its task stands and what its steps are, whenever that changes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from api import present
from api.files import TAKE
from api.service import Service
from api.watch_link import Watching, good
from api.watch_words import Over, Steps, StepTold, Word, step, told
from eventstore.errors import NotFound
from projections.task_row import TaskRow

LOOK_SECONDS = 0.5
"""How often it is looked whether there is a task, and a browser, by now."""

CHECK_SECONDS = 5.0
"""How often it is looked whether the link is still good."""

LINGER_SECONDS = 60.0
"""How long a page waits after the end of its task for the video of it."""

LINK_OVER = "This link is no longer good; ask for a new one."
NOTHING_LEFT = "What was to be seen here is gone."

Find = Callable[[], Awaitable[TaskRow | None]]
"""The task to be shown now, None before there is one. Raises NotFound."""

Send = Callable[[Word], Awaitable[None]]


class Telling(Protocol):
    """Tells one page of what it shows. `task_id` is the id of that, by which pictures are known."""

    task_id: str

    def stir(self) -> None:
        """Something changed that no event tells of."""
        ...

    async def tell(self) -> None:
        """How it stands, whenever that changes, until there will be nothing to be told any more."""
        ...


class News:
    """`find` gives the task; `lasting` tells that there may be another one after it; `drives`, whether this page does;
    `leave`, that it does no more.

    `task_id` is that of the task that was told of last.
    """

    def __init__(
        self,
        service: Service,
        watch: Watching,
        *,
        find: Find,
        lasting: bool,
        drives: Callable[[str], bool],
        leave: Callable[[str], None],
        send: Send,
    ) -> None:
        self.task_id = ""
        self._service = service
        self._watch = watch
        self._find = find
        self._lasting = lasting
        self._drives = drives
        self._leave = leave
        self._driving = False
        self._send = send
        self._sent: list[StepTold] = []
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """Something changed that no event tells of."""
        self._stirred.set()

    async def tell(self) -> None:
        """How the task stands, whenever that changes."""
        over = ""
        while not over:
            self._stirred.clear()
            if not good(self._service, self._watch):
                over = LINK_OVER
                break
            try:
                row = await self._find()
            except NotFound:
                over = NOTHING_LEFT
                break
            if row is None:
                await self._changed(asyncio.sleep(LOOK_SECONDS))
                continue
            await self._stands(row)
            over = await self._next(row)
        await self._send(Over(text=over))

    async def _next(self, row: TaskRow) -> str:
        """Wait until there may be news; a sentence when there will be none."""
        seconds = CHECK_SECONDS if row.ended_at is None or self._lasting else LINGER_SECONDS
        more = self._service.projector.tasks.until(row.id, lambda now: now.position > row.position, seconds)
        changed = await self._changed(more)
        if changed or row.ended_at is None or self._lasting:
            return ""
        return "The task has ended."

    async def _changed(self, wait: Awaitable[object]) -> bool:
        """Whether the wait brought something, or somebody stirred."""
        works = [asyncio.ensure_future(wait), asyncio.ensure_future(self._stirred.wait())]
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
            return any(work.result() for work in done)
        finally:
            for work in works:
                work.cancel()

    async def _stands(self, row: TaskRow) -> None:
        if row.id != self.task_id:
            self.task_id, self._sent = row.id, []
        rows = await self._service.projector.steps.of(row.id)
        driving = row.controlled and self._drives(row.id)
        now = self._service.projector.tasks.peek(row.id)  # the page may have taken control again since the row was read
        if self._driving and now is not None and not now.controlled:
            self._leave(row.id)
        self._driving = driving
        last = next((each for each in reversed(rows) if each.screenshot), None)
        ended = row.ended_at is not None
        picture = f"/api/tape/tasks/{row.id}/screenshots/{last.number}.png" if ended and last else ""
        videos = [self._below(f"{TAKE}{row.id}/{file.id}") for file in row.recordings]
        await self._send(
            told(
                row,
                right=self._watch.right,
                driving=driving,
                screenshot=self._below(picture) if picture else "",
                recordings=videos,
            )
        )
        steps = [step(each) for each in rows]
        same = sum(1 for _ in _alike(self._sent, steps))
        if same < len(steps) or same < len(self._sent):
            self._sent = steps
            await self._send(Steps(task=row.id, place=same, steps=steps[same:]))

    def _below(self, path: str) -> str:
        """A signed link to a path of ours, from the page's own address: a proxy may have put the service anywhere."""
        return ".." + self._service.signer.sign(path, present.PICTURE_SECONDS)


def _alike(before: list[StepTold], now: list[StepTold]) -> list[StepTold]:
    """The steps at the beginning that are the same in both."""
    same: list[StepTold] = []
    for one, other in zip(before, now, strict=False):
        if one != other:
            break
        same.append(one)
    return same
