"""How an action is written down: `{"click": {...}}`, as clients of the vendor's v2 API know it from step actions."""

import msgspec

from runner.vocabulary import Action, AnyAction


def as_json(action: Action) -> str:
    """`{"click": {...}}`, compact."""
    return msgspec.json.encode({action.name: action}).decode()


def from_json(text: str) -> AnyAction:
    """The action of `as_json`. Raises msgspec.ValidationError or KeyError for anything else."""
    name, body = next(iter(msgspec.json.decode(text).items()))
    action: AnyAction = msgspec.convert(body, _KINDS[name])
    return action


_KINDS: dict[str, type[AnyAction]] = {kind.name: kind for kind in AnyAction.__args__}
