"""Every route of a key, with what to send it: ids of each kind in its path, its query and its body."""

import re
from collections.abc import Mapping
from uuid import UUID

import msgspec

from api import control
from api.app import ROUTES
from api.wire import Route
from tests.web.conftest import Client

CANARY = "canary"
UPLOAD = {"fileName": "list.csv", "contentType": "text/csv", "sizeBytes": 10}
# What a route is sent that reads a body, so that it comes as far as looking for what it names.
BODIES: Mapping[tuple[str, str], object] = {
    ("POST", "/api/v1/run-task"): {"task": "Open the shop."},
    ("POST", "/api/v2/tasks"): {"task": "Open the shop.", "sessionId": "{session}"},
    ("PATCH", "/api/v2/tasks/{task_id}"): {"action": "stop"},
    ("POST", "/api/v1/browser-profiles"): {"profile_name": "Bank"},
    ("PUT", "/api/v1/browser-profiles/{profile_id}"): {"profile_name": "Bank"},
    ("POST", "/api/v2/profiles"): {"name": "Bank"},
    ("PATCH", "/api/v2/profiles/{profile_id}"): {"name": "Bank"},
    ("POST", "/api/v2/browsers"): {"timeout": 5},
    ("PATCH", "/api/v2/browsers/{session_id}"): {"action": "stop"},
    ("POST", "/api/tape/keys"): {"name": "mine"},
    ("POST", "/api/tape/prune"): {"dry_run": True},
    ("POST", "/api/tape/tasks/{task_id}/redact"): {"reason": "asked for"},
    ("POST", "/api/v1/uploads/presigned-url"): {"file_name": "list.csv", "content_type": "text/csv"},
    ("POST", "/api/v1/scheduled-task"): {"task": "Open.", "schedule_type": "interval", "interval_minutes": 5},
    ("PUT", "/api/v1/scheduled-task/{schedule_id}"): {"interval_minutes": 10},
    ("POST", "/api/v1/search-url"): {"url": "http://shop.test/", "query": "price"},
    ("POST", "/api/v1/simple-search"): {"query": "price"},
    ("POST", "/api/v2/sessions"): {},
    ("PATCH", "/api/v2/sessions/{session_id}"): {"action": "stop"},
    ("POST", "/api/v2/files/sessions/{session_id}/presigned-url"): UPLOAD,
    ("POST", "/api/v2/files/browsers/{session_id}/presigned-url"): UPLOAD,
    ("POST", "/api/tape/tasks/{task_id}/input"): {"value": "123456"},
    ("POST", "/api/tape/tasks/{task_id}/rerun"): {"inputs": {}},
    ("POST", "/api/tape/tasks/{task_id}/fork"): {"step": 1, "task": "Open the shop."},
    ("POST", "/api/tape/tasks/{task_id}/control"): {"action": "take"},
    ("POST", "/api/tape/tasks/{task_id}/control/act"): {"act": "type", "text": "a"},
    ("POST", "/api/tape/webhooks"): {"url": "http://hooks.test/"},
    ("POST", "/api/tape/webhooks/{webhook_id}/redeliver"): {"source": 1},
}
# Their right is a token in the URL, which no other key makes better; without it they tell nothing to anybody.
SEALED = ("/share/", "/live/{id}", "/files/uploads/")
WALKED = [route for route in ROUTES if not route.operator]


class Ids(msgspec.Struct, frozen=True):
    """Something of each kind that a request can name."""

    task: str
    key: str
    session: str
    profile: str
    browser: str
    file: str
    schedule: str
    webhook: str

    def put(self, text: str) -> str:
        """The text with its placeholders filled; an unknown one fails the test, so that it is thought of here."""
        known = {
            "profile_id": self.profile,
            "task_id": self.task,
            "other_id": self.task,
            "key_id": self.key,
            "session": self.session,
            "session_id": self.browser if re.search("/browsers/|/cdp/", text) else self.session,
            "file_id": self.file,
            "schedule_id": self.schedule,
            "webhook_id": self.webhook,
            "id": self.task,
            "token": UUID(self.session).hex + "0" * 40,
            "ticket": "guessed",
            "file_name": f"{CANARY}.txt",
            "skill_id": self.task,
            "skill_slug": "shopping",
            "execution_id": self.task,
            "number": "1",
            "file": "live.js" if "/live/" in text else "docs.js",
        }
        return re.sub(r"\{(\w+)\}", lambda match: known[match[1]], text)

    def hide(self, text: str) -> str:
        """The text without the ids, to compare what was said of these with what was said of others."""
        for value in msgspec.structs.astuple(self):
            text = text.replace(value, "ID")
        return text


def nothing() -> Ids:
    """Ids that nobody has."""
    return Ids(*(control.fresh_id() for _ in Ids.__struct_fields__))


async def ask(client: Client, route: Route, ids: Ids, method: str) -> tuple[int, str, str]:
    """Status, body and headers of the answer to a request that names these ids in its path, its query and its body."""
    fields = () if route.query is None else msgspec.structs.fields(route.query)
    named = {"task_id": ids.task, "taskId": ids.task, "session_id": ids.session, "sessionId": ids.session}
    query = {field.encode_name: named[field.encode_name] for field in fields if field.encode_name in named}
    body = BODIES.get((route.method, route.path))
    data = None if body is None else ids.put(msgspec.json.encode(body).decode())
    headers = {"Accept": "application/json"}
    response = await client.request(
        method, ids.put(route.path), params=query, data=data, headers=headers, allow_redirects=False
    )
    return response.status, await response.text(errors="replace"), str(response.headers)


def names(route: Route) -> bool:
    """Whether a request names something that may be another project's."""
    asks = "" if route.query is None else " ".join(field.encode_name for field in msgspec.structs.fields(route.query))
    return bool(re.search(r"\{id\}|\{token\}|\w_?id\b", f"{route.path} {asks}", re.IGNORECASE))


def nobodys(route: Route) -> bool:
    """Whether a key opens nothing there."""
    return route.path.startswith(SEALED) or route.status == 501


def statuses(route: Route) -> tuple[int, ...]:
    """What whoever names a thing of another project is answered: a filter leaves nothing over, else there is none."""
    if route.path.startswith(SEALED):
        return 401, 404
    if nobodys(route):
        return 404, 501
    return (200,) if route.path in ("/api/v2/tasks", "/api/v2/browsers") else (404,)
