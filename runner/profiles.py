"""Profiles in use: a browser begins with a copy of the newest snapshot, and what it has at its end is the next one.

A snapshot is durable before the tape names it, and whole: of two that are saved at once the later one wins as it is. A
crash before that loses the save and no more; where the end of a task finds that nothing is left of its browser, it says
so on the profile's stream.
"""

import asyncio
from functools import partial

import msgspec
import structlog

from eventstore import events as e
from eventstore import profile as decide
from eventstore.errors import NotFound, Refused
from eventstore.profile import KEPT, STREAM, Profile, evolve, fold
from eventstore.snapshots import domains, put_cookies, snapshot_name
from eventstore.store import EventStore
from eventstore.transact import Repository
from eventstore.vault import Vault
from runner.keeping import forget, kept
from runner.ports import Session
from runner.vocabulary import ActFailed

log = structlog.get_logger()

STATE_SECONDS, STOP_SECONDS = 12.0, 3.0
"""How long a browser may take to tell what it has at the end of a task; at a stop somebody waits for it."""

TYPES = frozenset({"profile.created", "profile.changed", "profile.saved", "profile.deleted"})


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A browser's state to begin with, as `Session.state` gave it, and its version; nothing and 0 of a new profile."""

    state: str = ""
    version: int = 0


class Profiles:
    """The profiles as a runner uses them; one writer at a time for each, among all who share the vault."""

    def __init__(self, store: EventStore, vault: Vault, *, actor: str) -> None:
        self._store = store
        self._vault = vault
        self._actor = actor
        self._profiles = Repository(store, Profile(), evolve)

    async def take_up(self) -> None:
        """Forget what the vault has of profiles that are gone, and what a killed writer left."""
        profiles: dict[str, Profile] = {}
        after = 0
        while page := await self._store.read(after, types=TYPES):
            for recorded in page:
                known = profiles.get(recorded.stream)
                profiles[recorded.stream] = fold([recorded.event], known)
            after = page[-1].position
        names = [
            snapshot_name(stream.removeprefix(STREAM), version)
            for stream, profile in profiles.items()
            for version in profile.kept
        ]
        await self._vault.sweep(names, kind="profile")

    async def copy(self, profile_id: str) -> Copy:
        """The newest snapshot that can be read; empty for no profile at all. Waits for one that is being saved.

        Raises ActFailed (profile_deleted, profile_lost).
        """
        if not profile_id:
            return Copy()
        async with self._lock(profile_id):
            profile = await self._now(profile_id)
            for version in profile.kept:
                if data := await self._vault.get(snapshot_name(profile_id, version)):
                    return Copy(state=data.decode(), version=version)
                log.warning("a snapshot of a profile cannot be read", profile=profile_id, version=version)
        if not profile.there:
            raise _deleted()
        if profile.saved:
            raise ActFailed("profile_lost", "The vault no longer has what the profile was saved with; make a new one.")
        return Copy()

    async def used(self, profile_id: str, stream: str, version: int) -> None:
        """Say that the browser of the stream begins with that copy. Raises ActFailed (profile_deleted)."""
        if not profile_id:
            return
        try:
            use = partial(decide.use, stream=stream, version=version)
            await self._profiles.transact(STREAM + profile_id, use, actor=self._actor)
        except NotFound:
            raise _deleted() from None

    async def save(self, profile_id: str, stream: str, state: str) -> None:
        """Make the state of the stream's browser the profile's next snapshot, if it persists and is still there.

        What goes wrong is said on the profile's stream, and raised to nobody.
        """
        if not profile_id:
            return
        try:
            async with self._lock(profile_id):
                await self._save(profile_id, stream, state)
        except NotFound:
            log.info("a profile was deleted while it was used; nothing is saved to it", profile=profile_id)
        except (OSError, Refused) as failure:
            why = failure.strerror if isinstance(failure, OSError) else str(failure)
            await self.lost(profile_id, stream, "not_written", f"The snapshot could not be written: {why}")

    async def lost(self, profile_id: str, stream: str, cause: str, message: str) -> None:
        """Say that what the stream's browser had is lost to the profile."""
        if not profile_id:
            return
        log.warning("a profile was not saved", profile=profile_id, stream=stream, cause=cause, reason=message)
        failed = e.ProfileSaveFailed(stream=stream, cause=cause, message=message)
        try:
            profile = await self._now(profile_id)
            if profile.current and profile.current.persist:
                fail = partial(decide.fail, failed=failed)
                await self._profiles.transact(STREAM + profile_id, fail, actor=self._actor)
        except Refused as refused:
            log.error("nor could that be said on the tape", profile=profile_id, reason=str(refused))

    async def leave(self, created: e.TaskCreated, stream: str, state: str, *, begun: bool) -> None:
        """The task's browser is about to go: keep of its state what was asked for. Empty: nothing is known of it.

        `begun` tells that there was a browser at all.
        """
        options = created.options
        if options.save_state and state:
            try:
                await put_cookies(self._vault, stream.removeprefix("task-"), state)
            except OSError as failure:
                log.error("the cookies of a task could not be kept", stream=stream, reason=failure.strerror)
        if state:
            await self.save(options.profile, stream, state)
        elif begun:
            await self.lost(options.profile, stream, "no_state", "Nothing is left of what the task's browser had.")

    async def leave_kept(
        self, created: e.TaskCreated, stream: str, name: str, *, begun: bool, forgets: bool = True
    ) -> None:
        """As `leave`, of a browser that is gone already, with what the vault has of it under the name.

        That goes, unless it is for others too.
        """
        if wanted(created):
            known = await kept(self._vault, name)
            await self.leave(created, stream, known.state if known else "", begun=begun)
        if forgets:
            await forget(self._vault, name)

    async def _save(self, profile_id: str, stream: str, state: str) -> None:
        profile = await self._now(profile_id)
        if not profile.there or profile.current is None:
            raise NotFound
        if not profile.current.persist:
            return
        data, version = state.encode(), profile.saved + 1
        saved = e.ProfileSaved(version=version, stream=stream, cookie_domains=domains(state), size=len(data))
        await self._vault.put(snapshot_name(profile_id, version), data, durable=True)
        try:
            await self._profiles.transact(STREAM + profile_id, partial(decide.save, saved=saved), actor=self._actor)
        except NotFound:
            await self._vault.delete(snapshot_name(profile_id, version))
            raise
        await self._vault.delete(snapshot_name(profile_id, version - KEPT))

    async def _now(self, profile_id: str) -> Profile:
        """The profile as the log has it: others write to it too."""
        done = await self._profiles.transact(STREAM + profile_id, lambda _: (), actor=self._actor)
        return done.state

    def _lock(self, profile_id: str) -> asyncio.Lock:
        return self._vault.writing(f"profile/{profile_id}")


async def last_state(session: Session | None, vault: Vault, name: str, seconds: float) -> str:
    """What the session's browser has; else what the vault has of it under the name, or nothing."""
    if session is not None:
        try:
            async with asyncio.timeout(seconds):
                return await session.state()
        except (ActFailed, TimeoutError) as failure:
            log.warning("what a browser has could not be read at its end", reason=str(failure))
    known = await kept(vault, name)
    return known.state if known else ""


def wanted(created: e.TaskCreated) -> bool:
    """Whether anybody wants what the task's browser has at its end."""
    return bool(created.options.profile) or created.options.save_state


def _deleted() -> ActFailed:
    return ActFailed("profile_deleted", "The profile that the task was to begin with was deleted.")
