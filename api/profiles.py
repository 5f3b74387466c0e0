"""What every family does with a profile: makes, changes and deletes it. In no family's words.

What one family alone knows of a profile is kept as well, so that it is seen through that family again.
"""

from functools import partial

import msgspec
from msgspec import UNSET, UnsetType

from api import proxies
from api.control import fresh_id, seen
from api.service import Caller, Service
from api.settings import Settings
from eventstore import profile as decide
from eventstore.errors import NotFound
from eventstore.events import Options, ProfileChanged, ProfileCreated, ProfileEvent
from eventstore.profile import KEPT, STREAM
from eventstore.snapshots import snapshot_name
from eventstore.store import Lane
from projections.profiles import Profile

MAX_NAME = 100
MAX_DESCRIPTION = 1_000


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of a profile. None for what nobody has said.

    `user_id` is the client's own name for its owner. `proxy` and `country` are the way out of tasks that ask for none,
    the viewport in CSS pixels that of those that give none. `ad_blocker` is kept, and has no effect.
    """

    user_id: str | None = None
    ad_blocker: bool | None = None
    proxy: bool | None = None
    country: str | None = None
    viewport_width: int | None = None
    viewport_height: int | None = None


def details(profile: Profile) -> Details:
    """The settings of the profile."""
    return msgspec.json.decode(profile.settings, type=Details)


def find(service: Service, caller: Caller, profile_id: str) -> Profile:
    """The caller's profile. Raises NotFound; what is another project's does not exist."""
    profile = service.projector.profiles.find(profile_id.lower())
    if profile is None or profile.project != caller.project:
        raise NotFound("Profile not found")
    return profile


def wanted(service: Service, caller: Caller, profile_id: str | None) -> Profile | None:
    """The profile that a task or session shall begin with; None and an empty id ask for none. Raises NotFound."""
    return find(service, caller, profile_id) if profile_id else None


def page(service: Service, caller: Caller, offset: int, limit: int, *, query: str = "") -> tuple[list[Profile], int]:
    """Some of the caller's profiles, the newest first, and how many there are.

    `query` narrows them to those that have it in their name or their owner's id, whatever its case.
    """
    word = query.strip().casefold()
    mine = service.projector.profiles.of(caller.project)
    found = [each for each in mine if word in each.name.casefold() or word in (details(each).user_id or "").casefold()]
    return found[offset : offset + limit], len(found)


async def create(
    service: Service, caller: Caller, known: Details, *, family: str, name: str, description: str, persist: bool
) -> Profile:
    """A new, empty profile of the caller's project. Raises what `EventStore.append` raises."""
    profile_id = fresh_id()
    created = ProfileCreated(
        project=caller.project,
        family=family,
        name=name,
        description=description,
        persist=persist,
        settings=msgspec.json.encode(known).decode(),
    )
    done = await service.profiles.transact(
        STREAM + profile_id, partial(decide.create, created=created), actor=caller.actor, lane=Lane.INTAKE
    )
    await seen(service, done.position)
    return find(service, caller, profile_id)


async def change(
    service: Service, caller: Caller, profile_id: str, fields: dict[str, object], settings: dict[str, object]
) -> Profile:
    """Change these of its fields (name, description, persist) and settings, and no others. Raises NotFound."""
    profile = find(service, caller, profile_id)

    def decision(state: decide.Profile) -> list[ProfileEvent]:
        if state.current is None:
            raise NotFound("Profile not found")
        known = msgspec.json.decode(state.current.settings, type=Details)
        after = msgspec.json.encode(msgspec.structs.replace(known, **settings)).decode()
        changed: ProfileChanged = decide.changed(state.current, settings=after, **fields)
        return decide.change(state, change=changed)

    done = await service.profiles.transact(STREAM + profile.id, decision, actor=caller.actor, lane=Lane.CONTROL)
    await seen(service, done.position)
    return find(service, caller, profile.id)


async def delete(service: Service, caller: Caller, profile_id: str) -> None:
    """Nothing begins with it any more, and its snapshots are gone when this answers. Raises NotFound.

    A task that has begun with it goes on; what its browser has at the end is dropped. A kill in between leaves
    snapshots for the next start to delete.
    """
    profile = find(service, caller, profile_id)
    decision = decide.delete
    done = await service.profiles.transact(STREAM + profile.id, decision, actor=caller.actor, lane=Lane.CONTROL)
    # One more on either side: a save may have failed before its event, or after it.
    for version in range(done.state.saved - KEPT, done.state.saved + 2):
        await service.vault.delete(snapshot_name(profile.id, version))
    await seen(service, done.position)


def begun(
    options: Options,
    settings: Settings,
    profile: Profile | None,
    *,
    width: int | None,
    height: int | None,
    country: str | UnsetType | None,
    field: tuple[str | int, ...],
) -> Options:
    """The options of what begins with the profile, or with none: what it asks for, else as the profile has it.

    `country` is the code that is asked for, None to leave straight from here, UNSET to leave it open. Raises Invalid
    at `field` for one that no proxy is configured for.
    """
    known = details(profile) if profile else Details()
    code = proxies.country(settings, country, *field) if country is not UNSET else _country(settings, known)
    return msgspec.structs.replace(
        options,
        viewport_width=width or known.viewport_width or options.viewport_width,
        viewport_height=height or known.viewport_height or options.viewport_height,
        profile=profile.id if profile else "",
        country=code,
    )


def _country(settings: Settings, known: Details) -> str:
    """The profile's code where there is a proxy for it, which may have changed since it was checked."""
    code = (known.country or "").strip().lower()
    if known.proxy is False:
        return ""
    return code if code in proxies.exits(settings) else proxies.country(settings, UNSET)
