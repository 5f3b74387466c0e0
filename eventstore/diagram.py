"""The state diagram of a task as Mermaid text, drawn from the tables: `python -m eventstore.diagram`."""

from collections.abc import Iterator

from eventstore import events as e
from eventstore.machine import (
    DESIRES,
    ENDED,
    INTENTIONS,
    NEEDS,
    PHASES,
    SEEN,
    Answer,
    Desired,
    Phase,
    State,
    after,
    wish,
)

_START = "[*]"


def state_diagram() -> str:
    """A Mermaid `stateDiagram-v2` of the states that people see; an arrow's text names the events that lead there."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for phase in Phase:
        for desired in Desired if phase is not Phase.ABSENT else (Desired.RUN,):
            source = SEEN[phase][desired]
            for event in _possible(phase, desired):
                target = SEEN[after(phase, event)][wish(phase, desired, event)]
                names = arrows.setdefault((_name(source), _name(target)), []) if source is not target else []
                if event.__name__ not in names:
                    names.append(event.__name__)
    lines = [f"    {source} --> {target}: {', '.join(names)}" for (source, target), names in arrows.items()]
    ends = [f"    {phase} --> {_START}" for phase in Phase if phase in ENDED]
    return "\n".join(["```mermaid", "stateDiagram-v2", *lines, *ends, "```"])


def _possible(phase: Phase, desired: Desired) -> Iterator[type[e.Event]]:
    for event in PHASES[phase]:
        if NEEDS.get(event, desired) is desired:
            yield event
    for request in DESIRES:
        if INTENTIONS[request].get(SEEN[phase][desired]) is Answer.YES:
            yield request


def _name(state: State) -> str:
    return _START if state is State.ABSENT else state.value


if __name__ == "__main__":
    print(state_diagram())
