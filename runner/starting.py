"""Starts an attempt: opens its session, brings it to where an earlier attempt was, and tells the tape."""

from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from pathlib import Path

import msgspec

from eventstore import events as e
from runner.belongings import Bringing, given
from runner.control import Gate
from runner.equipment import Equipment
from runner.fitting import fitting
from runner.housekeeping import Lodging
from runner.inbox import Inbox
from runner.keeping import Kept
from runner.model import Model
from runner.past import Past
from runner.ports import Session, Wanted
from runner.profiles import Copy, Profiles
from runner.proxies import upstream
from runner.recording import Recording, recording
from runner.restoring import Restoration, is_done, must_be_honest
from runner.tape import Tape
from runner.veil import Veiled
from runner.wallet import Wallet

BLOCKS_RECORDED = 100
"""Blocked requests of one attempt that go on the tape; a page can try without end."""


class Start(msgspec.Struct, kw_only=True):
    """The start of the `number`-th attempt. `known` is what is kept of its browser. Once it is open there are
    `inbox` and the `folder` that uploads are taken from.

    First `open`, then `begin`, under one stack: what they enter is left in reverse when the attempt ends.
    """

    created: e.TaskCreated
    number: int
    tape: Tape
    gate: Gate
    past: Past
    equipment: Equipment
    profiles: Profiles
    lodging: Lodging
    model: Model
    known: Kept | None
    bringing: Bringing
    inbox: Inbox | None = None
    folder: Path | None = None
    film: Recording | None = None
    blocks: int = 0

    async def open(self, stack: AsyncExitStack, wallet: Wallet) -> Session:
        """The session, with nothing done in it yet. Raises ActFailed."""
        known = self.known
        if not self.model.needs_tree and not self.past.browser and not is_done(self.past, self.model):
            must_be_honest(self.past, known)
        options, shared = self.created.options, self.equipment
        if shared.files is not None and shared.downloads_bytes:
            used = self.past.downloaded_bytes
            self.inbox = Inbox(self.bringing.keep, most_bytes=shared.downloads_bytes, used=used)
        self.folder = await stack.enter_async_context(given(shared.files, self.created.uploads, shared.blobs))
        copy = Copy() if known else await self.profiles.copy(options.profile)
        self.film = await stack.enter_async_context(self._film())
        opened = await stack.enter_async_context(
            shared.browsers.session(
                Wanted(
                    viewport=(options.viewport_width, options.viewport_height),
                    allowed_domains=self.created.allowed_domains,
                    state=known.state if known else copy.state,
                    uploads=self.folder,
                    action_seconds=self.created.limits.action_seconds,
                    blocked=self._blocked,
                    own=self.past.browser,
                    room=self.lodging.room,
                    again=self.number > 1,
                    downloads=shared.files,
                    inbox=self.inbox,
                    highlight=self.created.agent.highlight,
                    proxy=await upstream(shared.vault, options, shared.proxies),
                )
            )
        )
        if not known and not opened.attached:
            await self.profiles.used(options.profile, self.tape.stream, copy.version)
        return Veiled(opened, wallet)

    async def begin(self, stack: AsyncExitStack, session: Session) -> None:
        """Show and film it, bring it back to where an earlier attempt was, and tell the tape that it has started.

        Raises ActFailed where going on is not honest, and LetGo.
        """
        reel = await stack.enter_async_context(self.equipment.reels.showing(self.tape.stream, session.show))
        if self.film is not None:
            self.film.begin(reel)
        if session.own:
            await self._write(e.BrowserOpened(fence=self.tape.fence, browser=session.own))
        back = Restoration(
            past=self.past,
            tape=self.tape,
            gate=self.gate,
            model=self.model,
            known=self.known,
            visited=self.lodging.visited,
        )
        restored, lost = await back.of(session)
        options = self.created.options
        started = e.TaskStarted(
            fence=self.tape.fence,
            browser=session.version,
            viewport_width=options.viewport_width,
            viewport_height=options.viewport_height,
            restored=restored,
            lost=lost,
        )
        await self._write(started)
        self.bringing.start()
        session.keep = True
        await self.gate.unpark()

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

    def _blocked(self, url: str, reason: str) -> None:
        self.blocks += 1
        if self.blocks <= BLOCKS_RECORDED:
            shown = fitting(self.tape.mask.text(url), 4_000)
            self.tape.write_behind(e.NavigationBlocked(fence=self.tape.fence, url=shown, reason=reason))
