"""Aims a recorded act at the very element that it was about: by the selector on the tape, which must mean one. Pure."""

import msgspec

from eventstore.events import Target
from runner.vocabulary import AnyAction, Drag, Query


def aimed(action: AnyAction, target: Target | None, onto: Target | None = None) -> AnyAction:
    """The act with its targets as the tape has them; as it is where the tape has none."""
    if isinstance(action, Drag):
        return msgspec.structs.replace(action, source=_at(action.source, target), target=_at(action.target, onto))
    query = getattr(action, "target", None)
    return msgspec.structs.replace(action, target=_at(query, target)) if isinstance(query, Query) else action


def _at(query: Query, target: Target | None) -> Query:
    if target is None or not target.selector:
        return query
    return Query(selector=target.selector, kind=target.role, text=target.name, row=target.row, among=target.among)
