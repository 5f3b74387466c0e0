"""Our own family: two runs side by side, step by step; and what of a rerun is not as it was."""

import asyncio
from functools import partial

from aiohttp import web

from api import control, likeness
from api.acts import said
from api.diff_views import Diff, Row, Side
from api.service import SERVICE, Caller, Service
from api.text import plain
from api.wire import CALLER, Route, reply
from eventstore.errors import Gone, NotFound
from eventstore.replay import MOST_EVENTS
from eventstore.store import PAGE
from projections.compared import Compared, Difference, Pair, compared
from projections.runs import Reading, Run, Step
from projections.task_row import TaskRow

COMPARING = web.AppKey("comparing", asyncio.Lock)
"""One comparison at a time: it reads two whole tasks and their pictures."""

LONGEST = 200
"""Characters of one side in the sentence about the first difference."""


async def diff(request: web.Request) -> web.Response:
    """Two tasks of the caller's, side by side."""
    service, caller = request.app[SERVICE], request[CALLER]
    rows = [await _row(service, caller, request.match_info[name]) for name in ("task_id", "other_id")]
    async with request.app[COMPARING]:
        return reply(await _compare(service, rows[0], rows[1]))


async def report(request: web.Request) -> web.Response:
    """A rerun, or a fork, beside the task that it plays again. Raises NotFound where it is neither."""
    service, caller = request.app[SERVICE], request[CALLER]
    row = await _row(service, caller, request.match_info["task_id"])
    if not (first := row.rerun_of or row.forked_from):
        raise NotFound("This task plays no other one again")
    original = await _row(service, caller, first)
    async with request.app[COMPARING]:
        return reply(await _compare(service, original, row))


async def _row(service: Service, caller: Caller, task_id: str) -> TaskRow:
    row = await control.task(service, caller, task_id)
    if row.redacted:
        raise Gone(f"The task {row.id} was redacted: {row.redaction or 'no reason was given'}.")
    return row


async def _compare(service: Service, a: TaskRow, b: TaskRow) -> Diff:
    one, other = [await _run(service, row) for row in (a, b)]
    found = await asyncio.to_thread(compared, one, other)
    names = [(_picture(pair.a), _picture(pair.b)) for pair in found.pairs]
    pictures = await likeness.shares(service.blobs, names)
    rows = [
        Row(a=pair.a, b=pair.b, differences=pair.differences, picture=picture)
        for pair, picture in zip(found.pairs, pictures, strict=True)
    ]
    return Diff(
        a=_side(a, found.a),
        b=_side(b, found.b),
        differ=found.differ,
        first=first(found),
        steps=rows,
        end=found.end,
        cut=found.a.cut or found.b.cut or max(a.version, b.version) > MOST_EVENTS,
    )


async def _run(service: Service, row: TaskRow) -> Run:
    reading, version = Reading(), 0
    while page := await service.store.read_stream(control.stream(row.id), version):
        reading.note(page)
        version = page[-1].version
        if len(page) < PAGE or version >= MOST_EVENTS:
            break
    return reading.run()


def first(found: Compared) -> str:
    """The first difference that matters, in a sentence."""
    for pair in found.pairs:
        for each in pair.differences:
            if each.matters:
                return _told(pair, each)
    for each in found.end:
        if each.matters:
            was, now = _quoted(each.a), _quoted(each.b)
            return f"The {'output' if each.what == 'result' else 'end'} was {was}, and is {now}."
    return ""


def _told(pair: Pair, each: Difference) -> str:
    a, b = pair.a, pair.b
    if a is None or b is None:
        alone, missing = ("first", "second") if b is None else ("second", "first")
        step = a or b
        number = step.number if step else 0
        return f"Step {number} of the {alone} run ({each.a or each.b}) has nothing beside it in the {missing}."
    where = f"Step {a.number}" if a.number == b.number else f"Step {a.number} (now {b.number})"
    if each.what == "act":
        was, now = (said(text) if text.startswith("{") else text or "nothing" for text in (each.a, each.b))
        return f"{where} did {was}, and now does {now}."
    if each.what == "outcome" and each.b != "ok":
        return f"{where} failed now: {plain(each.b, 0)}"
    act = "" if each.act is None or len(a.acts) == 1 else f", act {each.act + 1}"
    word = {"result": "read", "target": "was about", "url": "led to", "outcome": "ended with"}.get(each.what, "had")
    return f"{where}{act} {word} {_quoted(each.a)}, and now {_quoted(each.b)}."


def _quoted(text: str) -> str:
    return plain(text, LONGEST) or "nothing"


def _picture(step: Step | None) -> str:
    return step.screenshot if step is not None else ""


def _side(row: TaskRow, run: Run) -> Side:
    over = row.started_at is not None and row.ended_at is not None
    return Side(
        id=row.id,
        task=row.instruction,
        llm=row.llm,
        state=row.state.value,
        end=run.end,
        success=run.success,
        output=run.output,
        duration_ms=((row.ended_at or 0) - (row.started_at or 0)) // 1_000 if over else None,
        rerun_of=row.rerun_of,
        forked_from=row.forked_from,
    )


_route = partial(Route, method="GET", family="tape", scope="read", reply=Diff, errors=(404, 410))

ROUTES: tuple[Route, ...] = (
    _route(
        path="/api/tape/tasks/{task_id}/diff/{other_id}",
        handler=diff,
        summary="Compare two runs, step by step",
        paths={"task_id": "The id of the first one.", "other_id": "That of the other one."},
    ),
    _route(
        path="/api/tape/tasks/{task_id}/rerun",
        handler=report,
        summary="Compare a rerun with the task that it runs again",
        paths={"task_id": "The id of the rerun, or of a fork."},
    ),
)
