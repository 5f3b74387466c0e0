"""Secrets and browser state, encrypted and deletable, outside the log.

AES-256-GCM with the name bound in, so that one entry's file cannot pass for another's. A crash of the process loses
nothing that was put; after a power loss a torn file reads as absent. Whoever has `vault.key` and the files has the lot.
"""

import asyncio
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventstore.errors import CannotOpen
from eventstore.files import write_whole

KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Named bytes. Names need not be safe as file names, and are not told by them."""

    def __init__(self, directory: Path, key: bytes | None = None) -> None:
        """`key` has 32 bytes; without one, `vault.key` in the directory is read, or made and kept there.

        Raises CannotOpen for a key of another length, or one that can be neither read nor written.
        """
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            key = _key(directory / "vault.key") if key is None else key
        except OSError as error:
            raise CannotOpen(f"The vault {directory} cannot be opened: {error.strerror}.") from error
        if len(key) != KEY_BYTES:
            raise CannotOpen(f"The key of the vault {directory} has {len(key)} bytes; it must have {KEY_BYTES}.")
        self._directory = directory
        self._cipher = AESGCM(key)

    async def put(self, name: str, data: bytes) -> None:
        """Keep the bytes in place of what was there; all of them or what was there before."""
        await asyncio.to_thread(self._put, name, data)

    async def get(self, name: str) -> bytes | None:
        """The bytes; None when there are none, or none that this key and this name can read."""
        return await asyncio.to_thread(self._get, name)

    async def delete(self, name: str) -> None:
        """Forget the bytes. Forgetting what is not there is no error."""
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._directory / sha256(name.encode()).hexdigest()

    def _put(self, name: str, data: bytes) -> None:
        nonce = os.urandom(_NONCE_BYTES)
        write_whole(self._path(name), nonce + self._cipher.encrypt(nonce, data, name.encode()), durable=False)

    def _get(self, name: str) -> bytes | None:
        try:
            stored = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        if len(stored) < _NONCE_BYTES:
            return None
        try:
            return self._cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], name.encode())
        except InvalidTag:
            return None


def _key(path: Path) -> bytes:
    """Read the key; the first time, make one, durably, because everything put under a lost key is lost."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    write_whole(path, AESGCM.generate_key(KEY_BYTES * 8), durable=True)
    return path.read_bytes()
