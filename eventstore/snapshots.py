"""What the vault has of browsers that are gone: a profile's snapshots, and the cookies that a client reads."""

from collections.abc import Sequence

import msgspec

from eventstore.vault import Vault


class Cookie(msgspec.Struct, frozen=True, kw_only=True):
    """As much of a cookie as its domain."""

    domain: str = ""


class Cookies(msgspec.Struct, frozen=True, kw_only=True):
    """The cookies of a browser's state, as they came."""

    cookies: tuple[msgspec.Raw, ...] = ()


class Domains(msgspec.Struct, frozen=True, kw_only=True):
    """Where the cookies of a browser's state belong."""

    cookies: tuple[Cookie, ...] = ()


def snapshot_name(profile: str, version: int) -> str:
    """What the vault calls a profile's snapshot of that version."""
    return f"profile/{profile}/{version}"


def cookies_name(task: str) -> str:
    """What the vault calls the cookies that a task's browser had at the end."""
    return f"cookies/{task}"


def domains(state: str) -> tuple[str, ...]:
    """The domains that the state has cookies of, each once, without the dot that stands for those below it."""
    found = {cookie.domain.lstrip(".").lower() for cookie in msgspec.json.decode(state, type=Domains).cookies}
    return tuple(sorted(found - {""}))


async def put_cookies(vault: Vault, task: str, state: str) -> None:
    """Keep the cookies of the state, so that they survive a power loss. Raises OSError."""
    await vault.put(
        cookies_name(task), msgspec.json.encode(msgspec.json.decode(state, type=Cookies).cookies), durable=True
    )


async def get_cookies(vault: Vault, task: str) -> Sequence[msgspec.Raw] | None:
    """The cookies that were kept, each as JSON; None when there are none that can be read."""
    data = await vault.get(cookies_name(task))
    return None if data is None else msgspec.json.decode(data, type=tuple[msgspec.Raw, ...])
