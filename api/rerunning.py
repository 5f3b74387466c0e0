"""Whether a task can be played again, and as which new task: checked against its tape before anything begins.

What is missing is said at once, by name: a secret, a text that is not on the tape, an input that nothing was typed for.
"""

from collections.abc import Collection, Mapping

import msgspec

from api import control, intake, uploads
from api.models import INSTRUCTIONS
from api.service import Caller, Service
from eventstore import events as e
from eventstore.answers import VALUED, is_answer
from eventstore.errors import Gone, Invalid, NotAllowed, NotFound
from eventstore.inputs import MASKED, TYPED, hidden, key_of, secrets, typed, with_inputs
from eventstore.replay import MOST_EVENTS, Played, Telling, Told
from eventstore.secrets import Secrets
from eventstore.store import PAGE

MAX_INPUTS = 100
MAX_INPUT = 20_000
MAX_TOGETHER = 40_000
"""Characters: they stand on the tape."""

NAMED = 20
"""Texts that a message names."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a client wants of a recorded task. `until` is the number of the last step to play, 0 for all.

    `instruction` is what a model does then, empty for nothing. None stands for what the recorded task has.
    """

    instruction: str = ""
    until: int = 0
    inputs: Mapping[str, str] = {}
    rescue: bool = False
    llm: str = ""
    secrets: Secrets | None = None
    metadata: dict[str, str] | None = None
    allowed_domains: list[str] | None = None
    max_steps: int | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The task that is to be created, how many acts it plays, and the recorded step before which it will stop, or 0."""

    created: e.TaskCreated
    acts: int = 0
    stops_at: int = 0


async def planned(service: Service, caller: Caller, task_id: str, wish: Wish) -> Plan:
    """The new task. Raises NotFound, Gone, NotAllowed, and Invalid at the field that is wrong."""
    row = await control.task(service, caller, task_id)
    then = await recorded(service, row.id, until=wish.until)
    if then.created is None:
        raise NotFound
    _playable(then, wish)
    _inputs(then.acts, wish)
    acts = with_inputs(then.acts, wish.inputs)
    llm = _model(service, then.created, wish)
    plan = _task(service, row.id, then.created, acts, wish, llm)
    _secrets(plan.created, then.created, acts, wish)
    files = await uploads.ready(service, then.created.uploads, "task_id")
    return msgspec.structs.replace(plan, created=uploads.given(plan.created, files))


async def recorded(service: Service, task_id: str, *, until: int = 0) -> Told:
    """What the tape has of the task. Raises Gone for one that was redacted, NotFound for a deleted one."""
    telling, version = Telling(), 0
    while page := await service.store.read_stream(control.stream(task_id), version):
        telling.note(page)
        version = page[-1].version
        if len(page) < PAGE:
            break
        if version > MOST_EVENTS:
            raise NotAllowed(f"The task has more than {MOST_EVENTS:,} events.")
    then = telling.told(until=until)
    if then.gone == "redacted":
        raise Gone("The task was redacted: what it did is no longer on the tape.")
    if then.gone:
        raise NotFound
    return then


def _playable(then: Told, wish: Wish) -> None:
    if wish.until and wish.until not in then.steps:
        there = f"it has {_list([str(number) for number in then.steps])}" if then.steps else "it has none"
        raise Invalid(f"The task has no step {wish.until} that is over; {there}.", field=("body", "step"))
    if not wish.until and not then.end:
        raise NotAllowed("The task has not ended yet. Stop it, or fork it at a step that is over.")
    if not wish.until and not then.acts:
        raise NotAllowed("The task did nothing that could be played again.")
    if then.created is not None and (proxy := then.created.options.proxy) is not None and proxy.secret:
        raise NotAllowed("The task had a proxy of its client's own, whose password is not kept. Begin a new task.")


def _inputs(acts: Collection[Played], wish: Wish) -> None:
    """Each input is for a text that was typed, and each hidden text has one, without being told on the tape."""
    if len(wish.inputs) > MAX_INPUTS:
        raise Invalid(f"At most {MAX_INPUTS} inputs are allowed.", field=("body", "inputs"))
    if sum(len(key) + len(value) for key, value in wish.inputs.items()) > MAX_TOGETHER:
        raise Invalid(f"Inputs may have at most {MAX_TOGETHER:,} characters in all.", field=("body", "inputs"))
    used: set[str] = set()
    for act in acts:
        key = key_of(act, wish.inputs)
        used.add(key)
        if hidden(act):
            _hidden(act, key, wish)
        elif key and TYPED[act.name] == "url":
            intake.start_url(wish.inputs[key], "inputs")
    for key, value in wish.inputs.items():
        if key not in used:
            texts = list(dict.fromkeys(f'"{typed(act)}"' for act in acts if typed(act)))
            there = f"typed were: {_list(texts)}" if texts else "it typed nothing"
            raise Invalid(f"The task did not type this text; {there}.", field=("body", "inputs", key))
        if len(value) > MAX_INPUT:
            raise Invalid(f"An input must have at most {MAX_INPUT:,} characters.", field=("body", "inputs", key))


def _hidden(act: Played, key: str, wish: Wish) -> None:
    """What is typed where nobody may look comes from a secret, and from nowhere else."""
    how = f'write {{"step {act.step}": "<secret>name</secret>"}} and give the value in `secrets`'
    if not key and not wish.rescue:
        why = f'What step {act.step} typed is not on the tape ("{MASKED}"); {how}.'
        raise Invalid(why, field=("body", "inputs"))
    if key and (rest := wish.inputs[key]) and _bare(rest):
        why = f"Step {act.step} typed this where nobody may look, and an input stands on the tape; {how}."
        raise Invalid(why, field=("body", "inputs", key))


def _bare(text: str) -> bool:
    """Whether there is anything beside secrets."""
    for name in secrets(text):
        text = text.replace(f"<secret>{name}</secret>", "")
    return bool(text.strip())


def _model(service: Service, then: e.TaskCreated, wish: Wish) -> str:
    """Who goes on, or is asked; the recorded task's own word where nobody is."""
    if not wish.rescue and not wish.instruction:
        if wish.llm:
            raise Invalid("Without `rescue` no model is asked; leave this out.", field=("body", "llm"))
        return then.llm
    llm = service.models.resolve(wish.llm or then.llm, field=("body", "llm"))
    if wish.rescue and llm == INSTRUCTIONS:
        others = service.models.told(thinking=True)
        why = f"{INSTRUCTIONS} cannot look at a page and go on; name a model. Configured: {others}."
        raise Invalid(why, field=("body", "llm"))
    return llm


def _task(service: Service, task_id: str, then: e.TaskCreated, acts: Collection[Played], wish: Wish, llm: str) -> Plan:
    steps = len({act.step for act in acts})
    more = (wish.max_steps or then.limits.max_steps) if wish.until or wish.rescue else 0
    most = steps + more if more else max(then.limits.max_steps, steps)
    domains = wish.allowed_domains
    created = msgspec.structs.replace(
        then,
        instruction=intake.instruction(wish.instruction, "task") if wish.until else then.instruction,
        llm=llm,
        session=control.fresh_id(),
        project="",
        request_digest="",
        limits=intake.limits(service.settings, most),
        allowed_domains=then.allowed_domains if domains is None else intake.domains(domains, "allowed_domains"),
        secrets=tuple(wish.secrets or ()),
        metadata=then.metadata if wish.metadata is None else intake.metadata(wish.metadata, "metadata"),
        rerun_of="" if wish.until else task_id,
        forked_from=task_id if wish.until else "",
        schedule="",
        agent=msgspec.structs.replace(then.agent, judge=False),
        replay=e.Replay(
            task=task_id,
            until=wish.until,
            inputs=dict(wish.inputs),
            then="model" if wish.until else "end",
            rescue=wish.rescue,
        ),
    )
    stops = next((act.step for act in acts if act.by_hand), 0) if not wish.rescue else 0
    return Plan(created=created, acts=sum(not act.by_hand for act in acts), stops_at=stops)


def _secrets(created: e.TaskCreated, then: e.TaskCreated, acts: Collection[Played], wish: Wish) -> None:
    """Values are deleted at a task's end, so that all that will be typed must be given again."""
    given, answers = wish.secrets or {}, 0
    needed: dict[str, None] = {}
    for act in acts:
        if act.name == "ask":
            answers += _valued(act)
        needed |= {name: None for name in secrets(typed(act)) if not is_answer(name, answers)}
    if wish.rescue or wish.until:
        needed |= dict.fromkeys(then.secrets)
    missing = [name for name in needed if name not in given]
    if missing:
        why = f"The task types these secrets, whose values are not kept; give them again: {_list(missing)}."
        raise Invalid(why, field=("body", "secrets", missing[0]))
    for name, secret in given.items():
        if len(secret.reveal()) >= intake.TELLING and any(secret.reveal() in text for text in wish.inputs.values()):
            why = f"An input says the value of this secret; write <secret>{name}</secret> in its place."
            raise Invalid(why, field=("body", "secrets", name))
    intake.secrets(dict(given), "secrets", created)


def _valued(act: Played) -> bool:
    try:
        kind = msgspec.json.decode(act.params, type=dict[str, _Asked])["ask"].kind
    except (msgspec.MsgspecError, KeyError):
        return False
    return kind in VALUED


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    kind: str = "text"


def _list(names: list[str]) -> str:
    shown = [name if len(name) <= 100 else f"{name[:100]}…" for name in names[:NAMED]]
    return ", ".join([*shown, *([f"and {len(names) - NAMED} more"] if len(names) > NAMED else [])])
