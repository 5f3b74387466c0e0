"""`<secret>name</secret>`: how a text names a secret without its value. Only what is typed may hold one. Pure."""

import re
from collections.abc import Callable, Collection

import msgspec

from runner.action_json import as_json
from runner.vocabulary import ActFailed, AnyAction, Input

PLACEHOLDER = re.compile(r"<secret>([^<>]{1,100})</secret>")


def placeholder(name: str) -> str:
    """The text that stands for the secret of that name."""
    return f"<secret>{name}</secret>"


def names(text: str) -> list[str]:
    """The names in the text, each once, in order."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def filled(text: str, value: Callable[[str], str]) -> str:
    """The text with every name's value in place of its placeholder."""
    return PLACEHOLDER.sub(lambda found: value(found[1]), text)


def check(action: AnyAction, known: Collection[str]) -> None:
    """Raise ActFailed, naming the secret: unknown_secret, or bad_secret where it is not text that is typed."""
    typed = action.text if isinstance(action, Input) else ""
    rest = msgspec.structs.replace(action, text="") if isinstance(action, Input) else action
    for name in names(as_json(rest)):
        raise ActFailed("bad_secret", f'The secret "{name}" can only be typed into a field, not used in {action.name}.')
    for name in names(typed):
        if name not in known:
            there = f"There are: {', '.join(sorted(known))}." if known else "The task was given none."
            raise ActFailed("unknown_secret", f'There is no secret "{name}". {there}')
