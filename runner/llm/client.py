"""Asks a model, with patience and within bounds; one that gives no service is stood in for by its fallback, once round.

No key and no message is ever logged or put into an error.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import TYPE_CHECKING, Self

import msgspec
import structlog

from eventstore.events import Usage
from runner.llm import trouble
from runner.llm.endpoints import Endpoint, Structured
from runner.llm.heard import Heard
from runner.llm.lines import Lines
from runner.llm.manner import Level, Manner, Message, Question, body, first_manner, humbler
from runner.llm.pace import Pace, pause
from runner.llm.shape import JsonSchema
from runner.llm.trouble import Trouble
from runner.vocabulary import ActFailed

if TYPE_CHECKING:
    from runner.llm.line import Line

__all__ = ["Answer", "Client", "Message", "Paid"]

CHARACTERS_PER_TOKEN = 4

MOST_MANNERS = 64
"""Kinds of answers whose manner is remembered: what one schema is refused for, another may be taken with."""

SETTLED = frozenset({"model_declined", "model_too_long", "model_rate_limited"})
"""Refusals that no other manner would have helped against."""

Paid = Callable[[Usage, int], None]
"""Is told what a call cost, and how many milliseconds it took."""

log = structlog.get_logger()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a model said, or what it called a tool with. `finish` is `stop`, or why it ended otherwise (`length`, …).

    `refusal` is what it said instead of answering. `usage` names the endpoint that answered.
    """

    text: str
    usage: Usage
    finish: str
    milliseconds: int
    refusal: str = ""


class Client:
    """Of one endpoint; many may ask at once. Without `lines` it has its own, which it closes when left."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        lines: Lines | None = None,
        pace: Pace | None = None,
        fallback: "Client | None" = None,
    ) -> None:
        self.endpoint = endpoint
        self.fallback = fallback
        self._lines = lines or Lines()
        self._own = lines is None
        self._pace = pace or Pace(endpoint.max_concurrent)
        self._manners: dict[str, Manner] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._own:
            await self._lines.close()

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: JsonSchema | None = None,
        name: str = "answer",
        most_tokens: int = 0,
        effort: str = "",
        paid: Paid | None = None,
    ) -> Answer:
        """The answer of this model, or of the first of its fallbacks that gives one.

        With a `schema`, called `name`, the answer is asked for as JSON that fits it, in whatever way the endpoint
        takes; nothing here checks that it does. It has `most_tokens` at most, 0 for as many as the settings allow.
        `effort` is how much the model may think (minimal, low, medium, high), where the endpoint lets that be said.
        `paid` is told of each call that costs something as soon as that is known, also if its answer is lost: broken
        off, or nobody waits for it any more.

        Raises ActFailed: model_refused, model_declined, model_too_long, model_rate_limited, model_unavailable,
        model_unreachable or model_timeout.
        """
        failures: list[Trouble] = []
        for client in self._round():
            most = min(most_tokens or client.endpoint.max_output_tokens, client.endpoint.max_output_tokens)
            question = Question(messages=messages, schema=schema, name=name, most_tokens=most, effort=effort)
            try:
                return await client.answer(question, paid or _nobody)
            except Trouble as failed:
                log.warning("model_gave_no_answer", model=client.endpoint.name, code=failed.code)
                failures.append(failed)
                if not failed.elsewhere:
                    break
        raise ActFailed(failures[0].code, " Its fallback: ".join(str(failed) for failed in failures)) from None

    def _round(self) -> Iterator["Client"]:
        """This client and those that stand in for it, each once."""
        met: list[Client] = []
        client: Client | None = self
        while client is not None and client not in met:
            yield client
            met.append(client)
            client = client.fallback

    def unheeded(self, name: str, model: str) -> None:
        """What that model answered so was no JSON, though a schema went along: from now on it goes in words."""
        for client in self._round():
            if client.endpoint.name == model and client.endpoint.structured is Structured.AUTO:
                known = client._manners.get(name) or first_manner(client.endpoint, None)
                client._remember(name, msgspec.structs.replace(known, level=Level.WORDS))

    def _remember(self, kind: str, manner: Manner) -> None:
        if kind in self._manners or len(self._manners) < MOST_MANNERS:
            self._manners[kind] = manner

    async def answer(self, question: Question, paid: Paid) -> Answer:
        """The answer of this very model. Raises Trouble."""
        endpoint, pace = self.endpoint, self._pace
        asking = _Asking(question=question, paid=paid, line=await self._lines.to(endpoint))
        try:
            await pace.enter(endpoint.call_seconds)
        except TimeoutError:
            raise trouble.crowded(endpoint) from None
        try:
            async with asyncio.timeout(endpoint.call_seconds):
                return await self._tries(asking, deadline=pace.now() + endpoint.call_seconds)
        except TimeoutError:
            raise trouble.too_slow(endpoint) from None
        finally:
            pace.leave()

    async def _tries(self, asking: "_Asking", *, deadline: float) -> Answer:
        """Again and again, as often as the endpoint's settings say and as long as there is time."""
        pace = self._pace
        for attempt in count():
            if pace.now() + pace.closed_for > deadline:
                raise trouble.refused(self.endpoint, trouble.Said(status=429))
            await pace.opened()
            try:
                return await self._once(asking)
            except Trouble as failed:
                wait = pause(attempt) if failed.wait is None else failed.wait
                shared = failed.code == "model_rate_limited" or failed.wait is not None
                if failed.again and shared:
                    pace.hold(wait)
                if not failed.again or attempt >= self.endpoint.retries or pace.now() + wait > deadline:
                    raise
                log.info("model_is_asked_again", model=self.endpoint.name, code=failed.code, seconds=round(wait, 2))
            if not shared:
                await pace.sleep(wait)
        raise AssertionError  # counting does not end

    async def _once(self, asking: "_Asking") -> Answer:
        """One request; and others at once, where the endpoint does not take the manner of the first."""
        question = asking.question
        kind = question.name if question.schema is not None else ""
        manner = known = self._manners.get(kind) or first_manner(self.endpoint, question.schema)
        while True:
            try:
                answer = await self._call(asking, manner)
            except Trouble as failed:
                said = None if failed.code in SETTLED else failed.said
                other = humbler(manner, self.endpoint, question, said) if said else None
                if other is None:
                    raise
                manner = other
            else:
                if manner is not known:
                    self._remember(kind, manner)
                return answer

    async def _call(self, asking: "_Asking", manner: Manner) -> Answer:
        sent = body(self.endpoint, manner, asking.question)
        heard, usage, began = Heard(), Usage(model=self.endpoint.name), time.monotonic()
        try:
            await asking.line.say(self.endpoint, sent, heard, most_tokens=asking.question.most_tokens)
        finally:
            took = int((time.monotonic() - began) * 1000)
            if heard.begun:
                usage = self._usage(heard, asking)
                asking.paid(usage, took)
        finish = heard.finish or "stop"
        return Answer(text=heard.text, usage=usage, finish=finish, milliseconds=took, refusal=heard.refusal)

    def _usage(self, heard: Heard, asking: "_Asking") -> Usage:
        """As the endpoint counted it; else a guess, so that limits hold, without a price, so that it shows."""
        name, tokens = self.endpoint.name, heard.tokens
        if tokens is None:
            asked = sum(len(message.text) for message in asking.question.messages)
            return Usage(
                model=name,
                input_tokens=-(-asked // CHARACTERS_PER_TOKEN),
                output_tokens=-(-heard.size // CHARACTERS_PER_TOKEN),
            )
        return Usage(
            model=name,
            input_tokens=tokens.input,
            output_tokens=tokens.output,
            cached_tokens=tokens.cached,
            cost_usd=asking.line.cost(self.endpoint, tokens, heard.model),
        )


class _Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A question on its way: who is told what it costs, and the line that it takes."""

    question: Question
    paid: Paid
    line: "Line"


def _nobody(_usage: Usage, _milliseconds: int) -> None:
    """Tell nobody."""
