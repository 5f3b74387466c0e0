"""The vault: what is put comes back under its name and key only, and nothing of it can be read on the disk."""

from pathlib import Path

import pytest

from eventstore.errors import CannotOpen
from eventstore.vault import KEY_BYTES, Vault

SECRET = b"correct horse battery staple"


def entries(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.name != "vault.key"]


async def test_what_is_put_comes_back_until_it_is_deleted(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")

    await vault.put("task-1/cookies", b"old")
    await vault.put("task-1/cookies", SECRET)
    there = await vault.get("task-1/cookies")
    await vault.delete("task-1/cookies")
    await vault.delete("task-1/cookies")

    assert SECRET == there
    assert await vault.get("task-1/cookies") is None
    assert [] == entries(tmp_path / "vault")


async def test_another_vault_on_the_same_directory_reads_it(tmp_path: Path) -> None:
    await Vault(tmp_path).put("a", SECRET)

    assert SECRET == await Vault(tmp_path).get("a")


async def test_nothing_can_be_read_without_the_key(tmp_path: Path) -> None:
    await Vault(tmp_path, b"k" * KEY_BYTES).put("secret/password", SECRET)

    assert await Vault(tmp_path, b"j" * KEY_BYTES).get("secret/password") is None
    (file,) = entries(tmp_path)
    assert "password" not in file.name
    assert SECRET not in file.read_bytes()


async def test_files_cannot_be_swapped(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    await vault.put("a", b"of a")
    (first,) = entries(tmp_path)
    await vault.put("b", b"of b")

    (second,) = set(entries(tmp_path)) - {first}
    second.write_bytes(first.read_bytes())

    assert b"of a" == await vault.get("a")
    assert await vault.get("b") is None


@pytest.mark.parametrize("left", [0, 5, 20, -1])
async def test_a_torn_file_is_absent(tmp_path: Path, left: int) -> None:
    vault = Vault(tmp_path)
    await vault.put("a", SECRET)

    (file,) = entries(tmp_path)
    file.write_bytes(file.read_bytes()[:left])

    assert await vault.get("a") is None


async def test_key_and_files_are_for_their_owner_only(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault")
    await vault.put("a", SECRET)

    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "vault").iterdir()}

    assert ({0o600}, 0o700) == (modes, (tmp_path / "vault").stat().st_mode & 0o777)


def test_a_key_of_another_length_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="has 5 bytes; it must have 32"):
        Vault(tmp_path, b"short")


def test_a_vault_that_is_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("")

    with pytest.raises(CannotOpen, match="cannot be opened"):
        Vault(tmp_path / "vault")
