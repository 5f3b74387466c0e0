"""A disk that refuses to sync, by a library loaded before the real one: no acknowledgement, and the process ends."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eventstore.sqlite import open_sqlite

SHIM = """
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

static int failing(void) {
    const char *flag = getenv("FAIL_FLAG");
    return flag && access(flag, F_OK) == 0;
}
int fsync(int fd) {
    if (failing()) { errno = EIO; return -1; }
    return ((int (*)(int)) dlsym(RTLD_NEXT, "fsync"))(fd);
}
int fdatasync(int fd) {
    if (failing()) { errno = EIO; return -1; }
    return ((int (*)(int)) dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
"""
CHILD = """
import asyncio, sys
from pathlib import Path
from eventstore import events as e
from eventstore.errors import Broken
from eventstore.sqlite import open_sqlite

async def main():
    async with open_sqlite(Path(sys.argv[1])) as store:
        for version in range(10**6):
            await store.append("a", version, [e.StepStarted(fence=1, number=version)], actor="child")
            print(version + 1, flush=True)

try:
    asyncio.run(main())
except Broken as broken:
    print(broken, file=sys.stderr)
    sys.exit(7)
"""
LIMIT = 30.0


@pytest.fixture
def shim(tmp_path: Path) -> Path:
    """The library. Without a compiler the test is left out."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler or not sys.platform.startswith("linux"):
        pytest.skip("a C compiler is needed to make fsync fail")
    source, library = tmp_path / "shim.c", tmp_path / "shim.so"
    source.write_text("#define _GNU_SOURCE\n#include <stdlib.h>\n" + SHIM)
    subprocess.run(  # noqa: S603  # fixed arguments
        [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"], check=True, timeout=LIMIT
    )
    return library


async def test_when_the_disk_refuses_to_sync_nothing_more_is_acknowledged_and_the_process_ends(
    tmp_path: Path, shim: Path
) -> None:
    flag, path = tmp_path / "fail", tmp_path / "tape.db"
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CHILD,
        str(path),
        env={**os.environ, "LD_PRELOAD": str(shim), "FAIL_FLAG": str(flag), "PYTHONPATH": os.getcwd()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    async with asyncio.timeout(LIMIT):
        told = [int(await child.stdout.readline()) for _ in range(20)]
        flag.touch()
        rest, said = await child.communicate()
    told += [int(line) for line in rest.split()]

    flag.unlink()
    async with open_sqlite(path) as store:
        verdict = await store.verify()
        there = store.head

    assert (7, True) == (child.returncode, "SQLITE_IOERR_FSYNC" in said.decode())
    assert (list(range(1, len(told) + 1)), True) == (told, verdict.ok)
    assert len(told) <= there <= len(told) + 1
