"""The model that runs free-form tasks: shows a language model the page, and reads from its answer what to do next.

All that decides what it says is the past on the tape and the page: after a restart it goes on as if nothing had been.
"""

import time
from collections.abc import Sequence

import msgspec

from eventstore.events import TaskCreated
from runner.action_json import from_json
from runner.fitting import fitting
from runner.keyless.schemas import OutputSchema
from runner.llm import history, loops, prompt
from runner.llm.checking import OUTPUT_BYTES, Checked, faults_of
from runner.llm.client import Client, Message
from runner.llm.fence import Fence
from runner.llm.replies import Ending, Form, Turn
from runner.llm.structured import structured
from runner.model import Done, Ledger, Model, Observation, PastStep, Reply
from runner.vocabulary import ActFailed, AnyAction, Finish, Navigate

MOST_FAILING = 5
"""Steps in a row that may fail; then the model may say what it has, and the task ends without success."""

HURRY = 0.75
"""After this part of its steps a model is told how many are left."""

LAST = "This is the last step: end with what you have. success is true only if all of the task is done."
GOES_ON = "the model wanted to go on when it was to say what it has."
GIVE_UP = (
    "Too many steps in a row have failed: end now, with what you have and what is missing. It counts as no success."
)


class Agent(Model):
    """Of one attempt at one task."""

    needs_tree = True

    def __init__(self, created: TaskCreated, client: Client, ledger: Ledger) -> None:
        """Raises ActFailed: bad_schema."""
        self._created = created
        self._client = client
        self._ledger = ledger
        self._fence = Fence()
        self._schema = OutputSchema(created.output_schema) if created.output_schema.strip() else None
        self._system = Message(role="system", text=prompt.system(_assigned(created), self._fence))
        self.needs_picture = client.endpoint.shown(created.agent.vision)

    def ended(self, past: Sequence[PastStep]) -> Done | None:
        """The end, once the model has said it."""
        last = past[-1].acts[-1] if past and past[-1].acts else None
        if last is None or last.name != Finish.name or not last.ok:
            return None
        said = from_json(last.params)
        return Done(success=isinstance(said, Finish) and said.success, output=last.result)

    async def next(self, observation: Observation, past: Sequence[PastStep]) -> Reply:
        """The model's next acts, or its end. A start URL is opened first, without a call.

        Raises ActFailed: loop, max_steps where it would go on after the last one, and what `structured` does; and
        Exhausted.
        """
        start = self._created.start_url
        if start and not past:
            return Reply(actions=(Navigate(url=start),), next_goal=f"Open {start}")
        form, nudges = self._wanted(past)
        checked = Checked(form=form, tree=observation.tree, output=self._schema)
        turn = await self._turn(checked, self._messages(form, nudges, observation, past), final=self._final(past))
        return Reply(
            actions=turn.acts,
            evaluation=turn.evaluation,
            memory=turn.memory,
            next_goal=turn.next_goal,
            done=self._done(turn.ending, past) if turn.ending else None,
        )

    def recall(self, step: int) -> Sequence[AnyAction]:
        """Nothing: the tape knows."""
        return ()

    async def _turn(self, checked: Checked, messages: Sequence[Message], *, final: bool) -> Turn:
        """The model's answer. One that makes no sense after all repairs is taken as it is, and fails by itself."""
        effort = self._created.agent.thinking_level
        try:
            return await structured(
                self._client, self._ledger, messages, checked.shape(), purpose="step", effort=effort
            )
        except ActFailed as failed:
            if failed.code != "model_broken":
                raise
            if checked.last is not None:
                return checked.last
            if final and checked.unended:
                most = self._created.limits.max_steps
                raise ActFailed("max_steps", f"The task did not end within {most} steps: {GOES_ON}") from failed
            raise

    def _messages(
        self, form: Form, nudges: Sequence[str], observation: Observation, past: Sequence[PastStep]
    ) -> list[Message]:
        most = self._created.limits.max_steps if self._bounded else 0
        told = (
            history.told(past, self._fence),
            prompt.seen(observation, self._fence),
            prompt.ask(form, step=len(past) + 1, most=most, nudges=nudges),
        )
        pictures = (observation.picture,) if self.needs_picture and observation.picture else ()
        return [self._system, Message(role="user", text="\n\n".join(told), pictures=pictures)]

    def _wanted(self, past: Sequence[PastStep]) -> tuple[Form, list[str]]:
        """The shape of the next answer, and what the model should hear. Raises ActFailed: loop."""
        chosen, most, taken = self._created.agent, self._created.limits.max_steps, len(past)
        form = Form(flash=chosen.flash, thinking=chosen.thinking, data=self._schema is not None)
        last = msgspec.structs.replace(form, last=True)
        if loops.failing(past) >= MOST_FAILING:
            return last, [GIVE_UP]
        if self._final(past):
            return last, [LAST]
        nudges = [loops.nudge(past)]
        if self._bounded and taken >= most * HURRY:
            nudges.append(f"{most - taken} steps are left, this one too: see that the task ends in time.")
        return form, [nudge for nudge in nudges if nudge]

    def _final(self, past: Sequence[PastStep]) -> bool:
        """Whether no step is left after this one."""
        return self._bounded and len(past) >= self._created.limits.max_steps - 1

    @property
    def _bounded(self) -> bool:
        """Whether the task ends with its steps. Where somebody may allow more, the model need not hurry."""
        return self._created.limits.breach != "pause"

    def _done(self, ending: Ending, past: Sequence[PastStep]) -> Done:
        """The end with its output; with an output schema that is JSON, or what is wrong with it."""
        success = ending.success and loops.failing(past) < MOST_FAILING
        if self._schema is None or (ending.data is None and not success):
            return Done(success=success, output=fitting(ending.text, OUTPUT_BYTES))
        faults = faults_of(self._schema, ending.data)
        text = ending.text if ending.data is None else msgspec.json.encode(ending.data).decode()
        if faults:
            said = f"The output does not fit the schema: {'; '.join(faults)}.\nIt was: {text}"
            return Done(success=False, output=fitting(said, OUTPUT_BYTES))
        return Done(success=success, output=text)


def _assigned(created: TaskCreated) -> prompt.Assigned:
    return prompt.Assigned(
        instruction=created.instruction,
        today=time.strftime("%A, %Y-%m-%d", time.gmtime()),
        schema=created.output_schema.strip(),
        secrets=created.secrets,
        files=created.files,
        domains=created.allowed_domains,
        extension=created.agent.extension,
    )
