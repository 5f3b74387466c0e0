"""Whether an answer that has the right shape also makes sense: elements that are there, output that fits its schema."""

import re

import msgspec

from runner.keyless.schemas import OutputSchema
from runner.llm.offers import indexes
from runner.llm.replies import Form, Malformed, Turn, Unended
from runner.llm.shape import Shape

INDEX = re.compile(r"^\s*- ['\"]?\*?\[(\d+)\]", re.MULTILINE)

OUTPUT_BYTES = 80_000
"""Of what a task brings, as JSON."""

MOST_NAMED, FAULT_CHARACTERS = 5, 300


class Checked(msgspec.Struct, kw_only=True):
    """Of one question. `tree` is the page that it is about; `last` is what was said last that made no sense.

    `unended` tells that the model was to end, and wanted to go on.
    """

    form: Form
    tree: str = ""
    output: OutputSchema | None = None
    last: Turn | None = None
    unended: bool = False

    def shape(self) -> Shape[Turn]:
        """What is asked for."""
        return Shape(name=self.form.name, schema=self.form.schema(), decode=self.read)

    def read(self, value: object) -> Turn:
        """What the answer says. Raises Malformed, for what makes no sense too."""
        try:
            turn = self._with_data(self.form.read(value))
        except Unended:
            self.unended = True
            raise
        if wrong := self._wrong(turn):
            self.last = turn
            raise Malformed(wrong)
        return turn

    def _with_data(self, turn: Turn) -> Turn:
        """With the output as data where it stands in the text, and fits."""
        if turn.ending is None or self.output is None or turn.ending.data is not None:
            return turn
        data = _object(turn.ending.text)
        if data is None or faults_of(self.output, data):
            return turn
        return msgspec.structs.replace(turn, ending=msgspec.structs.replace(turn.ending, text="", data=data))

    def _wrong(self, turn: Turn) -> str:
        there = {int(found) for found in INDEX.findall(self.tree)}
        unknown = sorted({index for act in turn.acts for index in indexes(act)} - there)
        if unknown:
            named = ", ".join(f"[{index}]" for index in unknown[:MOST_NAMED])
            return f"at /action: the page that you are shown has no {named}. Use the indexes that it has."
        if turn.ending and self.output and (turn.ending.success or turn.ending.data is not None):
            faults = faults_of(self.output, turn.ending.data)
            return f"at /action/0/done/data: {'; '.join(faults)}" if faults else ""
        return ""


def _object(text: str) -> dict[str, object] | None:
    """The JSON object that the text is, if it is one."""
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except (ValueError, RecursionError):
        return None


def faults_of(schema: OutputSchema, data: dict[str, object] | None) -> list[str]:
    """Where and why the output does not fit its schema, or cannot be kept."""
    if data is None:
        return ["`data` is missing: the answer belongs there, as an object, and not in `text`"]
    if len(msgspec.json.encode(msgspec.json.encode(data).decode())) > OUTPUT_BYTES:
        return [f"it is longer than {OUTPUT_BYTES:,} bytes"]
    return [fault[:FAULT_CHARACTERS] for fault in schema.faults(data)]  # type: ignore[arg-type] # decoded from JSON
