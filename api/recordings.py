"""Videos of tasks, in no family's words: whether one can be asked for, and where the newest one of a session is."""

from importlib.util import find_spec

from aiohttp import web

from api import files, sessions
from api.service import SERVICE
from api.settings import Settings
from eventstore.errors import Invalid
from projections.sessions import SessionRow


def wanted(settings: Settings, asked: bool | None, *at: str) -> bool:
    """Whether a video is asked for. Raises Invalid, naming the field by its path, where there would be none."""
    if not asked:
        return False
    if settings.recordings == "off":
        raise Invalid("This service makes no recordings; leave this out.", field=("body", *at))
    if find_spec("av") is None:
        raise Invalid(
            "This service cannot make recordings: it was installed without the extra for them; leave this out.",
            field=("body", *at),
        )
    return True


async def url(request: web.Request, row: SessionRow) -> str | None:
    """A link to the newest video of the session's tasks; None while there is none."""
    service = request.app[SERVICE]
    if not row.options.record and service.settings.recordings != "all":
        return None
    for task in await sessions.tasks(service, row):
        if task.recordings:
            return files.take_url(request, task.id, task.recordings[-1])
    return None
