"""Signed heads of a tape: what says later that its end is missing, or that it was written anew. Pure.

A checkpoint is one line of text that a person can read, publish, and have checked:
`tapewright-checkpoint/1 log=<hex> position=<n> hash=<hex> at=<microseconds> key=<hex> signature=<hex>`.
The signature is Ed25519, by the key that stands in the line, over all that comes before ` signature=`.
"""

import re
from datetime import UTC, datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_LINE = re.compile(
    rb"(?P<said>tapewright-checkpoint/1 log=(?P<log>[0-9a-f]{32}) position=(?P<position>[0-9]{1,19})"
    rb" hash=(?P<hash>[0-9a-f]{64}) at=(?P<at>[0-9]{1,17}) key=(?P<key>[0-9a-f]{64}))"
    rb" signature=(?P<signature>[0-9a-f]{128})"
)


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """At `at` (microseconds since 1970 UTC) the tape had this hash at this position, says the holder of `key`."""

    log_id: bytes
    position: int
    hash: bytes
    at: int
    key: bytes

    @property
    def signed_at(self) -> str:
        """In ISO 8601, to the second."""
        return datetime.fromtimestamp(self.at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in a file of checkpoints, and the numbers of the lines that are none; a torn last line is neither."""

    checkpoints: tuple[Checkpoint, ...] = ()
    unreadable: tuple[int, ...] = ()


def sign(key: Ed25519PrivateKey, *, log_id: bytes, position: int, hash_: bytes, at: int) -> bytes:
    """The line, with its end."""
    public = key.public_key().public_bytes_raw()
    said = (
        f"tapewright-checkpoint/1 log={log_id.hex()} position={position} hash={hash_.hex()} at={at} key={public.hex()}"
    ).encode()
    return said + b" signature=" + key.sign(said).hex().encode() + b"\n"


def read(line: bytes) -> Checkpoint | None:
    """The checkpoint that a line without its end says, or None when it says none, or the signature is not right."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    key = bytes.fromhex(match["key"].decode())
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(bytes.fromhex(match["signature"].decode()), match["said"])
    except (InvalidSignature, ValueError):
        return None
    return Checkpoint(
        log_id=bytes.fromhex(match["log"].decode()),
        position=int(match["position"]),
        hash=bytes.fromhex(match["hash"].decode()),
        at=int(match["at"]),
        key=key,
    )


def read_all(text: bytes) -> Notes:
    """Every line of a file. What follows the last end of a line was torn off by a crash, unless it is a whole one."""
    *lines, last = text.split(b"\n")
    found = [read(line.rstrip(b"\r")) for line in lines]
    if whole := read(last.rstrip(b"\r")):
        found.append(whole)
    return Notes(
        checkpoints=tuple(each for each in found if each is not None),
        unreadable=tuple(number for number, each in enumerate(found, 1) if each is None and lines[number - 1].strip()),
    )
