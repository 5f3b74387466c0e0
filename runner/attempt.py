"""One attempt at one task: a browser session, a way back when an earlier attempt left off, the loop, and the end."""

import traceback
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from pathlib import Path

import msgspec
import structlog

from eventstore import decide
from eventstore import events as e
from eventstore import secrets as sealed
from eventstore.blobs import Blobs
from eventstore.errors import Broken, Invalid, Refused
from eventstore.vault import Vault
from runner.acts import Acts
from runner.asking import Asker
from runner.belongings import Bringing, given
from runner.control import Gate
from runner.door import Door
from runner.fitting import fitting
from runner.housekeeping import Housekeeping, Lodging
from runner.human import Human
from runner.inbox import DOWNLOAD_BYTES, Inbox
from runner.keeping import Keeper, Kept, forget, kept, session_state, task_state
from runner.loop import Loop
from runner.parking import LetGo
from runner.past import Past
from runner.ports import Done, Model, Session, Sessions, Wanted
from runner.profiles import STATE_SECONDS, STOP_SECONDS, Copy, Profiles, last_state, wanted
from runner.proxies import Countries, upstream
from runner.recording import Recording, recording, unrecorded
from runner.reel import Reels
from runner.restoring import Restoration, must_be_honest
from runner.tape import Tape
from runner.veil import Veiled
from runner.vocabulary import ActFailed
from runner.wallet import Wallet, wallet_of

log = structlog.get_logger()

MESSAGE_BYTES = 20_000

MOST_HIDDEN = 500
"""Secrets of earlier tasks in a session that its tasks must not show; each costs time on every text."""

BLOCKS_RECORDED = 100
"""Blocked requests of one attempt that go on the tape; a page can try without end."""


Models = Callable[[e.TaskCreated], Model]
"""The model for a task. Raises ActFailed for an instruction that it cannot read."""


class Equipment(msgspec.Struct, frozen=True, kw_only=True):
    """What every attempt of a runner shares. A person has `input_seconds` to answer a question.

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
    records: Callable[[e.Options], bool] = unrecorded
    input_seconds: float = 3600.0
    door: Door = msgspec.field(default_factory=Door)
    proxies: Countries = {}
    session_idle_seconds: float = 900.0
    max_idle_sessions: int = 8


class Attempt(msgspec.Struct, kw_only=True):
    """One attempt, the `number`-th, under the fence of `tape`."""

    created: e.TaskCreated
    number: int
    tape: Tape
    gate: Gate
    past: Past
    equipment: Equipment
    profiles: Profiles
    houses: Housekeeping
    lodging: Lodging = Lodging()
    known: Kept | None = None
    session: Session | None = None
    keeper: Keeper | None = None
    inbox: Inbox | None = None
    blocks: int = 0

    async def run(self) -> None:
        """Drive the task until it has ended or was stopped.

        Raises LetGo, ActFailed when the browser was lost and another attempt is due, Refused when the log will have no
        more.
        """
        async with AsyncExitStack() as stack:
            fact: e.Event | None
            try:
                fact = _finished(await self.gate.steer(self._drive(stack)), self.tape.fence, self.past.files)
            except Invalid as refused:  # it would be refused again however often the task were given back
                fact = self._failed("not_recordable", f"What the task did cannot be written down: {refused}")
            except LetGo as let_go:
                self._keep(let_go.cause == "shutdown")
                if self.keeper:
                    self.keeper.driven(self.past.hands)
                raise
            except (Refused, Broken):
                raise
            except ActFailed as failure:
                if failure.code in decide.LOST_BROWSER:
                    self._keep(failure.code == "browser_lost")  # it may be only the way there that was lost
                    raise
                fact = self._failed(failure.code, str(failure))
            except Exception:
                told = self.tape.mask.text(traceback.format_exc())  # it may quote the page
                log.error("a task failed unexpectedly", stream=self.tape.stream, exception=told)
                fact = self._failed("internal", "The runner failed unexpectedly; the service's log says more.")
            await self._leave(stopped=fact is None)
            await self._end(fact)
            self._keep(bool(self.lodging.room))
            if self.session is None and self.past.browser:  # it waits for a session that will not come
                self.equipment.browsers.end(self.past.browser)
            if self.lodging.room:
                await self._rest()
            elif self.keeper:
                await self.keeper.forget()
            else:
                await forget(self.equipment.vault, self._state_name)

    async def _rest(self) -> None:
        """The session goes on without the task: with its browser, or with what is kept of it."""
        if self.keeper:
            await self.keeper.rest()

    @property
    def _state_name(self) -> str:
        """What the vault calls the cookies and storage of the browser that the task is in."""
        return session_state(self.lodging.room) if self.lodging.room else task_state(self.created)

    async def _leave(self, *, stopped: bool) -> None:
        """Keep of the browser what was asked for, before the end is told: a task that follows may begin with it."""
        if wanted(self.created):
            seconds = STOP_SECONDS if stopped else STATE_SECONDS
            state = await last_state(self.session, self.equipment.vault, self._state_name, seconds)
            begun = self.session is not None or bool(self.past.steps)
            await self.profiles.leave(self.created, self.tape.stream, state, begun=begun)

    async def _end(self, fact: e.Event | None) -> None:
        """The end as a fact; without one, a stop took effect. What is still behind neither fails nor delays it."""
        if fact is None:
            await self.tape.drop()
            await self.tape.decide(lambda task: decide.stopped(task, fence=self.tape.fence))
            return
        await self.tape.close()
        try:
            await self._record(fact)
        except Invalid as refused:
            await self._record(self._failed("not_recordable", f"The task's end cannot be written down: {refused}"))

    async def _record(self, fact: e.Event) -> None:
        await self.tape.decide(lambda task: [] if task.ended else decide.record(task, fact))

    def _failed(self, code: str, message: str) -> e.TaskFailed:
        return e.TaskFailed(fence=self.tape.fence, code=code, message=fitting(message, MESSAGE_BYTES))

    async def _drive(self, stack: AsyncExitStack) -> Done:
        limits = self.created.limits
        model = self.equipment.models(self.created)
        self.lodging = await self.houses.lodging(self.created)
        self.known = await self._known()
        wallet = await self._wallet()
        asker = self._asker(wallet)
        await asker.recall()
        try:
            async with self.gate.limit(max(limits.task_seconds - self.past.used_ms / 1000, 0.0)) as limit:
                session = await self._open(stack, model, wallet)
                keeper = self.keeper = self._keeper(session)
                stack.push_async_callback(keeper.close)
                stack.push_async_callback(self.tape.close)
                human = Human(session, self.tape, self.past)
                stack.push_async_callback(human.close)
                stack.enter_context(self.equipment.door.open(self.tape.stream, human))
                loop = self._loop(session, model, asker, keeper)
                done = await loop.run()
                if self.inbox is not None:
                    await self.inbox.last(late=self.past.fresh)
                await self.tape.settle()  # what the last step left, while there is a limit and a stop is heard
                return done
        except TimeoutError as error:
            if not limit.expired():
                raise
            message = f"The task took longer than {limits.task_seconds:g} seconds."
            raise ActFailed("task_timeout", message) from error

    def _loop(self, session: Session, model: Model, asker: Asker, keeper: Keeper) -> Loop:
        acts = Acts(tape=self.tape, gate=self.gate, hands=session, eyes=session, past=self.past, ask=asker.ask)
        return Loop(
            tape=self.tape,
            gate=self.gate,
            acts=acts,
            eyes=session,
            model=model,
            past=self.past,
            limits=self.created.limits,
            keep=keeper.keep,
            driven=keeper.driven,
        )

    def _asker(self, wallet: Wallet) -> Asker:
        return Asker(
            gate=self.gate,
            tape=self.tape,
            past=self.past,
            vault=self.equipment.vault,
            wallet=wallet,
            seconds=self.equipment.input_seconds,
        )

    async def _known(self) -> Kept | None:
        """What is kept of the browser: by an earlier attempt, or by an earlier task of the session."""
        if not self.lodging.room:
            return await kept(self.equipment.vault, self._state_name) if self.number > 1 else None
        known = await kept(self.equipment.vault, self._state_name)
        if known is None or known.stream == self.tape.stream:
            return known
        return msgspec.structs.replace(known, step=0, hands=0)

    async def _wallet(self) -> Wallet:
        """The task's secrets. From here on nothing goes on the tape that shows one. Raises ActFailed: secrets_lost."""
        before = self.known.hidden if self.known else {}
        if len(before) > MOST_HIDDEN:
            raise ActFailed("session_full", "Too many secrets were used in this session; begin a new one.")
        if not self.created.secrets:
            wallet = wallet_of(self.created, {}, before)
            self.tape.mask = wallet.mask
            return wallet
        found = await sealed.get(self.equipment.vault, sealed.vault_name(self.tape.stream, self.created))
        if found is None or not set(self.created.secrets) <= set(found):
            raise ActFailed("secrets_lost", "The vault no longer has the task's secrets; create it again with them.")
        wallet = wallet_of(self.created, found, before)
        self.tape.mask = wallet.mask
        return wallet

    async def _open(self, stack: AsyncExitStack, model: Model, wallet: Wallet) -> Session:
        """A session on the tape as started, brought back to where an earlier attempt was."""
        known = self.known
        if not model.needs_tree and not self.past.browser:
            must_be_honest(self.past, known)
        options, shared = self.created.options, self.equipment
        bringing = Bringing(self.tape, self.past, shared.blobs)
        if shared.files is not None and shared.downloads_bytes:
            used = sum(file.size for file in self.past.files.values())
            self.inbox = Inbox(bringing.keep, most_bytes=shared.downloads_bytes, used=used)
        copy = Copy() if known else await self.profiles.copy(options.profile)
        film = await stack.enter_async_context(self._film())
        opened = await stack.enter_async_context(
            self.equipment.browsers.session(
                Wanted(
                    viewport=(options.viewport_width, options.viewport_height),
                    allowed_domains=self.created.allowed_domains,
                    state=known.state if known else copy.state,
                    uploads=await stack.enter_async_context(given(shared.files, self.created.uploads, shared.blobs)),
                    action_seconds=self.created.limits.action_seconds,
                    blocked=self._blocked,
                    own=self.past.browser,
                    room=self.lodging.room,
                    again=self.number > 1,
                    downloads=shared.files,
                    inbox=self.inbox,
                    proxy=await upstream(self.equipment.vault, options, self.equipment.proxies),
                )
            )
        )
        if not known and not opened.attached:
            await self.profiles.used(options.profile, self.tape.stream, copy.version)
        session = self.session = Veiled(opened, wallet)
        reel = await stack.enter_async_context(shared.reels.showing(self.tape.stream, session.show))
        if film is not None:
            film.begin(reel)
        if session.own:
            await self._write(e.BrowserOpened(fence=self.tape.fence, browser=session.own))
        back = Restoration(
            past=self.past,
            tape=self.tape,
            gate=self.gate,
            model=model,
            known=known,
            visited=self.lodging.visited,
        )
        restored, lost = await back.of(session)
        started = e.TaskStarted(
            fence=self.tape.fence,
            browser=session.version,
            viewport_width=options.viewport_width,
            viewport_height=options.viewport_height,
            restored=restored,
            lost=lost,
        )
        await self._write(started)
        bringing.start()
        self._keep(True)
        await self.gate.unpark()
        return session

    def _film(self) -> AbstractAsyncContextManager[Recording | None]:
        """Room for a video of this attempt, where one is wanted. What it lacks is written after the browser is left."""
        if not self.equipment.records(self.created.options):
            return nullcontext()
        name = f"recording-{self.number}"
        gate = self.gate
        return recording(self.tape, self.equipment.blobs, lambda: gate.free and gate.has_slot, name=name)

    async def _write(self, fact: e.Event) -> None:
        await self.tape.write(fact)
        self.past.note([fact])

    def _keep(self, keep: bool) -> None:
        if self.session is not None:
            self.session.keep = keep

    def _keeper(self, session: Session) -> Keeper:
        shared, lasting = self.equipment, self.tape.stream if self.lodging.room else ""
        return Keeper(
            session, shared.blobs, shared.vault, self._state_name, screenshots=shared.screenshots, lasting=lasting
        )

    def _blocked(self, url: str, reason: str) -> None:
        self.blocks += 1
        if self.blocks <= BLOCKS_RECORDED:
            shown = fitting(self.tape.mask.text(url), 4_000)
            self.tape.write_behind(e.NavigationBlocked(fence=self.tape.fence, url=shown, reason=reason))


def _finished(done: Done | None, fence: int, files: Iterable[str]) -> e.TaskFinished | None:
    if done is None:
        return None
    return e.TaskFinished(fence=fence, success=done.success, output=done.output, files=tuple(files))
