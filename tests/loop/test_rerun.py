"""A task that plays another one's acts: without a model, each once, and no further than the browser does as it did."""

from functools import partial
from typing import Any

import pytest

from eventstore import decide
from eventstore import events as e
from runner.action_json import as_json
from runner.vocabulary import ActFailed, Ask, Click, Extract, Input, LookFor, Navigate, Query

OPEN = Navigate(url="http://shop.test/")
TYPE = Input(text="Ada", target=Query(text="Name"))
CLICK = Click(target=Query(text="Buy"))
READ = Extract(what="text", target=Query(text="Total"))
ALL = [as_json(act) for act in (OPEN, TYPE, CLICK, READ)]


async def play(world: Any, name: str, **fields: Any) -> str:
    """A new task by the fields of TaskCreated; answers its stream."""
    known = {"instruction": name, "llm": "script", "session": f"s-{name}", "project": "p", "family": "v1"}
    created = e.TaskCreated(**{**known, "request_digest": name, **fields})
    await world.tell(f"task-{name}", partial(decide.create, created=created))
    return f"task-{name}"


async def ended(world: Any, stream: str) -> Any:
    """How the task ended."""
    async with world.worker():
        return (await world.until(stream, e.TaskFinished | e.TaskFailed)).event


async def record(world: Any, script: Any, *steps: Any, llm: str = "instructions", **fields: Any) -> None:
    """A task called `shop` that has done these steps, after which the stage has done nothing yet."""
    world.scripts["shop"] = script(*steps)
    await ended(world, await play(world, "shop", llm=llm, **fields))
    world.stage.acts.clear()


def replay(**fields: Any) -> e.Replay:
    return e.Replay(task="shop", **fields)


async def test_what_was_done_is_done_again_in_its_steps_and_read_anew(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [TYPE, CLICK], [READ])
    world.stage.results[as_json(READ)] = "13"

    end = await ended(world, again := await play(world, "again", replay=replay(), rerun_of="shop"))

    assert ALL == world.stage.acts
    assert (True, "13") == (end.success, end.output)
    assert await world.story("task-shop") == await world.story(again)


async def test_what_a_model_did_by_references_is_aimed_at_the_same_elements(world: Any, script: Any) -> None:
    button = e.Target(selector="internal:role=button", role="button", name="Buy")
    by_reference = Click(target=Query(index=12))
    world.stage.targets = [button]
    world.scripts["shop"] = script([OPEN], [by_reference, by_reference], needs_tree=True)
    await ended(world, await play(world, "shop"))
    world.stage.acts.clear()

    end = await ended(world, await play(world, "again", replay=replay()))

    aimed = as_json(Click(target=Query(selector=button.selector, kind="button", text="Buy")))
    assert [as_json(OPEN), aimed, aimed] == world.stage.acts
    assert (True, "the end") == (end.success, end.output)


async def test_what_follows_another_answer_is_not_done(world: Any, script: Any) -> None:
    look = LookFor(text="Cookies")
    world.stage.results[as_json(look)] = "there"
    await record(world, script, [OPEN], [look], [CLICK])
    world.stage.results[as_json(look)] = "not there"

    end = await ended(world, await play(world, "again", replay=replay()))

    assert "differs" == end.code
    assert 'it reads "not there", and then it read "there"' in end.message
    assert [as_json(OPEN), as_json(look)] == world.stage.acts


async def test_a_task_that_began_on_a_page_of_another_one_goes_there_first(world: Any, script: Any) -> None:
    begin = world.stage.session

    def left(wanted: Any) -> Any:
        session = begin(wanted)
        world.stage.living[wanted.own] = OPEN.url
        return session

    world.stage.session = left
    await record(world, script, [TYPE], [READ])
    world.stage.session = begin

    end = await ended(world, await play(world, "again", replay=replay()))

    assert [as_json(OPEN), as_json(TYPE), as_json(READ)] == world.stage.acts
    assert (True, "did extract") == (end.success, end.output)


async def test_other_texts_are_typed_where_they_are_given(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [TYPE])

    await ended(world, await play(world, "again", replay=replay(inputs={"Ada": "Bob"})))

    assert [as_json(OPEN), as_json(TYPE).replace("Ada", "Bob")] == world.stage.acts


@pytest.mark.parametrize("number", [1, 2])
async def test_it_stops_where_an_act_fails_and_says_what_differs(world: Any, script: Any, number: int) -> None:
    await record(world, script, [OPEN], [CLICK], [READ])
    acts = [as_json(OPEN), as_json(CLICK)]
    world.stage.fails[acts[number - 1]] = ActFailed("no_target", "There is none.")

    end = await ended(world, await play(world, "again", replay=replay()))

    assert "differs" == end.code
    assert f"Step {number} of the recording, {acts[number - 1]}, differs: There is none." in end.message
    assert acts[: number - 1] == world.stage.acts


async def test_it_stops_where_the_page_is_elsewhere(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [CLICK])
    act = world.stage.act

    async def strays(resolved: Any) -> Any:
        outcome = await act(resolved)
        world.stage.url = "http://shop.test/login?next=1" if resolved.action == CLICK else world.stage.url
        return type(outcome)(result=outcome.result, url=world.stage.url)

    world.stage.act = strays

    end = await ended(world, await play(world, "again", replay=replay()))

    assert "differs" == end.code
    assert "the page is at http://shop.test/login?next=1 now, and then it was at http://shop.test/" in end.message


async def test_the_address_may_differ_by_what_was_typed_and_by_nothing_else(world: Any, script: Any) -> None:
    act = world.stage.act

    def leads(path: str) -> None:
        async def go(resolved: Any) -> Any:
            outcome = await act(resolved)
            world.stage.url = f"http://shop.test/{path}" if resolved.action == CLICK else world.stage.url
            return type(outcome)(result=outcome.result, url=world.stage.url)

        world.stage.act = go

    leads("Ada")
    await record(world, script, [OPEN], [TYPE], [CLICK])
    leads("Bob")
    same = await ended(world, await play(world, "same", replay=replay(inputs={"Ada": "Bob"})))
    leads("error")
    other = await ended(world, await play(world, "other", replay=replay(inputs={"Ada": "Bob"})))

    assert same.success
    assert "differs" == other.code
    assert "the page is at http://shop.test/error now, and then it was at http://shop.test/Bob" in other.message


async def test_another_query_or_fragment_is_the_same_page(world: Any, script: Any) -> None:
    await record(world, script, [OPEN], [CLICK])
    act = world.stage.act

    async def numbered(resolved: Any) -> Any:
        outcome = await act(resolved)
        world.stage.url = "http://shop.test/?session=2#top"
        return type(outcome)(result=outcome.result, url=world.stage.url)

    world.stage.act = numbered

    assert (await ended(world, await play(world, "again", replay=replay()))).success


async def test_what_was_asked_of_a_person_is_asked_again(world: Any, script: Any) -> None:
    question = Ask(prompt="Which code?", kind="code")
    world.scripts["shop"] = script([question], [OPEN])
    await play(world, "shop", llm="instructions")
    async with world.worker():
        await world.until("task-shop", e.InputRequested)
        await world.answer("task-shop", "1234")
        await world.until("task-shop", e.TaskFinished)
        again = await play(world, "again", replay=replay())
        asked = await world.until(again, e.InputRequested)
        await world.answer(again, "5678")
        end = await world.until(again, e.TaskFinished)

    assert ("Which code?", "code") == (asked.event.prompt, asked.event.kind)
    assert end.event.success


async def test_what_a_person_did_stops_it(world: Any) -> None:
    driven: list[e.Event] = [
        e.PauseRequested(),
        e.TaskPaused(fence=2, step=0, answers=4),
        e.ControlTaken(),
        e.HumanActed(fence=2, name="click", params="{}", url="http://shop.test/"),
        e.ControlReturned(),
        e.ResumeRequested(),
        e.TaskResumed(fence=2, step=0, answers=9),
    ]
    await told(world, "taken", *driven)

    end = await ended(world, await play(world, "again", replay=e.Replay(task="taken")))

    assert "differs" == end.code
    assert "a person did this by hand" in end.message


async def told(world: Any, name: str, *facts: e.Event) -> None:
    """A task with these facts, finished."""
    created = e.TaskCreated(instruction=name, llm="script", session="s", project="p", family="v1", request_digest=name)
    whole: list[e.Event] = [
        created,
        e.TaskClaimed(runner="r", attempt=1),
        e.TaskStarted(fence=2, browser="", viewport_width=1, viewport_height=1),
        *facts,
        e.TaskFinished(fence=2, success=True, output="the end"),
    ]
    await world.store.append(f"task-{name}", 0, whole, actor="runner:r")


@pytest.mark.parametrize(("gone", "words"), [("nowhere", "no such task"), ("shop", "redacted")])
async def test_what_is_gone_cannot_be_played(world: Any, script: Any, gone: str, words: str) -> None:
    await record(world, script, [OPEN])
    redacted = e.TaskRedacted(project="p", request_digest="shop", events=1)
    version = len(await world.store.read_stream("task-shop"))
    await world.store.append("task-shop", version, [redacted], actor="key:test")

    end = await ended(world, await play(world, "again", replay=e.Replay(task=gone)))

    assert ("no_recording", True) == (end.code, words in end.message)
    assert [] == world.stage.acts
