"""The proxy that a session leaves through: the one that its client brought, or the one for its country."""

from collections.abc import Mapping

from eventstore import secrets as sealed
from eventstore.events import Options, SessionCreated
from eventstore.store import EventStore
from eventstore.vault import Vault
from runner import keeping
from runner.egress.upstream import Upstream
from runner.vocabulary import ActFailed

TYPES = frozenset({"session.created", "session.stopped", "session.purged"})

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


async def take_up(store: EventStore, vault: Vault) -> None:
    """Forget the passwords of the proxies of sessions that have stopped, and of those that never were."""
    names: dict[str, str] = {}
    after = 0
    while page := await store.read(after, types=TYPES):
        for recorded in page:
            if isinstance(recorded.event, SessionCreated) and (proxy := recorded.event.options.proxy):
                names[recorded.stream] = proxy.secret
            elif not isinstance(recorded.event, SessionCreated):
                names.pop(recorded.stream, None)
        after = page[-1].position
    await vault.sweep(filter(None, names.values()), kind="proxy")


async def forget(store: EventStore, vault: Vault, stream: str) -> None:
    """Nothing runs any more in the session of that stream. What cannot be forgotten now is so at the next start."""
    first = [recorded.event for recorded in await store.read_stream(stream, limit=1)]
    for event in first:
        if isinstance(event, SessionCreated) and event.options.proxy and event.options.proxy.secret:
            await keeping.forget(vault, event.options.proxy.secret)
