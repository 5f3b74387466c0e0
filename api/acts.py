"""An act of a step, written as JSON, in a short line for people. Pure; what is no act stays as it is."""

import msgspec

from api.text import plain

LONGEST_TEXT = 60


class _Element(msgspec.Struct, frozen=True, kw_only=True):
    """What an act is done to, as the step's JSON names it."""

    text: str = ""
    kind: str = ""
    ordinal: int = 0
    row: str = ""
    within: str = ""
    near: str = ""
    index: int = 0


class _Act(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of all acts together; each has some of them, and leaves out those that are as here."""

    target: _Element | None = None
    source: _Element | None = None
    url: str = ""
    text: str = ""
    option: str = ""
    keys: str = ""
    path: str = ""
    button: str = "left"
    count: int = 1
    checked: bool = True
    direction: str = "down"
    seconds: float = 0.0
    number: int = 0
    absent: bool = False
    what: str = ""
    attribute: str = ""
    field: str = ""
    prompt: str = ""
    kind: str = "text"


def said(action: str | bytes) -> str:
    """`{"wait":{"seconds":30.0}}` as `wait 30 s`, in at most `text.WIDTH` characters."""
    try:
        ((name, act),) = msgspec.json.decode(action, type=dict[str, _Act]).items()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return plain(action if isinstance(action, str) else action.decode(errors="replace"))
    return plain(" ".join(part for part in _parts(name, act) if part))


def _parts(name: str, act: _Act) -> tuple[str, ...]:
    """The name and its main parameters; of an act that is not known, those that it shares with others."""
    on = _element(act.target)
    match name:
        case "click":
            return ("double-click" if act.count > 1 else name, on, "" if act.button == "left" else f"({act.button})")
        case "input":
            return (name, _quoted(act.text), on and f"into {on}")
        case "select":
            return (name, _quoted(act.option), on and f"in {on}")
        case "check":
            return (name if act.checked else "uncheck", on)
        case "press":
            return (name, act.keys, on and f"on {on}")
        case "upload":
            return (name, _quoted(act.path), on and f"into {on}")
        case "scroll":
            return (name, f"to {on}" if on else act.direction)
        case "wait":
            return (name, f"{act.seconds:g} s")
        case "switch_tab":
            return ("switch to tab", _quoted(act.text) if act.text else str(act.number))
        case "drag":
            return (name, _element(act.source), f"to {on}")
        case "expect":
            return (name, "no" if act.absent else "", _quoted(act.text))
        case "extract":
            named = act.field and f"as {_quoted(act.field)}"
            return (name, act.what, act.attribute and _quoted(act.attribute), on and f"of {on}", named)
        case "ask":
            return (name, f"({act.kind})", _quoted(act.prompt))
        case _:
            return (name.replace("_", " "), act.url, act.text and _quoted(act.text), on)


def _element(element: _Element | None) -> str:
    """`button "Save" in the row "Tea"`."""
    if element is None:
        return ""
    which = "last" if element.ordinal == -1 else f"{element.ordinal}." if element.ordinal else ""
    name = element.text and _quoted(element.text)
    parts = (which, element.kind, name, f"[{element.index}]" if element.index else "")
    places = (("in the row", element.row), ("within", element.within), ("near", element.near))
    where = (f"{word} {_quoted(text)}" for word, text in places if text)
    return " ".join(part for part in (*parts, *where) if part)


def _quoted(text: str) -> str:
    return f'"{plain(text, LONGEST_TEXT)}"'
