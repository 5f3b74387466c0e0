"""From v2's words to events, and from views to v2's words: here, and only once."""

from collections.abc import Callable, Iterable

import msgspec

from api import agent, intake, profiles, recordings
from api.control import fresh_id
from api.models import Models
from api.present import NO_SESSION, ended, moment, moment_or_none, outcome
from api.settings import Settings
from api.v2.schemas import (
    DEFAULT_STEPS,
    WORDS,
    CreateTask,
    OutputFile,
    SessionSettings,
    TaskItem,
    TaskStatus,
    TaskStep,
    TaskView,
)
from eventstore.events import Agent, Options, TaskCreated
from projections.profiles import Profile
from projections.step_row import StepRow
from projections.suggestions import suggestions
from projections.task_row import TaskRow


def wished(asked: CreateTask, settings: Settings, models: Models, profile: Profile | None = None) -> TaskCreated:
    """The event that the request amounts to; whose it is, `control.create` fills in. Raises Invalid.

    `profile` is the one that it begins with: its settings hold where the request has none.
    """
    browser = asked.session_settings or SessionSettings()
    intake.unsupported(asked.op_vault_id, "opVaultId")
    intake.unsupported(asked.skill_ids, "skillIds")
    record = recordings.wanted(settings, browser.enable_recording, "sessionSettings", "enableRecording")
    llm = models.resolve(asked.llm, field=("body", "llm"))
    created = TaskCreated(
        instruction=intake.instruction(asked.task, "task"),
        llm=llm,
        session=fresh_id(),
        project="",
        family="v2",
        request_digest="",
        start_url=intake.start_url(asked.start_url, "startUrl"),
        limits=intake.limits(settings, asked.max_steps or DEFAULT_STEPS),
        options=profiles.begun(
            Options(record=record),
            settings,
            profile,
            width=browser.browser_screen_width,
            height=browser.browser_screen_height,
            country=browser.proxy_country_code,
            field=("body", "sessionSettings", "proxyCountryCode"),
        ),
        output_schema=intake.output_schema(asked.structured_output, "structuredOutput"),
        allowed_domains=intake.domains(asked.allowed_domains, "allowedDomains"),
        metadata=intake.metadata(asked.metadata, "metadata"),
        secrets=tuple(asked.secrets or ()),
        agent=_agent(asked, models, llm),
    )
    intake.secrets(asked.secrets, "secrets", created)
    return created


def _agent(asked: CreateTask, models: Models, llm: str) -> Agent:
    usual = Agent()
    level = agent.level(asked.thinking_level, "thinkingLevel")
    return Agent(
        flash=agent.given(asked.flash_mode, usual.flash),
        thinking=level != "disabled" and agent.given(asked.thinking, usual.thinking),
        thinking_level="" if level == "disabled" else level,
        vision=agent.vision(asked.vision, models, llm, "vision"),
        highlight=agent.given(asked.highlight_elements, usual.highlight),
        extension=asked.system_prompt_extension or "",
        judge=bool(asked.judge),
        ground_truth=agent.given(asked.judge_ground_truth, ""),
        judge_llm=agent.judging(asked.judge, asked.judge_llm, models, llm, at="judge", name_at="judgeLlm"),
    )


def item(row: TaskRow) -> TaskItem:
    """A task as lists show it."""
    return TaskItem(
        id=row.id,
        session_id=row.session or NO_SESSION,
        llm=row.llm,
        task=row.instruction,
        status=WORDS[row.state],
        created_at=moment(row.created_at),
        started_at=moment_or_none(row.started_at),
        finished_at=moment_or_none(row.ended_at),
        metadata=row.metadata,
        output=outcome(row),
        browser_use_version=None,
        is_success=row.success,
        judgement=row.judgement or None,
        judge_verdict=row.verdict,
        cost=_cost(row),
        suggestions=_suggestions(row),
    )


def view(row: TaskRow, steps: Iterable[StepRow], picture: Callable[[StepRow], str]) -> TaskView:
    """A task as a whole; `picture` makes the link to a step's screenshot."""
    return TaskView(
        **msgspec.structs.asdict(item(row)),
        steps=[_step(step, picture) for step in ended(steps)],
        output_files=[OutputFile(id=file.id, file_name=file.name) for file in row.produced],
    )


def status(row: TaskRow) -> TaskStatus:
    """A task as pollers want it."""
    return TaskStatus(
        id=row.id,
        status=WORDS[row.state],
        output=outcome(row),
        finished_at=moment_or_none(row.ended_at),
        is_success=row.success,
        cost=_cost(row),
    )


def _step(step: StepRow, picture: Callable[[StepRow], str]) -> TaskStep:
    return TaskStep(
        number=step.number,
        memory=step.memory,
        evaluation_previous_goal=step.evaluation,
        next_goal=step.next_goal,
        url=step.url,
        actions=list(step.actions),
        screenshot_url=picture(step) if step.screenshot else None,
        duration=step.duration_ms / 1_000,
    )


def _suggestions(row: TaskRow) -> list[dict[str, str]] | None:
    """As dicts of strings; evidence is positions of the log with commas between. None where there is nothing to say."""
    return [
        {"type": each.code, "message": each.message, "evidence": ", ".join(map(str, each.evidence))}
        for each in suggestions(row)
    ] or None


def _cost(row: TaskRow) -> str | None:
    """Without an exponent, as the schema's pattern wants it."""
    return None if row.cost_usd is None else f"{row.cost_usd:f}"
