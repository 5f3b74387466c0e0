"""A judge's report, and the case that he is told: the task, its end and its tape with positions. Pure and bounded.

Evidence is named by position. What names a position that this task does not have is left out, so that whoever reads
the report can look at all that it rests on.
"""

from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from eventstore.events import TaskCreated
from runner.fitting import fitting
from runner.model import Done, Ledger
from runner.vocabulary import ActFailed

MOST_EVIDENCE = 20

WORDS, LINE = 4_000, 500
"""Characters of the reasoning, and of each shorter text."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What the event at that position of the log shows."""

    position: Annotated[int, Meta(ge=0, le=2**53)]
    says: Annotated[str, Meta(max_length=LINE)]


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge answers. The verdict is true only if all that the task asks for was done, as its tape shows."""

    reasoning: Annotated[str, Meta(max_length=WORDS)]
    verdict: bool
    failure_reason: Annotated[str, Meta(max_length=LINE)] = ""
    impossible_task: bool = False
    reached_captcha: bool = False
    evidence: Annotated[tuple[Evidence, ...], Meta(max_length=MOST_EVIDENCE)] = ()


def ruling_of(value: object) -> Ruling:
    """What a judge says. Of his evidence what cannot be read is left out: a verdict does not hang on one line of it.

    Raises msgspec.ValidationError for all else.
    """
    if not isinstance(value, dict):
        return msgspec.convert(value, Ruling)
    return msgspec.convert({**value, "evidence": list(_readable(value.get("evidence")))}, Ruling)


def _readable(entries: object) -> Iterator[Evidence]:
    """The first that can be read."""
    found = 0
    for entry in entries if isinstance(entries, list) else ():
        try:
            evidence = msgspec.convert(entry, Evidence)
        except msgspec.ValidationError:
            continue
        yield evidence
        if (found := found + 1) == MOST_EVIDENCE:
            return


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of a ruling. Without a verdict `problem` is why there is none."""

    reasoning: str = ""
    verdict: bool | None = None
    failure_reason: str = ""
    impossible_task: bool = False
    reached_captcha: bool = False
    evidence: tuple[Evidence, ...] = ()
    problem: str = ""

    @property
    def text(self) -> str:
        """As JSON text."""
        return msgspec.json.encode(self).decode()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The PNG of what the step at that position left."""

    position: int
    picture: bytes


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What a judge is told. `lines` is the task's tape by position; of `left_out` events before them nothing is told.

    Only the instruction, the schema and the ground truth are the user's own words: the rest may have been written by
    a page.
    """

    created: TaskCreated
    done: Done
    lines: tuple[tuple[int, str], ...] = ()
    left_out: int = 0
    pictures: tuple[Shown, ...] = ()


Judge = Callable[[Case, Ledger], Awaitable[Ruling]]
"""Asks a model. Raises ActFailed where it gives no ruling, and Exhausted where the ledger allows no call."""


async def unjudged(_case: Case, _ledger: Ledger) -> Ruling:
    """There is no model that could judge."""
    raise ActFailed("no_model", "No model is configured that could judge.")


def judge_name(created: TaskCreated) -> str:
    """The model that judges: the one that was named, else the task's own."""
    return created.agent.judge_llm or created.llm


def report_of(ruling: Ruling, positions: Collection[int]) -> Report:
    """The ruling with the evidence that is there, each position once, and so much of its texts as goes on the tape."""
    evidence: dict[int, Evidence] = {}
    for each in ruling.evidence:
        if each.position in positions and len(evidence) < MOST_EVIDENCE:
            evidence.setdefault(each.position, Evidence(position=each.position, says=fitting(each.says, LINE)))
    return Report(
        reasoning=fitting(ruling.reasoning, WORDS),
        verdict=ruling.verdict,
        failure_reason="" if ruling.verdict else fitting(ruling.failure_reason, LINE),
        impossible_task=ruling.impossible_task and not ruling.verdict,
        reached_captcha=ruling.reached_captcha,
        evidence=tuple(evidence.values()),
    )


def without(problem: str) -> Report:
    """There is no verdict, and this is why."""
    return Report(problem=fitting(problem, LINE))
