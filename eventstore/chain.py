"""The hash chain: salted commitments to payloads, leaves over envelopes, each hash over the one before. Pure.

The leaf has the form of RFC 6962 (a leading 0x00), so that Merkle proofs can be added over the same leaves later.
A payload can be deleted together with its salt and the chain still verifies, because the leaf holds the commitment.
"""

from hashlib import sha256
from struct import Struct

_FRONT = Struct(">BQQQI")
_LENGTH = Struct(">I").pack


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
    stream_, kind_, actor_, command_ = stream.encode(), kind.encode(), actor.encode(), command_id.encode()
    # Written out: this runs for every event, and a loop over the texts costs twice as much.
    return sha256(
        b"".join(
            (
                _FRONT.pack(0, position, version, at, len(stream_)),
                stream_,
                _LENGTH(len(kind_)),
                kind_,
                _LENGTH(len(actor_)),
                actor_,
                _LENGTH(len(command_)),
                command_,
                commitment,
            )
        )
    ).digest()


def link(previous: bytes, leaf_hash: bytes) -> bytes:
    """The hash at this position: SHA-256(0x02 || previous || leaf)."""
    return sha256(b"\x02" + previous + leaf_hash).digest()
