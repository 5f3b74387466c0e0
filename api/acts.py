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
    above: str = ""
    below: str = ""
    left_of: str = ""
    right_of: str = ""
    column: str = ""
    index: int = 0


class _Act(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of all acts together; each has some of them, and leaves out those that are as here.

    A target that is only an index stands as that.
    """

    target: _Element | None = None
    source: _Element | None = None
    index: int = 0
    url: str = ""
    new_tab: bool = False
    text: str = ""
    clear: bool = True
    option: str = ""
    more: tuple[str, ...] = ()
    value: str = ""
    opened: bool = True
    exact: bool = False
    keys: str = ""
    path: str = ""
    button: str = "left"
    accept: bool = False
    answer: str = ""
    count: int = 1
    checked: bool = True
    direction: str = "down"
    pages: float = 0.0
    seconds: float = 0.0
    number: int = 0
    absent: bool = False
    what: str = "query"
    attribute: str = ""
    field: str = ""
    query: str = ""
    engine: str = "duckduckgo"
    prompt: str = ""
    kind: str = "text"
    file: str = ""
    append: bool = False
    replace: str = ""
    success: bool = False


def said(action: str | bytes) -> str:
    """`{"wait":{"seconds":30.0}}` as `wait 30 s`, in at most `text.WIDTH` characters."""
    try:
        ((name, act),) = msgspec.json.decode(action, type=dict[str, _Act]).items()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return plain(action if isinstance(action, str) else action.decode(errors="replace"))
    return plain(" ".join(part for part in _parts(name, act) if part))


def _parts(name: str, act: _Act) -> tuple[str, ...]:
    """The name and its main parameters; of an act that is not known, those that it shares with others."""
    on = _element(act.target or (_Element(index=act.index) if act.index else None))
    parts = _to_elements(name, act, on) or _to_pages(name, act, on) or _beside(name, act)
    return parts or (name.replace("_", " "), act.url, act.text and _quoted(act.text), on)


def _to_elements(name: str, act: _Act, on: str) -> tuple[str, ...]:
    match name:
        case "click":
            button = "" if act.button == "left" else f"({act.button})"
            return ("double-click" if act.count > 1 else name, on, button, _assent(act))
        case "input":
            return (name if act.clear else "add", _quoted(act.text), on and f"{'in' if act.clear else ''}to {on}")
        case "select":
            return (name, ", ".join(map(_quoted, (act.option, *act.more))), on and f"in {on}")
        case "set_value":
            return ("set", on, f"to {act.value}")
        case "expand":
            return (name if act.opened else "collapse", on)
        case "options":
            return ("options of", on)
        case "check":
            return (name if act.checked else "uncheck", on)
        case "press":
            return (name, act.keys, on and f"on {on}", _assent(act))
        case "upload":
            return (name, _quoted(act.path), on and f"into {on}")
        case "drag":
            return (name, _element(act.source), f"to {on}")
        case _:
            return ()


def _assent(act: _Act) -> str:
    answer = act.answer and f" with {_quoted(act.answer)}"
    return f"and confirm{answer}" if act.accept else ""


def _to_pages(name: str, act: _Act, on: str) -> tuple[str, ...]:
    match name:
        case "navigate":
            return (name, act.url, "in a new tab" if act.new_tab else "")
        case "search":
            return (name, act.engine, "for", _quoted(act.query))
        case "scroll":
            by = f"{act.pages:g} pages" if act.pages else ""
            return (name, f"to {on}") if on and not by else (name, act.direction, by, on and f"in {on}")
        case "wait":
            return (name, f"{act.seconds:g} s")
        case "switch_tab":
            return ("switch to tab", _quoted(act.text) if act.text else str(act.number))
        case "close_tab":
            return ("close tab", str(act.number)) if act.number else ("close the tab",)
        case "expect":
            return (name, "no" if act.absent else "", _quoted(act.text))
        case "look_for":
            return ("look for", on or _quoted(act.text))
        case "verify":
            return ("expect", *_verified(act, on))
        case "extract":
            named = act.field and f"as {_quoted(act.field)}"
            what = _quoted(act.query) if act.what == "query" else act.what
            return (name, what, act.attribute and _quoted(act.attribute), on and f"of {on}", named)
        case _:
            return ()


def _verified(act: _Act, on: str) -> tuple[str, ...]:
    if act.what == "count":
        return (str(act.count), on)
    if act.what in ("checked", "unchecked", "enabled", "disabled"):
        return (on, f"to be {act.what}")
    return (on if act.what == "value" else f"the {act.what}", "to be" if act.exact else "to contain", _quoted(act.text))


def _beside(name: str, act: _Act) -> tuple[str, ...]:
    """What is done with the task's files, by a person, or at the end."""
    match name:
        case "screenshot" | "save_as_pdf":
            return (name.replace("_", " "), act.file and _quoted(act.file))
        case "read_file":
            return ("read", _quoted(act.file))
        case "write_file" if act.replace:
            return ("replace", _quoted(act.replace), "in", _quoted(act.file))
        case "write_file":
            return ("append to" if act.append else "write", _quoted(act.file))
        case "ask":
            return (name, f"({act.kind})", _quoted(act.prompt))
        case "done":
            return (name, "" if act.success else "without success", act.text and _quoted(act.text))
        case _:
            return ()


def _element(element: _Element | None) -> str:
    """`button "Save" in the row "Tea"`."""
    if element is None:
        return ""
    which = "last" if element.ordinal == -1 else f"{element.ordinal}." if element.ordinal else ""
    name = element.text and _quoted(element.text)
    parts = (which, element.kind, name, f"[{element.index}]" if element.index else "")
    places = (
        ("in the row", element.row),
        ("within", element.within),
        ("near", element.near),
        ("above", element.above),
        ("below", element.below),
        ("left of", element.left_of),
        ("right of", element.right_of),
        ("in the column", element.column),
    )
    where = (f"{word} {_quoted(text)}" for word, text in places if text)
    return " ".join(part for part in (*parts, *where) if part)


def _quoted(text: str) -> str:
    return f'"{plain(text, LONGEST_TEXT)}"'
