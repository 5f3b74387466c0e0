"""How an action is written down: `{"click": {"index": 12}}`, as clients of the vendor's v2 API know step actions."""

import msgspec

from runner.vocabulary import Action, AnyAction


def as_json(action: Action) -> str:
    """`{"click": {...}}`, compact. A target that is only an index stands as that: `{"index": 12}`."""
    body: dict[str, object] = msgspec.to_builtins(action)
    target = body.get("target")
    if isinstance(target, dict) and target.keys() == {"index"}:
        del body["target"]
        body = {**target, **body}
    return msgspec.json.encode({action.name: body}).decode()


def from_json(text: str) -> AnyAction:
    """The action of `as_json`. Raises msgspec.ValidationError or KeyError for anything else."""
    name, body = next(iter(msgspec.json.decode(text).items()))
    return read(name, body)


def read(name: str, body: object) -> AnyAction:
    """The action of that name and body. Raises msgspec.ValidationError or KeyError."""
    kind = _KINDS[name]
    if isinstance(body, dict) and "index" in body and "target" in kind.__struct_fields__:
        body = {key: value for key, value in body.items() if key != "index"} | {"target": {"index": body["index"]}}
    action: AnyAction = msgspec.convert(body, kind)
    return action


_KINDS: dict[str, type[AnyAction]] = {kind.name: kind for kind in AnyAction.__args__}
