"""What its user could change so that a task goes better the next time, in words, each with its evidence. Pure.

One row of SAYINGS for each kind of finding: from how many times on it is worth saying, and what is then said. The
sentences name the fields of a v2 request, and the settings of the service.
"""

import msgspec

from projections.findings import Finding
from projections.task_row import TaskRow

MOST = 20
"""Suggestions for one task."""

SAYINGS: dict[str, tuple[int, str]] = {
    "max_steps": (1, "The task used up its steps. Raise maxSteps, or split it into smaller tasks."),
    "max_tokens": (1, "The task used up its tokens. Raise TAPEWRIGHT_MAX_TOKENS, or split it into smaller tasks."),
    "max_cost": (1, "The task used up its money. Raise TAPEWRIGHT_MAX_COST_USD, or name a cheaper model in llm."),
    "failed:task_timeout": (
        1,
        "The task took too long. Raise TAPEWRIGHT_TASK_SECONDS, or begin nearer to the goal with startUrl.",
    ),
    "step_timeout": (1, "A step took too long. Raise TAPEWRIGHT_STEP_SECONDS, or name a faster model in llm."),
    "failed:loop": (1, "{detail} Say in the task how to do it otherwise, or name another model in llm."),
    "failed:differs": (
        1,
        "{detail} Run the task anew with its model, or rerun it with rescue, which asks a model there.",
    ),
    "failed:model": (1, "{detail}"),
    "blocked_domain": (1, "{about} was refused {times}: {detail}. If the task needs it, allow it in allowedDomains."),
    "blocked_address": (1, "{about} was refused {times}: {detail}."),
    "secret_refused": (
        1,
        "{about} Name the host where it is to be typed in allowedDomains, or open that page with startUrl.",
    ),
    "unknown_secret": (1, "{about} Give it in secrets, under the name that the task uses."),
    "unfound_target": (
        2,
        "What an act was about was not there {times}. Name elements in the task as the page does. {detail}",
    ),
    "ambiguous_target": (
        2,
        "What an act was about was there more than once, {times}. Say in the task which one: its row, its section or "
        "its number. {detail}",
    ),
    "failing_act": (3, "The same act failed {times}: {about}. Say in the task how to do it otherwise. {detail}"),
    "loop": (
        1,
        "The task went in circles, {times}, with {about}. Say in the task what to do instead, or name another llm.",
    ),
    "unanswered_question": (
        1,
        "Nobody answered a question {times}. Answer sooner, raise TAPEWRIGHT_INPUT_SECONDS, or give what is asked for "
        "in the task or in secrets.",
    ),
    "download_refused": (
        1,
        "A download was refused {times}. Raise TAPEWRIGHT_DOWNLOADS_BYTES, or ask for fewer files.",
    ),
    "browser_lost": (
        1,
        "The browser was lost {times}. If the machine is short of memory, lower TAPEWRIGHT_MAX_CONCURRENT.",
    ),
    "runner_lost": (1, "The service died under the task {times}. Its log says why; the tape says what was repeated."),
    "captcha": (
        1,
        "A captcha stood in the way. Begin with a profile that is signed in (sessionSettings.profileId), leave through "
        "another country (sessionSettings.proxyCountryCode), or say in the task to ask a person.",
    ),
    "impossible_task": (
        1,
        "The judge holds that this cannot be done as it is asked. Read the judgement, and ask anew.",
    ),
    "judged_unsuccessful": (
        1,
        "The judge holds that the task was not done. Read failure_reason in the judgement, and make the task say what "
        "must be so in the end.",
    ),
}

ALIKE = {
    "max_steps": "max_steps",
    "max_tokens": "max_tokens",
    "max_cost": "max_cost",
    "no_target": "unfound_target",
    "ambiguous_target": "ambiguous_target",
}
"""Words of failed tasks that say what a finding says as well: then once is enough, and its detail is told already."""


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is a word for programs, `message` sentences for a person; `evidence` are positions of the log."""

    code: str
    message: str
    evidence: tuple[int, ...]


def suggestions(row: TaskRow) -> list[Suggestion]:
    """At most MOST, in the order in which what they are about was seen first."""
    said: dict[str, Suggestion] = {}
    for finding in row.findings.found:
        code = _code(finding)
        least, words = SAYINGS.get(code, (0, ""))
        if not words or finding.times < (1 if ALIKE.get(row.error_code) == code else least):
            continue
        word = (finding.code if code == "failed:model" else code).rpartition(":")[2]
        told = ALIKE.get(row.error_code) == code and finding.detail in row.error_message
        message = _words(words, msgspec.structs.replace(finding, detail="") if told else finding)
        suggestion = Suggestion(code=word, message=message, evidence=finding.positions)
        # The failure that a limit ends with has that limit's pauses before it.
        known = said.get(suggestion.message)
        evidence = (*known.evidence, *suggestion.evidence) if known else suggestion.evidence
        said[suggestion.message] = msgspec.structs.replace(suggestion, evidence=evidence)
    return list(said.values())[:MOST]


def _code(finding: Finding) -> str:
    """The row of SAYINGS that it belongs to."""
    if finding.code == "blocked_domain" and "allowed domains" not in finding.detail:
        return "blocked_address"
    _, failed, code = finding.code.rpartition("failed:")
    if failed and (code == "no_model" or code.startswith("model_")):
        return "failed:model"  # their sentences say what to do
    return code if failed and code in ("max_steps", "max_tokens", "max_cost") else finding.code


def _words(words: str, finding: Finding) -> str:
    times = "once" if finding.times == 1 else f"{finding.times} times"
    return words.format(about=finding.about, detail=finding.detail, times=times).strip()
