"""Links that are keys of their own: signed, and good until they expire."""

import hmac
import secrets
import time
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlencode

from eventstore.files import write_whole

SECRET_BYTES = 32


class Signer:
    """Signs paths and keyed digests with the secret of this data directory."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, path: str, ttl_seconds: int) -> str:
        """The path with `expires` (seconds since 1970) and `signature` in its query."""
        expires = int(time.time()) + ttl_seconds
        return f"{path}?{urlencode({'expires': expires, 'signature': self._signature(path, expires)})}"

    def signature(self, path: str, expires: int) -> str:
        """What `check` holds to be right for that path until then (seconds since 1970)."""
        return self._signature(path, expires)

    def check(self, path: str, expires: int, signature: str) -> bool:
        """Whether this service signed the path and the time has not come. A near miss takes as long as a far one."""
        right = hmac.compare_digest(self._signature(path, expires).encode(), signature.encode(errors="replace"))
        return right and expires >= time.time()

    def digest(self, data: bytes) -> str:
        """HMAC-SHA256 in hex: tells equal data apart from other data, and nobody without the secret can guess it."""
        return self._mac(b"digest\x00" + data)

    def token(self, *parts: str) -> str:
        """A name for these that nobody can guess, in 40 hex digits; the same whenever it is asked for."""
        return self._mac("\x00".join(("token", *parts)).encode())[:40]

    def _signature(self, path: str, expires: int) -> str:
        return self._mac(f"url\x00{expires}\x00{path}".encode())

    def _mac(self, data: bytes) -> str:
        return hmac.new(self._secret, data, sha256).hexdigest()


def load_secret(directory: Path) -> bytes:
    """The secret kept in the directory, made on the first call, readable by its owner only.

    The caller holds the directory's lock.
    """
    path = directory / "signing.key"
    if path.exists() and len(secret := path.read_bytes()) == SECRET_BYTES:
        return secret
    secret = secrets.token_bytes(SECRET_BYTES)
    write_whole(path, secret, durable=True)
    return secret
