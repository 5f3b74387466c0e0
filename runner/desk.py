"""What a task does beside its browser: ask a person, read and write its files, say that it is done."""

import msgspec

from runner.asking import Asker
from runner.files import Files
from runner.ports import Outcome
from runner.vocabulary import ActFailed, AnyAction, Ask, Finish, ReadFile, WriteFile


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt."""

    asker: Asker
    files: Files

    async def do(self, step: int, action: AnyAction) -> Outcome:
        """What came of it. Raises ActFailed, and LetGo."""
        match action:
            case Ask():
                return Outcome(result=await self.asker.ask(step, action))
            case ReadFile():
                return Outcome(result=await self.files.read(action))
            case WriteFile():
                return await self.files.write(action)
            case Finish(text=text):
                return Outcome(result=text)
        raise ActFailed("bad_action", f"Nobody here can do {action.name}.")
