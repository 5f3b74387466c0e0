"""Has a task that said it was done judged before its end: bounded in time and money, and never a reason to fail.

What a judge says changes nothing of the outcome. A pause meanwhile holds the task as it would within a model call, a
stop ends it. Whoever takes the task up after a crash judges it again, unless the judgement is on the tape already.
"""

import traceback

import msgspec
import structlog

from eventstore import events as e
from eventstore.blobs import Blobs, DamagedBlob
from eventstore.store import PAGE, EventStore, Recorded
from runner.control import Gate
from runner.fitting import fitting
from runner.judgement import Case, Judge, Report, Shown, judge_name, report_of, without
from runner.ledger import TaskLedger
from runner.model import Done, Exhausted
from runner.tape import Tape
from runner.transcript import lines_of, pictured
from runner.vocabulary import ActFailed

JUDGE_SECONDS = 180.0
"""How long a judge may take, with all that is asked again. Paused time does not count."""

MOST_PICTURES = 10
PICTURES_BYTES = 12_000_000
"""Of all pictures that a judge is shown; of more, the older ones are left out."""

NAME_BYTES = 1_000

log = structlog.get_logger()


class Judging(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt."""

    created: e.TaskCreated
    store: EventStore
    tape: Tape
    gate: Gate
    blobs: Blobs
    ledger: TaskLedger
    judge: Judge
    seconds: float = JUDGE_SECONDS

    async def about(self, done: Done) -> None:
        """Have it judged, if that was asked for and is not on the tape yet. Raises LetGo, and what the tape raises."""
        if not self.created.agent.judge:
            return
        recorded = await _all_of(self.store, self.tape.stream)
        if any(isinstance(each.event, e.JudgementRecorded) for each in recorded):
            return
        self.ledger.step = (await self.tape.state()).step
        report = await self._report(done, recorded)
        model = fitting(judge_name(self.created), NAME_BYTES)
        await self.tape.write(
            e.JudgementRecorded(fence=self.tape.fence, model=model, verdict=report.verdict, report=report.text)
        )

    async def _report(self, done: Done, recorded: list[Recorded]) -> Report:
        case = await self._case(done, recorded)
        try:
            async with self.gate.limit(self.seconds) as limit:
                return await self.gate.ask(self._asked(case, {each.position for each in recorded}))
        except TimeoutError:
            if not limit.expired():
                raise
            return without(f"The judge did not answer within {self.seconds:g} seconds.")

    async def _asked(self, case: Case, positions: set[int]) -> Report:
        """What the judge says, or why there is no verdict: whatever goes wrong with him, the task has its outcome."""
        try:
            return report_of(await self.judge(case, self.ledger), positions)
        except (ActFailed, Exhausted) as failure:
            return without(f"The judge gave no verdict: {self.tape.mask.text(str(failure))}")
        except Exception:
            told = self.tape.mask.text(traceback.format_exc())  # it may quote the page
            log.error("a judge failed unexpectedly", stream=self.tape.stream, exception=told)
            return without("The judge gave no verdict: it failed unexpectedly; the service's log says more.")

    async def _case(self, done: Done, recorded: list[Recorded]) -> Case:
        """With nothing in it that shows a secret: the tape shows none, and the rest is masked here."""
        mask, agent = self.tape.mask, self.created.agent
        lines, left_out = lines_of(recorded)
        return Case(
            created=msgspec.structs.replace(
                self.created,
                instruction=mask.text(self.created.instruction),
                agent=msgspec.structs.replace(agent, ground_truth=mask.text(agent.ground_truth)),
            ),
            done=msgspec.structs.replace(done, output=mask.text(done.output)),
            lines=lines,
            left_out=left_out,
            pictures=await self._pictures(recorded),
        )

    async def _pictures(self, recorded: list[Recorded]) -> tuple[Shown, ...]:
        """The last ones that are there, and are what they were."""
        shown: list[Shown] = []
        room = PICTURES_BYTES
        for position, digest in reversed(pictured(recorded, MOST_PICTURES)):
            try:
                picture = await self.blobs.get(digest)
            except (DamagedBlob, OSError):
                continue
            room -= len(picture or b"")
            if room < 0:
                break
            if picture:
                shown.append(Shown(position=position, picture=picture))
        return tuple(reversed(shown))


async def _all_of(store: EventStore, stream: str) -> list[Recorded]:
    recorded: list[Recorded] = []
    while page := await store.read_stream(stream, len(recorded)):
        recorded += page
        if len(page) < PAGE:
            break
    return recorded
