"""An output schema: what an object may hold, and texts turned into what it asks for. Pure; fetches nothing."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TypeAlias

import jsonschema_rs
import msgspec

from runner.keyless.numerals import number
from runner.vocabulary import ActFailed

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Part: TypeAlias = Mapping[str, object]

TRUE, FALSE = ("true", "yes", "on", "checked", "enabled"), ("false", "no", "off", "unchecked", "disabled")
TYPE_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null", list: "array"}
MOST_FAULTS = 5


class OutputSchema:
    """A JSON Schema of an object.

    `properties` are by name, `required` are names. `more` is the schema of properties that it does not list, or None
    where those are unwelcome: they are welcome only where it says so, or lists none.
    """

    def __init__(self, text: str) -> None:
        """Raises ActFailed `bad_schema`."""
        self._document = _decoded(text)
        self._validator = _validator(self._document)
        kinds = self.types(self._document)
        if kinds and "object" not in kinds:
            raise ActFailed("bad_schema", 'The output schema must describe an object, with "type": "object".')
        branches = self._branches(self._document)
        self.properties = _properties(branches)
        self.required = tuple(name for branch in branches for name in _strings(branch.get("required")))
        said = [branch["additionalProperties"] for branch in branches if "additionalProperties" in branch]
        patterned = any("patternProperties" in branch for branch in branches)
        welcome = bool(said) or patterned or not self.properties
        self.more = (said[0] if said else {}) if welcome and False not in said else None

    def types(self, part: object) -> set[str]:
        """The JSON types that a part of the schema names; none: any."""
        types: set[str] = set()
        for branch in self._branches(part):
            said = branch.get("type")
            types.update([said] if isinstance(said, str) else _strings(said))
            constants = _items(branch.get("enum")) + ([branch["const"]] if "const" in branch else [])
            types.update(TYPE_NAMES.get(type(value), "object") for value in constants)
        return types

    def fit(self, value: Json, part: object) -> Json:
        """The value, with every text turned into the type that is asked for. What cannot be turned is left."""
        branches = self._branches(part)
        if isinstance(value, list):
            items = next((branch["items"] for branch in branches if "items" in branch), {})
            return [self.fit(item, items) for item in value]
        if isinstance(value, dict):
            parts = _properties(branches)
            return {name: self.fit(item, parts.get(name, {})) for name, item in value.items()}
        return _scalar(value, self.types(part)) if isinstance(value, str) else value

    def faults(self, value: Json) -> list[str]:
        """Where and why a value does not fit, the first few."""
        return [_fault(error) for error in islice(self._validator.iter_errors(value), MOST_FAULTS)]

    def _branches(self, part: object) -> list[Part]:
        """A part and its alternatives, references followed; a circle is walked once."""
        found: dict[int, Part] = {}
        ahead = [part]
        while ahead:
            here = ahead.pop(0)
            if isinstance(here, dict) and id(here) not in found:
                found[id(here)] = here
                ahead.extend(item for word in ("allOf", "anyOf", "oneOf") for item in _items(here.get(word)))
                ahead.append(self._referred(here.get("$ref")))
        return list(found.values())

    def _referred(self, reference: object) -> object:
        """What a reference inside the document points at."""
        part: object = self._document
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        for name in filter(None, reference[1:].split("/")):
            part = _mapping(part).get(name.replace("~1", "/").replace("~0", "~"))
        return part


def _decoded(text: str) -> dict[str, object]:
    try:
        schema: object = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise ActFailed("bad_schema", f"The output schema is not JSON: {error}.") from None
    if not isinstance(schema, dict):
        raise ActFailed("bad_schema", "The output schema must be a JSON object that describes an object.")
    return schema


def _validator(schema: dict[str, object]) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(schema, offline=True)
    except jsonschema_rs.ValidationError as error:
        raise ActFailed("bad_schema", f"The output schema is not a valid JSON Schema: {_fault(error)}.") from None
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise ActFailed("bad_schema", f"The output schema is not a valid JSON Schema: {error}.") from None


def _scalar(text: str, types: set[str]) -> Json:
    if not types or "string" in types:
        return text
    plain = text.strip().lower()
    amount = number(text)
    if amount is not None and ("number" in types or ("integer" in types and isinstance(amount, int))):
        return amount
    if "boolean" in types and plain in TRUE + FALSE:
        return plain in TRUE
    return None if "null" in types and not plain else text


def _fault(error: jsonschema_rs.ValidationError) -> str:
    """As in: at /price: "x" is not of type "number"."""
    return f"at /{'/'.join(map(str, error.instance_path))}: {error.message}"


def _properties(branches: Sequence[Part]) -> dict[str, object]:
    return {name: part for branch in branches for name, part in _mapping(branch.get("properties")).items()}


def _mapping(value: object) -> Part:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _strings(value: object) -> list[str]:
    return [item for item in _items(value) if isinstance(item, str)]
