"""What was done so far, in words for a model, bounded however long the task is. Pure."""

from collections.abc import Sequence

from runner.llm.fence import Fence
from runner.model import PastAct, PastStep

FULL, SHORT = 10, 60
"""The last steps that are told act by act, and those before them that have a line each; older ones are counted."""

RESULT, LATEST, TOGETHER = 400, 21_000, 42_000
"""Characters of a result or an error: in later steps; in the step right after it, one and all of them together."""

PARAMS, WORDS, GOAL = 300, 2_000, 160
"""Characters of an act, of what the model noted, and of a goal on its line."""


def told(past: Sequence[PastStep], fence: Fence) -> str:
    """The steps, the last ones in full. What the model said itself is as it was; what came of it is fenced."""
    if not past:
        return "# So far\nNothing was done yet."
    full, before = past[-FULL:], past[:-FULL]
    lines = ["# So far"]
    if len(before) > SHORT:
        lines.append(f"({len(before) - SHORT} earlier steps)")
    lines += [_short(step) for step in before[-SHORT:]]
    for step in full:
        latest = min(LATEST, TOGETHER // max(len(step.acts), 1))
        lines += _full(step, fence, most=latest if step is past[-1] else RESULT, notes=step is past[-1])
    return "\n".join(lines)


def _short(step: PastStep) -> str:
    acts = ", ".join(f"{act.name}{'' if act.ok else ' failed'}" for act in step.acts) or "nothing"
    return f"Step {step.number}: {_line(step.next_goal, GOAL) or '-'} ({acts})"


def _full(step: PastStep, fence: Fence, *, most: int, notes: bool) -> list[str]:
    lines = [f"Step {step.number}: {_line(step.next_goal, GOAL) or '-'}"]
    if step.evaluation:
        lines.append(f"  You thought of the step before: {_line(step.evaluation, WORDS if notes else GOAL)}")
    if step.memory:
        lines.append(f"  You noted: {_line(step.memory, WORDS if notes else GOAL)}")
    lines += [f"  {_act(act, fence, most)}" for act in step.acts]
    if step.dropped:
        left = ", ".join(_line(act, PARAMS) for act in step.dropped)
        why = "the act before failed" if any(not act.ok for act in step.acts) else "the page had changed"
        lines.append(f"  Not done, because {why}: {left}")
    if step.by_hand:
        lines.append(f"  Then a person did by hand: {fence.around(_line(', '.join(step.by_hand), most))}")
    return lines


def _act(act: PastAct, fence: Fence, most: int) -> str:
    brought = act.result if act.ok else act.error
    cut = brought if len(brought) <= most else f"{brought[:most]} … ({len(brought) - most} more characters)"
    word = "ok" if act.ok else "failed"
    return f"{_line(act.params, PARAMS)} -> {word}{f': {fence.around(cut)}' if cut else ''}"


def _line(text: str, most: int) -> str:
    """On one line, cut: a model's own words cannot pass for another part of what it is told."""
    text = " ".join(text.split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
