"""A checkpoint is a line that proves itself; a tape that contradicts one is told by a sentence."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from eventstore import events as e
from eventstore.examine import Contradiction, contradiction, examine
from eventstore.memory import MemoryStore
from eventstore.store import Verdict
from eventstore.witness import Checkpoint, Notes, read, read_all, sign

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
SIGNED = 1_700_000_000_000_000
LOG = b"l" * 16


def line(position: int, hash_: bytes = bytes(32), *, log_id: bytes = LOG) -> bytes:
    return sign(KEY, log_id=log_id, position=position, hash_=hash_, at=SIGNED)


def checkpoint(position: int, hash_: bytes = bytes(32), *, log_id: bytes = LOG) -> Checkpoint:
    return Checkpoint(log_id=log_id, position=position, hash=hash_, at=SIGNED, key=bytes.fromhex(PUBLIC))


async def tape(count: int) -> MemoryStore:
    store = MemoryStore(log_id=LOG, clock=lambda: SIGNED)
    await store.append("a", 0, [e.StepStarted(fence=1, number=number) for number in range(count)], actor="test")
    return store


def test_a_line_says_what_was_signed_in_words_that_a_person_can_read() -> None:
    said, _, signature = line(1_500).decode().partition(" signature=")

    assert (
        f"tapewright-checkpoint/1 log={LOG.hex()} position=1500 hash={bytes(32).hex()} at={SIGNED} key={PUBLIC}" == said
    )
    assert 128 + 1 == len(signature)
    assert checkpoint(1_500) == read(line(1_500).rstrip(b"\n"))
    assert "2023-11-14T22:13:20Z" == checkpoint(1).signed_at


@given(at=st.integers(0, 400), flip=st.integers(1, 255))
def test_a_line_in_which_any_byte_was_changed_is_none(at: int, flip: int) -> None:
    whole = bytearray(line(1_500).rstrip(b"\n"))

    whole[at % len(whole)] ^= flip

    assert read(bytes(whole)) is None


def test_a_torn_last_line_is_left_out_and_another_that_is_none_is_told() -> None:
    torn = read_all(line(1) + line(2) + line(3)[:-40])
    unended = read_all(line(1) + line(2).rstrip(b"\n"))
    changed = read_all(line(1) + line(2).replace(b"position=2", b"position=3") + b"\r\n" + line(3))

    assert Notes(checkpoints=(checkpoint(1), checkpoint(2))) == torn == unended
    assert Notes(checkpoints=(checkpoint(1), checkpoint(3)), unreadable=(2,)) == changed
    assert Notes() == read_all(b"")


async def test_a_tape_bears_out_its_own_checkpoints() -> None:
    store = await tape(5)
    own = [checkpoint(each.position, each.hash) for each in await store.read()]

    assert None is await contradiction(store, own)
    assert (await examine(store, notes=[Notes(checkpoints=tuple(own))])).ok


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (
            checkpoint(1_500),
            Contradiction(
                problem="the tape ends at 5, but a checkpoint signed at 2023-11-14T22:13:20Z says 1,500", first_bad=6
            ),
        ),
        (
            checkpoint(3),
            Contradiction(
                problem="position 3 has another hash than in a checkpoint signed at 2023-11-14T22:13:20Z", first_bad=3
            ),
        ),
        (
            checkpoint(3, log_id=b"k" * 16),
            Contradiction(problem="a checkpoint signed at 2023-11-14T22:13:20Z is of another tape"),
        ),
    ],
    ids=["longer", "other", "another tape"],
)
async def test_a_tape_that_contradicts_a_checkpoint_is_told_and_is_not_ok(
    said: Checkpoint, found: Contradiction
) -> None:
    store = await tape(5)
    head = (await store.verify()).hash

    verdict = await examine(store, notes=[Notes(checkpoints=(said,))])

    assert found == await contradiction(store, [said])
    assert Verdict(ok=False, head=5, hash=head, first_bad=found.first_bad, problem=found.problem) == verdict


async def test_a_changed_line_among_the_checkpoints_is_told() -> None:
    store = await tape(5)

    verdict = await examine(store, notes=[Notes(unreadable=(7,))])

    assert (False, "line 7 of the checkpoints is not a signed one") == (verdict.ok, verdict.problem)


async def test_a_tape_that_breaks_a_rule_is_not_ok_though_its_chain_holds() -> None:
    store = MemoryStore()
    await store.append("task-1", 0, [e.PauseRequested()], actor="test")

    verdict = await examine(store, rules=True)

    assert (False, None, ["created"]) == (verdict.ok, verdict.problem, [each.rule for each in verdict.violations])
    assert (await examine(store)).ok
