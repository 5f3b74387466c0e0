"""Keeps one Chromium while a service comes and goes: its parent, a process of its own, the standard library alone.

Usage: keeper.py DIRECTORY GRACE COMMAND... The directory is the browser's own, and goes when the browser ends.

`door`, a FIFO in it, is the whole protocol. Whoever holds it open for writing, having said CLAIM, claims the browser;
the kernel closes it with that process, however it ends. END ends the browser at once. Without a keeper nobody can open
it. On its standard output the keeper says once `ready`, or why the browser did not start.
"""

import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

CLAIM, END = b"c", b"e"
START_SECONDS = 60.0
PATROL_SECONDS = 1.0
LISTENS = re.compile(rb"DevTools listening on (ws://\S+)\s")
SAID_BYTES = 8192
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


class Keeper:
    """One browser, from its start to the removal of its directory."""

    def __init__(self, directory: str, grace: float, command: list[str]) -> None:
        self._directory = directory
        self._grace = grace
        self._libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        if self._libc:
            self._libc.prctl(PR_SET_CHILD_SUBREAPER, 1)  # what Chromium leaves behind is ours to end
        os.mkfifo(f"{directory}/door", 0o600)
        self._door = self._open()
        with open(f"{directory}/keeper", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        # A signal ends the wait below: a child has ended, or somebody wants us to.
        self._wake, wake = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        self._told_to_end = False
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, self._tell)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._said = b""
        self._ready = self._claimed = self._ended = False
        self._until = time.monotonic() + START_SECONDS
        self._us = os.getpid()
        self._chromium = subprocess.Popen(  # noqa: S603 - the service says what to run
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,
            preexec_fn=self._die_with_us,
        )

    def run(self) -> None:
        """Until nobody has claimed the browser for the grace, it has ended, or it is to end."""
        assert self._chromium.stderr is not None  # noqa: S101 - it was asked for
        said = self._chromium.stderr.fileno()
        os.set_blocking(said, False)
        poll = select.poll()
        for descriptor in (self._wake, said, self._door):
            poll.register(descriptor, select.POLLIN)
        try:
            while not self._done():
                for descriptor, _ in poll.poll(PATROL_SECONDS * 1000):
                    if descriptor == self._wake:
                        self._read(self._wake)
                    elif descriptor == said:
                        if not self._hear(self._read(said)):
                            poll.unregister(said)
                    elif self._answer(self._read(self._door)):
                        poll.unregister(descriptor)
                        self._door, old = self._open(), self._door  # there is a reader at every moment
                        os.close(old)
                        poll.register(self._door, select.POLLIN)
                self._reap()
        finally:
            self._end()

    def _done(self) -> bool:
        late = not self._claimed and time.monotonic() >= self._until
        return late or self._ended or self._told_to_end or not os.path.exists(f"{self._directory}/door")

    def _hear(self, said: bytes | None) -> bool:
        """What Chromium says: where it listens, and until then why it may not. False when it says no more."""
        if not self._ready:
            self._said = (self._said + (said or b""))[-SAID_BYTES:]
            if found := LISTENS.search(self._said):
                with open(f"{self._directory}/endpoint", "wb") as file:
                    file.write(found[1])
                self._ready, self._until = True, time.monotonic() + self._grace
                self._say(b"ready")
        return said != b""

    def _answer(self, said: bytes | None) -> bool:
        """What is said at the door. True when nobody holds it open any more."""
        if said:
            self._claimed = True
            self._told_to_end = self._told_to_end or END in said
        elif said == b"":
            self._claimed, self._until = False, time.monotonic() + self._grace
        return said == b""

    def _say(self, words: bytes) -> None:
        """The one word to who started us, after which we hold nothing of theirs."""
        with suppress(OSError):  # they may have gone meanwhile
            os.write(1, words + b"\n")
        os.dup2(0, 1)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                self._ended = self._ended or ended == self._chromium.pid

    def _end(self) -> None:
        """Everything below us is killed, waited for, and its directory removed."""
        if not self._ready:
            self._say(self._said.strip().rpartition(b"\n")[2] or b"it said nothing")
        with suppress(OSError):
            os.killpg(self._chromium.pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            while True:
                for child in children(self._us):
                    with suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                os.waitpid(-1, 0)
        remove(self._directory)

    def _open(self) -> int:
        return os.open(f"{self._directory}/door", os.O_RDONLY | os.O_NONBLOCK)

    @staticmethod
    def _read(descriptor: int) -> bytes | None:
        """What is there, nothing at the end, None when there is nothing yet."""
        try:
            return os.read(descriptor, 65536)
        except BlockingIOError:
            return None

    def _tell(self, _number: int, _frame: object) -> None:
        self._told_to_end = True

    def _die_with_us(self) -> None:
        if self._libc:
            self._libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._us:
            os._exit(1)


def children(parent: int) -> list[int]:
    """The processes whose parent it is, where the system tells."""
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdecimal():
            with suppress(OSError), open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                # The name stands in brackets and may hold anything, so what follows the last bracket is read.
                if stat.read().rpartition(")")[2].split()[1] == str(parent):
                    found.append(int(name))
    return found


def remove(directory: str) -> None:
    """The directory with all that is in it, and what Chromium keeps in the one for temporary files."""
    with suppress(OSError):
        temporary = os.path.dirname(os.path.realpath(f"{directory}/profile/SingletonSocket"))
        if "org.chromium." in os.path.basename(temporary) or "com.google.Chrome" in os.path.basename(temporary):
            _remove(temporary)
    _remove(directory)


def _remove(directory: str) -> None:
    # Not shutil: it would double what a keeper weighs.
    for path, folders, files in os.walk(directory, topdown=False):
        for name in files:
            with suppress(OSError):
                os.unlink(f"{path}/{name}")
        for name in folders:
            with suppress(OSError):
                (os.unlink if os.path.islink(f"{path}/{name}") else os.rmdir)(f"{path}/{name}")
    with suppress(OSError):
        os.rmdir(directory)


if __name__ == "__main__":
    os.umask(0o077)
    os.chdir("/")
    Keeper(sys.argv[1], float(sys.argv[2]), sys.argv[3:]).run()
