"""What a language model did, done again without it; and a model that goes on where a recording ends or cannot go on."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from eventstore import events as e
from runner.vocabulary import ActFailed
from tests.loop.test_agent import CLICK, OPEN, TREE, TYPE
from tests.modelled import ends, facts, modelled, says

BUTTON = e.Target(selector="internal:role=button", role="button", name="Buy")
AIMED = '"target":{"text":"Buy","kind":"button","selector":"internal:role=button"}'
OPENED = '{"navigate":{"url":"http://shop.test/"}}'
CLICKED = f'{{"click":{{{AIMED}}}}}'
RECORDED = [says(OPEN, goal="open the shop"), says(CLICK, TYPE, goal="buy"), ends("bought")]


@pytest.fixture
async def shop(world: Any) -> AsyncIterator[Any]:
    """A world in which a model has opened a shop, clicked, typed and ended; and more turns for what comes then."""
    world.stage.tree, world.stage.targets = TREE, [BUTTON]
    turns = [*RECORDED, says(OPEN, goal="look again"), ends("done by the model")]
    async with modelled(world, turns) as served, world.worker():
        stream = await world.create("shop", llm="scripted")
        await world.until(stream, e.TaskFinished)
        world.stage.acts.clear()
        world.served = served
        yield world


def asked(shop: Any) -> list[Any]:
    """What models were asked since."""
    return list(shop.served.requests[len(RECORDED) :])


async def play(world: Any, name: str, **fields: Any) -> Any:
    replay = e.Replay(task="shop", **fields)
    stream = await world.create(name, llm="scripted", replay=replay)
    return stream, (await world.until(stream, e.TaskFinished | e.TaskFailed)).event


async def test_a_models_task_is_run_again_without_a_call(shop: Any) -> None:
    stream, end = await play(shop, "again")

    typed = f'{{"input":{{"text":"Ada",{AIMED}}}}}'
    assert [OPENED, CLICKED, typed] == shop.stage.acts
    assert (True, "bought") == (end.success, end.output)
    assert ([], []) == (asked(shop), await facts(shop, stream, e.CostRecorded))


async def test_a_forks_model_is_told_its_words_and_what_was_played(shop: Any) -> None:
    _, end = await play(shop, "look around", until=1, then="model")

    assert [OPENED, OPENED] == shop.stage.acts
    assert (True, "done by the model") == (end.success, end.output)
    first = asked(shop)[0]
    assert first.texts[0].endswith("# The task\nlook around")
    assert "did navigate" in first.last
    assert "open the shop" in first.last


async def test_a_model_that_is_asked_to_help_is_told_what_should_have_been_done(shop: Any) -> None:
    shop.stage.fails[CLICKED] = ActFailed("no_target", "There is none.")

    stream, end = await play(shop, "again", rescue=True)

    assert [OPENED, OPENED] == shop.stage.acts
    assert (True, "done by the model") == (end.success, end.output)
    told = 'Step 2 of the recording, click button "Buy", differs: There is none.'
    assert told in asked(shop)[0].last
    assert 2 == len(await facts(shop, stream, e.CostRecorded))
