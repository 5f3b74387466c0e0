"""One act of a step: its target found, its intent on the tape before, its outcome after."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from eventstore import decide
from eventstore import events as e
from eventstore.errors import NotAllowed
from runner.action_json import as_json
from runner.control import ACT_GRACE, Gate, Interrupted
from runner.files import Files
from runner.fitting import fitting
from runner.past import Past
from runner.ports import Eyes, Hands, Outcome, Resolved
from runner.tape import Tape
from runner.vocabulary import ActFailed, AnyAction, Upload, beside, effect_of

RESULT_BYTES = 200_000
"""Of one act's result as it goes on the tape, as JSON; an event holds 256 KiB at most."""

PARAMS_BYTES = 200_000
"""Of an act's own words as they go on the tape, as JSON within JSON."""

WORDS_BYTES = 10_000
"""Of an address or an error."""

_TRIES = 16

Beside = Callable[[int, AnyAction], Awaitable[Outcome]]
"""Does, in the step of that number, what needs no hands in a browser; answers what came of it, without the address.

Raises ActFailed, and LetGo."""


class Acts(msgspec.Struct, frozen=True, kw_only=True):
    """All that is done in one attempt goes through here."""

    tape: Tape
    gate: Gate
    hands: Hands
    eyes: Eyes
    past: Past
    beside: Beside
    files: Files

    async def act(self, number: int, index: int, action: AnyAction, *, before: list[e.Event]) -> ActFailed | None:
        """One act, with its intent on the tape before and its outcome after. `before` goes down with the first one.

        An act in which the browser was lost has no outcome: nobody can say whether it took effect.
        """
        began = self.gate.clock()
        resolved, failure = await self._intend(number, index, action, before)
        url, result, moved = resolved.url, "", False
        made: list[e.FileProduced] = []
        if failure is None:
            try:
                outcome = await self._do(number, resolved)
                url, result, moved = outcome.url, outcome.result, outcome.moved
                made = await self.files.produced(number, outcome.made)
            except ActFailed as failed:
                if failed.code in decide.LOST_BROWSER:
                    raise
                failure = failed
        self._outcome(number, index, began, url=url, result=result, failure=failure, made=made, moved=moved)
        return failure

    async def _do(self, number: int, resolved: Resolved) -> Outcome:
        if not beside(resolved.action):
            return await self.gate.act(self.hands.act(resolved), grace=ACT_GRACE)
        brought = await self.beside(number, resolved.action)
        # A person who was asked may have been elsewhere in the browser.
        return msgspec.structs.replace(brought, url=(await self.eyes.look(tree=False)).url)

    async def _found(self, action: AnyAction) -> tuple[Resolved, ActFailed | None]:
        """The act with its target; or without one, and why."""
        failure = _unwritable(action)
        if failure is not None:
            action = _shortened(action)
        elif not beside(action):
            try:
                if isinstance(action, Upload):
                    await self.files.lay(action.path)
                return await self._resolve(action), None
            except ActFailed as failed:
                if failed.code in decide.LOST_BROWSER:
                    raise
                failure = failed
        place = await self.eyes.look(tree=False)
        return Resolved(action=action, params=as_json(action), url=place.url), failure

    async def _resolve(self, action: AnyAction) -> Resolved:
        """Find the target. Nothing is changed by looking, so a pause simply looks again afterwards."""
        while True:
            await self.gate.passage()
            try:
                return await self.gate.act(self.hands.resolve(action), grace=0)
            except Interrupted:
                continue

    async def _intend(
        self, number: int, index: int, action: AnyAction, before: list[e.Event]
    ) -> tuple[Resolved, ActFailed | None]:
        """Put it on the tape. After a pause it goes on only if its target is still the one thing that it was."""
        first: e.Target | None = None
        for tries in range(1, _TRIES + 1):
            resolved, failure = await self._found(action)
            failure = failure or _changed(first, resolved.target)
            first = first or resolved.target
            try:
                await self._write(*before, *_intent(self.tape.fence, number, index, resolved))
                break
            except NotAllowed:
                if tries == _TRIES:
                    raise
                await self._park()
        before.clear()
        return resolved, failure

    async def begin(self, *facts: e.Event) -> None:
        """Write what begins something. Refused while a pause is wished for: park, then try again."""
        for tries in range(1, _TRIES + 1):
            try:
                await self._write(*facts)
                break
            except NotAllowed:
                if tries == _TRIES:
                    raise
                await self._park()

    async def _write(self, *facts: e.Event) -> None:
        await self.tape.write(*facts)
        self.past.note(facts)

    async def _park(self) -> None:
        """The log knows of a pause that was not heard of here yet."""
        await self.gate.refresh()
        await self.gate.passage()

    def _outcome(
        self,
        number: int,
        index: int,
        began: float,
        *,
        url: str,
        result: str,
        failure: ActFailed | None,
        made: Sequence[e.FileProduced],
        moved: bool,
    ) -> None:
        ended = e.ActionEnded(
            fence=self.tape.fence,
            step=number,
            index=index,
            ok=failure is None,
            result=fitting(result, RESULT_BYTES),
            error=fitting(str(failure), WORDS_BYTES) if failure else "",
            url=fitting(url, WORDS_BYTES),
            duration_ms=since(self.gate, began),
            code=failure.code if failure else "",
            moved=moved,
        )
        self.tape.write_behind(*made, ended)  # all of it or nothing
        self.past.note([*made, ended])


def since(gate: Gate, began: float) -> int:
    """Milliseconds of not being paused since that moment of the gate's clock."""
    return round((gate.clock() - began) * 1000)


def _unwritable(action: AnyAction) -> ActFailed | None:
    """Why it cannot go on the tape, and so is not done."""
    if len(msgspec.json.encode(as_json(action))) <= PARAMS_BYTES:
        return None
    return ActFailed("too_large", f"The words of one act come to at most {PARAMS_BYTES:,} bytes; these are more.")


def _shortened(action: AnyAction) -> AnyAction:
    texts = {name: value for name in action.__struct_fields__ if isinstance(value := getattr(action, name), str)}
    return msgspec.structs.replace(action, **{name: fitting(text, WORDS_BYTES) for name, text in texts.items()})


def _intent(fence: int, number: int, index: int, resolved: Resolved) -> list[e.Event]:
    """The act with its target, and the secrets that it will type."""
    started = e.ActionStarted(
        fence=fence,
        step=number,
        index=index,
        name=resolved.action.name,
        params=resolved.params,
        effect=effect_of(resolved.action).value,
        url=fitting(resolved.url, WORDS_BYTES),
        target=resolved.target,
        onto=resolved.onto,
    )
    used = [
        e.SecretUsed(fence=fence, step=number, index=index, name=name, host=host) for name, host in resolved.secrets
    ]
    return [started, *used]


def _changed(before: e.Target | None, now: e.Target | None) -> ActFailed | None:
    """Why the act is not done any more: its target is another one than it was before a pause."""
    if before is None or now is None or (before.role, before.name) == (now.role, now.name):
        return None
    was, found = (f'{target.role} "{target.name}"' for target in (before, now))
    return ActFailed("target_changed", f"Before the pause the target was {was}, and now it is {found}.")
