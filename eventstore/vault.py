"""Secrets and browser state, encrypted and deletable, outside the log.

AES-256-GCM with the name bound in, so that one entry's file cannot pass for another's. A crash of the process loses
nothing that was put; after a power loss a torn file reads as absent. Whoever has `vault.key` and the files has the lot.
"""

import asyncio
import base64
import binascii
import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from weakref import WeakValueDictionary

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventstore.errors import CannotOpen
from eventstore.files import write_whole

KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY, _CHECK = "vault.key", "vault.check"
_CHECKED = b"tapewright"

LASTING = frozenset({"session", "cookies", "profile", "proxy", "schedule"})
"""Kinds of names (what stands before the first slash) that outlast tasks: each is swept by itself, or never."""


def key_of(text: str) -> bytes:
    """The key that 64 hex digits or the base64 of 32 bytes spell. Raises ValueError, which says nothing of the text."""
    text = text.strip()
    with suppress(ValueError):
        if len(text) == 2 * KEY_BYTES:
            return bytes.fromhex(text)
    with suppress(ValueError, binascii.Error):
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        key = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
        if len(key) == KEY_BYTES:
            return key
    raise ValueError("The key is neither 64 hex digits nor the base64 of 32 bytes.") from None


class Vault:
    """Named bytes. Names need not be safe as file names, and are not told by them but for their lasting kind."""

    def __init__(self, directory: Path, key: bytes | None = None) -> None:
        """`key` has 32 bytes; without one, `vault.key` in the directory is read, or made and kept there.

        Raises CannotOpen for a key of another length, one that is not this vault's, or one that can be neither read nor
        written.
        """
        self._directory = directory
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._cipher = self._opened(key)
        except OSError as error:
            raise CannotOpen(f"The vault {directory} cannot be opened: {error.strerror}.") from error

    def writing(self, name: str) -> asyncio.Lock:
        """The lock of a name, for those who write what follows from what is there: all who share this vault."""
        return self._writing.setdefault(name, asyncio.Lock())

    async def put(self, name: str, data: bytes, *, durable: bool = False) -> None:
        """Keep the bytes in place of what was there; all of them or what was there before.

        `durable`: they survive a power loss once this returns.
        """
        await asyncio.to_thread(self._put, name, data, durable)

    async def get(self, name: str) -> bytes | None:
        """The bytes; None when there are none, or none that this key and this name can read."""
        return await asyncio.to_thread(self._get, name)

    async def delete(self, name: str) -> None:
        """Forget the bytes. Forgetting what is not there is no error."""
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    async def sweep(self, keep: Iterable[str], *, before: int | None = None, kind: str = "") -> int:
        """Forget all but the bytes of these names, and what writers that were killed left; answers how many.

        What was put after `before` (microseconds since 1970) stays as well. Only those of one lasting `kind` are
        forgotten, or only those of none.
        """
        kept = {self._path(name).name for name in keep} | {_KEY, _CHECK}
        return await asyncio.to_thread(self._sweep, kept, before, kind)

    def _sweep(self, keep: set[str], before: int | None, kind: str) -> int:
        swept = 0
        for path in self._directory.iterdir():
            if _kind(path.name, "-") != kind:
                continue
            with suppress(FileNotFoundError):
                young = before is not None and path.stat().st_mtime_ns // 1_000 > before
                if path.is_file() and path.name not in keep and not young:
                    path.unlink()
                    swept += 1
        return swept

    def _opened(self, given: bytes | None) -> AESGCM:
        """The cipher of the given key or of the kept one. What it has to read shows whether it is the right one."""
        kept, check = self._directory / _KEY, self._directory / _CHECK
        if given is None and check.exists() and not kept.exists():
            raise CannotOpen(f"The vault {self._directory} needs the key that it was made with: set it again.")
        cipher = self._cipher_of(_key(kept) if given is None else given)
        if not check.exists():
            # A vault from before there was such a file was made with the key that it keeps, whatever is set now.
            first = self._cipher_of(kept.read_bytes()) if kept.exists() else cipher
            write_whole(check, _sealed(first, _CHECK, _CHECKED), durable=True)
        if _unsealed(cipher, _CHECK, check.read_bytes()) != _CHECKED:
            raise CannotOpen(f"The vault {self._directory} was made with another key than the one given: set that one.")
        return cipher

    def _cipher_of(self, key: bytes) -> AESGCM:
        if len(key) != KEY_BYTES:
            raise CannotOpen(f"The key of the vault {self._directory} has {len(key)} bytes; it must have {KEY_BYTES}.")
        return AESGCM(key)

    def _path(self, name: str) -> Path:
        kind, digest = _kind(name, "/"), sha256(name.encode()).hexdigest()
        return self._directory / (f"{kind}-{digest}" if kind else digest)

    def _put(self, name: str, data: bytes, durable: bool) -> None:
        write_whole(self._path(name), _sealed(self._cipher, name, data), durable=durable)

    def _get(self, name: str) -> bytes | None:
        try:
            stored = self._path(name).read_bytes()
        except FileNotFoundError:
            return None
        return _unsealed(self._cipher, name, stored)


def _kind(name: str, mark: str) -> str:
    """The lasting kind that stands before the mark, or an empty string."""
    kind = name.partition(mark)[0]
    return kind if kind in LASTING else ""


def _sealed(cipher: AESGCM, name: str, data: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, data, name.encode())


def _unsealed(cipher: AESGCM, name: str, stored: bytes) -> bytes | None:
    if len(stored) < _NONCE_BYTES:
        return None
    try:
        return cipher.decrypt(stored[:_NONCE_BYTES], stored[_NONCE_BYTES:], name.encode())
    except InvalidTag:
        return None


def _key(path: Path) -> bytes:
    """Read the key; the first time, make one, durably, because everything put under a lost key is lost."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    write_whole(path, AESGCM.generate_key(KEY_BYTES * 8), durable=True)
    return path.read_bytes()
