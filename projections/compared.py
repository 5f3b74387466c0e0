"""Two runs side by side: which steps belong together, and in what they differ. Pure and total.

Steps are brought together by what was done in them, in order. What failed and was tried otherwise is shown and counts
for nothing, unless it is how the run ended; nor do times count, queries and fragments of addresses, and pictures.
"""

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from urllib.parse import urlsplit

import msgspec

from eventstore.inputs import renaming
from eventstore.replay import READING
from projections.runs import Act, Run, Step, parsed

_AIM = frozenset({"target", "source", "index"})


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """`what` is step, act, target, url, result, outcome or end; `act` counts from 0. `a` and `b` are what each has.

    One that does not matter does not make the runs differ; so it is with what the second run was given to type.
    """

    what: str
    a: str
    b: str
    act: int | None = None
    matters: bool = True


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs together: a step of each run, or of one alone."""

    a: Step | None
    b: Step | None
    differences: tuple[Difference, ...] = ()


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Both runs, step by step, and in how they ended."""

    a: Run
    b: Run
    pairs: tuple[Pair, ...]
    end: tuple[Difference, ...] = ()

    @property
    def differ(self) -> bool:
        """Whether anything differs that matters."""
        return any(each.matters for each in (*self.end, *(one for pair in self.pairs for one in pair.differences)))


def compared(a: Run, b: Run) -> Compared:
    """Both side by side."""
    now = renaming(b.inputs)
    return Compared(a=a, b=b, pairs=tuple(_pairs(a, b, now)), end=tuple(_end(a, b, now)))


def _end(a: Run, b: Run, now: Callable[[str], str]) -> Iterator[Difference]:
    """The difference in how they ended, if there is one; in their outputs where they ended alike."""
    if (was := _ending(a)) != (here := _ending(b)):
        yield Difference(what="end", a=was, b=here)
    elif a.output != b.output:
        yield Difference(what="result", a=a.output, b=b.output, matters=now(a.output) != b.output)


def _pairs(a: Run, b: Run, now: Callable[[str], str]) -> Iterator[Pair]:
    """The steps that count, brought together; before each of them those of either run that do not."""
    mine, others = _counting(a), _counting(b)
    left, right = 0, 0
    for at, to in _matched([_key(a.steps[each]) for each in mine], [_key(b.steps[each]) for each in others]):
        here, there = mine[at] if at is not None else None, others[to] if to is not None else None
        if here is not None:
            yield from (Pair(a=step, b=None) for step in a.steps[left:here])
            left = here + 1
        if there is not None:
            yield from (Pair(a=None, b=step) for step in b.steps[right:there])
            right = there + 1
        yield _pair(a.steps[here] if here is not None else None, b.steps[there] if there is not None else None, now)
    yield from (Pair(a=step, b=None) for step in a.steps[left:])
    yield from (Pair(a=None, b=step) for step in b.steps[right:])


def _matched(a: Sequence[object], b: Sequence[object]) -> Iterator[tuple[int | None, int | None]]:
    """Places of what is equal; of what stands in its place, one after the other; and what one side has alone."""
    for word, a_from, a_to, b_from, b_to in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        both = min(a_to - a_from, b_to - b_from) if word in ("equal", "replace") else 0
        yield from ((a_from + each, b_from + each) for each in range(both))
        yield from ((each, None) for each in range(a_from + both, a_to))
        yield from ((None, each) for each in range(b_from + both, b_to))


def _counting(run: Run) -> list[int]:
    """The steps that did something, and the last one if it is how the run ended."""
    last = len(run.steps) - 1 if run.end == "failed" else -1
    return [place for place, step in enumerate(run.steps) if step.acts and (place == last or _done(step))]


def _done(step: Step) -> list[Act]:
    return [act for act in step.acts if act.ok]


def _counted(step: Step) -> list[Act]:
    """The acts that are compared: those that were done; where there is none, what was tried."""
    return _done(step) or list(step.acts)


def _key(step: Step) -> tuple[tuple[str, str], ...]:
    return tuple((_rest(act.action), act.target) for act in _done(step))


def _pair(a: Step | None, b: Step | None, now: Callable[[str], str]) -> Pair:
    if a is None or b is None:
        there = Difference(what="step", a=_what(a), b=_what(b))
        return Pair(a=a, b=b, differences=(there,))
    found: list[Difference] = []
    was, here = _counted(a), _counted(b)
    if len(was) != len(here):
        found.append(Difference(what="act", a=_what(a), b=_what(b)))
    for place, (one, other) in enumerate(zip(was, here, strict=False)):
        found += _differences(place, one, other, now)
    return Pair(a=a, b=b, differences=tuple(found))


def _differences(place: int, a: Act, b: Act, now: Callable[[str], str]) -> Iterator[Difference]:
    """What differs in an act; `now` is what the first run's texts are called in the second one."""
    if _rest(a.action) != (here := _rest(b.action)):
        yield Difference(what="act", act=place, a=a.action, b=b.action, matters=_rest(a.action, now) != here)
    if a.target != b.target and (a.ok and b.ok):
        yield Difference(what="target", act=place, a=a.target, b=b.target, matters=now(a.target) != b.target)
    if a.ok != b.ok:
        yield Difference(what="outcome", act=place, a=a.error or "ok", b=b.error or "ok")
    if a.ok and b.ok and a.url != b.url:
        yield Difference(what="url", act=place, a=a.url, b=b.url, matters=_page(now(a.url)) != _page(b.url))
    reads = next(iter(parsed(a.action)), "") in READING
    if a.ok and b.ok and reads and a.result != b.result:
        yield Difference(what="result", act=place, a=a.result, b=b.result, matters=now(a.result) != b.result)


def _rest(action: str, now: Callable[[str], str] = str) -> str:
    """The act without what it is aimed by: a rerun aims at the same element in other words."""

    def one(value: object) -> object:
        return now(value) if isinstance(value, str) else value

    bodies = {
        name: {key: one(value) for key, value in body.items() if key not in _AIM} if isinstance(body, dict) else body
        for name, body in parsed(action).items()
    }
    return msgspec.json.encode(bodies, order="sorted").decode() if bodies else action


def _what(step: Step | None) -> str:
    return ", ".join(next(iter(parsed(act.action)), act.action) for act in _counted(step)) if step else ""


def _page(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, "", ""
    return parts.scheme, parts.netloc, parts.path or "/"


def _ending(run: Run) -> str:
    return run.end if run.success is not False else f"{run.end}, without success"
