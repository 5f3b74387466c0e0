"""Who may look at the wall clock, which people set and which jumps; all else waits on the monotonic one."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
WALL = re.compile(r"\btime\.time(_ns)?\(|\bdatetime\.(now|utcnow|today)\(|\btime\.(gmtime|localtime)\(\)")
CLOCK = re.compile(r"^from eventstore\.clock import", re.MULTILINE)

ALLOWED = {
    "eventstore/clock.py": "the clock itself",
    "api/signing.py": "a signed link expires for whoever got it, at a time that both know",
    "api/watch_link.py": "so does the link of a live page",
    "api/etag.py": "a tag lasts no longer than the links in what it tags",
    "runner/llm/agent.py": "a model is told what day it is",
    "runner/llm/pace.py": "an endpoint names the date from which on it may be asked again",
}
USERS = {
    "eventstore/memory.py": "`at` of an event, which never goes back",
    "eventstore/sqlite.py": "`at` of an event, which never goes back",
    "eventstore/book.py": "when a checkpoint was signed",
    "api/schedules.py": "when a schedule is due next, and that it begins now",
    "api/wiring.py": "the clock that the scheduler is given",
    "api/share.py": "when the views of a share were counted last",
    "api/removals.py": "how old is what is to be removed",
    "api/retention.py": "how old is what is to be removed",
    "runner/housekeeping.py": "how long a session may live, over restarts too",
    "runner/loan.py": "how long a browser is lent, over restarts too",
    "runner/webhooks.py": "when a delivery is tried again, over restarts too",
    "runner/deadlines.py": "how long ago a question was asked that a restart has come after",
}


def sources(pattern: re.Pattern[str]) -> set[str]:
    files = [path for room in ("eventstore", "projections", "runner", "api") for path in (ROOT / room).rglob("*.py")]
    return {str(path.relative_to(ROOT)) for path in files if pattern.search(path.read_text(encoding="utf-8"))}


def test_only_these_look_at_the_wall_clock() -> None:
    assert set(ALLOWED) == sources(WALL)


def test_only_these_are_given_it() -> None:
    assert set(USERS) == sources(CLOCK)
