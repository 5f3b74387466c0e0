"""A person drives the browser of a paused task: meanwhile the runner does nothing, and what he did is on the tape."""

import asyncio
from typing import Any

import msgspec
import pytest

from eventstore import decide
from eventstore import events as e
from eventstore.errors import NotAllowed
from eventstore.human import HumanInput, HumanOutcome
from eventstore.machine import State
from runner.action_json import as_json
from runner.human import joined
from runner.ports import Touch
from runner.vocabulary import ActFailed, Ask, Click, Input, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
CLICK = Click(target=Query(text="Buy"))
TYPE = Input(text="Ada", target=Query(text="Name"))
ASK = Ask(prompt="Solve the captcha", kind="captcha")
ELSEWHERE = HumanInput(act="navigate", url="http://shop.test/basket")


def typed(text: str) -> HumanInput:
    return HumanInput(act="type", text=text)


async def paused(world: Any, stream: str, resolve: str) -> None:
    """Pause the task where it looks for its target, and hand its browser to a person."""
    await world.stage.reached[resolve].wait()
    await world.tell(stream, decide.pause)
    await world.until(stream, e.TaskPaused)
    await world.tell(stream, decide.take_control)
    await world.settled()


async def let_go(world: Any, stream: str) -> None:
    """The time is over for which a paused task keeps its browser."""
    await world.settled()
    (kept,) = world.parked
    kept.reschedule(0.0)
    await world.until(stream, e.RunnerLost)


def human(world: Any, stream: str) -> Any:
    found = world.door.acting(stream.removeprefix("task-"))
    assert found is not None
    return found


async def gone(world: Any, stream: str) -> Any:
    """Who may act in the browser of a task that has ended: nobody, once its session is left."""
    async with asyncio.timeout(60.0):
        while world.door.acting(stream.removeprefix("task-")) is not None:  # noqa: ASYNC110 - no event tells of it
            await asyncio.sleep(0)


async def acted(world: Any, stream: str) -> list[tuple[str, str, str]]:
    """What was done by hand: who, what, how."""
    return [
        (recorded.actor, recorded.event.name, recorded.event.params)
        for recorded in await world.store.read_stream(stream)
        if isinstance(recorded.event, e.HumanActed)
    ]


async def test_what_a_person_does_is_on_the_tape_in_his_name_before_control_is_returned(
    world: Any, script: Any
) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]))
        await paused(world, stream, resolve)
        hands = human(world, stream)
        for asked in (HumanInput(act="move", x=1), HumanInput(act="click", x=5, y=6), *map(typed, "Ada"), ELSEWHERE):
            await hands.act(asked, actor="key:ada")
        outcome = await hands.act(typed("x"), actor="key:eve")
        async with hands.apart():
            await world.tell(stream, decide.resume)
        world.stage.hold[resolve].set()
        await world.until(stream, e.TaskFinished)
        afterwards = await gone(world, stream)

    assert HumanOutcome(url="http://shop.test/basket") == outcome
    assert [
        ("key:ada", "click", '{"x":5,"y":6}'),
        ("key:ada", "type", '{"text":"Ada"}'),
        ("key:ada", "navigate", '{"x":0.0,"y":0.0}'),
        ("key:eve", "type", '{"text":"x"}'),
    ] == await acted(world, stream)
    assert [
        "control_taken", *["human_acted"] * 4, "control_returned", "resume_requested", "resumed",
    ] == (await world.story(stream))[-13:-5]  # fmt: skip
    assert 1 == world.stage.released
    assert None is afterwards


async def test_what_a_person_types_is_on_the_tape_after_a_pause_though_nothing_follows(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await paused(world, stream, resolve)
        for asked in map(typed, "Ada"):
            await human(world, stream).act(asked, actor="key:ada")
        await world.until(stream, e.HumanActed)
        standing = await acted(world, stream)
        await human(world, stream).act(typed("x"), actor="key:ada")

    assert [("key:ada", "type", '{"text":"Ada"}')] == standing
    assert [*standing, ("key:ada", "type", '{"text":"x"}')] == await acted(world, stream)


async def test_nothing_is_done_by_hand_without_control(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await paused(world, stream, resolve)
        hands = human(world, stream)
        await world.tell(stream, decide.return_control)
        with pytest.raises(NotAllowed, match="Nobody has control of this task's browser"):
            await hands.act(ELSEWHERE, actor="key:ada")

    assert [] == world.stage.by_hands


async def test_an_answer_that_comes_while_a_person_drives_moves_nothing_until_he_returns_control(
    world: Any, script: Any
) -> None:
    async with world.worker():
        stream = await world.create("buy", script([OPEN], [ASK], [CLICK]))
        await world.until(stream, e.TaskPaused)
        await world.tell(stream, decide.take_control)
        await world.answer(stream, "done")
        await world.settled()
        between, state = await world.story(stream), (await world.tasks.load(stream)).state
        await world.tell(stream, decide.return_control)
        await world.until(stream, e.TaskFinished)

    assert ["control_taken", "input_provided"] == between[-2:]
    assert State.PAUSED is state
    assert ["control_returned", "resumed", "action_ended"] == (await world.story(stream))[len(between) :][:3]


async def test_a_lost_browser_takes_control_away_and_a_claim_follows_the_resume(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]))
        await paused(world, stream, resolve)
        await human(world, stream).act(ELSEWHERE, actor="key:ada")
        await let_go(world, stream)
        await world.settled()
        task = await world.tasks.load(stream)
        with pytest.raises(NotAllowed, match=r"^Its browser was given back, .*; resume it, and it is opened again"):
            await world.tell(stream, decide.take_control)
        world.stage.hold[resolve].set()
        await world.tell(stream, decide.resume)
        started = await world.until(stream, e.TaskStarted, after=task.version)
        await world.until(stream, e.TaskFinished)

    assert (False, State.PAUSED) == (task.controlled, task.state)
    assert ("cookies and storage", "http://shop.test/basket") == started.event.restored


async def test_what_a_person_did_to_a_page_is_not_done_again_in_a_new_browser(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK]))
        await paused(world, stream, resolve)
        await human(world, stream).act(HumanInput(act="click", x=1, y=2), actor="key:ada")
        await let_go(world, stream)
        world.stage.hold[resolve].set()
        await world.tell(stream, decide.resume)
        failed = await world.until(stream, e.TaskFailed)

    assert "runner_lost" == failed.event.code
    assert "a person has driven the browser" in failed.event.message
    assert [as_json(OPEN)] == world.stage.acts


async def test_a_model_that_looks_for_itself_is_asked_again_after_a_person_drove(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    model = script([TYPE, CLICK, OPEN], [OPEN], needs_tree=True)
    arrived = world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", model)
        await arrived.wait()
        await paused(world, stream, resolve)
        await human(world, stream).act(ELSEWHERE, actor="key:ada")
        world.stage.hold[resolve].set()
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert [as_json(TYPE), as_json(CLICK), as_json(OPEN)] == world.stage.acts
    assert 2 == model.calls


async def test_what_a_model_said_before_a_person_drove_is_not_what_it_would_say_now(world: Any, script: Any) -> None:
    model = script([OPEN], needs_tree=True)
    model.thinks = asyncio.Event()

    async with world.worker():
        stream = await world.create("buy", model)
        await model.asked.wait()
        await world.tell(stream, decide.pause)
        await world.until(stream, e.TaskPaused)
        await world.tell(stream, decide.take_control)
        model.thinks.set()
        await world.settled()
        await world.tell(stream, decide.resume)
        await world.until(stream, e.TaskFinished)

    assert (2, [as_json(OPEN)]) == (model.calls, world.stage.acts)


async def test_the_page_is_looked_at_anew_after_a_pause(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", script([OPEN], [CLICK], [CLICK]))
        await paused(world, stream, resolve)
        await human(world, stream).act(ELSEWHERE, actor="key:ada")
        looked = world.stage.stop_at("look")
        world.stage.hold[resolve].set()
        await world.tell(stream, decide.resume)
        await looked.wait()
        world.stage.hold["look"].set()
        await world.until(stream, e.TaskFinished)

    urls = [r.event.url for r in await world.store.read_stream(stream) if isinstance(r.event, e.StepTaken)]
    assert ["http://shop.test/", "http://shop.test/basket", "http://shop.test/basket"] == urls


@pytest.mark.parametrize(("now", "acts"), [("Buy", 1), ("Buy a thousand", 0)])
async def test_an_act_goes_on_after_a_pause_only_if_its_target_is_still_what_it_was(
    world: Any, script: Any, now: str, acts: int
) -> None:
    world.stage.targets = [e.Target(selector="s", role="button", name="Buy")]
    entering = world.overtake(e.ActionStarted, decide.pause)

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await entering.wait()
        await world.until(stream, e.TaskPaused)
        world.stage.targets = [e.Target(selector="s", role="button", name=now)]
        await world.tell(stream, decide.resume)
        ended = await world.until(stream, e.ActionEnded)

    expected = "" if acts else 'Before the pause the target was button "Buy", and now it is button "Buy a thousand".'
    assert (expected, acts) == (ended.event.error, len(world.stage.acts))


async def test_a_hand_that_hangs_is_cut_off_when_control_is_returned(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)
    hanging = world.stage.stop_at("hand click")

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await paused(world, stream, resolve)
        hands = human(world, stream)
        clicking = asyncio.create_task(hands.act(HumanInput(act="click", x=1, y=2), actor="key:ada"))
        await hanging.wait()
        apart = hands.apart()
        entering = asyncio.create_task(apart.__aenter__())
        await world.settled()
        hands._cut()
        outcome = await clicking
        await entering
        await world.tell(stream, decide.return_control)
        await apart.__aexit__(None, None, None)

    assert "It took too long, and was cut off when control was given back." == outcome.problem
    assert [("key:ada", "click", "{}")] == await acted(world, stream)


async def test_what_could_not_be_done_by_hand_is_told_and_not_recorded(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await paused(world, stream, resolve)
        world.stage.fails["hand navigate"] = ActFailed("blocked", "http://shop.test/basket is refused.")
        outcome = await human(world, stream).act(ELSEWHERE, actor="key:ada")

    assert HumanOutcome(url="", problem="http://shop.test/basket is refused.") == outcome
    assert [] == await acted(world, stream)


FIELD = e.Target(selector="", role="textbox", name="Name", box=(0, 0, 10, 10))
OTHER = msgspec.structs.replace(FIELD, name="Street")
SECRET = Touch(name="type", params={"text": "********"}, target=FIELD, secret=True)
BACK = Touch(name="press", params={"keys": "Backspace"}, target=FIELD)


def text(said: str, target: e.Target = FIELD) -> Touch:
    return Touch(name="type", params={"text": said}, target=target)


def wheel(dy: float) -> Touch:
    return Touch(name="wheel", params={"x": 1.0, "y": 2.0, "dx": 0.0, "dy": dy})


@pytest.mark.parametrize(
    ("last", "touch", "both"),
    [
        (text("A"), text("d"), text("Ad")),
        (text("A"), text("d", msgspec.structs.replace(FIELD, box=(0, 0, 20, 10))), text("Ad")),
        (text("Ad"), BACK, text("A")),
        (text(""), BACK, None),
        (text("A"), text("d", OTHER), None),
        (text("A"), SECRET, None),
        (SECRET, SECRET, SECRET),
        (text("x" * 1_999), text("yz"), None),
        (wheel(10), wheel(-30), wheel(-20)),
        (wheel(10), text("A"), None),
    ],
)
def test_runs_of_typing_and_of_the_wheel_are_one_act(last: Touch, touch: Touch, both: Touch | None) -> None:
    found = joined(last, touch)

    assert (both and (both.name, both.params, both.secret)) == (found and (found.name, found.params, found.secret))


async def test_a_task_that_is_driven_waits_for_no_place_and_keeps_its_browser_only_for_a_while(
    world: Any, script: Any
) -> None:
    arrived = world.stage.stop_at(f"act {as_json(CLICK)}")

    async with world.worker(max_concurrent=1):
        asking = await world.create("asking", script([ASK]))
        await world.until(asking, e.TaskPaused)
        await world.create("working", script([CLICK]))
        await arrived.wait()
        await world.tell(asking, decide.take_control)
        await let_go(world, asking)
        lost = await world.until(asking, e.RunnerLost)

    assert "let_go" == lost.event.cause


async def test_what_waits_behind_a_hand_that_hangs_is_not_done_when_control_is_returned(
    world: Any, script: Any
) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)
    hanging = world.stage.stop_at("hand click")

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await paused(world, stream, resolve)
        hands = human(world, stream)
        clicks = [asyncio.create_task(hands.act(HumanInput(act="click", x=1, y=y), actor="key:ada")) for y in (1, 2)]
        await hanging.wait()
        apart = hands.apart()
        entering = asyncio.create_task(apart.__aenter__())
        await world.settled()
        hands._cut()
        outcomes = await asyncio.gather(*clicks, return_exceptions=True)
        await entering
        await world.tell(stream, decide.stop)
        await apart.__aexit__(None, None, None)

    assert ["HumanOutcome", "NotAllowed"] == [type(outcome).__name__ for outcome in outcomes]
    assert 1 == len(await acted(world, stream))


async def test_what_is_done_by_hand_is_on_the_tape_though_nobody_waits_for_it_any_more(world: Any, script: Any) -> None:
    resolve = f"resolve {as_json(CLICK)}"
    world.stage.stop_at(resolve)
    clicking = world.stage.stop_at("hand click")

    async with world.worker():
        stream = await world.create("buy", script([CLICK]))
        await paused(world, stream, resolve)
        vanishing = asyncio.create_task(human(world, stream).act(HumanInput(act="click", x=1, y=2), actor="key:ada"))
        await clicking.wait()
        vanishing.cancel()
        await asyncio.wait({vanishing})
        world.stage.hold["hand click"].set()
        await world.until(stream, e.HumanActed)

    assert [("key:ada", "click", '{"x":1,"y":2}')] == await acted(world, stream)
