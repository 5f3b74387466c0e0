"""The proxy that a session leaves through: the one that its client brought, or the one for its country."""

from collections.abc import Mapping

from eventstore import secrets as sealed
from eventstore.events import Options
from eventstore.vault import Vault
from runner.egress.upstream import Upstream
from runner.vocabulary import ActFailed

Countries = Mapping[str, Upstream]
"""The operator's proxies by country code, in small letters."""


async def upstream(vault: Vault, options: Options, countries: Countries) -> Upstream | None:
    """Where the session's traffic goes; None: straight to the sites. Raises ActFailed (proxy_lost).

    A country that no proxy is configured for (any more) leads straight to the sites.
    """
    asked = options.proxy
    if asked is None:
        return countries.get(options.country)
    if not asked.secret:
        return Upstream(host=asked.host, port=asked.port, untrusted=asked.untrusted)
    found = await sealed.get(vault, asked.secret)
    if found is None:
        raise ActFailed("proxy_lost", "The vault no longer has the password of the session's proxy.")
    user, password = (found[name].reveal() if name in found else "" for name in ("user", "password"))
    return Upstream(host=asked.host, port=asked.port, user=user, password=password, untrusted=asked.untrusted)
