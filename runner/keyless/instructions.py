"""The model that needs no key: one sentence, one step, one act. A pure function of instruction, schema and past.

A sentence that hangs on a condition takes a step more, which looks for it.
"""

from collections.abc import Collection, Sequence

import msgspec

from eventstore.answers import answer_name
from runner.keyless.answers import Answer
from runner.keyless.course import Course, Sentence, course
from runner.keyless.grammar import parse
from runner.keyless.questions import brings_value, meant
from runner.model import Done, Observation, PastStep, Reply
from runner.placeholders import check
from runner.vocabulary import ActFailed, AnyAction, Ask, Extract, Navigate


class Instructions:
    """Plays the sentences in order. Where it goes on is read off the past, so a restart changes nothing."""

    needs_tree = needs_picture = False

    def __init__(
        self, instruction: str, output_schema: str = "", *, start_url: str = "", secrets: Collection[str] = ()
    ) -> None:
        """A `start_url` is opened first; `secrets` are the names of those that may be typed.

        Raises ActFailed: `unreadable` for a sentence, `bad_schema` for a schema, `unknown_secret`, and `bad_secret` for
        one that is not typed.
        """
        start = [Sentence(f"Go to {start_url}", Navigate(url=start_url))] if start_url else []
        self._sentences = _checked(start + parse(instruction), secrets)
        extracts = [action for _, action in self._extracts()]
        self._answer = Answer(output_schema, extracts) if output_schema.strip() else None

    def ended(self, past: Sequence[PastStep]) -> Done | None:
        """The end, once every sentence is done."""
        at = course(self._sentences, past)
        return self._end(at) if at.number >= len(self._sentences) else None

    async def next(self, observation: Observation, past: Sequence[PastStep]) -> Reply:
        """What the first sentence wants that is not done, or the end. Raises ActFailed."""
        at = course(self._sentences, past)
        evaluation, memory = self._told(at)
        if at.number >= len(self._sentences):
            return Reply(done=self._end(at), evaluation=evaluation, memory=memory)
        sentence = self._sentences[at.number]
        action: AnyAction = sentence.action
        if sentence.when and not at.cleared:
            action = sentence.when.look
        elif sentence.when and 0 < sentence.when.most <= at.times:
            raise ActFailed("expectation", f"“{sentence.text}”: it did not come to that in {at.times} times.")
        return Reply(actions=(action,), evaluation=evaluation, memory=memory, next_goal=sentence.text)

    def recall(self, step: int) -> Sequence[AnyAction]:
        """The act of the step at this index, of a past without failures.

        Up to the first condition a step is a sentence; what came after it, only the tape knows.
        """
        before = self._sentences[: step + 1]
        return () if len(before) <= step or any(sentence.when for sentence in before) else (before[-1].action,)

    def _told(self, at: Course) -> tuple[str, str]:
        """What became of the sentence before, and how far it has come."""
        total, skipped = len(self._sentences), at.steps.count(None)
        memory = f"{at.number} of {total} {_sentences(total)} done" + (f", {skipped} skipped" if skipped else "")
        if at.cleared or at.times:
            return ("Its condition holds." if at.cleared else f"Done {at.times} times."), memory
        if not at.number:
            return "", memory
        text = self._sentences[at.number - 1].text
        return (f"Done: {text}." if at.steps[-1] else f"Skipped: {text}."), memory

    def _end(self, at: Course) -> Done:
        found = [at.steps[number] for number, _ in self._extracts()]
        results = [step.acts[-1].result if step else None for step in found]
        if self._answer:
            return self._answer.done(results)
        if any(result is not None for result in results):
            return Done(success=True, output="\n".join(result for result in results if result is not None))
        total, skipped = len(self._sentences), at.steps.count(None)
        place = next((step.acts[-1].url for step in reversed(at.steps) if step), "")
        where = f", ending at {place}" if place else ""
        left = f" {skipped} {'was' if skipped == 1 else 'were'} skipped." if skipped else ""
        return Done(success=True, output=f"Done: {total} {_sentences(total)}{where}.{left}")

    def _extracts(self) -> list[tuple[int, Extract]]:
        """The sentences that extract, by index."""
        return [
            (number, sentence.action)
            for number, sentence in enumerate(self._sentences)
            if isinstance(sentence.action, Extract)
        ]


def _checked(sentences: Sequence[Sentence], secrets: Collection[str]) -> list[Sentence]:
    """The sentences, each with the answer that it means. All that is typed is there by then. Raises ActFailed."""
    checked: list[Sentence] = []
    answers: list[str] = []
    for sentence in sentences:
        text, action = sentence.text, sentence.action
        try:
            checked.append(msgspec.structs.replace(sentence, action=meant(action, len(answers))))
            if sentence.when and isinstance(action, Ask):
                raise ActFailed("unreadable", "a question is asked in any case; leave out its condition.")
            check(checked[-1].action, {*secrets, *answers})
            if brings_value(action):
                answers.append(answer_name(len(answers) + 1))
                if answers[-1] in secrets:
                    raise ActFailed("bad_secret", f'a secret cannot be called "{answers[-1]}" where a person is asked.')
        except ActFailed as failure:
            raise ActFailed(failure.code, f"Cannot do the sentence “{text}”: {failure}") from None
    return checked


def _sentences(count: int) -> str:
    return "sentence" if count == 1 else "sentences"
