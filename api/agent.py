"""What a client chose about the model of its task: checks that every family shares, in no family's words.

Each check takes the name of the field in the client's own words, and raises Invalid there.
"""

from typing import TypeVar

from msgspec import UNSET, UnsetType

from api.models import INSTRUCTIONS, Models
from eventstore.errors import Invalid

T = TypeVar("T")
LEVELS = ("disabled", "minimal", "low", "medium", "high")


def given(value: T | UnsetType | None, default: T) -> T:
    """What was sent; null counts as left out."""
    return default if value is UNSET or value is None else value


def vision(value: bool | str | UnsetType | None, models: Models, llm: str, at: str) -> str:
    """`on`, `off` or `auto`. Pictures for a model that is known to take none are refused.

    The sentences of `instructions` need no eyes: some clients send the vendor's default, which is true.
    """
    if value is True and models.blind(llm):
        seeing = [each.name for each in models.table if each.vision]
        others = f", or name one that does: {', '.join(seeing[:5])}" if seeing else ""
        raise _wrong(at, f'The model "{llm}" takes no pictures; leave this out{others}.')
    return "on" if value is True else "off" if value is False else "auto"


def level(value: str | UnsetType | None, at: str) -> str:
    """How much the model may think, empty where nothing was said."""
    word = given(value, "")
    if word and word not in LEVELS:
        raise _wrong(at, f'"{word}" is no level of thinking; there are: {", ".join(LEVELS)}.')
    return word


def judging(
    wanted: bool | None, name: str | UnsetType | None, models: Models, llm: str, *, at: str, name_at: str
) -> str:
    """The model that judges the outcome, empty for the task's own.

    A name that is not configured is refused even where nothing is to be judged. Without a name, what `instructions`
    did is judged by the default model; where there is none, nobody can judge it.
    """
    named = models.resolve(given(name, ""), field=("body", name_at)) if given(name, "") else ""
    if not wanted:
        return named
    others = models.told(thinking=True)
    if named == INSTRUCTIONS:
        raise _wrong(name_at, f"{INSTRUCTIONS} cannot judge; name a model. Configured: {others}.")
    if named or llm != INSTRUCTIONS:
        return named
    if models.default == INSTRUCTIONS:
        why = f"{INSTRUCTIONS} cannot judge; leave this out, or name a model in {name_at}. Configured: {others}."
        raise _wrong(at, why)
    return models.default


def _wrong(at: str, message: str) -> Invalid:
    return Invalid(message, field=("body", at))
