"""The proxy that a client brings, in v2's words: for a session, for a browser."""

from typing import Annotated

from msgspec import Meta

from api import proxies
from api.v2.schemas import Camel
from eventstore.secrets import Secret


class CustomProxy(Camel, frozen=True, kw_only=True):
    """A proxy of the client's own."""

    host: Annotated[str, Meta(min_length=1, max_length=255)]
    port: Annotated[int, Meta(ge=1, le=65535)]
    username: Secret | None = None
    password: Secret | None = None
    ignore_cert_errors: bool | None = False


def custom(asked: CustomProxy | None) -> proxies.Custom | None:
    """The proxy in no family's words."""
    if asked is None:
        return None
    return proxies.Custom(
        host=asked.host,
        port=asked.port,
        user=asked.username,
        password=asked.password,
        untrusted=bool(asked.ignore_cert_errors),
    )
