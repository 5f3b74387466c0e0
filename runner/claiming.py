"""What a rerun can honestly say of its outcome: made anew from what it did and read, or not claimed."""

from collections.abc import Sequence
from itertools import groupby

from eventstore import events as e
from runner.keyless.answers import Answer
from runner.keyless.instructions import Instructions
from runner.model import Done, PastAct, PastStep
from runner.recorded import Record, RecordedAct
from runner.vocabulary import ActFailed, Extract

INSTRUCTIONS = "instructions"
"""The model whose output is what its extracts find, and nothing else."""


class Claim:
    """What is said once all `acts` of the record were played."""

    def __init__(self, record: Record, replay: e.Replay, acts: Sequence[RecordedAct]) -> None:
        self._record = record
        self._replay = replay
        self._acts = acts
        self._sentences = _sentences(record, acts)
        self._answer, self._unfit = (None, "") if self._sentences else _answer(record, acts)

    def of(self, past: Sequence[PastStep]) -> Done:
        """The end, given what was done now."""
        record, acts = self._record, _count("recorded act", len(self._acts))
        if record.whole and record.end != "finished":
            why = f": {record.message}" if record.message else ""
            said = f"{acts} played again. The recorded task itself had {record.end or 'not ended'}{why}"
            return Done(success=False, output=said)
        if self._sentences and (done := self._sentences.ended(past)):
            return done
        played = [act for step in past for act in step.acts if act.ok]
        if record.created.llm == INSTRUCTIONS:
            return self._anew(played)
        if not self._replay.inputs:
            return Done(success=record.success, output=record.output)
        said = f"{acts} played again with other inputs, ending at {played[-1].url if played else 'no page'}."
        if record.created.output_schema.strip():
            return Done(success=False, output=f"{said} No model was there to make the structured output anew.")
        return Done(success=record.success, output=f"{said} What the recorded task said of its own is not repeated.")

    def _anew(self, played: Sequence[PastAct]) -> Done:
        """The output of sentences that are not known, of which a fork has some: what their extracts found now."""
        if self._unfit:
            return Done(success=False, output=self._unfit)
        pairs = zip(self._acts, played, strict=True)
        results = [act.result for recorded, act in pairs if isinstance(recorded.action, Extract)]
        if self._answer:
            return self._answer.done(results)
        if results:
            return Done(success=True, output="\n".join(results))
        where = f", ending at {played[-1].url}" if played and played[-1].url else ""
        return Done(success=True, output=f"{_count('recorded act', len(self._acts))} played again{where}.")


def _sentences(record: Record, acts: Sequence[RecordedAct]) -> Instructions | None:
    """What makes the output of the recorded sentences, if it makes of what was done then what was said then."""
    then = record.created
    if then.llm != INSTRUCTIONS or not record.whole:
        return None
    try:
        model = Instructions(then.instruction, then.output_schema, start_url=then.start_url, secrets=then.secrets)
        end = model.ended(_steps(acts))
    except ActFailed:
        return None
    return model if end and (end.success, end.output) == (record.success, record.output) else None


def _steps(acts: Sequence[RecordedAct]) -> list[PastStep]:
    """The recorded steps, as far as their outcome tells of them."""
    return [
        PastStep(number=number, acts=tuple(map(_done, step))) for number, step in groupby(acts, lambda act: act.step)
    ]


def _done(act: RecordedAct) -> PastAct:
    name = act.action.name if act.action else ""
    return PastAct(name=name, params="", ok=True, effect="", result=act.result, url=act.url)


def _answer(record: Record, acts: Sequence[RecordedAct]) -> tuple[Answer | None, str]:
    """What makes the structured output of sentences anew; or why what they extracted can be none."""
    schema = record.created.output_schema
    if record.created.llm != INSTRUCTIONS or not record.whole or not schema.strip():
        return None, ""
    try:
        return Answer(schema, [act.action for act in acts if isinstance(act.action, Extract)]), ""
    except ActFailed as failure:
        return None, str(failure)


def _count(what: str, count: int) -> str:
    return f"1 {what} was" if count == 1 else f"{count} {what}s were"
