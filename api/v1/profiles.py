"""v1's routes for browser profiles, and their words."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, UnsetType

from api import countries, profiles, proxies, wire
from api.service import SERVICE
from api.v1.schemas import PageQuery
from api.wire import CALLER, Empty, Route
from eventstore.errors import NotFound
from eventstore.events import Options
from projections.profiles import Profile

Name = Annotated[str, Meta(min_length=1, max_length=profiles.MAX_NAME)]
Description = Annotated[str, Meta(max_length=profiles.MAX_DESCRIPTION)]
Code = Annotated[str, Meta(max_length=10)]
Width = Annotated[int, Meta(ge=320, le=6144)]
Height = Annotated[int, Meta(ge=320, le=3456)]


class CreateProfile(msgspec.Struct, frozen=True, kw_only=True):
    """A new profile. A field that is null counts as one that was left out. `ad_blocker` is kept and has no effect."""

    profile_name: Name
    description: Description | None = ""
    persist: bool | None = True
    ad_blocker: bool | None = True
    proxy: bool | None = True
    proxy_country_code: Code | None = None
    browser_viewport_width: Width | None = None
    browser_viewport_height: Height | None = None


class UpdateProfile(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be otherwise; what is left out, or null, stays as it is."""

    profile_name: Name | None = None
    description: Description | None = None
    persist: bool | None = None
    ad_blocker: bool | None = None
    proxy: bool | None = None
    proxy_country_code: Code | None = None
    browser_viewport_width: Width | None = None
    browser_viewport_height: Height | None = None


class ProfileView(msgspec.Struct, frozen=True, kw_only=True):
    """A profile."""

    profile_id: str
    profile_name: str
    description: str
    persist: bool
    ad_blocker: bool
    proxy: bool
    proxy_country_code: str
    browser_viewport_width: int
    browser_viewport_height: int


class ProfileList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of profiles, newest first."""

    profiles: list[ProfileView]
    total_pages: int
    page: int
    limit: int
    total_count: int


# v1's words for what all families keep of a profile.
FIELDS = {"profile_name": "name", "description": "description", "persist": "persist"}
SETTINGS = {
    "ad_blocker": "ad_blocker",
    "proxy": "proxy",
    "proxy_country_code": "country",
    "browser_viewport_width": "viewport_width",
    "browser_viewport_height": "viewport_height",
}


async def create(request: web.Request) -> web.Response:
    """Make a profile."""
    service, caller = request.app[SERVICE], request[CALLER]
    asked = await wire.body(request, CreateProfile)
    _check(request, asked)
    made = await profiles.create(
        service,
        caller,
        profiles.Details(**_given(asked, SETTINGS)),  # type: ignore[arg-type] # each has the type of its field
        family="v1",
        name=asked.profile_name,
        description=asked.description or "",
        persist=asked.persist is not False,
    )
    return wire.reply(view(made))


async def read_all(request: web.Request) -> web.Response:
    """The caller's profiles."""
    asked = wire.query(request, PageQuery)
    found, total = profiles.page(request.app[SERVICE], request[CALLER], (asked.page - 1) * asked.limit, asked.limit)
    answer = ProfileList(
        profiles=[view(each) for each in found],
        total_pages=-(-total // asked.limit),
        page=asked.page,
        limit=asked.limit,
        total_count=total,
    )
    return wire.reply(answer)


async def read(request: web.Request) -> web.Response:
    """A profile."""
    return wire.reply(view(_mine(request)))


async def update(request: web.Request) -> web.Response:
    """Change a profile: what is left out stays as it is."""
    profile = _mine(request)
    asked = await wire.body(request, UpdateProfile)
    _check(request, asked)
    changed = await profiles.change(
        request.app[SERVICE], request[CALLER], profile.id, _given(asked, FIELDS), _given(asked, SETTINGS)
    )
    return wire.reply(view(changed))


async def delete(request: web.Request) -> web.Response:
    """Delete a profile and all that was saved to it."""
    await profiles.delete(request.app[SERVICE], request[CALLER], _mine(request).id)
    return wire.reply(Empty())


def view(profile: Profile) -> ProfileView:
    """A profile as v1 shows it."""
    known, default = profiles.details(profile), Options()
    return ProfileView(
        profile_id=profile.id,
        profile_name=profile.name,
        description=profile.description,
        persist=profile.persist,
        ad_blocker=known.ad_blocker is not False,
        proxy=known.proxy is not False,
        proxy_country_code=known.country or countries.DEFAULT,
        browser_viewport_width=known.viewport_width or default.viewport_width,
        browser_viewport_height=known.viewport_height or default.viewport_height,
    )


def wanted(request: web.Request, profile_id: str | None) -> Profile | None:
    """The profile that a task asks for, None for none. Raises NotFound in v1's words."""
    try:
        return profiles.wanted(request.app[SERVICE], request[CALLER], profile_id)
    except NotFound:
        raise NotFound("Browser profile not found") from None


def _mine(request: web.Request) -> Profile:
    profile = wanted(request, request.match_info["profile_id"])
    if profile is None:
        raise NotFound("Browser profile not found")
    return profile


def _check(request: web.Request, asked: CreateProfile | UpdateProfile) -> None:
    code: str | UnsetType = UNSET if asked.proxy_country_code is None else asked.proxy_country_code
    proxies.country(request.app[SERVICE].settings, code, "body", "proxy_country_code")


def _given(asked: msgspec.Struct, names: dict[str, str]) -> dict[str, object]:
    """The fields that were given, under the names that all families know."""
    return {ours: value for theirs, ours in names.items() if (value := getattr(asked, theirs)) is not None}


_PROFILE = {"profile_id": "the profile's id"}
_PATH = "/api/v1/browser-profiles/{profile_id}"

ROUTES: tuple[Route, ...] = (
    Route(
        method="POST",
        path="/api/v1/browser-profiles",
        handler=create,
        summary="Make a browser profile",
        family="v1",
        scope="control",
        body=CreateProfile,
        reply=ProfileView,
        errors=(413, 503),
    ),
    Route(
        method="GET",
        path="/api/v1/browser-profiles",
        handler=read_all,
        summary="List browser profiles, newest first",
        family="v1",
        scope="read",
        query=PageQuery,
        reply=ProfileList,
    ),
    Route(
        method="GET",
        path=_PATH,
        handler=read,
        summary="Read a browser profile",
        family="v1",
        scope="read",
        reply=ProfileView,
        errors=(404,),
        paths=_PROFILE,
    ),
    Route(
        method="PUT",
        path=_PATH,
        handler=update,
        summary="Change a browser profile",
        family="v1",
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
        summary="Delete a browser profile and all that was saved to it",
        family="v1",
        scope="control",
        reply=Empty,
        errors=(404, 503),
        paths=_PROFILE,
    ),
)
