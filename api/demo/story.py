"""The story of the demonstration, told over HTTP: submit, follow, pause half-way, look, resume, read the tape."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable

import msgspec

from api.client import UNSUCCESSFUL, Client, Failure, Told
from api.commands.common import show_table, table
from api.demo.voice import heading, hold, tell
from api.gists import name
from api.live import Progress, advance
from api.tape_views import EventPage
from api.text import plain
from eventstore import events as e
from eventstore.codec import decode
from eventstore.store import PAGE, Verdict

STILL_SECONDS = 2.5
SETTLE_SECONDS = 10.0
BUY = 'click "Add to basket" in the row of "{}"'
HALF_WAY = 'click "Check out"'  # typing comes next: on a slow machine a pause cuts that off, and it is done again

SENTENCES = (
    "open {shop}",
    'click the "Log in" link',
    'type "ada@example.com" into "Email"',
    'type "lovelace" into "Password"',
    'click the "Log in" button',
    BUY.format("Blue teapot"),
    BUY.format("Stoneware mug"),
    'click "Basket (2)"',
    HALF_WAY,
    'type "Ada Lovelace" into "Name"',
    'type "12 St James\'s Square" into "Street"',
    'type "London" into "City"',
    'select "United Kingdom" from "Country"',
    'choose "Express"',
    'check "I accept the terms"',
    'click "Place order"',
    'expect "Thank you, Ada!"',
    "extract the main heading as heading",
    "extract the table as items",
)
SCHEMA = {
    "type": "object",
    "properties": {"heading": {"type": "string"}, "items": {"type": "array"}},
    "required": ["heading", "items"],
}


class Story:
    """One task in the shop at `shop`; `requests` counts those that the shop has answered."""

    def __init__(self, client: Client, shop: str, requests: Callable[[], int]) -> None:
        self._client = client
        self._shop = shop
        self._requests = requests
        self._task = ""
        self._progress = Progress()

    async def play(self) -> None:
        """Raises Failure at the first thing that is not as promised."""
        sentences = [sentence.format(shop=self._shop) for sentence in SENTENCES]
        heading("A task, in plain sentences")
        for sentence in sentences:
            tell(sentence)
        schema = msgspec.json.encode(SCHEMA).decode()
        self._task = await self._client.submit({"task": "\n".join(sentences), "structuredOutput": schema})
        heading(f"Task {self._task}, as it happens")
        events = self._client.follow(f"/api/tape/tasks/{self._task}/events")
        try:
            await self._until(events, lambda event: isinstance(event, e.StepTaken) and event.next_goal == HALF_WAY)
            await self._hold(events)
            await self._until(events, lambda event: self._progress.end is not None)
        finally:
            await events.aclose()
        self._outcome()
        await self._tape()

    async def _until(self, events: AsyncGenerator[Told], reached: Callable[[e.Event], bool]) -> None:
        async for told in events:
            self._progress, lines = advance(self._progress, told.at, told.event)
            for line in lines:
                tell(line.text, style=line.style)
            if reached(told.event):
                return
            if self._progress.end:
                break
        raise Failure("The task ended before its time.", UNSUCCESSFUL)

    async def _hold(self, events: AsyncGenerator[Told]) -> None:
        """Pause, prove that nothing moves, resume."""
        heading("PUT /api/v1/pause-task")
        await self._client.steer("pause", self._task)
        await self._until(events, lambda event: isinstance(event, e.TaskPaused))
        before = await self._still()
        tell(f"the tape is at position {before[0]}, the shop has answered {before[1]} requests")
        await hold("nothing moves", STILL_SECONDS)
        after = await self._still()
        tell(f"{STILL_SECONDS} s later: position {after[0]}, {after[1]} requests")
        if before != after:
            raise Failure("Something moved while the task was paused.", UNSUCCESSFUL)
        heading("PUT /api/v1/resume-task")
        await self._client.steer("resume", self._task)

    async def _still(self) -> tuple[int, int]:
        """The head of the tape, and how many requests the shop has answered."""
        page = await self._client.get("/api/tape/events", EventPage, {"limit": 1})
        return page.head, self._requests()

    def _outcome(self) -> None:
        end = self._progress.end
        if not isinstance(end, e.TaskFinished) or not end.success:
            raise Failure("The task did not finish with success.", UNSUCCESSFUL)
        heading("What it brought back")
        tell(msgspec.json.format(end.output, indent=2).replace("\n", "\n  "))

    async def _tape(self) -> None:
        """What lies on the tape, by kind, and whether the chain holds."""
        heading("The tape")
        kinds, position = Counter[str](), 0
        while (
            page := await self._client.get("/api/tape/events", EventPage, {"after": position, "limit": PAGE})
        ).events:
            kinds.update(name(decode(event.type, bytes(event.data))) for event in page.events)
            position = page.next
        rows = table("event", "times")
        for kind, times in kinds.most_common():
            rows.add_row(kind, str(times))
        show_table(rows)
        verdict = await self._client.get("/api/tape/verify", Verdict, long=True)
        if not verdict.ok:
            raise Failure(f"The chain is broken: {plain(verdict.problem or '')}", UNSUCCESSFUL)
        tell(f"the chain holds: {verdict.head} events, head {verdict.hash}", style="bold green")
