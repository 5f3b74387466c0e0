"""What went wrong in a task, folded from its events into a few bounded counters. Pure and total; words: suggestions.py.

Each finding is named by the first positions at which it was so. What was done again and again is known by the last
acts, of which no more than WINDOW are remembered.
"""

from urllib.parse import urlsplit
from zlib import crc32

import msgspec

from eventstore import events as e
from eventstore.machine import Hold
from eventstore.store import Recorded

MOST_POSITIONS = 5
MOST_ABOUT = 10
"""Findings of one kind that are told apart; of more, those seen least often go."""

ABOUT_CHARACTERS, DETAIL_CHARACTERS = 200, 500
PERIODS = (1, 2, 3)
ROUNDS = 4
"""Acts that come again in the same order so often, on the same page, are a loop."""

WINDOW = ROUNDS * PERIODS[-1]

BY_CODE = {
    "no_target": "unfound_target",
    "ambiguous_target": "ambiguous_target",
    "secret_refused": "secret_refused",
    "unknown_secret": "unknown_secret",
}
"""What the word of a failed act is found as, beside the act itself."""

NOT_DOWNLOADED = " was not downloaded: a task downloads at most "
"""So says the result of an act that led to a file beyond the limits."""

READING = ('{"extract"', '{"read_file"', '{"ask"')
"""Acts whose results are the words of others."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """`code` is its kind, `about` what it is about, `detail` a sentence of the first time; it was so `times` times."""

    code: str
    about: str = ""
    detail: str = ""
    times: int = 1
    positions: tuple[int, ...] = ()


class Findings(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """`found` in the order in which each was seen first; the rest is only there while the task goes on.

    `acts` are the fingerprint and the position of the last acts, `acting` what the one under way is called.
    """

    found: tuple[Finding, ...] = ()
    acts: tuple[tuple[int, int], ...] = ()
    acting: str = ""


def noted(findings: Findings, recorded: Recorded, llm: str) -> Findings:
    """With one more event of the task, which has not ended before it and whose model is `llm`."""
    at, event = recorded.position, recorded.event
    match event:
        case e.ActionStarted():
            return _begun(findings, event, at, llm)
        case e.ActionEnded():
            return _acted(findings, event, at)
        case e.NavigationBlocked(url=url, reason=reason):
            return _with(findings, "blocked_domain", at, host_of(url), reason)
        case e.TaskPaused(cause=Hold.BUDGET, limit=limit):
            return _with(findings, limit or "max_steps", at)
        case e.InputExpired():
            return _with(findings, "unanswered_question", at)
        case e.RunnerLost(cause="browser_lost" | "page_crashed"):
            return _with(findings, "browser_lost", at)
        case e.RunnerLost(cause="crash"):
            return _with(findings, "runner_lost", at)
        case e.StepInterrupted(cause="timeout"):
            return _with(findings, "step_timeout", at)
        case e.JudgementRecorded():
            return _judged(findings, event, at)
        case e.TaskFailed(code=code, message=message):
            return Findings(found=_with(findings, f"failed:{code}", at, detail=message).found)
        case e.TaskFinished() | e.TaskStopped():
            return Findings(found=findings.found)
    return findings


def host_of(url: str) -> str:
    """The host of a URL that a page asked for, or its beginning where it has none."""
    try:
        return (urlsplit(url).hostname or url)[:ABOUT_CHARACTERS]
    except ValueError:
        return url[:ABOUT_CHARACTERS]


def _begun(findings: Findings, act: e.ActionStarted, at: int, llm: str) -> Findings:
    """`instructions` does what it is told, be it ten times the same: that is no loop."""
    if llm == "instructions":
        return Findings(found=findings.found, acting=act.params[:ABOUT_CHARACTERS])
    acts = (*findings.acts, (crc32(f"{act.name} {act.params} {act.url}".encode("utf-8", "replace")), at))[-WINDOW:]
    acting = act.params[:ABOUT_CHARACTERS]
    for period in PERIODS:
        if _in_circles(acts, period):
            first = acts[-period * ROUNDS][1]
            findings = Findings(found=findings.found, acting=acting)  # so that going on in circles counts as once more
            return _with(findings, "loop", first, acting)
    return Findings(found=findings.found, acts=acts, acting=acting)


def _in_circles(acts: tuple[tuple[int, int], ...], period: int) -> bool:
    if len(acts) < period * ROUNDS or acts[-1][0] != acts[-1 - period][0]:
        return False
    tail = [each for each, _ in acts[-period * ROUNDS :]]
    return tail[period:] == tail[:-period]


def _acted(findings: Findings, act: e.ActionEnded, at: int) -> Findings:
    if act.ok:
        refused = NOT_DOWNLOADED in act.result and not findings.acting.startswith(READING)
        return _with(findings, "download_refused", at) if refused else findings
    if code := BY_CODE.get(act.code):
        about = act.error if code in ("secret_refused", "unknown_secret") else ""
        findings = _with(findings, code, at, about, act.error)
    return _with(findings, "failing_act", at, findings.acting, act.error)


def _judged(findings: Findings, judged: e.JudgementRecorded, at: int) -> Findings:
    report = _report(judged.report)
    if report.get("reached_captcha") is True:
        findings = _with(findings, "captcha", at)
    if report.get("impossible_task") is True:
        return _with(findings, "impossible_task", at)
    return _with(findings, "judged_unsuccessful", at) if judged.verdict is False else findings


def _report(text: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return {}


def _with(findings: Findings, code: str, at: int, about: str = "", detail: str = "") -> Findings:
    about, detail = about[:ABOUT_CHARACTERS], detail[:DETAIL_CHARACTERS]
    found = list(findings.found)
    for index, each in enumerate(found):
        if (each.code, each.about) == (code, about):
            positions = each.positions if len(each.positions) >= MOST_POSITIONS else (*each.positions, at)
            found[index] = msgspec.structs.replace(each, times=each.times + 1, positions=positions)
            return msgspec.structs.replace(findings, found=tuple(found))
    alike = [each for each in found if each.code == code]
    if len(alike) >= MOST_ABOUT:
        found.remove(min(alike, key=lambda each: each.times))
    found.append(Finding(code=code, about=about, detail=detail, positions=(at,)))
    return msgspec.structs.replace(findings, found=tuple(found))
