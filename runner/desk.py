"""What a task does beside its browser: ask a person or a model, read and write its files, say that it is done."""

import msgspec

from runner.asking import Asker
from runner.control import ACT_GRACE, Gate
from runner.files import Files
from runner.model import Reader
from runner.ports import Hands, Outcome
from runner.vocabulary import ActFailed, AnyAction, Ask, Extract, Finish, ReadFile, WriteFile


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """Of one attempt. `reader` answers questions about the page that the `hands` read; None where nobody does."""

    asker: Asker
    files: Files
    gate: Gate
    hands: Hands
    reader: Reader | None = None

    async def do(self, step: int, action: AnyAction) -> Outcome:
        """What came of it. Raises ActFailed, and LetGo."""
        match action:
            case Ask():
                return Outcome(result=await self.asker.ask(step, action))
            case ReadFile():
                return Outcome(result=await self.files.read(action))
            case WriteFile():
                return await self.files.write(action)
            case Extract():
                return Outcome(result=await self._read(action))
            case Finish(text=text):
                return Outcome(result=text)
        raise ActFailed("bad_action", f"Nobody here can do {action.name}.")

    async def _read(self, action: Extract) -> str:
        """The answer to a question about the page. A pause does not waste a call that is under way."""
        if self.reader is None:
            raise ActFailed("no_model", "Only a task with a language model can ask a question about a page.")
        page = await self.gate.act(self.hands.resolve(Extract(what="page")), grace=0)
        text = (await self.gate.act(self.hands.act(page), grace=ACT_GRACE)).result
        return await self.gate.ask(self.reader.answer(action, text))
