"""The hash chain: salted commitments to payloads, leaves over envelopes, each hash over the one before. Pure.

The leaf has the form of RFC 6962 (a leading 0x00), so that Merkle proofs can be added over the same leaves later.
A payload can be deleted together with its salt and the chain still verifies, because the leaf holds the commitment.
"""

from hashlib import sha256
from struct import Struct

_NUMBERS = Struct(">QQQ")
_LENGTH = Struct(">I")


def genesis(log_id: bytes) -> bytes:
    """The hash before position 1; two tapes never share one."""
    return sha256(b"tapewright/1\x00" + log_id).digest()


def commit(salt: bytes, payload: bytes) -> bytes:
    """SHA-256(salt || payload). The salt has 16 random bytes, so that nobody can guess a redacted payload."""
    return sha256(salt + payload).digest()


def leaf(
    position: int, stream: str, version: int, kind: str, at: int, actor: str, command_id: str, commitment: bytes
) -> bytes:
    """SHA-256 over 0x00, the numbers as 8 bytes big-endian, and the texts and commitment, each after its length."""
    parts = [b"\x00", _NUMBERS.pack(position, version, at)]
    for text in (stream, kind, actor, command_id):
        data = text.encode()
        parts.append(_LENGTH.pack(len(data)))
        parts.append(data)
    parts.append(commitment)
    return sha256(b"".join(parts)).digest()


def link(previous: bytes, leaf_hash: bytes) -> bytes:
    """The hash at this position: SHA-256(0x02 || previous || leaf)."""
    return sha256(b"\x02" + previous + leaf_hash).digest()
