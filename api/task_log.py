"""A task's log as text, folded from the tape while it is read: for whom the task belongs to, or with a signed link."""

from aiohttp import web

from api import control, present
from api.auth import ANONYMOUS
from api.gists import gist
from api.service import SERVICE
from api.tape import Signed
from api.text import safe
from api.wire import CALLER, Route, query
from eventstore import events as e
from eventstore.errors import Gone, NotFound
from eventstore.store import Recorded

LINK_SECONDS = 3600
_HEADERS = {
    "Cache-Control": "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
}


def url(request: web.Request, task_id: str) -> str:
    """An absolute link to the log that needs no key and expires."""
    return present.link(request, _path(task_id), LINK_SECONDS)


async def log(request: web.Request) -> web.StreamResponse:
    """All that the tape says of the task so far, a line for each event."""
    service, caller, task_id = request.app[SERVICE], request[CALLER], request.match_info["task_id"]
    if caller is not ANONYMOUS:
        row = await control.task(service, caller, task_id)
    else:
        signed = query(request, Signed)
        if not service.signer.check(request.path, signed.expires, signed.signature):
            raise web.HTTPUnauthorized(text="An API key is required, or a signed link that has not expired.")
        found = await service.projector.tasks.find(task_id)
        if found is None or found.deleted:
            raise NotFound
        row = found
    if row.redacted:
        raise Gone(f"The task was redacted: {row.redaction or 'no reason was given'}.")
    response = web.StreamResponse(headers=_HEADERS)
    response.content_type, response.charset = "text/plain", "utf-8"
    response.headers["Content-Disposition"] = f'inline; filename="{row.id}.log"'
    await response.prepare(request)
    version = 0
    while request.method == "GET" and (page := await service.store.read_stream(control.stream(row.id), version)):
        version = page[-1].version
        await response.write("".join(map(line, page)).encode())
    await response.write_eof()
    return response


def line(recorded: Recorded) -> str:
    """When, what kind of event, and the gist of it; what was said at length stands in lines below."""
    when = present.moment(recorded.at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    first = f"{when}  {recorded.type.removeprefix('task.')}  {gist(recorded.event)}".rstrip()
    return "\n".join([first, *_more(recorded.event)]) + "\n"


def _more(event: e.Event) -> list[str]:
    """What the gist leaves out of words that were said at length."""
    match event:
        case e.TaskCreated(instruction=instruction):
            said = {"task": instruction}
        case e.StepTaken(evaluation=evaluation, memory=memory, next_goal=next_goal):
            said = {"evaluation": evaluation, "memory": memory, "goal": next_goal}
        case e.TaskFinished(output=output):
            said = {"output": output}
        case e.TaskFailed(message=message):
            said = {"error": message}
        case _:
            said = {}
    return [f"    {word}: {safe(part)}" for word, text in said.items() for part in text.splitlines()]


def _path(task_id: str) -> str:
    return f"/api/tape/tasks/{task_id}/log.txt"


ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/api/tape/tasks/{task_id}/log.txt",
        handler=log,
        summary="Read the log of a task",
        family="tape",
        scope="read",
        open=True,
        query=Signed,
        media="text/plain",
        reply=str,
        errors=(404, 410),
        paths={"task_id": "the task's id"},
    ),
)
