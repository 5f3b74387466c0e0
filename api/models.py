"""Which models tasks may name, and what a client's word for one stands for: one decision, the same for every family."""

from collections.abc import Mapping
from decimal import Decimal
from fnmatch import fnmatchcase

import msgspec

from api.providers import sees
from eventstore.errors import Invalid
from eventstore.secrets import Secret

INSTRUCTIONS = "instructions"
ANY = "*"
MOST_TOLD = 20
"""Names in one message."""

Field = tuple[str | int, ...]


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """US dollars per million tokens. `cached` is for input that the endpoint had from before; None: as `input`."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """One model and where it is; the runner's endpoint in the words of the settings.

    `name` is what tasks call it; where it has a `*`, it is any such name, and the model is called so too. `vision`
    tells whether it takes pictures; None: not known. `headers` may be secret. What is None is as the runner has it.
    """

    name: str
    provider: str
    model: str
    base_url: str
    key: Secret | None = None
    api_version: str = ""
    deployment: str = ""
    headers: Mapping[str, Secret] = {}
    vision: bool | None = None
    fallback: str = ""
    temperature: float | None = None
    max_output_tokens: int | None = None
    call_seconds: float | None = None
    quiet_seconds: float | None = None
    structured: str | None = None
    max_concurrent: int | None = None
    prices: Prices | None = None


class Models(msgspec.Struct, frozen=True, kw_only=True):
    """All that are configured: those of `table`, and always `instructions`, which needs no model.

    `default` is what a task without a name gets. `stand_ins` says what other names stand for.
    """

    table: tuple[Configured, ...] = ()
    default: str = INSTRUCTIONS
    stand_ins: Mapping[str, str] = {}

    def find(self, name: str) -> Configured | None:
        """The model of this name; one that is named comes before one that is any such name."""
        named = [each for each in self.table if each.name == name]
        alike = [each for each in self.table if ANY in each.name and fnmatchcase(name, each.name)]
        found = [*named, *(_called(each, name) for each in alike)]
        return found[0] if found and ANY not in name else None

    def resolve(self, name: str | None, *, field: Field = ()) -> str:
        """The configured model that a client's word stands for.

        No name (or an empty one) is the default, the name of a configured model is that model, one of `stand_ins` what
        it stands for. Any other is refused: a task must not run on something else than was asked for. Some clients
        send the vendor's default ("gpt-4.1", "browser-use-2.0") though their user chose nothing; nobody can tell them
        from those who meant it, so whoever runs the service says what such names stand for.

        Raises Invalid at `field`.
        """
        if not name:
            return self.default
        model = name if self.has(name) else self.stand_ins.get(name, self.stand_ins.get(ANY, ""))
        if self.has(model):
            return model
        raise Invalid(
            f'No model "{name}" is configured; configured: {self.told()}. Leave it out, or have '
            "TAPEWRIGHT_MODEL_ALIASES say what it stands for.",
            field=field,
        )

    def has(self, name: str) -> bool:
        """Whether a task may run on it."""
        return name == INSTRUCTIONS or self.find(name) is not None

    def blind(self, name: str) -> bool:
        """Whether it is known to take no pictures."""
        found = self.find(name)
        return found is not None and found.vision is False

    def names(self) -> list[str]:
        """What tasks may say, each once, the default first; a `*` stands for any letters."""
        return list(dict.fromkeys((self.default, *(each.name for each in self.table), INSTRUCTIONS)))

    def told(self, *, thinking: bool = False) -> str:
        """The names for a message: no more than there is room for; with `thinking` language models alone, or none."""
        names = [name for name in self.names() if not (thinking and name == INSTRUCTIONS)] or ["none"]
        beyond = [f"and {len(names) - MOST_TOLD} more"] if len(names) > MOST_TOLD else []
        return ", ".join([*names[:MOST_TOLD], *beyond])


def _called(alike: Configured, name: str) -> Configured:
    """The one of those models that is called so."""
    return msgspec.structs.replace(alike, name=name, model=name, vision=sees(alike.provider, name))


def aliases(setting: str) -> dict[str, str]:
    """`gpt-4.1=instructions, *=instructions` as a mapping; `*` stands for every name that is not known."""
    pairs = (pair.partition("=") for pair in setting.split(",") if pair.strip())
    return {name.strip(): model.strip() for name, _, model in pairs}
