"""Judges what a client says to a browser that it was lent: one message in, what becomes of it out. Pure.

What is passed on is written anew from what was read, so that nobody reads two things in one message.
"""

import json
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from api.cdp_rules import (
    BESIDE,
    BYSTANDER,
    DOMAINS,
    GOING,
    KINDS,
    NOT_EMPTY,
    REFUSED,
    refusal_of_url,
)
from eventstore.session import MAX_FILES

Params: TypeAlias = dict[str, object]

OWN_IDS = 2_000_000_000
"""The ids of commands from here on are the relay's own."""

MAX_FILTERS = 100
"""So many entries of a filter are read; one that is not read lets nothing through."""

MOST_DROPPED = 2_000_000
"""Characters of all addresses that are dropped at once: as many as a browser takes of one."""

_HALVES = dict.fromkeys(range(0xD800, 0xE000), ord("\N{REPLACEMENT CHARACTER}"))


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What of the disk a session may name: the folder for `downloads`, and an uploaded file's path by its name."""

    downloads: str
    uploaded: Callable[[str], str | None]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`forward` goes to the browser, unless `reply` answers the client already.

    `target`: only if that target, by its id, is one that a client may attach to; else `refused` says so. `ends`: the
    client wants the browser closed.
    """

    forward: str = ""
    reply: str = ""
    target: str = ""
    refused: str = ""
    ends: bool = False


class Message(msgspec.Struct, omit_defaults=True):
    """A command on the wire."""

    id: int
    method: str
    params: Params = {}
    sessionId: str = ""  # noqa: N815 - the wire's name


class Refusal(Exception):
    """Why a command is refused."""


def judge(text: str, place: Place, *, apart: Callable[[str], bool] = lambda _session: False) -> Verdict:
    """What becomes of a message. `apart` tells of a DevTools session whether it shows a page of the browser's own."""
    try:
        message = _read(text)
    except (ValueError, msgspec.DecodeError, RecursionError):  # a message that is not valid is a DecodeError too
        return Verdict(reply=unreadable())
    if not -OWN_IDS < message.id < OWN_IDS:
        return Verdict(reply=unreadable())
    if message.method == "Browser.close":
        return Verdict(reply=_answer(message, result={}), ends=True)
    try:
        target = _look(message, place, apart)
    except Refusal as refusal:
        return Verdict(reply=error_of(message, str(refusal)))
    except RecursionError:
        return Verdict(reply=unreadable())
    refused = error_of(message, f"{message.method} is refused: the target is none of the web's.") if target else ""
    return Verdict(forward=_written(message), target=target, refused=refused)


def unreadable() -> str:
    """To what is no command."""
    return json.dumps({"error": {"code": -32700, "message": "The message is not a DevTools command."}})


def error_of(message: Message, sentence: str) -> str:
    """An error as DevTools has them."""
    return _answer(message, error={"code": -32000, "message": sentence})


def _read(text: str) -> Message:
    """Raises ValueError, msgspec.DecodeError, RecursionError."""
    try:
        return msgspec.json.decode(text, type=Message)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Half of a character that is two, which JavaScript's strings may hold: it becomes the sign for no character.
        whole = json.dumps(json.loads(text), ensure_ascii=False)  # two halves that belong together are one by now
        return msgspec.json.decode(whole.translate(_HALVES), type=Message)


def _look(message: Message, place: Place, apart: Callable[[str], bool]) -> str:
    """Raise Refusal, or make of the message what may pass; the id of the target that is to be looked at first."""
    method, params = message.method, message.params
    if method.partition(".")[0] not in DOMAINS:
        raise Refusal(f"{method} is refused: its domain is not open to clients.")
    if why := REFUSED.get(method):
        raise Refusal(f"{method} is refused: {why}.")
    if message.sessionId and method not in BYSTANDER and apart(message.sessionId):
        raise Refusal(f"{method} is refused: the target shows a page of the browser's own.")
    for name, why in NOT_EMPTY.get(method, {}).items():
        if params.get(name):
            raise Refusal(f"{method} with {name} is refused: {why}.")
    _look_at_url(method, params)
    match method:
        case "Target.attachToTarget":
            return str(params.get("targetId", ""))
        case "Target.setAutoAttach" | "Target.autoAttachRelated":
            params["filter"] = kinds_of(params.get("filter"))
            return str(params.get("targetId", "")) if method == "Target.autoAttachRelated" else ""
        case "Browser.setDownloadBehavior" | "Page.setDownloadBehavior":
            _keep_downloads(method, params, place)
        case "DOM.setFileInputFiles":
            params["files"] = _uploaded(method, params.get("files"), place)
        case "Input.dispatchDragEvent":
            _look_at_drag(method, params, place)
        case "Tracing.start" if params.get("tracingBackend", "auto") == "system":
            raise Refusal(f"{method} is refused: it would trace the machine.")
    return ""


def _look_at_url(method: str, params: Params) -> None:
    url = params.get("url", "")
    if method in BESIDE:
        return
    if not isinstance(url, str):
        raise Refusal(f"{method} is refused: its url is no text.")
    if why := refusal_of_url(url, named=method in GOING):
        raise Refusal(f"{method} is refused: {why}.")
    if method == "Target.createTarget" and not url.strip():
        params["url"] = "about:blank"  # not the page that the browser would choose


def kinds_of(wanted: object) -> list[Params]:
    """A filter for targets that lets through what the wanted one does, and of that only what a client may have.

    The first entry that matches decides; without a filter, tabs and the browser itself are left out.
    """
    entries = wanted[:MAX_FILTERS] if isinstance(wanted, list) else [{"type": "tab", "exclude": True}, {}]
    through: list[Params] = []
    for kind in KINDS:
        first = next(
            (entry for entry in entries if isinstance(entry, dict) and entry.get("type") in (None, kind)), None
        )
        if first is not None and not first.get("exclude"):
            through.append({"type": kind})
    return [*through, {"exclude": True}]


def _keep_downloads(method: str, params: Params, place: Place) -> None:
    if params.get("behavior") == "deny":
        params.pop("downloadPath", None)
        return
    params["behavior"] = "allowAndName" if method.startswith("Browser") else "allow"
    params["downloadPath"] = place.downloads


def _uploaded(method: str, files: object, place: Place) -> list[str]:
    """The paths of uploaded files that bear the names of these."""
    found: list[str] = []
    named = files if isinstance(files, list) else []
    if len(named) > MAX_FILES:  # each is looked for on the disk
        raise Refusal(f"{method} is refused: {MAX_FILES} files at most.")
    for file in named:
        name = str(file).replace("\\", "/").rpartition("/")[2]
        path = place.uploaded(name)
        if path is None:
            raise Refusal(f"{method} is refused: no file named {name!r} was uploaded for this session.")
        found.append(path)
    return found


def _look_at_drag(method: str, params: Params, place: Place) -> None:
    data = params.get("data")
    if not isinstance(data, dict):
        return
    if data.get("files"):
        data["files"] = _uploaded(method, data["files"], place)
    items = data.get("items")
    dropped = [
        str(item.get("data", ""))
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict) and "uri" in str(item.get("mimeType", ""))
    ]
    if sum(map(len, dropped)) > MOST_DROPPED:
        raise Refusal(f"{method} is refused: its addresses have more than {MOST_DROPPED} characters.")
    lines = [line for each in dropped for line in each.splitlines()]
    if max(len(dropped), len(lines)) > MAX_FILES:
        raise Refusal(f"{method} is refused: {MAX_FILES} addresses at most.")
    for url in (*dropped, *lines):  # a browser may read all of one as an address, without its line ends
        if why := refusal_of_url(url):
            raise Refusal(f"{method} is refused: {why}.")


def _written(message: Message) -> str:
    return msgspec.json.encode(message).decode()


def _answer(message: Message, **said: object) -> str:
    session = {"sessionId": message.sessionId} if message.sessionId else {}
    return msgspec.json.encode({"id": message.id, **said, **session}).decode()
