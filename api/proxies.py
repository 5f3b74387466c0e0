"""Which way out a client may ask for: a country's proxy, or one that he brings. In no family's words."""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from api import countries
from api.control import fresh_id
from api.service import Caller, Service
from api.settings import Settings
from eventstore import secrets as sealed
from eventstore.errors import DiskFull, Invalid
from eventstore.events import Proxy
from eventstore.secrets import Secret

MAX_SECRET = 255


class Custom(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy that a client brings. `untrusted`: it may sign certificates of its own."""

    host: str
    port: int
    user: Secret | None = None
    password: Secret | None = None
    untrusted: bool = False


def country(settings: Settings, asked: str | UnsetType | None, *field: str | int) -> str:
    """The code to be written down, in small letters; empty for none (None was asked for, or there is nothing to say).

    Who says nothing (UNSET) leaves through the default country where there is a proxy for it, else straight from here;
    so does who names the default, which clients do unasked. Any other code that has no proxy is refused: whoever names
    a country minds where he is seen to come from. Raises Invalid at `field`.
    """
    configured = exits(settings)
    if asked is UNSET or asked is None:
        return countries.DEFAULT if asked is UNSET and countries.DEFAULT in configured else ""
    code = asked.strip().lower()
    if code in (countries.DEFAULT, *configured):
        return code
    known = ", ".join(sorted(configured)) or "none"
    raise Invalid(f'There is no proxy for the country "{asked}"; configured: {known}.', field=field)


def exits(settings: Settings) -> Mapping[str, countries.Exit]:
    """The configured proxies by country."""
    return countries.exits(settings.proxies.reveal()) if settings.proxies else {}


async def put_away(
    service: Service, caller: Caller, custom: Custom | None, *field: str | int, idempotency_key: str = ""
) -> Proxy | None:
    """The proxy as the tape has it; its user and password are in the vault before anything names them.

    They stay there until the session that names them is stopped. The same request under the same `idempotency_key`
    gives the same proxy. Raises Invalid at `field`, and DiskFull.
    """
    if custom is None:
        return None
    host = custom.host.strip().removeprefix("[").removesuffix("]")
    if not host or not host.isprintable() or set(host) & set("/@?# \\"):
        raise Invalid(
            "A proxy's host is a name or an address, without a scheme, a port or a user.", field=(*field, "host")
        )
    given = {"user": custom.user, "password": custom.password}
    values = {name: secret for name, secret in given.items() if secret is not None and secret.reveal()}
    if "user" in values and ":" in values["user"].reveal():
        raise Invalid("The user of a proxy cannot have a colon in it.", field=(*field, "username"))
    proxy = Proxy(host=host, port=custom.port, untrusted=custom.untrusted)
    if not values:
        return proxy
    name = f"proxy/{_name(service, caller, values, idempotency_key)}"
    try:
        await sealed.put(service.vault, name, values)
    except OSError as error:
        raise DiskFull(f"The password of the proxy could not be kept: {error.strerror}.") from error
    return msgspec.structs.replace(proxy, secret=name)


def _name(service: Service, caller: Caller, values: dict[str, Secret], key: str) -> str:
    if not key:
        return fresh_id()
    said = (caller.project, key, *(part for name in sorted(values) for part in (name, values[name].reveal())))
    return service.signer.digest(b"proxy\x00" + msgspec.json.encode(said))
