"""The page of a public share: what a session did, as HTML for people. Pure; every text is escaped, no scripts."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from html import escape

from eventstore.machine import State
from projections.sessions import SessionRow
from projections.step_row import StepRow
from projections.task_row import TaskRow

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
article { border-top: 1px solid #8886; padding: 1rem 0; }
ol { list-style: none; padding: 0; } li { margin: 1rem 0; }
p { margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.quiet { opacity: .7; font-size: .9rem; }
img { max-width: 100%; height: auto; border: 1px solid #8886; border-radius: 4px; }
"""
_WORDS = {
    State.QUEUED: "waiting",
    State.CLAIMED: "starting",
    State.FINISHED: "finished",
    State.FAILED: "failed",
    State.STOPPED: "stopped",
}

Told = tuple[TaskRow, Sequence[StepRow]]

_OURS = b64encode(sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; img-src 'self'; style-src 'sha256-{_OURS}';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "private, no-store",
}


def page(row: SessionRow, tasks: Sequence[Told], *, more: bool, picture: Callable[[TaskRow, StepRow], str]) -> str:
    """The whole page. `more` tells that there is more than it shows; `picture` is where a step's picture is."""
    state = "active" if row.active else "ended"
    told = "".join(_task(task, steps, picture) for task, steps in tasks) or "<p>Nothing was done in it yet.</p>"
    rest = '<p class="quiet">There is more than this page shows.</p>' if more else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shared session</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>"
        f'<h1>A shared session</h1><p class="quiet">Began {_time(row.started_at)}; {state}.</p>'
        f"{told}{rest}</body></html>"
    )


def _task(task: TaskRow, steps: Sequence[StepRow], picture: Callable[[TaskRow, StepRow], str]) -> str:
    if task.redacted:
        return "<article><p>What this task did was removed.</p></article>"
    word = _WORDS.get(task.state, "under way")
    listed = "".join(_step(task, step, picture) for step in steps)
    outcome = task.error_message if task.error_code else task.output
    return (
        f'<article><h2>{escape(task.instruction)}</h2><p class="quiet">{_time(task.created_at)}, {word}</p>'
        f"<ol>{listed}</ol>{_text(outcome)}</article>"
    )


def _step(task: TaskRow, step: StepRow, picture: Callable[[TaskRow, StepRow], str]) -> str:
    shown = f'<img src="{escape(picture(task, step))}" alt="The page after this step" loading="lazy">'
    goal = _text(step.next_goal)
    return (
        f'<li><p class="quiet">Step {step.number}: {escape(step.title)} {escape(step.url)}</p>{goal}'
        f"{shown if step.screenshot else ''}</li>"
    )


def _text(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def _time(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M UTC")
