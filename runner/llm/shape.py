"""The shape of an answer: a JSON schema in which nothing is unbounded, and what reads that which fits it. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

JsonSchema = Mapping[str, object]

MOST_DEPTH = 20
_REFERENCE = "#/$defs/"


class Shape(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What is asked for. `name` is one word; what an endpoint refuses about the schema is remembered by it.

    `decode` makes the answer from the JSON value; it raises ValueError with a sentence that says where it is wrong, and
    why, for the model to read.
    """

    name: str
    schema: JsonSchema
    decode: Callable[[object], T]


def bounded(kind: type[T], name: str) -> Shape[T]:
    """The shape of a msgspec struct; each of its fields has to be said, so that endpoints can hold a model to it.

    Raises TypeError where a text, a number or a list in it has no bound: give it one with `msgspec.Meta`.
    """
    (whole,), definitions = msgspec.json.schema_components([kind], ref_template=_REFERENCE + "{name}")
    schema = _inlined(whole, definitions, 0)
    if places := list(unbounded(schema)):
        raise TypeError(f"{name} has no bounds at {', '.join(places)}")
    return Shape(name=name, schema=schema, decode=lambda value: msgspec.convert(value, kind))


def unbounded(schema: object, place: str = "$") -> Iterator[str]:
    """Where a value may be as large as it likes, or of any kind."""
    if not isinstance(schema, dict):
        yield place
        return
    if "enum" in schema or "const" in schema:
        return
    if options := schema.get("anyOf") or schema.get("oneOf"):
        for number, option in enumerate(options):
            yield from unbounded(option, f"{place}|{number}")
        return
    match schema.get("type"):
        case "string" if "maxLength" in schema:
            return
        case "integer" | "number" if _ends(schema):
            return
        case "boolean" | "null":
            return
        case "array" if "maxItems" in schema:
            yield from unbounded(schema.get("items"), f"{place}[]")
        case "object" if schema.get("additionalProperties") is False:
            for name, inner in schema.get("properties", {}).items():
                yield from unbounded(inner, f"{place}.{name}")
        case _:
            yield place


def all_said(schema: object) -> bool:
    """Whether nothing in it may be left out or added: endpoints hold a model strictly to such schemas only."""
    if isinstance(schema, list):
        return all(all_said(inner) for inner in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(properties) != set(schema.get("required", [])):
            return False
        return all(all_said(inner) for inner in properties.values())
    return all(all_said(schema[key]) for key in ("items", "anyOf", "oneOf") if key in schema)


def _ends(schema: Mapping[str, object]) -> bool:
    lower = "minimum" in schema or "exclusiveMinimum" in schema
    return lower and ("maximum" in schema or "exclusiveMaximum" in schema)


def _inlined(schema: Any, definitions: Mapping[str, Any], depth: int) -> Any:
    """With definitions in their places and objects closed, without titles, defaults and descriptions of classes."""
    if depth > MOST_DEPTH:
        raise TypeError("a shape must not hold itself")
    if isinstance(schema, list):
        return [_inlined(inner, definitions, depth + 1) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(definitions[schema["$ref"].removeprefix(_REFERENCE)], definitions, depth + 1)
    if schema.get("type") == "object" and "properties" in schema:
        properties = {name: _inlined(inner, definitions, depth + 1) for name, inner in schema["properties"].items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
    left_out = ("title", "default")
    return {key: _inlined(inner, definitions, depth + 1) for key, inner in schema.items() if key not in left_out}
