"""Several acts of a step: the first one after which the page is not what they were planned for is the last."""

from typing import Any

import pytest

from eventstore import events as e
from runner.action_json import as_json
from runner.vocabulary import ActFailed, AnyAction, Click, Extract, Hover, Input, Navigate, Query, SwitchTab

FIRST = Click(target=Query(index=1))
SECOND = Input(text="Ada", target=Query(index=2))
THIRD = Hover(target=Query(index=3))
STAY = Extract(what="page")


async def taken(world: Any, script: Any, *acts: AnyAction, needs_tree: bool = True) -> e.StepTaken:
    """The step in which these were planned."""
    stream = await world.create("several", script(acts, needs_tree=needs_tree))
    async with world.worker():
        step: e.StepTaken = (await world.until(stream, e.StepTaken)).event
    return step


async def test_all_are_done_while_the_page_stays_as_it_is(world: Any, script: Any) -> None:
    step = await taken(world, script, FIRST, SECOND, THIRD)

    assert ([as_json(act) for act in (FIRST, SECOND, THIRD)], ()) == (world.stage.acts, step.dropped)


async def test_the_rest_is_dropped_where_the_page_or_tab_is_another_at_the_same_address(
    world: Any, script: Any
) -> None:
    world.stage.moves.add(as_json(SECOND))

    step = await taken(world, script, FIRST, SECOND, THIRD, STAY)

    assert [as_json(FIRST), as_json(SECOND)] == world.stage.acts
    assert (as_json(THIRD), as_json(STAY)) == step.dropped


async def test_the_tape_says_after_which_act_plans_did_not_hold_any_more(world: Any, script: Any) -> None:
    world.stage.moves.add(as_json(FIRST))

    await taken(world, script, FIRST, SECOND)

    said = [recorded.event for recorded in await world.store.read_stream("task-several")]
    assert [True] == [event.moved for event in said if isinstance(event, e.ActionEnded)]


@pytest.mark.parametrize("act", [Navigate(url="http://shop.test/"), SwitchTab(number=2)], ids=lambda act: act.name)
async def test_the_rest_is_dropped_after_an_act_that_leaves(world: Any, script: Any, act: AnyAction) -> None:
    step = await taken(world, script, act, SECOND)

    assert ([as_json(act)], (as_json(SECOND),)) == (world.stage.acts, step.dropped)


async def test_the_rest_is_dropped_after_one_that_failed(world: Any, script: Any) -> None:
    world.stage.fails[as_json(FIRST)] = ActFailed("target_changed", "It is another one now.")

    step = await taken(world, script, FIRST, SECOND)

    assert ([], (as_json(SECOND),)) == (world.stage.acts, step.dropped)


async def test_sentences_that_were_written_beforehand_are_all_done(world: Any, script: Any) -> None:
    world.stage.moves.add(as_json(FIRST))

    step = await taken(world, script, FIRST, SECOND, needs_tree=False)

    assert ([as_json(FIRST), as_json(SECOND)], ()) == (world.stage.acts, step.dropped)
