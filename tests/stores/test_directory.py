"""The data directory: held by one, and the other is told by whom, or what is wrong with it."""

import subprocess
import sys
from pathlib import Path

import pytest

from eventstore.directory import NETWORK, file_system, hold
from eventstore.errors import CannotOpen

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/a
23 22 0:5 / /srv rw - nfs4 server:/srv rw
24 23 0:6 / /srv/local\\040disk rw - ext4 /dev/sdb rw
25 22 0:7 / /tmp rw - tmpfs tmpfs rw
26 22 0:8 / /share rw - virtiofs share rw
27 22 0:9 / /mnt rw - ext4 /dev/sdc rw
28 22 0:10 / /mnt rw - cifs //server/share rw
"""

HOLDER = """
import sys
from pathlib import Path
from eventstore.directory import hold
with hold(Path(sys.argv[1]), holder="pid 123 serving http://127.0.0.1:8000"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_holds_the_directory_and_gets_it_after_a_kill(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603  # our own interpreter and our own text
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout is not None
        assert b"held\n" == first.stdout.readline()

        with pytest.raises(CannotOpen) as refused, hold(tmp_path, holder="pid 456"):
            pass
        first.kill()

    assert f"The data directory {tmp_path} is in use by pid 123 serving http://127.0.0.1:8000." == str(refused.value)
    with hold(tmp_path, holder="pid 456"):
        assert "pid 456" == (tmp_path / "lock").read_text()


def test_the_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    with hold(tmp_path / "new" / "data", holder="me"):
        assert 0o700 == (tmp_path / "new" / "data").stat().st_mode & 0o777


def test_a_directory_that_was_let_go_can_be_held_again(tmp_path: Path) -> None:
    for holder in ("first", "second"):
        with hold(tmp_path, holder=holder):
            assert holder == (tmp_path / "lock").read_text()


@pytest.mark.parametrize("name", ["file", "file/below"])
def test_a_file_is_no_directory(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(CannotOpen, match=f"The data directory {tmp_path / name} is a file, or lies below one."),
        hold(tmp_path / name, holder="me"),
    ):
        pass


def test_a_directory_that_nobody_can_write_to_is_a_sentence() -> None:
    with (
        pytest.raises(CannotOpen, match="The data directory /proc/tape cannot be"),
        hold(Path("/proc/tape"), holder="me"),
    ):
        pass


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/user/data", "overlay"),
        ("/srv/data", "nfs4"),
        ("/srv/local disk/data", "ext4"),
        ("/tmp/data", "tmpfs"),  # noqa: S108  # only a name
        ("/share/data", "virtiofs"),
        ("/mnt/data", "cifs"),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert kind == file_system(Path(path), MOUNTS)


def test_local_file_systems_are_not_refused() -> None:
    assert NETWORK.isdisjoint({"overlay", "tmpfs", "virtiofs", "ext4", "xfs", "btrfs", "zfs", "9p", "fuse", "apfs"})
