"""What an attempt finds in the vault as it begins: what is kept of its browser, and the secrets of its task."""

import msgspec

from eventstore import secrets as sealed
from eventstore.events import TaskCreated
from eventstore.store import EventStore
from eventstore.vault import Vault
from runner.keeping import Kept, kept
from runner.recorded import played_by
from runner.vocabulary import ActFailed
from runner.wallet import Wallet, wallet_of

MOST_HIDDEN = 500
"""Secrets of earlier tasks in a session that its tasks must not show; each costs time on every text."""


async def known_of(vault: Vault, name: str, stream: str, *, lasting: bool, again: bool) -> Kept | None:
    """What is kept of the browser under the name: by an earlier attempt, or by an earlier task of the session.

    `lasting`: the session outlives its tasks. `again`: there was an earlier attempt at this one.
    """
    if not lasting:
        return await kept(vault, name) if again else None
    known = await kept(vault, name)
    if known is None or known.stream == stream:
        return known
    return msgspec.structs.replace(known, step=0, hands=0)


async def wallet_for(store: EventStore, vault: Vault, stream: str, created: TaskCreated, known: Kept | None) -> Wallet:
    """The task's secrets, and those to hide of earlier tasks. Raises ActFailed: session_full, secrets_lost."""
    played = await played_by(store, created)
    before = known.hidden if known else {}
    if len(before) > MOST_HIDDEN:
        raise ActFailed("session_full", "Too many secrets were used in this session; begin a new one.")
    if not created.secrets:
        return wallet_of(created, {}, before, played=played)
    found = await sealed.get(vault, sealed.vault_name(stream, created))
    if found is None or not set(created.secrets) <= set(found):
        raise ActFailed("secrets_lost", "The vault no longer has the task's secrets; create it again with them.")
    return wallet_of(created, found, before, played=played)
