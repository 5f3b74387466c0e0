"""What is played again must bring what it brought then: the address, what was read, what a model read off the page.

A difference fails the act with the code `differs`. Queries and fragments of addresses may differ; of what the keyless
model read, another text is the news that the rerun is for.
"""

import asyncio
import re
from collections.abc import Iterator

import msgspec
from yarl import URL

from eventstore import decide
from runner.acts import Beside
from runner.model import Observation
from runner.ports import Outcome, Resolved, Session
from runner.recorded import RecordedAct
from runner.rerun import Recording
from runner.vocabulary import ActFailed, AnyAction, Extract, LookFor

ARRIVING_SECONDS = 3.0
"""A page may change its address by itself a moment after the act."""

KEPT = decide.LOST_BROWSER | {
    "declined",
    "unanswered",
    "secrets_lost",
    "secret_refused",
    "unknown_secret",
    "bad_secret",
}
"""Failures that say more than that something differs."""

QUOTED = 200

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_NUMBERS = re.compile(r"(?<![\w.,])-?\d+(?:,\d{3})*(?:\.\d+)?(?![\w])(?![.,]\d)")
_MORE = re.compile(r"\n\(\d+ more characters follow; [^\n]*\)$")
"""What is said behind an answer from a page that was too long to be read at once."""


class Comparing(msgspec.Struct, frozen=True, kw_only=True):
    """Hands, and what is done beside them, for acts that may be of a recording."""

    session: Session
    recording: Recording
    desk: Beside
    arriving_seconds: float = ARRIVING_SECONDS

    async def resolve(self, action: AnyAction) -> Resolved:
        """As the session. Raises ActFailed: differs."""
        try:
            resolved = await self.session.resolve(action)
        except ActFailed as failure:
            raise self._differs(action, failure) from failure
        then = self.recording.expected(action)
        if then is not None and then.target is not None and resolved.target is not None:
            was, now = (f'{target.role or "element"} "{target.name}"' for target in (then.target, resolved.target))
            if was != now:
                raise differs(then, f"it is about {now} now")
        return resolved

    async def act(self, resolved: Resolved) -> Outcome:
        """As the session; then look whether it brought what it brought then. Raises ActFailed: differs."""
        try:
            outcome = await self.session.act(resolved)
        except ActFailed as failure:
            raise self._differs(resolved.action, failure) from failure
        then = self.recording.expected(resolved.action)
        if then is None:
            return outcome
        if self._must_read_the_same(resolved.action) and outcome.result != then.result:
            raise differs(then, f"it reads {_short(outcome.result)}, and then it read {_short(then.result)}")
        url = await self._arrived(then, outcome.url)
        if not _same(url, then.url):
            raise differs(then, f"the page is at {url} now, and then it was at {then.url}")
        return msgspec.structs.replace(outcome, url=url)

    async def beside(self, step: int, action: AnyAction) -> Outcome:
        """As the desk; but what a model read off the page then is looked up there, and asked of nobody."""
        then = self.recording.expected(action)
        if then is None or not isinstance(action, Extract):
            return await self.desk(step, action)
        page = await self.session.resolve(Extract(what="page"))
        text = " ".join((await self.session.act(page)).result.split())
        missing = [value for value in values(then.result) if value is None or not stands(value, text)]
        if missing:
            what = "yes, no or nothing" if missing[0] is None else _short(missing[0])
            raise differs(then, f"the recorded answer says {what}, and that cannot be found on the page")
        return Outcome(result=then.result)

    def _must_read_the_same(self, action: AnyAction) -> bool:
        """Whether what follows hangs on it: after another answer other acts would have followed."""
        return isinstance(action, LookFor) or (self.recording.strict and isinstance(action, Extract))

    async def _arrived(self, then: RecordedAct, url: str) -> str:
        """Where the page is once it is where it was then, or after a while."""
        end = asyncio.get_running_loop().time() + self.arriving_seconds
        while not _same(url, then.url) and (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(0.1, left))
            place: Observation = await self.session.look(tree=False)
            url = place.url
        return url

    def _differs(self, action: AnyAction, failure: ActFailed) -> ActFailed:
        then = self.recording.expected(action)
        if then is None or failure.code in KEPT:
            return failure
        return differs(then, str(failure))


def _same(now: str, then: str) -> bool:
    """Whether it is the same page, as far as it is known where it was."""
    return not then or place(now) == place(then)


def differs(then: RecordedAct, why: str) -> ActFailed:
    """The failure of an act that does not bring what it brought then."""
    return ActFailed("differs", f"Step {then.step} of the recording, {then.was}, differs: {why.rstrip('.')}.")


def place(url: str) -> tuple[str, str]:
    """Origin and path, without what differs each time."""
    try:
        parts = URL(url)
    except ValueError:
        return url, ""
    if not parts.host:
        return url.partition("#")[0], ""
    return f"{parts.scheme}://{parts.host}:{parts.port}", parts.path


def values(result: str) -> Iterator[str | None]:
    """The texts and numbers in an answer that is JSON, or all of it as one text; None for what no page can show."""
    answer = _MORE.sub("", result)
    try:
        found: object = msgspec.json.decode(answer)
    except (msgspec.DecodeError, RecursionError):
        found = answer
    leaves = list(_leaves(found))
    yield from leaves or [None]


def stands(value: str, text: str) -> bool:
    """Whether the text says it, whole: 3 does not stand in 13, nor 12 in 12.5; but 1250.5 does in 1,250.50."""
    wanted = " ".join(value.split())
    if not _NUMBER.fullmatch(wanted):
        return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", " ".join(text.split())) is not None
    return any(_amount(found) == _amount(wanted) for found in _NUMBERS.findall(text))


def _amount(number: str) -> str:
    """Without what can be left out."""
    number = number.replace(",", "")
    return number.rstrip("0").rstrip(".") if "." in number else number


def _leaves(value: object) -> Iterator[str | None]:
    match value:
        case dict():
            for inner in value.values():
                yield from _leaves(inner)
        case list():
            for inner in value:
                yield from _leaves(inner)
        case bool() | None:
            yield None
        case str():
            yield value if value.strip() else None
        case float():
            yield f"{value:g}"
        case _:
            yield str(value)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return f'"{text}"' if len(text) <= QUOTED else f'"{text[:QUOTED]}…"'
