"""How an action is written down: `{"click": {"index": 12}}`, as clients of the vendor's v2 API know step actions."""

import msgspec

from runner.vocabulary import Action, AnyAction


def as_json(action: Action) -> str:
    """`{"click": {...}}`, compact. A target that is only an index stands as that: `{"index": 12}`.

    Of two elements, as a drag has them, each stands under its name.
    """
    body: dict[str, object] = msgspec.to_builtins(action)
    target = body.get("target")
    if isinstance(target, dict) and target.keys() == {"index"} and _flat(type(action)):
        del body["target"]
        body = {**target, **body}
    return msgspec.json.encode({action.name: body}).decode()


def from_json(text: str) -> AnyAction:
    """The action of `as_json`. Raises msgspec.ValidationError or KeyError for anything else."""
    named = msgspec.json.decode(text, type=dict[str, object])
    if len(named) != 1:
        raise msgspec.ValidationError(f"Expected one action by its name, got {len(named)}")
    ((name, body),) = named.items()
    return read(name, body)


def read(name: str, body: object) -> AnyAction:
    """The action of that name and body. Raises msgspec.ValidationError or KeyError."""
    kind = _KINDS[name]
    if isinstance(body, dict) and "index" in body and _flat(kind):
        body = {key: value for key, value in body.items() if key != "index"} | {"target": {"index": body["index"]}}
    action: AnyAction = msgspec.convert(body, kind)
    return action


def _flat(kind: type[Action]) -> bool:
    """Whether it is about one element, so that an index says enough."""
    fields = kind.__struct_fields__
    return "target" in fields and "source" not in fields


_KINDS: dict[str, type[AnyAction]] = {kind.name: kind for kind in AnyAction.__args__}
