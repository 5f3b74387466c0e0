"""A task's secrets: values that print as a mask, kept in the vault under a name that binds them to one request."""

from collections.abc import Mapping

import msgspec

from eventstore.events import TaskCreated
from eventstore.vault import Vault

_STREAM = "task-"


class Secret:
    """A value that is shown by nothing but `reveal`: not by repr, str, format, or an encoder that does not know it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


Secrets = Mapping[str, Secret]
"""Secrets by name."""


def vault_name(stream: str, created: TaskCreated) -> str:
    """Where the vault has the secrets of the task at the stream.

    With the request's digest in it, another request under the same identity can neither overwrite nor remove them.
    """
    return f"secrets/{created.project}/{stream.removeprefix(_STREAM)}/{created.request_digest}"


async def put(vault: Vault, name: str, secrets: Secrets) -> None:
    """Keep them so that they survive a power loss. Raises OSError."""
    values = {key: secret.reveal() for key, secret in secrets.items()}
    await vault.put(name, msgspec.json.encode(values), durable=True)


async def get(vault: Vault, name: str) -> dict[str, Secret] | None:
    """What was kept; None when there is nothing that can be read."""
    data = await vault.get(name)
    if data is None:
        return None
    return {key: Secret(value) for key, value in msgspec.json.decode(data, type=dict[str, str]).items()}
