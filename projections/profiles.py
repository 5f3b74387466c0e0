"""The view of profiles: in memory alone; opening reads them by type, few among many events."""

import msgspec

from eventstore import events as e
from eventstore.profile import STREAM
from eventstore.store import EventStore, Recorded

TYPES = frozenset({"profile.created", "profile.changed", "profile.used", "profile.saved", "profile.deleted"})


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A profile as the API families show it. Times are microseconds since 1970 UTC, None for what has not happened.

    `settings` is JSON text, `snapshots` how many times it was saved, `cookie_domains` those of the newest snapshot.
    """

    id: str
    project: str
    name: str
    description: str
    persist: bool
    settings: str
    created_at: int
    updated_at: int
    used_at: int | None = None
    snapshots: int = 0
    cookie_domains: tuple[str, ...] = ()
    deleted: bool = False


class Profiles:
    """All profiles by id; those that were deleted are known by their project alone."""

    def __init__(self) -> None:
        self._all: dict[str, Profile] = {}
        self._of: dict[str, dict[str, Profile]] = {}

    def find(self, profile_id: str) -> Profile | None:
        """The profile, unless it was deleted."""
        profile = self._all.get(profile_id)
        return None if profile is None or profile.deleted else profile

    def project(self, profile_id: str) -> str:
        """Whose it is or was; empty for one that never was."""
        profile = self._all.get(profile_id)
        return profile.project if profile else ""

    def of(self, project: str) -> list[Profile]:
        """The profiles of a project, the newest first."""
        return list(reversed(self._of.get(project, {}).values()))

    def apply(self, recorded: Recorded) -> None:
        """One more event; the same one again changes nothing."""
        profile_id, event = recorded.stream.removeprefix(STREAM), recorded.event
        known = self._all.get(profile_id)
        if isinstance(event, e.ProfileCreated) and known is None:
            created = {"created_at": recorded.at, "updated_at": recorded.at}
            told = {name: getattr(event, name) for name in ("project", "name", "description", "persist", "settings")}
            self._put(msgspec.convert({"id": profile_id, **told, **created}, Profile))
        elif known is not None and not known.deleted:
            self._put(_after(known, event, recorded.at))

    async def load(self, store: EventStore) -> None:
        """Read every profile that the log has."""
        position = 0
        while page := await store.read(position, types=TYPES):
            for recorded in page:
                self.apply(recorded)
            position = page[-1].position

    def _put(self, profile: Profile) -> None:
        self._all[profile.id] = profile
        mine = self._of.setdefault(profile.project, {})
        if profile.deleted:
            mine.pop(profile.id, None)
        else:
            mine[profile.id] = profile


def _after(profile: Profile, event: e.Event, at: int) -> Profile:
    changes: dict[str, object] = {}
    match event:
        case e.ProfileChanged():
            told = {name: getattr(event, name) for name in ("name", "description", "persist", "settings")}
            changes = {**told, "updated_at": at}
        case e.ProfileUsed():
            changes = {"used_at": at}
        case e.ProfileSaved(version=version, cookie_domains=domains):
            changes = {"used_at": at, "updated_at": at, "snapshots": version, "cookie_domains": domains}
        case e.ProfileDeleted():
            changes = {"deleted": True, "name": "", "description": "", "settings": "{}", "cookie_domains": ()}
    return msgspec.structs.replace(profile, **changes)
