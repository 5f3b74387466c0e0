"""The actions that a model is offered: their parameters come from the vocabulary, so that the two cannot differ. Pure.

Elements are named by the integer of the observation, as `index`; a drag has `from_index` and `to_index`.
"""

from collections.abc import Mapping
from functools import cache
from typing import TypeAlias

from msgspec import inspect

from eventstore.answers import KINDS
from runner.action_json import read
from runner.vocabulary import (
    Action,
    AnyAction,
    Ask,
    Click,
    CloseTab,
    Drag,
    Extract,
    FindText,
    GoBack,
    Hover,
    Input,
    Navigate,
    Options,
    Press,
    Query,
    ReadFile,
    SavePdf,
    Screenshot,
    Scroll,
    Search,
    Select,
    SwitchTab,
    Upload,
    Wait,
    WriteFile,
)

Schema: TypeAlias = dict[str, object]

MOST_INDEX = 99_999
"""Elements that an observation numbers, at most."""

MOST_NUMBER, MOST_ITEMS = 10_000_000, 20
"""Of other numbers, and of texts in a list."""

SHORT, LONG, FILE = 500, 10_000, 50_000
"""Characters: of a name or a question, of what is typed, and of what is written to a file."""

HINTS: Mapping[type[Action], str] = {
    Navigate: "open a URL",
    Search: "search the web",
    Click: "click an element; what the page then asks is declined, or with accept confirmed, or given the answer",
    Input: "type into a field, replacing what is there unless clear is false; without index: where the focus is",
    Select: "choose an option of a drop-down by its text, or a value of a slider",
    Press: 'press keys such as Enter or Control+A, several with spaces between ("Tab Tab Space")',
    Hover: "move the mouse over an element",
    Drag: "drag one element onto another",
    Scroll: "scroll the page by so many pages, or what scrolls at the index; with index alone: until it is seen",
    FindText: "scroll to where the page says this",
    Options: "list what a drop-down offers",
    SwitchTab: "go to another tab, by its number",
    CloseTab: "close a tab, the current one without a number",
    GoBack: "back to the page before",
    Wait: "let the page work for some seconds",
    Upload: "give a file of the task to a file field",
    Extract: "answer a query from the text of the whole page, optionally as JSON by output_schema (JSON Schema text); "
    "other kinds of what need no query and tell what is there as it is",
    ReadFile: "read a file of the task, from a character on",
    WriteFile: "write a file of the task; append adds at its end, replace is the text in it that content takes the "
    "place of",
    SavePdf: "save the page as a PDF file of the task",
    Screenshot: "keep a picture of the page; with file: as a file of the task",
    Ask: "ask the user and wait: text and code bring an answer that you type by its placeholder, captcha has a person "
    "solve it in the browser, confirm asks for leave",
}
"""Each action that is offered, in a few words. `done` is beside them: it ends the task."""

UNOFFERED: Mapping[tuple[type[Action], str], str] = {
    (SwitchTab, "text"): "numbers say it",
    (Select, "more"): "a second select says it",
    (Extract, "field"): "a model puts its output together itself",
}
"""Parameters that are left out, and why."""

NEEDED = frozenset({(SwitchTab, "number")})
"""Parameters that a model must give, though the vocabulary knows other ways."""

WORDS: Mapping[tuple[type[Action], str], tuple[str, ...]] = {
    (Search, "engine"): ("duckduckgo", "google", "bing"),
    (Click, "button"): ("left", "right"),
    (Scroll, "direction"): ("down", "up", "top", "bottom"),
    (Extract, "what"): ("query", "text", "heading", "page", "links", "table", "attribute"),
    (Ask, "kind"): KINDS,
}

NUMBERS: Mapping[tuple[type[Action], str], tuple[float, float]] = {
    (Click, "count"): (1, 2),
    (Scroll, "pages"): (0, 50),
    (SwitchTab, "number"): (1, 100),
    (CloseTab, "number"): (0, 100),
    (Wait, "seconds"): (0, 30),
}

LENGTHS: Mapping[tuple[type[Action], str], int] = {
    (Navigate, "url"): 4_000,
    (Input, "text"): LONG,
    (Extract, "output_schema"): LONG,
    (WriteFile, "content"): FILE,
    (WriteFile, "replace"): LONG,
    (Ask, "prompt"): 1_000,
}


@cache
def parameters(kind: type[Action]) -> tuple[dict[str, Schema], list[str]]:
    """The schema of each parameter, and the names of those that are needed; the others may be null, or left out."""
    schemas: dict[str, Schema] = {}
    needed: list[str] = []
    for field in _fields(kind):
        name, schema = _named(kind, field.name), _schema(kind, field)
        if schema:
            schemas[name] = schema
            needed += [name] if field.required or (kind, field.name) in NEEDED else []
    return schemas, needed


def said(kind: type[Action]) -> str:
    """A line of the prompt: `- select {index, option}: choose …`; `?` marks what may be left out."""
    schemas, needed = parameters(kind)
    inner = ", ".join(f"{name}{'' if name in needed else '?'}{_choice(schema)}" for name, schema in schemas.items())
    return f"- {kind.name} {{{inner}}}: {HINTS[kind]}"


def act(name: str, body: Mapping[str, object]) -> AnyAction:
    """The action of a reply that fits the schema. Raises msgspec.ValidationError or KeyError."""
    given = {key: value for key, value in body.items() if value is not None}
    for key, inner in (("from_index", "source"), ("to_index", "target")):
        if key in given:
            given[inner] = {"index": given.pop(key)}
    return read(name, given)


def indexes(action: AnyAction) -> list[int]:
    """The elements that the action names by their numbers."""
    queries = (getattr(action, name, None) for name in ("source", "target"))
    return [query.index for query in queries if isinstance(query, Query) and query.index]


def _fields(kind: type[Action]) -> list[inspect.Field]:
    info = inspect.type_info(kind)
    fields = list(info.fields) if isinstance(info, inspect.StructType) else []
    return sorted(fields, key=lambda field: field.name not in ("source", "target"))  # what it is done to comes first


def _named(kind: type[Action], name: str) -> str:
    """What a parameter is called on the wire."""
    if kind is Drag:
        return {"source": "from_index", "target": "to_index"}[name]
    return "index" if name == "target" else name


def _schema(kind: type[Action], field: inspect.Field) -> Schema:
    """Of one parameter, bounded; empty where it is not offered."""
    key = (kind, field.name)
    if key in UNOFFERED:
        return {}
    if field.name in ("target", "source"):
        return {"type": "integer", "minimum": 1, "maximum": MOST_INDEX}
    if key in WORDS:
        return {"type": "string", "enum": list(WORDS[key])}
    match field.type:
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType() | inspect.FloatType() as number:
            least, most = NUMBERS.get(key, (0, MOST_NUMBER))
            return {
                "type": "integer" if isinstance(number, inspect.IntType) else "number",
                "minimum": least,
                "maximum": most,
            }
    text: Schema = {"type": "string", "maxLength": LENGTHS.get(key, SHORT)}
    several = isinstance(field.type, inspect.VarTupleType)
    return {"type": "array", "maxItems": MOST_ITEMS, "items": text} if several else text


def _choice(schema: Schema) -> str:
    words = schema.get("enum")
    return f": {'|'.join(words)}" if isinstance(words, list) else ""


OFFERED: Mapping[str, type[Action]] = {kind.name: kind for kind in HINTS}
"""By name, in the order in which a model is told of them."""
