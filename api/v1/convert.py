"""From v1's words to events, and from views to v1's words: here, and only once."""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET

from api import agent, intake, profiles
from api.control import fresh_id
from api.models import Models
from api.present import ended, identity, moment, moment_or_none, outcome
from api.settings import Settings
from api.v1.schemas import DEFAULT_STEPS, WORDS, BrowserData, RunTask, Step, TaskItem, TaskView
from eventstore.errors import NotFound
from eventstore.events import Agent, Options, TaskCreated
from projections.profiles import Profile
from projections.step_row import StepRow
from projections.task_row import TaskRow

NO_EFFECT_YET = ("use_adblock", "enable_public_share")


def wished(asked: RunTask, settings: Settings, models: Models, profile: Profile | None = None) -> TaskCreated:
    """The event that the request amounts to; whose it is, `control.create` fills in. Raises Invalid.

    `profile` is the one that it begins with: its settings hold where the request has none.
    """
    if asked.browser_profile_id and profile is None:
        raise NotFound("Browser profile not found")
    created = TaskCreated(
        instruction=intake.instruction(asked.task, "task"),
        llm=models.resolve(asked.llm_model, field=("body", "llm_model")),
        session=fresh_id(),
        project="",
        family="v1",
        request_digest="",
        limits=intake.limits(settings, asked.max_agent_steps or DEFAULT_STEPS),
        options=profiles.begun(
            Options(
                given=msgspec.json.encode(intake.sent(asked, NO_EFFECT_YET)).decode(),
                save_state=bool(asked.save_browser_data),
            ),
            settings,
            profile,
            width=asked.browser_viewport_width,
            height=asked.browser_viewport_height,
            country=None if asked.use_proxy is False else asked.proxy_country_code or UNSET,
            field=("body", "proxy_country_code"),
        ),
        output_schema=intake.output_schema(asked.structured_output_json, "structured_output_json"),
        allowed_domains=intake.domains(asked.allowed_domains, "allowed_domains"),
        metadata=intake.metadata(asked.metadata, "metadata"),
        secrets=tuple(asked.secrets or ()),
        agent=Agent(highlight=agent.given(asked.highlight_elements, True)),
    )
    intake.secrets(asked.secrets, "secrets", created)
    return created


def item(row: TaskRow) -> TaskItem:
    """A task as lists show it."""
    return TaskItem(
        id=row.id,
        task=row.instruction,
        output=outcome(row),
        status=WORDS[row.state],
        created_at=moment(row.created_at),
        finished_at=moment_or_none(row.ended_at),
        live_url=None,
    )


def view(row: TaskRow, steps: Iterable[StepRow], cookies: Sequence[msgspec.Raw] | None = None) -> TaskView:
    """A task as a whole; `cookies` are those that were kept of its browser."""
    return TaskView(
        id=row.id,
        task=row.instruction,
        live_url=None,
        output=outcome(row),
        status=WORDS[row.state],
        created_at=moment(row.created_at),
        finished_at=moment_or_none(row.ended_at),
        steps=[_step(row.id, place, step) for place, step in enumerate(ended(steps))],
        browser_data=None if cookies is None else BrowserData(cookies=cookies),
        user_uploaded_files=list(row.uploads),
        output_files=list(row.files),
        public_share_url=None,
        metadata=row.metadata,
    )


def _step(task_id: str, place: int, step: StepRow) -> Step:
    # By place and not by number: a step that was interrupted and begun again has the same number twice.
    return Step(
        id=identity(task_id, "step", place),
        step=step.number,
        evaluation_previous_goal=step.evaluation,
        next_goal=step.next_goal,
        url=step.url,
    )
