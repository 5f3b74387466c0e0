"""Other texts in the place of those that a recorded task typed, and in what its pages then say. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote

import msgspec

from eventstore import events as e
from eventstore.replay import Played

MASKED = "********"
"""What the tape has of a text that was typed where nobody may look."""

TYPED = {"input": "text", "select": "option", "set_value": "value", "search": "query", "navigate": "url"}
"""Acts that put a text into the browser, each with the parameter that holds it."""

SAID = frozenset({"expect", "wait_for", "find_text", "look_for", "verify"})
"""Acts about a text on the page, which is another one where another one was typed."""

_PLACEHOLDER = re.compile(r"<secret>([^<>]{1,100})</secret>")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def typed(act: Played) -> str:
    """The text that the act put into the browser, as the tape has it; empty where it put none."""
    text = _body(act.params).get(TYPED.get(act.name, ""), "")
    return text if isinstance(text, str) else ""


def secrets(text: str) -> list[str]:
    """The names of the secrets that the text stands for, each once."""
    return list(dict.fromkeys(_PLACEHOLDER.findall(text)))


def hidden(act: Played) -> bool:
    """Whether what it typed is not on the tape."""
    return act.name in ("input", "set_value") and MASKED in typed(act)


def key_of(act: Played, inputs: Mapping[str, str]) -> str:
    """The key of `inputs` that is meant for what the act typed, or empty: its text; of a hidden one `step N` too."""
    numbered = f"step {act.step}"
    if hidden(act) and numbered in inputs:
        return numbered
    text = typed(act)
    return text if text and text in inputs else ""


def with_inputs(acts: Iterable[Played], inputs: Mapping[str, str]) -> tuple[Played, ...]:
    """The acts with other texts typed; and with those texts, as whole words, in what the page then says or shows."""
    known: dict[str, str] = {}
    changed: list[Played] = []
    for act in acts:
        key = key_of(act, inputs)
        if key:
            if not hidden(act):
                known[typed(act)] = inputs[key]
            act = _with(act, {TYPED[act.name]: inputs[key]})
        changed.append(_renamed(act, known) if known else act)
    return tuple(changed)


def renaming(known: Mapping[str, str]) -> Callable[[str], str]:
    """Puts new texts in the place of old ones in a text, where they stand as whole words."""
    olds = sorted(filter(None, known), key=len, reverse=True)
    if not olds:
        return str
    words = re.compile("|".join(rf"(?<!\w){re.escape(old)}(?!\w)" for old in olds))
    return lambda text: words.sub(lambda found: known[found[0]], text)


def _body(params: str) -> dict[str, object]:
    """The parameters of the act that the JSON text is; none where it is no act."""
    try:
        body: dict[str, object] = next(iter(msgspec.json.decode(params, type=dict[str, dict[str, object]]).values()))
    except (msgspec.MsgspecError, ValueError, RecursionError, StopIteration):
        return {}
    return body


def _with(act: Played, changes: Mapping[str, object]) -> Played:
    body = {**_body(act.params), **changes}
    return msgspec.structs.replace(act, params=msgspec.json.encode({act.name: body}).decode())


def _renamed(act: Played, known: Mapping[str, str]) -> Played:
    """The act about what is called otherwise now, also in the address to which it leads."""
    now, written = renaming(known), renaming({quote(old): quote(new) for old, new in known.items()} | dict(known))

    def aim(target: e.Target | None) -> e.Target | None:
        if target is None:
            return None
        selector = _QUOTED.sub(lambda found: _quoted(found[0], now), target.selector)
        return msgspec.structs.replace(target, selector=selector, name=now(target.name), row=now(target.row))

    if act.name in SAID and isinstance(text := _body(act.params).get("text"), str):
        act = _with(act, {"text": now(text)})
    return msgspec.structs.replace(
        act, target=aim(act.target), onto=aim(act.onto), goal=now(act.goal), url=written(act.url)
    )


def _quoted(literal: str, now: Callable[[str], str]) -> str:
    try:
        text = msgspec.json.decode(literal, type=str)
    except msgspec.DecodeError:
        return literal
    return msgspec.json.encode(now(text)).decode()
