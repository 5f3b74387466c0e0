"""The acts of another task, read off its tape, ready to be done again: each aimed at the very element it was about."""

from collections.abc import Sequence

import msgspec

from eventstore import events as e
from eventstore.inputs import MASKED, hidden, with_inputs
from eventstore.replay import MOST_EVENTS, READING, Played, Telling, Told
from eventstore.store import PAGE, EventStore
from runner.action_json import from_json
from runner.aiming import aimed
from runner.vocabulary import ActFailed, AnyAction, Navigate, Search

GONE = {
    "absent": "There is no such task (any more).",
    "deleted": "It was deleted.",
    "redacted": "It was redacted: what it did is no longer on the tape.",
}

GOING = frozenset({Navigate.name, Search.name})
"""Acts that begin anywhere."""


MOST_BEFORE = 100
"""Reruns of reruns, that are looked back on."""


class RecordedAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act as it is to be done again; without an `action` nobody can, and `obstacle` is why.

    `step` is the number of its step then, `was` what it did then, in words or as JSON text; `target` what it was about,
    `url` where the page was afterwards, `result` what it brought.
    """

    step: int
    was: str
    action: AnyAction | None = None
    obstacle: str = ""
    target: e.Target | None = None
    url: str = ""
    result: str = ""
    goal: str = ""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """All that is played again. `whole` tells that these are all acts of the task, not those up to some step.

    `end` is how it ended (finished, failed, stopped, or empty), with `success` and `output`, or with a `message`.
    """

    task: str
    created: e.TaskCreated
    acts: tuple[RecordedAct, ...]
    whole: bool = True
    end: str = ""
    success: bool = False
    output: str = ""
    message: str = ""


async def record_of(store: EventStore, replay: e.Replay) -> Record:
    """What the tape has of that task. Raises ActFailed: no_recording."""
    telling, version = Telling(), 0
    while page := await store.read_stream(f"task-{replay.task}", version):
        telling.note(page)
        version = page[-1].version
        if len(page) < PAGE:
            break
        if version > MOST_EVENTS:
            raise ActFailed("no_recording", f"The recorded task {replay.task} has too many events to be played again.")
    return recorded(replay, telling.told(until=replay.until))


async def played_by(store: EventStore, created: e.TaskCreated) -> tuple[e.TaskCreated, ...]:
    """The task whose acts this one does again, the one whose acts that one did, and so on, as far as the tape tells."""
    found: list[e.TaskCreated] = []
    while (replay := created.replay) is not None and len(found) < MOST_BEFORE:
        first = await store.read_stream(f"task-{replay.task}", limit=1)
        if not first or not isinstance(first[0].event, e.TaskCreated):
            break
        found.append(created := first[0].event)
    return tuple(found)


def recorded(replay: e.Replay, then: Told) -> Record:
    """The acts of a task as its tape tells them, with the inputs of this replay. Raises ActFailed: no_recording."""
    if then.gone or then.created is None:
        why = GONE.get(then.gone, GONE["absent"])
        raise ActFailed("no_recording", f"The task {replay.task} cannot be played again. {why}")
    return Record(
        task=replay.task,
        created=then.created,
        acts=_acts(with_inputs(then.acts, replay.inputs)),
        whole=not replay.until,
        end=then.end,
        success=then.success,
        output=then.output,
        message=then.message,
    )


def _acts(played: Sequence[Played]) -> tuple[RecordedAct, ...]:
    """All of them. A task that began on a page that another one had left, in its session, goes there first."""
    acts = tuple(map(_act, played))
    if not played or played[0].name in GOING or not played[0].at.startswith(("http://", "https://")):
        return acts
    first, url = played[0], played[0].at
    opening = RecordedAct(
        step=first.step, was=f"beginning at {url}", action=Navigate(url=url), url=url, goal=first.goal
    )
    return (opening, *acts)


def _act(act: Played) -> RecordedAct:
    action, obstacle = _action(act)
    target = f' {act.target.role or "element"} "{act.target.name}"' if act.target else ""
    was = f"{act.name}{target}" if target else act.params if len(act.params) <= 300 else f"{act.params[:300]}…"
    return RecordedAct(
        step=act.step,
        was=was,
        action=action,
        obstacle=obstacle,
        target=act.target,
        url=act.url,
        result=act.result if act.name in READING else "",
        goal=act.goal,
    )


def _action(act: Played) -> tuple[AnyAction | None, str]:
    if act.by_hand:
        return None, "a person did this by hand, and nobody can do it in his place"
    if hidden(act):
        return None, f'what was typed is not on the tape ("{MASKED}"); give it as an input that names a secret'
    try:
        action = from_json(act.params)
    except (msgspec.ValidationError, msgspec.DecodeError, KeyError, StopIteration, AttributeError):
        return None, "this version does not know such an act"
    action = aimed(action, act.target, act.onto)
    if any(getattr(getattr(action, field, None), "index", 0) for field in ("target", "source")):
        return None, "the tape does not tell which element it was about"
    return action, ""
