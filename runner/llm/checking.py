"""Whether an answer that has the right shape also makes sense: elements that are there, output that fits its schema."""

import re

import msgspec

from runner.keyless.schemas import OutputSchema
from runner.llm.offers import indexes
from runner.llm.replies import Form, Malformed, Turn
from runner.llm.shape import Shape

INDEX = re.compile(r"^\s*- ['\"]?\*?\[(\d+)\]", re.MULTILINE)

OUTPUT_BYTES = 80_000
"""Of what a task brings, as JSON."""

MOST_NAMED, FAULT_CHARACTERS = 5, 300


class Checked(msgspec.Struct, kw_only=True):
    """Of one question. `tree` is the page that it is about; `last` is what was said last that made no sense."""

    form: Form
    tree: str = ""
    output: OutputSchema | None = None
    last: Turn | None = None

    def shape(self) -> Shape[Turn]:
        """What is asked for."""
        return Shape(name=self.form.name, schema=self.form.schema(), decode=self.read)

    def read(self, value: object) -> Turn:
        """What the answer says. Raises Malformed, for what makes no sense too."""
        turn = self.form.read(value)
        if wrong := self._wrong(turn):
            self.last = turn
            raise Malformed(wrong)
        return turn

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


def faults_of(schema: OutputSchema, data: dict[str, object] | None) -> list[str]:
    """Where and why the output does not fit its schema, or cannot be kept."""
    if data is None:
        return ["it is missing"]
    if len(msgspec.json.encode(msgspec.json.encode(data).decode())) > OUTPUT_BYTES:
        return [f"it is longer than {OUTPUT_BYTES:,} bytes"]
    return [fault[:FAULT_CHARACTERS] for fault in schema.faults(data)]  # type: ignore[arg-type] # decoded from JSON
