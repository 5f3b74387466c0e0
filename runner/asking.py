"""Asks people for one attempt at a task, and puts no value on the tape.

What was answered, or has expired, in an earlier attempt is not asked again; what was left open there is asked anew:
now there is a browser again, in which a person can do what he is asked for.
"""

import uuid_utils

from eventstore import events as e
from eventstore.answers import NO, VALUED, answer_name, vault_name
from eventstore.secrets import Secret
from eventstore.vault import Vault
from runner.control import Gate
from runner.fitting import fitting
from runner.past import Past
from runner.placeholders import placeholder
from runner.tape import Tape
from runner.vocabulary import ActFailed, Ask
from runner.wallet import Wallet

PROMPT_BYTES = 2_000


class Asker:
    """Waits for at most `seconds` for each answer."""

    def __init__(self, *, gate: Gate, tape: Tape, past: Past, vault: Vault, wallet: Wallet, seconds: float) -> None:
        self._gate = gate
        self._tape = tape
        self._past = past
        self._vault = vault
        self._wallet = wallet
        self._seconds = seconds

    async def recall(self) -> None:
        """Have what was answered in earlier attempts at hand again. Raises ActFailed: secrets_lost."""
        for number, request in enumerate(self._past.answers, 1):
            self._wallet.learn(answer_name(number), Secret(await self._value(request)))

    async def ask(self, step: int, action: Ask) -> str:
        """What came of it. Raises ActFailed (unanswered, declined, secrets_lost), and LetGo."""
        request, answered = await self._asked(step, action)
        if not answered:
            raise ActFailed("unanswered", f"Nobody has answered: {action.prompt}")
        value = await self._value(request)
        if action.kind == "confirm" and value == NO:
            raise ActFailed("declined", f"A person has declined: {action.prompt}")
        if action.kind not in VALUED:
            return "confirmed" if action.kind == "confirm" else "done by a person"
        name = answer_name(len(self._past.answers) + 1)
        self._wallet.learn(name, Secret(value))
        return f"answered; it is typed as {placeholder(name)}"

    async def _asked(self, step: int, action: Ask) -> tuple[str, bool]:
        """The id of the question, and whether it was answered: in an earlier attempt, where it was closed, or now."""
        prompt = fitting(action.prompt, PROMPT_BYTES)
        before = self._past.question
        same = before and (before.kind, before.prompt) == (action.kind, self._tape.mask.text(prompt))
        if before and same and (before.answered or before.expired):
            return before.request, before.answered
        request = str(uuid_utils.uuid7())
        question = e.InputRequested(
            fence=self._tape.fence, step=step, request=request, kind=action.kind, prompt=prompt, seconds=self._seconds
        )
        answered = await self._gate.question(question)
        self._past.note([question, *([e.InputProvided(request=request)] if answered else [])])
        return request, answered

    async def _value(self, request: str) -> str:
        data = await self._vault.get(vault_name(self._tape.stream, request))
        if data is None:
            raise ActFailed("secrets_lost", "The vault no longer has an answer that a person gave.")
        return data.decode()
