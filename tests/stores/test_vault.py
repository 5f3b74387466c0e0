"""The vault: what is put comes back under its name and key only, and nothing of it can be read on the disk."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from eventstore.errors import CannotOpen
from eventstore.vault import KEY_BYTES, Vault, key_of

SECRET = b"correct horse battery staple"


def entries(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.name not in ("vault.key", "vault.check")]


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


async def test_nothing_can_be_read_on_the_disk(tmp_path: Path) -> None:
    await Vault(tmp_path, b"k" * KEY_BYTES).put("secret/password", SECRET)

    (file,) = entries(tmp_path)
    assert "password" not in file.name
    assert SECRET not in file.read_bytes()


async def test_another_key_than_the_first_one_is_a_sentence(tmp_path: Path) -> None:
    Vault(tmp_path, b"k" * KEY_BYTES)

    with pytest.raises(CannotOpen, match="made with another key than the one given") as caught:
        Vault(tmp_path, b"j" * KEY_BYTES)

    assert "jjjj" not in str(caught.value)


async def test_a_set_key_is_not_replaced_by_a_made_one(tmp_path: Path) -> None:
    Vault(tmp_path, b"k" * KEY_BYTES)

    with pytest.raises(CannotOpen, match="needs the key that it was made with"):
        Vault(tmp_path)

    assert not (tmp_path / "vault.key").exists()


async def test_a_vault_from_before_keys_were_checked_knows_its_key(tmp_path: Path) -> None:
    await Vault(tmp_path).put("a", SECRET)
    (tmp_path / "vault.check").unlink()

    with pytest.raises(CannotOpen, match="made with another key"):
        Vault(tmp_path, b"k" * KEY_BYTES)

    assert SECRET == await Vault(tmp_path).get("a")


@pytest.mark.parametrize(
    "spell",
    [bytes.hex, lambda key: bytes.hex(key).upper(), lambda key: base64.b64encode(key).decode(),
     lambda key: base64.urlsafe_b64encode(key).decode().rstrip("="), lambda key: f" {bytes.hex(key)}\n"],
)  # fmt: skip
def test_a_key_may_be_spelt_in_hex_or_base64(spell: Callable[[bytes], str]) -> None:
    key = bytes(range(224, 256))

    assert key == key_of(spell(key))


@pytest.mark.parametrize("text", ["", "hunter2", "g" * 64, "a" * 42, "a" * 45, "é" * 43])
def test_another_text_is_no_key_and_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^The key is neither 64 hex digits nor the base64 of 32 bytes\.$"):
        key_of(text)


async def test_what_nobody_comes_back_to_is_swept(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    await vault.put("kept", SECRET)
    await vault.put("orphan", SECRET, durable=True)
    (tmp_path / ".new-killed").write_bytes(b"half")

    swept = await vault.sweep(["kept", "never put"])

    assert (2, SECRET, None) == (swept, await vault.get("kept"), await vault.get("orphan"))
    assert 1 == len(entries(tmp_path))


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


async def test_what_outlasts_tasks_is_swept_by_its_kind_alone(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    for name in ("profile/p/1", "profile/p/2", "cookies/t", "browser/s", "profiles"):
        await vault.put(name, SECRET)

    swept = [await vault.sweep([]), await vault.sweep(["profile/p/2"], kind="profile"), await vault.sweep([])]

    left = [name for name in ("profile/p/1", "profile/p/2", "cookies/t") if await vault.get(name)]
    assert ([2, 1, 0], ["profile/p/2", "cookies/t"]) == (swept, left)
