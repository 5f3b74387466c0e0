"""Which model a task runs on: one decision, the same for every family."""

from collections.abc import Sequence

from eventstore.errors import Invalid

INSTRUCTIONS = "instructions"
CONFIGURED = (INSTRUCTIONS,)


def resolve(name: str | None, configured: Sequence[str] = CONFIGURED, *, field: tuple[str | int, ...] = ()) -> str:
    """The configured model that a client's word stands for; `configured` has at least one, the first is the default.

    No name (or an empty one) is the default, the name of a configured model is that model, any other is refused: a
    task must not run on something else than was asked for. Note that some clients send the vendor's default ("gpt-4.1"
    in v1, "browser-use-2.0" in v2) although their user chose nothing. They are refused too, because nobody can tell
    them from those who meant it; whoever wants it otherwise changes this function alone.

    Raises Invalid at `field`.
    """
    if not name:
        return configured[0]
    if name in configured:
        return name
    raise Invalid(f'No model "{name}" is configured; configured: {", ".join(configured)}.', field=field)
