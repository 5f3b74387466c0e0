"""Whether a model goes round in circles, read off its steps alone: a restart changes nothing. Pure."""

from collections.abc import Sequence

from runner.model import PastStep
from runner.vocabulary import ActFailed

SAME_NUDGED, SAME_MOST = 3, 6
"""Times in a row that the same acts may be done on the same page before it is told, and before the task ends."""

STILL_NUDGED, STILL_MOST = 6, 12
"""Steps in a row that may leave a page as it was."""

TICKING_NUDGED = 5
"""Times that the same acts may be done on pages that differ: counting up by a button is no loop."""

BESIDE = frozenset({"ask", "read_file", "write_file", "extract", "save_as_pdf", "screenshot", "wait"})
"""Acts that need not change a page to get on."""


def nudge(past: Sequence[PastStep]) -> str:
    """A sentence for the model, where it seems to go round in circles. Raises ActFailed `loop` where it does."""
    if (same := repeated(past, seen=True)) >= SAME_NUDGED:
        if same >= SAME_MOST:
            raise ActFailed("loop", f"The same acts were done {same} times in a row, and the page stayed as it was.")
        return f"You have done the same {same} times in a row and the page is as it was. Do something else."
    if (still := unchanged(past)) >= STILL_NUDGED:
        if still >= STILL_MOST:
            raise ActFailed("loop", f"The page has stayed as it was over {still} steps.")
        return f"The page is as it was {still} steps ago. Try another way, or end with what you have."
    if (same := repeated(past, seen=False)) >= TICKING_NUDGED:
        return f"You have done the same {same} times in a row. Go on only if that brings you nearer to the end."
    return ""


def repeated(past: Sequence[PastStep], *, seen: bool) -> int:
    """How often the acts of the last step were done in a row; with `seen`, also on the same page each time."""
    count = 0
    for step in reversed(past):
        if not step.acts or _acts(step) != _acts(past[-1]) or (seen and (not step.saw or step.saw != past[-1].saw)):
            break
        count += 1
    return count


def unchanged(past: Sequence[PastStep]) -> int:
    """So many last steps were planned on one and the same page, and meant to change it."""
    count = 0
    for step in reversed(past):
        if not step.saw or step.saw != past[-1].saw or any(act.name in BESIDE for act in step.acts):
            break
        count += 1
    return count


def failing(past: Sequence[PastStep]) -> int:
    """So many last steps have an act that failed."""
    count = 0
    for step in reversed(past):
        if all(act.ok for act in step.acts):
            break
        count += 1
    return count


def _acts(step: PastStep) -> tuple[tuple[str, str], ...]:
    return tuple((act.params, act.url) for act in step.acts)
