"""Which model a task runs on: one decision, the same for every family."""

from collections.abc import Mapping, Sequence

from eventstore.errors import Invalid

INSTRUCTIONS = "instructions"
CONFIGURED = (INSTRUCTIONS,)
ANY = "*"


def aliases(setting: str) -> dict[str, str]:
    """`gpt-4.1=instructions, *=instructions` as a mapping; `*` stands for every name that is not known."""
    pairs = (pair.partition("=") for pair in setting.split(",") if pair.strip())
    return {name.strip(): model.strip() for name, _, model in pairs}


def resolve(
    name: str | None,
    configured: Sequence[str] = CONFIGURED,
    *,
    stand_ins: Mapping[str, str] | None = None,
    field: tuple[str | int, ...] = (),
) -> str:
    """The configured model that a client's word stands for; `configured` has at least one, the first is the default.

    No name (or an empty one) is the default, the name of a configured model is that model, one of `stand_ins` what it
    stands for. Any other is refused: a task must not run on something else than was asked for. Some clients send the
    vendor's default ("gpt-4.1", "browser-use-2.0") though their user chose nothing; nobody can tell them from those who
    meant it, so whoever runs the service says what such names stand for.

    Raises Invalid at `field`.
    """
    if not name:
        return configured[0]
    stand_ins = stand_ins or {}
    model = name if name in configured else stand_ins.get(name, stand_ins.get(ANY, ""))
    if model in configured:
        return model
    raise Invalid(
        f'No model "{name}" is configured; configured: {", ".join(configured)}. Leave it out, or have '
        "TAPEWRIGHT_MODEL_ALIASES say what it stands for.",
        field=field,
    )
