"""What browsers put aside is gone when the service has ended, or when the next one begins."""

import os
import tempfile
from pathlib import Path

from runner.browser.scratch import PREFIX, RECORD, scratch


def test_the_folder_is_there_for_the_length_of_the_block(tmp_path: Path) -> None:
    before = os.environ.get("TMPDIR")

    with scratch(tmp_path):
        folder = Path(os.environ["TMPDIR"])
        (folder / "profile").mkdir()

    assert not folder.exists()
    assert before == os.environ.get("TMPDIR")


def test_what_a_killed_service_left_is_removed_by_the_next(tmp_path: Path) -> None:
    left = Path(tempfile.mkdtemp(prefix=PREFIX))
    (left / "profile").mkdir()
    (tmp_path / RECORD).write_text(str(left))

    with scratch(tmp_path):
        assert not left.exists()


def test_a_folder_that_is_none_of_ours_stays(tmp_path: Path) -> None:
    somebodys = tmp_path / "somebodys"
    somebodys.mkdir()
    link = tmp_path / f"{PREFIX}link"
    link.symlink_to(somebodys)
    for named in (somebodys, link):
        (tmp_path / RECORD).write_text(str(named))

        with scratch(tmp_path):
            assert somebodys.exists()
