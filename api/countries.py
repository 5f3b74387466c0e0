"""The operator's proxies by country (`us=http://user:password@host:3128`): read, or refused without a password."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

import msgspec

from eventstore.secrets import Secret

DEFAULT = "us"
"""The code that both families mean where a client says none. Without a proxy for it tasks run straight from here."""

CODE = re.compile(r"[a-z]{2}")


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy of the operator's."""

    host: str
    port: int
    user: Secret = Secret("")
    password: Secret = Secret("")


def exits(text: str) -> Mapping[str, Exit]:
    """The proxies by code, in small letters. Raises ValueError, which names the code at most."""
    found: dict[str, Exit] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        code, _, url = part.partition("=")
        code = code.strip().lower()
        if not CODE.fullmatch(code) or code in found:
            raise ValueError("Each proxy stands once, after a code of two letters and an equals sign.")
        found[code] = _exit(code, url.strip())
    return found


def _exit(code: str, url: str) -> Exit:
    wrong = ValueError(f"The proxy for {code} is no URL such as http://user:password@host:3128.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme != "http" or not host or not port or parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if ":" in user:  # the scheme of passwords has no way to say one
        raise wrong
    return Exit(host=host, port=port, user=Secret(user), password=Secret(password))
