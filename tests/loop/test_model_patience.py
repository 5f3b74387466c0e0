"""How long the client of a model waits, for whom, how much it takes in, and when it hangs up."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from eventstore.events import Usage
from runner.llm.client import Client, Message
from runner.llm.pace import Pace
from runner.vocabulary import ActFailed
from tests.model_server import Endless, Hang, Held, Status, Text, Turn, model_server
from tests.modelled import Hours

ASKED = [Message(role="user", text="Which one?")]
LIMIT = 60.0


async def test_an_endpoint_is_left_alone_as_long_as_it_asks_for() -> None:
    hours = Hours()
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=40), usegmt=True)
    limits = [Status(429, retry_after="7"), Status(503, retry_after=soon), Status(429, retry_after=past)]
    also = Status(429, headers={"retry-after-ms": "1500"}, retry_after="9")
    async with model_server([*limits, also, "ok"]) as served, hours.client(served.endpoint(retries=4)) as client:
        answer = await client.ask(ASKED)

    seconds, date, milliseconds = hours.slept
    assert ("ok", 5) == (answer.text, len(served.requests))
    assert (True, True, True) == (7 <= seconds <= 8.75, 0 < date <= 50, 1.5 <= milliseconds <= 1.875)


async def test_one_call_that_met_a_limit_holds_back_those_of_others() -> None:
    hours = Hours()
    async with (
        model_server([Status(429, retry_after="20"), "ok"]) as served,
        hours.client(served.endpoint(retries=0)) as client,
    ):
        with pytest.raises(ActFailed):
            await client.ask(ASKED)
        assert [] == hours.slept
        await client.ask(ASKED)

    assert 20 <= hours.slept[0] <= 25


async def test_nobody_waits_for_longer_than_a_call_may_take() -> None:
    hours = Hours()
    async with (
        model_server([Status(429, retry_after="86400"), "ok"]) as served,
        hours.client(served.endpoint(call_seconds=30.0)) as client,
    ):
        codes = []
        for _ in range(2):
            with pytest.raises(ActFailed) as failed:
                await client.ask(ASKED)
            codes.append(failed.value.code)
        assert (["model_rate_limited"] * 2, [], 1) == (codes, hours.slept, len(served.requests))
        hours.time += 61.0
        answer = await client.ask(ASKED)

    assert "ok" == answer.text


async def test_no_more_calls_are_under_way_than_the_endpoint_takes() -> None:
    gates = [asyncio.Event() for _ in range(5)]
    async with (
        model_server([Held(gate, Text("ok")) for gate in gates]) as served,
        Client(served.endpoint(max_concurrent=2)) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in gates:
            group.create_task(client.ask(ASKED))
        for number, gate in enumerate(gates, start=2):
            await served.asked(min(number, 5))
            gate.set()

    assert (5, 2) == (len(served.requests), served.most_at_once)


async def test_who_finds_no_free_place_in_time_is_told_so() -> None:
    pace = Pace(1)
    async with model_server([Hang()]) as served:
        patient, quick = served.endpoint(), served.endpoint(call_seconds=0.05)
        async with Client(patient, pace=pace) as first, Client(quick, pace=pace) as second:
            hanging = asyncio.create_task(first.ask(ASKED))
            await served.asked(1)
            with pytest.raises(ActFailed) as failed:
                await second.ask(ASKED)
            hanging.cancel()

    assert "model_rate_limited" == failed.value.code
    assert "had no free place within 0.05 seconds" in str(failed.value)


@pytest.mark.parametrize("turn", [Hang(), Hang(parts=2)])
async def test_an_endpoint_that_falls_silent_is_noticed_and_hung_up_on(turn: Turn) -> None:
    async with model_server([turn, "ok"]) as served, Hours().client(served.endpoint(quiet_seconds=0.3)) as client:
        answer = await client.ask(ASKED)
        await asyncio.wait_for(served.requests[0].hung_up.wait(), LIMIT)

    assert ("ok", 2) == (answer.text, len(served.requests))


async def test_a_trickle_does_not_go_on_for_longer_than_a_call_may_take() -> None:
    async with model_server([Endless(every=0.01)]) as served, Client(served.endpoint(call_seconds=0.5)) as client:
        with pytest.raises(ActFailed) as failed:
            await client.ask(ASKED)
        await asyncio.wait_for(served.requests[0].hung_up.wait(), LIMIT)

    assert ("model_timeout", 1) == (failed.value.code, len(served.requests))
    assert "gave no answer within 0.5 seconds" in str(failed.value)


@pytest.mark.parametrize("turn", [Endless(), Endless(part="x" * 10_000), Endless(comments=True)])
async def test_an_answer_that_does_not_end_is_cut(turn: Turn) -> None:
    async with model_server([turn]) as served, Client(served.endpoint(max_output_tokens=300)) as client:
        answer = await client.ask(ASKED)
        await asyncio.wait_for(served.requests[0].hung_up.wait(), LIMIT)

    assert ("length", True) == (answer.finish, len(answer.text) < 40_000)


async def test_no_more_is_read_of_an_error_than_anybody_needs() -> None:
    async with model_server([Status(400, body="no " * 10_000_000)]) as served, Client(served.endpoint()) as client:
        with pytest.raises(ActFailed) as failed:
            await client.ask(ASKED)

    assert "model_refused" == failed.value.code


@pytest.mark.parametrize("turn", [Hang(), Hang(parts=2), Endless(every=0.01)])
async def test_who_is_cancelled_hangs_up_and_gives_the_place_back(turn: Turn) -> None:
    async with model_server([turn, "ok"]) as served, Client(served.endpoint(max_concurrent=1)) as client:
        call = asyncio.create_task(client.ask(ASKED))
        await served.asked(1)
        call.cancel()
        await asyncio.wait_for(served.requests[0].hung_up.wait(), LIMIT)
        with pytest.raises(asyncio.CancelledError):
            await call
        answer = await client.ask(ASKED)

    assert "ok" == answer.text


async def test_what_was_counted_is_paid_for_though_the_answer_is_lost() -> None:
    paid: list[Usage] = []
    async with (
        model_server([Hang(parts=1, counted=True), Hang(parts=1), Status(500), "ok"]) as served,
        Hours().client(served.endpoint(quiet_seconds=0.3)) as client,
    ):
        await client.ask(ASKED, paid=lambda usage, _: paid.append(usage))

    counted = Usage(model="scripted", input_tokens=100, output_tokens=10)
    guessed = Usage(model="scripted", input_tokens=3, output_tokens=2)
    assert [counted, guessed, counted] == paid
