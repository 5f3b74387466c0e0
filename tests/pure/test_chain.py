"""The chain's bytes are fixed: other implementations verify tapes by these vectors."""

from eventstore import chain

LOG_ID = bytes(range(16))
SALT = b"\x01" * 16
PAYLOAD = b'{"type":"task.claimed"}'


def test_the_vectors_hold() -> None:
    genesis = chain.genesis(LOG_ID)
    commitment = chain.commit(SALT, PAYLOAD)
    leaf = chain.leaf(1, "task-1", 1, "task.claimed", 1_700_000_000_000_000, "key:a", "c1", commitment)
    link = chain.link(genesis, leaf)

    assert {
        "genesis": "3f28215adfddc5a3a498a4a3ecc1b0268c94e99e7a5a4409429663481e8ee932",
        "commitment": "e02d8a9f60a1fd3d24eed48edc4ab8f401c2492cf489ddb83cd23496c9c20911",
        "leaf": "31ce9bb940c82ecc912820276074f60edff92931ea9f2fd1296e8c52a2fedb58",
        "link": "f14655a97d7c6b562b3b7d8d6ebd81a47ebd438fd048ba96a02df529e7375707",
    } == {"genesis": genesis.hex(), "commitment": commitment.hex(), "leaf": leaf.hex(), "link": link.hex()}


def test_no_two_envelopes_share_their_bytes() -> None:
    commitment = chain.commit(SALT, PAYLOAD)

    leaves = {
        chain.leaf(1, "ab", 1, "c", 1, "", "", commitment),
        chain.leaf(1, "a", 1, "bc", 1, "", "", commitment),
        chain.leaf(1, "ab", 1, "", 1, "c", "", commitment),
        chain.leaf(1, "ab", 1, "", 1, "", "c", commitment),
    }

    assert 4 == len(leaves)
