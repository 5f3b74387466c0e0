"""v2's routes for profiles, and their words."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from api import profiles, wire
from api.present import moment, moment_or_none
from api.service import SERVICE
from api.v2.schemas import Camel
from api.wire import CALLER, Route
from eventstore.errors import Invalid
from projections.profiles import Profile

Name = Annotated[str, Meta(max_length=profiles.MAX_NAME)]
UserId = Annotated[str, Meta(max_length=255)]


class CreateProfile(Camel, frozen=True, kw_only=True):
    """A new profile; `userId` is the client's own name for whose it is."""

    name: Name | None = None
    user_id: UserId | None = None


class UpdateProfile(Camel, frozen=True, kw_only=True):
    """What shall be otherwise: what is left out stays, null takes it away."""

    name: Name | UnsetType | None = UNSET
    user_id: UserId | UnsetType | None = UNSET


class ProfileQuery(Camel, frozen=True, kw_only=True):
    """Which part of the list is meant; `query` looks for names and user ids that have it in them."""

    page_size: Annotated[int, Meta(ge=1, le=100)] = 10
    page_number: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 1
    query: Annotated[str, Meta(max_length=200)] | None = None


class ProfileView(Camel, frozen=True, kw_only=True):
    """A profile: cookies, local storage and IndexedDB for sessions to begin with."""

    id: str
    user_id: str | None
    name: str | None
    last_used_at: datetime | None
    created_at: datetime
    updated_at: datetime
    cookie_domains: list[str] | None


class ProfileList(Camel, frozen=True, kw_only=True):
    """A page of profiles, newest first."""

    items: list[ProfileView]
    total_items: int
    page_number: int
    page_size: int


async def create(request: web.Request) -> web.Response:
    """Make a profile."""
    asked = await wire.body(request, CreateProfile, empty=b"{}")
    made = await profiles.create(
        request.app[SERVICE],
        request[CALLER],
        profiles.Details(user_id=asked.user_id),
        family="v2",
        name=asked.name or "",
        description="",
        persist=True,
    )
    return wire.reply(view(made), status=201)


async def read_all(request: web.Request) -> web.Response:
    """The caller's profiles."""
    asked = wire.query(request, ProfileQuery)
    found, total = profiles.page(
        request.app[SERVICE],
        request[CALLER],
        (asked.page_number - 1) * asked.page_size,
        asked.page_size,
        query=asked.query or "",
    )
    items = [view(each) for each in found]
    return wire.reply(
        ProfileList(items=items, total_items=total, page_number=asked.page_number, page_size=asked.page_size)
    )


async def read(request: web.Request) -> web.Response:
    """A profile."""
    return wire.reply(view(profiles.find(request.app[SERVICE], request[CALLER], _profile_id(request))))


async def update(request: web.Request) -> web.Response:
    """Rename a profile, or say anew whose it is."""
    service, caller, profile_id = request.app[SERVICE], request[CALLER], _profile_id(request)
    profiles.find(service, caller, profile_id)
    asked = await wire.body(request, UpdateProfile)
    fields: dict[str, object] = {} if asked.name is UNSET else {"name": asked.name or ""}
    settings: dict[str, object] = {} if asked.user_id is UNSET else {"user_id": asked.user_id}
    return wire.reply(view(await profiles.change(service, caller, profile_id, fields, settings)))


async def delete(request: web.Request) -> web.Response:
    """Delete a profile and all that was saved to it."""
    await profiles.delete(request.app[SERVICE], request[CALLER], _profile_id(request))
    return web.Response(status=204)


def view(profile: Profile) -> ProfileView:
    """A profile as v2 shows it."""
    return ProfileView(
        id=profile.id,
        user_id=profiles.details(profile).user_id,
        name=profile.name or None,
        last_used_at=moment_or_none(profile.used_at),
        created_at=moment(profile.created_at),
        updated_at=moment(profile.updated_at),
        cookie_domains=list(profile.cookie_domains) if profile.snapshots else None,
    )


def _profile_id(request: web.Request) -> str:
    try:
        return str(UUID(request.match_info["profile_id"]))
    except ValueError:
        raise Invalid("value is not a valid uuid", field=("path", "profile_id")) from None


_PROFILE = {"profile_id": "the profile's id, a UUID"}
_PATH = "/api/v2/profiles/{profile_id}"

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v2/profiles",
        handler=create,
        summary="Make a profile",
        family="v2",
        scope="control",
        body=CreateProfile,
        reply=ProfileView,
        status=201,
        errors=(413, 503),
    ),
    Route(
        method="GET",
        path="/api/v2/profiles",
        handler=read_all,
        summary="List profiles, newest first",
        family="v2",
        scope="read",
        query=ProfileQuery,
        reply=ProfileList,
    ),
    Route(
        method="GET",
        path=_PATH,
        handler=read,
        summary="Read a profile",
        family="v2",
        scope="read",
        reply=ProfileView,
        errors=(404,),
        paths=_PROFILE,
    ),
    Route(
        method="PATCH",
        path=_PATH,
        handler=update,
        summary="Rename a profile, or say anew whose it is",
        family="v2",
        scope="control",
        body=UpdateProfile,
        reply=ProfileView,
        errors=(404, 413, 503),
        paths=_PROFILE,
    ),
    Route(
        method="DELETE",
        path=_PATH,
        handler=delete,
        summary="Delete a profile and all that was saved to it",
        family="v2",
        scope="control",
        status=204,
        errors=(404, 503),
        paths=_PROFILE,
    ),
)
