"""A profile: cookies and storage that browsers begin with and save back to. Pure; the snapshots are in the vault."""

from collections.abc import Iterable, Mapping
from functools import reduce

import msgspec

from eventstore import events as e
from eventstore.errors import Conflict, NotFound

STREAM = "profile-"

KEPT = 3
"""So many of the newest snapshots are kept: one to begin with, and two should it turn out to be unreadable."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision needs to know. `version` counts the events folded, `saved` the snapshots: dense from 1.

    `current` is the profile as it was created or last changed.
    """

    version: int = 0
    created: e.ProfileCreated | None = None
    current: e.ProfileChanged | None = None
    saved: int = 0
    deleted: bool = False

    @property
    def there(self) -> bool:
        """Whether browsers may begin with it and save to it."""
        return self.created is not None and not self.deleted

    @property
    def kept(self) -> tuple[int, ...]:
        """The snapshots that are kept, the newest first."""
        return tuple(range(self.saved, max(self.saved - KEPT, 0), -1)) if self.there else ()


def evolve(profile: Profile, event: e.Event) -> Profile:
    """The state after one more event."""
    changes: dict[str, object] = {"version": profile.version + 1}
    match event:
        case e.ProfileCreated() if profile.created is None:
            changes |= {"created": event, "current": changed(event)}
        case e.ProfileChanged():
            changes["current"] = event
        case e.ProfileSaved(version=version):
            changes["saved"] = max(profile.saved, version)
        case e.ProfileDeleted():
            changes["deleted"] = True
    return msgspec.structs.replace(profile, **changes)


def fold(events: Iterable[e.Event], profile: Profile | None = None) -> Profile:
    """The state after all the events, from nothing or from an earlier state."""
    return reduce(evolve, events, profile or Profile())


def create(profile: Profile, *, created: e.ProfileCreated) -> list[e.ProfileEvent]:
    """A new profile, empty. The same again is one profile; another one in its place is refused."""
    if profile.created is None and not profile.version:
        return [created]
    if profile.created == created:
        return []
    raise Conflict("There is a profile under this id already.")


def change(profile: Profile, *, change: e.ProfileChanged) -> list[e.ProfileEvent]:
    """As it is from now on. Raises NotFound."""
    _must_be_there(profile)
    return [] if profile.current == change else [change]


def use(profile: Profile, *, stream: str, version: int) -> list[e.ProfileEvent]:
    """A browser begins with the snapshot of that version, 0 for none. Raises NotFound."""
    _must_be_there(profile)
    return [e.ProfileUsed(stream=stream, version=version)]


def save(profile: Profile, *, saved: e.ProfileSaved) -> list[e.ProfileEvent]:
    """The next snapshot, whose bytes are in the vault by now.

    Raises NotFound when it was deleted meanwhile, Conflict when somebody else has saved that version.
    """
    _must_be_there(profile)
    if saved.version != profile.saved + 1:
        raise Conflict(f"Version {saved.version} of the profile was to be saved after version {profile.saved}.")
    return [saved]


def fail(profile: Profile, *, failed: e.ProfileSaveFailed) -> list[e.ProfileEvent]:
    """What should have been saved is lost. Nothing to say of a profile that is gone."""
    return [failed] if profile.there else []


def delete(profile: Profile, *, reason: str = "") -> list[e.ProfileEvent]:
    """Nothing begins with it any more, and its snapshots go. Deleting twice is once."""
    if profile.deleted:
        return []
    _must_be_there(profile)
    return [e.ProfileDeleted(reason=reason)]


def changed(profile: e.ProfileCreated | e.ProfileChanged, **fields: object) -> e.ProfileChanged:
    """The profile as it is, but for these fields."""
    known: Mapping[str, object] = {
        name: getattr(profile, name) for name in ("name", "description", "persist", "settings")
    }
    return msgspec.convert({**known, **fields}, e.ProfileChanged)


def _must_be_there(profile: Profile) -> None:
    if not profile.there:
        raise NotFound("Profile not found")
