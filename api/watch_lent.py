"""The live page of a browser that a client drives: one may watch it, and stop it, and its client alone steers."""

import asyncio
from contextlib import suppress
from functools import partial

from api import sessions
from api.service import Caller, Service
from api.watch_link import Watching, good
from api.watch_news import LINK_OVER, NOTHING_LEFT, Send
from api.watch_steering import Button
from api.watch_words import Over, Told
from eventstore import session as decide
from eventstore.errors import NotAllowed
from eventstore.human import HumanInput, HumanOutcome
from eventstore.session import Session
from eventstore.store import Lane

LOOK_SECONDS = 1.0
"""How often it is looked whether the browser still runs, and the link is still good."""

DRIVEN = "This browser is driven by its client: one can watch it, and stop it."
TITLE = "A browser that its client drives"
ENDS = {"timeout": "The browser has ended: its time was over.", "stop": "The browser was stopped."}
ENDED = "The browser has ended."


class LentNews:
    """Tells one page of the browser's session; see `api.watch_news.Telling`."""

    def __init__(self, service: Service, watch: Watching, session_id: str, *, send: Send) -> None:
        self.task_id = session_id
        self._service = service
        self._watch = watch
        self._send = send
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """Something may have changed."""
        self._stirred.set()

    async def tell(self) -> None:
        """That it runs, and that it has ended."""
        said, over = "", ""
        while not over:
            self._stirred.clear()
            session = await self._service.sessions.fresh(sessions.stream(self.task_id))
            state = "active" if session.active else "stopped"
            if not good(self._service, self._watch):
                over = LINK_OVER
            elif session.created is None or session.deleted:
                over = NOTHING_LEFT
            elif said != state:
                said = state
                await self._send(self._told(session, state))
            elif not session.active:
                over = _end(session)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._stirred.wait()
        await self._send(Over(text=over))

    def _told(self, session: Session, state: str) -> Told:
        return Told(
            id=self.task_id,
            state=state,
            instruction=TITLE,
            right=self._watch.right,
            controlled=False,
            driving=False,
            ended=not session.active,
            question=None,
            output="" if session.active else _end(session),
            error="",
            screenshot="",
            recordings=(),
            browser=True,
        )


class LentWishes:
    """Of one page; see `api.watch_steering.Wishes`."""

    def __init__(self, service: Service, caller: Caller) -> None:
        self._service = service
        self._caller = caller

    async def press(self, task_id: str, button: Button) -> None:
        """To stop it is all that one may."""
        if button != "stop":
            raise NotAllowed(DRIVEN)
        stop = partial(decide.stop, reason="It was stopped on the live page.")
        await self._service.sessions.transact(
            sessions.stream(task_id), stop, actor=self._caller.actor, lane=Lane.CONTROL
        )

    async def answer(self, task_id: str, request: str, value: str) -> None:
        """It asks nothing."""
        raise NotAllowed(DRIVEN)

    async def act(self, task_id: str, asked: HumanInput) -> HumanOutcome:
        """None is done."""
        raise NotAllowed(DRIVEN)


def _end(session: Session) -> str:
    return ENDS.get(session.stopped, ENDED)
