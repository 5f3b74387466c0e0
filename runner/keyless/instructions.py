"""The model that needs no key: one sentence, one step, one act. A pure function of instruction, schema and past."""

from collections.abc import Collection, Sequence

from eventstore.answers import answer_name
from runner.keyless.answers import Answer
from runner.keyless.grammar import Sentence, parse
from runner.keyless.questions import brings_value, meant
from runner.model import Done, Observation, PastStep, Reply
from runner.placeholders import check
from runner.vocabulary import ActFailed, AnyAction, Extract, Navigate


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
        done = _done(past)
        return self._end(done) if len(done) >= len(self._sentences) else None

    async def next(self, observation: Observation, past: Sequence[PastStep]) -> Reply:
        """The first sentence that is not done, or the end."""
        number, total = len(_done(past)), len(self._sentences)
        memory = f"{min(number, total)} of {total} {_sentences(total)} done"
        evaluation = f"Done: {self._sentences[min(number, total) - 1].text}." if number else ""
        end = self.ended(past)
        if end:
            return Reply(done=end, evaluation=evaluation, memory=memory)
        sentence = self._sentences[number]
        return Reply(actions=(sentence.action,), evaluation=evaluation, memory=memory, next_goal=sentence.text)

    def recall(self, step: int) -> Sequence[AnyAction]:
        """The act of the sentence at this index: a past without failures has one step a sentence."""
        return (self._sentences[step].action,) if step < len(self._sentences) else ()

    def _end(self, done: Sequence[PastStep]) -> Done:
        results = [done[number].acts[-1].result for number, _ in self._extracts()]
        if self._answer:
            return self._answer.done(results)
        if results:
            return Done(success=True, output="\n".join(results))
        total, place = len(self._sentences), done[-1].acts[-1].url
        where = f", ending at {place}" if place else ""
        return Done(success=True, output=f"Done: {total} {_sentences(total)}{where}.")

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
            checked.append(Sentence(text, meant(action, len(answers))))
            check(checked[-1].action, {*secrets, *answers})
            if brings_value(action):
                answers.append(answer_name(len(answers) + 1))
                if answers[-1] in secrets:
                    raise ActFailed("bad_secret", f'a secret cannot be called "{answers[-1]}" where a person is asked.')
        except ActFailed as failure:
            raise ActFailed(failure.code, f"Cannot do the sentence “{text}”: {failure}") from None
    return checked


def _done(past: Sequence[PastStep]) -> list[PastStep]:
    """The steps that did their sentence. One without acts did nothing."""
    return [step for step in past if step.acts and all(act.ok for act in step.acts)]


def _sentences(count: int) -> str:
    return "sentence" if count == 1 else "sentences"
