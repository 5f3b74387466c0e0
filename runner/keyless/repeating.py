"""The table of sentences that do one thing so many times. Pure."""

from runner.keyless import values
from runner.keyless.clauses import Unclear
from runner.keyless.forms import Found, form
from runner.keyless.sentences import CLICK, press
from runner.vocabulary import Click

MOST_TIMES = 20
TIMES = rf"(?:(?P<times>[0-9]{{1,4}}|{'|'.join(values.NUMBERS)}) times|twice)"


def times(found: Found) -> int:
    """How often. Raises Unclear for what is done too often, or never."""
    said = found.word("times").lower()
    number = int(said) if said.isdigit() else values.NUMBERS.get(said, 2)
    if not 1 <= number <= MOST_TIMES:
        raise Unclear(f"it may be done 1 to {MOST_TIMES} times")
    return number


def click_often(found: Found) -> tuple[Click, ...]:
    """Each click is a step of its own, so that two of them are no double-click."""
    targets = found.queries()
    if not found.word("times"):
        raise Unclear('it may be two clicks or a double-click; write click "Save" 2 times, or double-click "Save"')
    if len(targets) > 1:
        raise Unclear("it names several things; write a sentence for each")
    return tuple(Click(target=targets[0]) for _ in range(times(found)))


REPEATING = (
    form(
        'click "name", press a key N times', 'click "Load more" 3 times', CLICK, rf"{{target}} {TIMES}", click_often,
    ),
    form(
        "", "press Tab 3 times", "press|hit", rf"(?P<all>.+?) {TIMES}",
        lambda found: (press(found),) * times(found),
    ),
)  # fmt: skip
