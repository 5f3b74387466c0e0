"""A model that reads its replies from a recorded task; where the browser does not answer as it did then, it stops.

One recorded step is one step. What was done is read off the past, act by act, so that no act is done twice after a
restart. Behind its last act, or where an act cannot be played, another model goes on, if the task has one for that.
"""

from collections.abc import Sequence

import msgspec

from eventstore import events as e
from eventstore.store import EventStore
from runner.claiming import INSTRUCTIONS, Claim
from runner.equipment import Models
from runner.model import Assignment, Done, Model, Observation, PastStep, Reply
from runner.recorded import Record, RecordedAct, record_of
from runner.vocabulary import ActFailed, AnyAction, Finish


class Recording:
    """Plays a record, and then hands over to `successor`, if there is one.

    With `replay.rescue` it hands over where an act failed or was left in doubt, too; one that goes on in a later
    attempt does so at once, as only somebody who looks can say where the page is then.
    """

    def __init__(
        self,
        record: Record,
        replay: e.Replay,
        past: Sequence[PastStep] = (),
        *,
        successor: Model | None = None,
        again: bool = False,
    ) -> None:
        """`past` is what earlier attempts have done; `again` that there were some."""
        self.needs_tree = replay.rescue  # not for what is only played; but nobody could go on who has to look
        self.needs_picture = False
        self._record = record
        self._replay = replay
        self._acts = [act for act in record.acts if not isinstance(act.action, Finish)]
        self._successor = successor
        self._giving_up = again and replay.rescue and bool(past)
        self._playing: list[tuple[AnyAction, RecordedAct]] = []
        self._handed = False
        self._own = 0
        self._claim = Claim(record, replay, self._acts)
        self._look_back(past)

    @property
    def strict(self) -> bool:
        """Whether results must be those of then: nobody can make the output of a model anew from others."""
        return self._record.created.llm != INSTRUCTIONS and not self._replay.inputs and self._replay.then == "end"

    def expected(self, action: AnyAction) -> RecordedAct | None:
        """What that very act is played from, if it is."""
        return next((act for each, act in self._playing if each is action), None)

    def ended(self, past: Sequence[PastStep]) -> Done | None:
        """The end, once every act was played, or as whoever went on says it."""
        if self._look_back(past):
            return self._successor.ended(past[self._own :]) if self._successor else None
        return self._claim.of(past) if self._played(past) >= len(self._acts) else None

    async def next(self, observation: Observation, past: Sequence[PastStep]) -> Reply:
        """What is left of the recorded step that comes next. Raises ActFailed: differs."""
        if self._look_back(past) and self._successor:
            self._playing = []
            return await self._successor.next(observation, past[self._own :])
        done = self._played(past)
        memory = f"{done} of {len(self._acts)} recorded acts done"
        if done >= len(self._acts):
            return Reply(done=self._claim.of(past), memory=memory)
        self._playing = self._step(done)
        if not self._playing:
            act = self._acts[done]
            raise ActFailed("differs", f"The recorded step {act.step}, {act.was}, cannot be played: {act.obstacle}.")
        actions = tuple(action for action, _ in self._playing)
        return Reply(actions=actions, memory=memory, next_goal=self._acts[done].goal or self._acts[done].was)

    def recall(self, step: int) -> Sequence[AnyAction]:
        """Of its own acts nothing: the tape has all of them, and no text that is typed for a secret."""
        if self._handed and self._successor and step >= self._own:
            return self._successor.recall(step - self._own)
        return ()

    def _step(self, done: int) -> list[tuple[AnyAction, RecordedAct]]:
        """The acts of one recorded step from there on, up to one that nobody can play."""
        found: list[tuple[AnyAction, RecordedAct]] = []
        for act in self._acts[done:]:
            if act.step != self._acts[done].step or act.action is None:
                break
            found.append((act.action, act))
        return found

    def _played(self, past: Sequence[PastStep]) -> int:
        return sum(act.ok for step in past for act in step.acts)

    def _look_back(self, past: Sequence[PastStep]) -> bool:
        """Whether somebody else goes on by now, and from which step of the past on it is all his."""
        if self._handed or self._successor is None:
            return self._handed
        done = 0
        for number, step in enumerate(past):
            if done >= len(self._acts):
                break
            done += sum(act.ok for act in step.acts)
            if self._replay.rescue and not all(act.ok for act in step.acts):
                self._handed = True
                break
            if done >= len(self._acts):
                self._own = number + 1
        if self._replay.rescue and done < len(self._acts):
            self._handed = self._handed or self._giving_up or self._acts[done].action is None
        if done >= len(self._acts) and self._replay.then == "model":
            self._handed = True
        if self._handed:
            self.needs_tree, self.needs_picture = self._successor.needs_tree, self._successor.needs_picture
            self._own = 0 if self.needs_tree else self._own  # who looks for himself had better know all that was done
        return self._handed


async def recording(
    store: EventStore, models: Models, assignment: Assignment, past: Sequence[PastStep], *, again: bool
) -> Model:
    """The model of a task, which first plays another one's acts if that is its task; `again`: it was begun before.

    Raises ActFailed: no_recording, and what `models` raises.
    """
    created = assignment.created
    if (replay := created.replay) is None:
        return models(assignment)
    record = await record_of(store, replay)
    successor: Model | None = None
    if not replay.alone:
        opened = msgspec.structs.replace(created, start_url="")  # what is played has opened it
        successor = models(msgspec.structs.replace(assignment, created=opened))
    return Recording(record, replay, past, successor=successor, again=again)
