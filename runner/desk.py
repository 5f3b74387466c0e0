"""What a task does beside its browser: ask a person, say that it is done."""

import msgspec

from runner.asking import Asker
from runner.vocabulary import ActFailed, AnyAction, Ask, Finish


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt."""

    asker: Asker

    async def do(self, step: int, action: AnyAction) -> str:
        """What came of it. Raises ActFailed, and LetGo."""
        match action:
            case Ask():
                return await self.asker.ask(step, action)
            case Finish(text=text):
                return text
        raise ActFailed("bad_action", f"Nobody here can do {action.name}.")
