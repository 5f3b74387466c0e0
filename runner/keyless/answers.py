"""The structured output of a task: which property each extract fills, known before anything runs. Pure."""

from collections.abc import Sequence

import msgspec

from runner.keyless.schemas import Json, OutputSchema
from runner.model import Done
from runner.vocabulary import ActFailed, Extract


class Answer:
    """An object that extracts fill, property by property, and a schema that it must fit."""

    def __init__(self, schema: str, extracts: Sequence[Extract]) -> None:
        """Raises ActFailed: `bad_schema`, or `unreadable` where the extracts cannot fill the schema."""
        self._schema = OutputSchema(schema)
        self._extracts = list(zip(_names(self._schema, extracts), extracts, strict=True))

    def done(self, results: Sequence[str | None]) -> Done:
        """The end, given what each extract found: the object as JSON text, or why it does not fit.

        An extract that was skipped (None) leaves its property out.
        """
        found: dict[str, Json] = {
            name: self._value(name, extract, result)
            for (name, extract), result in zip(self._extracts, results, strict=True)
            if result is not None
        }
        faults = self._schema.faults(found)
        if faults:
            return Done(success=False, output=f"The output does not fit the schema: {'; '.join(faults)}.")
        return Done(success=True, output=msgspec.json.encode(found).decode())

    def _value(self, name: str, extract: Extract, result: str) -> Json:
        """Links and tables are JSON text, and stay text unless the property wants more."""
        part = self._schema.properties.get(name, self._schema.more)
        listed = extract.what in ("links", "table") and self._schema.types(part) & {"array", "object"}
        return self._schema.fit(_list(result) if listed else result, part)


def _list(result: str) -> Json:
    """What JSON text says. Text that is none stays as it is, and the schema says why it does not fit."""
    try:
        value: Json = msgspec.json.decode(result)
    except msgspec.DecodeError:
        return result
    return value


def _names(schema: OutputSchema, extracts: Sequence[Extract]) -> list[str]:
    """The property that each extract fills."""
    known = list(schema.properties)
    listed = f"the schema has: {', '.join(known) or 'none'}"
    names = [extract.field for extract in extracts]
    if names == [""] and len(known) == 1:
        names = known
    if "" in names:
        example = f"extract the text of “Total” as {known[0] if known else 'total'}"
        raise _unreadable(
            f"Every extract must name the property of the output that it fills, as in {example}; {listed}."
        )
    for name in names:
        if name not in known and schema.more is None:
            raise _unreadable(f"The output schema has no property “{name}”; {listed}.")
        if names.count(name) > 1:
            raise _unreadable(f"Two sentences extract “{name}”; a property is filled once.")
    missing = [name for name in schema.required if name not in names]
    if missing:
        example = f"extract the text of “Total” as {missing[0]}"
        raise _unreadable(
            f"No sentence extracts {', '.join(missing)}, which the output schema requires; write {example}."
        )
    return names


def _unreadable(message: str) -> ActFailed:
    return ActFailed("unreadable", message)
