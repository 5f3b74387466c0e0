"""A recording that another model goes on from, and one that was cut off: each act is done once, whoever does it."""

from typing import Any

from runner.action_json import as_json
from runner.vocabulary import ActFailed
from tests.loop.test_crash import leave_during
from tests.loop.test_rerun import ALL, CLICK, OPEN, READ, TYPE, ended, play, record, replay


async def test_a_model_goes_on_behind_the_last_step_that_is_played(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [TYPE], [CLICK])
    world.scripts["fork"] = successor = script([READ], output="forked")

    end = await ended(world, await play(world, "fork", replay=replay(until=2, then="model"), forked_from="shop"))

    assert [as_json(act) for act in (OPEN, TYPE, READ)] == world.stage.acts
    assert (True, "forked", 1) == (end.success, end.output, successor.calls)


async def test_a_model_that_looks_is_asked_where_an_act_cannot_be_played(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [CLICK], [READ])
    world.stage.fails[as_json(CLICK)] = ActFailed("no_target", "There is none.")
    # Its lines are by the number of steps that were taken: two by the recording.
    world.scripts["again"] = successor = script([], [], [TYPE], needs_tree=True, output="rescued")

    end = await ended(world, await play(world, "again", replay=replay(rescue=True)))

    assert [as_json(OPEN), as_json(TYPE)] == world.stage.acts[:2]
    assert (True, "rescued", 1) == (end.success, end.output, successor.calls)
    assert "differs" in successor.pasts[0][1].acts[0].error


async def test_no_model_is_asked_where_all_acts_can_be_played(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [CLICK], [READ])
    world.scripts["again"] = successor = script([], needs_tree=True)

    end = await ended(world, await play(world, "again", replay=replay(rescue=True)))

    assert (True, "did extract", 0) == (end.success, end.output, successor.calls)


async def test_a_rerun_that_is_cut_off_goes_on_without_doing_an_act_twice(world: Any, script: Any) -> None:
    world.stage.isolated = True
    await record(world, script, [OPEN], [TYPE, CLICK, READ])
    again = await play(world, "again", replay=replay())
    await leave_during(world, again, f"resolve {as_json(READ)}")

    end = await ended(world, again)

    assert ALL == world.stage.acts
    assert (True, "did extract") == (end.success, end.output)


async def test_a_rerun_that_lost_its_browser_after_a_click_ends_there(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [TYPE, CLICK], [READ])
    again = await play(world, "again", replay=replay())
    await leave_during(world, again, f"resolve {as_json(READ)}")

    end = await ended(world, again)

    assert "runner_lost" == end.code
    assert 1 == world.stage.acts.count(as_json(CLICK))


async def test_a_fork_that_is_cut_off_behind_the_recording_goes_on_with_its_model(world: Any, script: Any) -> None:
    world.stage.isolated = True
    await record(world, script, [OPEN], [CLICK])
    world.scripts["fork"] = script([TYPE], [READ])
    fork = await play(world, "fork", replay=replay(until=1, then="model"))
    await leave_during(world, fork, f"resolve {as_json(READ)}")

    await ended(world, fork)

    assert [as_json(act) for act in (OPEN, TYPE, READ)] == world.stage.acts
