"""One open live page: pictures and news out, a person's wishes in. What it is slow to take it misses, and no other."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeGuard

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from api.service import Service
from api.sse import bound
from api.watch_link import Watching, good
from api.watch_news import LINK_OVER, LOOK_SECONDS, Telling
from api.watch_steering import Wishes
from api.watch_words import (
    LARGEST_MESSAGE,
    Answer,
    Done,
    Hand,
    Problem,
    Said,
    Sight,
    Steer,
    Word,
    frame,
)
from api.watchers import Page, Watchers
from eventstore.errors import Refused

FRAME_SECONDS = 0.1
"""From one picture to the next, for one page."""

PING_SECONDS = 20.0
DRAIN_SECONDS = 20.0
"""A page that takes nothing for so long is given up."""

CLOSE_SECONDS = 2.0
MOST_WAITING = 64
"""Inputs of a person that wait for their turn; more are refused."""

AFTER_HANDS = frozenset({"return", "resume"})
"""What a person did by hand before he pressed one of these is done first."""

_decoder = msgspec.json.Decoder(Said)


class Watcher(Page):
    """Use `run` once. `news` is what tells of what is watched, `wishes` what may be wished of it."""

    def __init__(
        self,
        service: Service,
        watchers: Watchers,
        watch: Watching,
        *,
        news: Callable[["Watcher"], Telling],
        wishes: Wishes,
    ) -> None:
        self._service = service
        self._watchers = watchers
        self._watch = watch
        self._socket = web.WebSocketResponse(
            heartbeat=PING_SECONDS, max_msg_size=LARGEST_MESSAGE, timeout=CLOSE_SECONDS, compress=False
        )
        self._wishes = wishes
        self._news = news(self)
        self._ending = asyncio.Event()
        self._drain: Callable[[], Awaitable[None]] = _taken
        self._hands: asyncio.Queue[Hand | Steer] = asyncio.Queue(MOST_WAITING)

    def end(self) -> None:
        """The service ends."""
        self._ending.set()

    def stir(self) -> None:
        """Something changed that no event tells of."""
        self._news.stir()

    async def run(self, request: web.Request) -> web.WebSocketResponse:
        """Until the page goes, or there is nothing to be told any more, or the service ends."""
        await self._socket.prepare(request)
        bound(request.transport)
        self._drain = request.writer.drain
        parts = (self._news.tell(), self._show(), self._hear(), self._act(), self._ending.wait())
        works = [asyncio.ensure_future(part) for part in parts]
        try:
            await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for work in works:
                work.cancel()
            outcomes = await asyncio.gather(*works, return_exceptions=True)
        code = WSCloseCode.GOING_AWAY if self._ending.is_set() else WSCloseCode.OK
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(code=code)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError | TimeoutError):
                raise outcome
        return self._socket

    # --- out

    async def _show(self) -> None:
        """Pictures, whenever there is a browser."""
        while True:
            watching = self._service.reels.watching(self._news.task_id) if self._news.task_id else None
            if watching is None:
                await asyncio.sleep(LOOK_SECONDS)
                continue
            async with watching as reel:
                await self.send(Sight(live=True))
                number = 0
                while (picture := await reel.newest(number)) is not None:
                    number = picture.number
                    await self._write(self._socket.send_bytes(frame(picture.data, picture.width, picture.height)))
                    await asyncio.sleep(FRAME_SECONDS)
            await self.send(Sight(live=False))

    async def send(self, word: Word) -> None:
        """To the page."""
        await self._write(self._socket.send_str(msgspec.json.encode(word).decode()))

    async def _write(self, sending: Awaitable[None]) -> None:
        """Done when the page has taken nearly all that was sent."""
        async with asyncio.timeout(DRAIN_SECONDS):
            await sending
            await self._drain()

    # --- in

    async def _hear(self) -> None:
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                return
            try:
                said = _decoder.decode(message.data)
            except (msgspec.DecodeError, RecursionError) as error:
                await self.send(Problem(text=f"This cannot be read: {error}"))
                continue
            problem = self._refusal()
            if not problem and (isinstance(said, Hand) or self._comes_after_hands(said)):
                problem = self._queue(said)
            elif not problem:
                problem = await self._steered(partial(self._steer, said))
            if problem and isinstance(said, Hand):
                await self.send(Done(number=said.number, problem=problem))
            elif problem:
                await self.send(Problem(text=problem))

    def _refusal(self) -> str:
        if not good(self._service, self._watch):
            return LINK_OVER
        if self._watch.right != "control":
            return "With this link one can only watch."
        return "" if self._news.task_id else "There is no task here yet."

    def _comes_after_hands(self, said: Said) -> TypeGuard[Steer]:
        waits = isinstance(said, Steer) and said.what in AFTER_HANDS and not self._hands.empty()
        return waits and self._watchers.drives(self, self._news.task_id)

    def _queue(self, hand: Hand | Steer) -> str:
        if not self._watchers.drives(self, self._news.task_id):
            return "Take control of the browser first."
        try:
            self._hands.put_nowait(hand)
        except asyncio.QueueFull:
            return "The browser cannot follow; wait a moment."
        return ""

    async def _steer(self, said: Steer | Answer) -> None:
        if isinstance(said, Answer):
            await self._wishes.answer(self._news.task_id, said.request, said.value)
            return
        await self._wishes.press(self._news.task_id, said.what)
        if said.what == "take":
            self._watchers.take(self, self._news.task_id)
            self.stir()

    async def _steered(self, doing: Callable[[], Awaitable[None]]) -> str:
        """What was refused, as a sentence."""
        try:
            await doing()
        except Refused as refused:
            return str(refused)
        return ""

    async def _act(self) -> None:
        """A person's inputs, one after the other."""
        while True:
            hand = await self._hands.get()
            if isinstance(hand, Steer):
                if problem := await self._steered(partial(self._steer, hand)):
                    await self.send(Problem(text=problem))
                continue
            if not self._watchers.drives(self, self._news.task_id):
                await self.send(Done(number=hand.number, problem="Somebody else has taken control."))
                continue
            try:
                outcome = await self._wishes.act(self._news.task_id, hand.input)
                done = Done(number=hand.number, url=outcome.url, problem=outcome.problem)
            except Refused as refused:
                done = Done(number=hand.number, problem=str(refused))
            await self.send(done)


async def _taken() -> None:
    """Nothing was sent yet."""
