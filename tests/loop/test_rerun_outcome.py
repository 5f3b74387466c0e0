"""What a rerun says of its outcome: made anew as it was made then, or not claimed."""

from typing import Any

import pytest

from eventstore import events as e
from runner.action_json import as_json
from runner.keyless.instructions import Instructions
from runner.vocabulary import ActFailed, Extract, LookFor
from tests.loop.test_rerun import CLICK, OPEN, READ, TYPE, ended, play, record, replay, told


async def test_a_structured_output_is_made_of_what_is_read_now(world: Any, script: Any) -> None:
    schema = '{"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}'
    await record(world, script, [OPEN], [READ], output_schema=schema)
    world.stage.results[as_json(READ)] = "13"

    end = await ended(world, await play(world, "again", replay=replay()))

    assert (True, '{"total":13}') == (end.success, end.output)


async def test_the_output_of_a_model_is_not_claimed_when_what_it_read_differs(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [READ], llm="script")

    same = await ended(world, await play(world, "same", replay=replay()))
    world.stage.results[as_json(READ)] = "13"
    other = await ended(world, await play(world, "other", replay=replay()))

    assert (True, "the end") == (same.success, same.output)
    assert "differs" == other.code
    assert 'it reads "13", and then it read "did extract"' in other.message


async def test_the_output_of_a_model_is_not_claimed_for_other_inputs(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [TYPE], llm="script")

    end = await ended(world, await play(world, "again", replay=replay(inputs={"Ada": "Bob"})))

    assert end.success
    assert "the end" not in end.output
    assert "2 recorded acts were played again with other inputs, ending at http://shop.test/." in end.output


async def test_playing_a_task_that_failed_is_no_success(world: Any, script: Any) -> None:
    world.stage.fails[as_json(CLICK)] = ActFailed("no_target", "There is none.")
    await record(world, script, [OPEN], [CLICK])

    end = await ended(world, await play(world, "again", replay=replay()))

    assert [as_json(OPEN)] == world.stage.acts
    assert not end.success
    assert "The recorded task itself had failed: no_target: " in end.output


async def test_what_a_model_read_off_the_page_is_looked_for_there(world: Any) -> None:
    query = Extract(query="What does it cost?")
    page = as_json(Extract(what="page"))
    await told(
        world,
        "read",
        e.StepStarted(fence=2, number=1),
        e.ActionStarted(fence=2, step=1, index=0, name="extract", params=as_json(query), effect="look"),
        e.ActionEnded(fence=2, step=1, index=0, ok=True, result='{"price": 12.5, "name": "Tea  pot"}'),
        e.ActionStarted(fence=2, step=1, index=1, name="done", params='{"done":{"success":true}}', effect="look"),
        e.ActionEnded(fence=2, step=1, index=1, ok=True),
        e.StepTaken(fence=2, number=1),
    )

    world.stage.results[page] = "A Tea\npot for 12.5 pounds"
    same = await ended(world, await play(world, "same", replay=e.Replay(task="read")))
    world.stage.results[page] = "A Tea\npot for 14 pounds"
    other = await ended(world, await play(world, "other", replay=e.Replay(task="read")))

    assert (True, "the end") == (same.success, same.output)
    assert "differs" == other.code
    assert 'the recorded answer says "12.5", and that cannot be found on the page' in other.message


@pytest.mark.parametrize(
    ("words", "acts", "output"),
    [
        ("Go to http://shop.test/", 1, "Done: 1 sentence, ending at http://shop.test/."),
        ('Go to http://shop.test/. Extract the text of "Total" until "Done" is visible', 6, "12"),
        ('Go to http://shop.test/. Click "Buy" unless "Done" is visible', 3, "Done: 2 sentences, ending at http"),
    ],
)
async def test_the_output_of_sentences_is_made_as_theirs_was(world: Any, words: str, acts: int, output: str) -> None:
    world.scripts[words] = Instructions(words)
    act, looks = world.stage.act, 0

    async def changes(resolved: Any) -> Any:
        """What is looked for comes with the third look; what is read is another text each time."""
        nonlocal looks
        outcome, look = await act(resolved), isinstance(resolved.action, LookFor)
        looks += look
        result = ("there" if looks == 3 else "not there") if look else str(looks + 10)
        return type(outcome)(result=result, url=outcome.url)

    world.stage.act = changes
    then = await ended(world, await play(world, "shop", llm="instructions", instruction=words))
    looks = 0
    world.stage.acts.clear()

    now = await ended(world, await play(world, "again", replay=replay()))

    assert (True, then.output) == (now.success, now.output)
    assert (acts, True) == (len(world.stage.acts), now.output.startswith(output))
