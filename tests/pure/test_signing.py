"""A signed link is good for its own path until it expires, and for nothing else."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from api.signing import Signer, load_secret

PATH = "/api/tape/tasks/1/screenshots/1.png"


def parts(url: str) -> tuple[str, int, str]:
    split = urlsplit(url)
    query = parse_qs(split.query)
    return split.path, int(query["expires"][0]), query["signature"][0]


def test_a_signed_link_is_good() -> None:
    signer = Signer(b"secret")

    assert signer.check(*parts(signer.sign(PATH, 60)))


def test_a_link_that_expired_is_not() -> None:
    signer = Signer(b"secret")

    assert not signer.check(*parts(signer.sign(PATH, -1)))


@pytest.mark.parametrize("wrong", ["path", "expires", "signature", "empty", "odd", "signer"])
def test_a_link_that_was_changed_is_not(wrong: str) -> None:
    signer = Signer(b"secret")
    path, expires, signature = parts(signer.sign(PATH, 60))

    changed = {
        "path": signer.check(path.replace("1.png", "2.png"), expires, signature),
        "expires": signer.check(path, expires + 1, signature),
        "signature": signer.check(path, expires, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        "empty": signer.check(path, expires, ""),
        "odd": signer.check(path, expires, "\udc80é"),
        "signer": Signer(b"another").check(path, expires, signature),
    }

    assert not changed[wrong]


def test_the_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first, second = load_secret(tmp_path), load_secret(tmp_path)

    assert (32, first) == (len(first), second)
    assert 0o600 == (tmp_path / "signing.key").stat().st_mode & 0o777


def test_equal_requests_have_equal_digests_and_a_signature_is_never_one() -> None:
    signer = Signer(b"secret")

    assert signer.digest(b"a") == signer.digest(b"a")
    assert len({signer.digest(b"a"), signer.digest(b"b"), Signer(b"another").digest(b"a")}) == 3
