"""What a step leaves behind beside its facts: a picture in the blobs, cookies and storage in the vault."""

import asyncio

import msgspec
import structlog

from eventstore.blobs import Blobs
from eventstore.errors import DiskFull
from eventstore.events import TaskCreated
from eventstore.vault import Vault
from runner.ports import Session
from runner.vocabulary import ActFailed, Effect

log = structlog.get_logger()

CLOSE_SECONDS = 3.0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A browser's cookies and storage, as they were after the step of that number or a moment later.

    And after so many acts of people (`hands`). What outlives its task also tells of which one it is (`stream`), where
    the browser was, and the secrets (`hidden`) that were typed in it, which no later task may show.
    """

    step: int
    state: str
    hands: int = 0
    stream: str = ""
    url: str = ""
    hidden: dict[str, str] = {}


def task_state(created: TaskCreated) -> str:
    """What the vault calls the cookies and storage of the task's browser."""
    return f"browser/{created.session}"


def session_state(session_id: str) -> str:
    """What the vault calls those of a session that outlives its tasks."""
    return f"session/{session_id}"


async def kept(vault: Vault, name: str) -> Kept | None:
    """What the vault has under the name; None when there is nothing that can be read."""
    data = await vault.get(name)
    try:
        return msgspec.json.decode(data, type=Kept) if data else None
    except msgspec.DecodeError:
        return None


async def forget(vault: Vault, name: str) -> None:
    """Nobody comes back to what the vault has under the name."""
    try:
        await vault.delete(name)
    except OSError as failure:
        log.error("what the vault has of an ended task could not be deleted", reason=str(failure))


class Keeper:
    """Keeps for one session. Cookies and storage are saved beside the task; only the newest count."""

    def __init__(
        self, session: Session, blobs: Blobs, vault: Vault, name: str, *, screenshots: bool, lasting: str = ""
    ) -> None:
        """`lasting` is the task's stream where what is kept outlives it; else it is empty."""
        self._session = session
        self._blobs = blobs
        self._vault = vault
        self._name = name
        self._screenshots = screenshots
        self._lasting = lasting
        self._wanted = (0, 0)
        self._saving: asyncio.Task[None] | None = None
        self._putting: asyncio.Task[None] | None = None

    async def keep(self, number: int, effects: set[Effect]) -> str:
        """Keep what the step of that number left; answers the picture's SHA-256 in hex, or nothing."""
        if effects & {Effect.LASTING, Effect.NAVIGATION}:
            self._want(number, self._wanted[1])
        if not self._screenshots:
            return ""
        try:
            return await self._blobs.put(await self._session.screenshot())
        except (ActFailed, DiskFull, OSError) as failure:
            log.warning("no picture of a step", step=number, reason=str(failure))
            return ""

    def driven(self, hands: int) -> None:
        """People have done so much in the browser by now: keep what that left."""
        if hands > self._wanted[1]:
            self._want(self._wanted[0], hands)

    async def close(self) -> None:
        """Finish saving while the session is still open, within CLOSE_SECONDS."""
        if self._saving is not None:
            await asyncio.wait({self._saving}, timeout=CLOSE_SECONDS)
            self._saving.cancel()

    async def rest(self) -> None:
        """The task has ended, and its session goes on: keep what it leaves, within CLOSE_SECONDS."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.wait({self._saving})
        self._saving = asyncio.create_task(self._save_now(*self._wanted))
        await asyncio.wait({self._saving}, timeout=CLOSE_SECONDS)

    async def forget(self) -> None:
        """The task has ended: nobody comes back to this state."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.wait({self._saving})
        if self._putting is not None:  # its thread cannot be cancelled, and must not write after the deletion
            await asyncio.wait({self._putting}, timeout=CLOSE_SECONDS)
        await forget(self._vault, self._name)

    def _want(self, step: int, hands: int) -> None:
        self._wanted = step, hands
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save())

    async def _save(self) -> None:
        saved = (0, 0)
        while saved != self._wanted:
            saved = self._wanted
            await self._save_now(*saved)

    async def _save_now(self, step: int, hands: int) -> None:
        try:
            state = Kept(step=step, hands=hands, state=await self._session.state())
            if self._lasting:
                place = await self._session.look(tree=False)
                hidden = self._session.wallet.remembered
                state = msgspec.structs.replace(state, stream=self._lasting, url=place.url, hidden=hidden)
            self._putting = asyncio.create_task(self._vault.put(self._name, msgspec.json.encode(state)))
            await asyncio.shield(self._putting)
        except (ActFailed, OSError) as failure:
            # A runner that comes after this one will find that the state is missing, and say so.
            log.warning("cookies and storage were not kept", step=step, reason=str(failure))
