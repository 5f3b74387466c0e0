"""Values inside events. As with events: add a field with a default; never rename, retype or remove one."""

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A value inside an event."""


class Limits(Part, frozen=True, kw_only=True):
    """How far a task may go. Seconds; paused time eats none of them."""

    max_steps: int = 75
    task_seconds: float = 3600.0
    step_seconds: float = 180.0
    action_seconds: float = 10.0


class Proxy(Part, frozen=True, kw_only=True):
    """An HTTP proxy that a client brought. Where it wants a user and a password, they are in the vault under `secret`.

    With `untrusted` the certificates that come through it are not checked: it may have put its own in their place.
    """

    host: str
    port: int
    secret: str = ""
    untrusted: bool = False


class Options(Part, frozen=True, kw_only=True):
    """What the client chose about the browser. `given` keeps wire fields that have no effect here yet, as JSON text.

    `profile` is the id of the profile that it begins with, `country` the code whose proxy it leaves through. With
    `save_state` its cookies are kept for the client to read, with `record` there is a video of each task.
    """

    viewport_width: int = 1280
    viewport_height: int = 960
    given: str = "{}"
    profile: str = ""
    proxy: Proxy | None = None
    country: str = ""
    save_state: bool = False
    record: bool = False


class File(Part, frozen=True, kw_only=True):
    """A file by its SHA-256 hex in the blobs. `size` is in bytes; `id` is a UUID."""

    id: str
    name: str
    blob: str
    size: int
    content_type: str = ""


class Target(Part, frozen=True, kw_only=True):
    """The one element that an act resolved to.

    `selector` is Playwright's normalised selector, so that a rerun finds the same element or says that it cannot.
    `box` is (x, y, width, height) in CSS pixels of the viewport.
    """

    selector: str
    role: str = ""
    name: str = ""
    frame: str = ""
    box: tuple[int, int, int, int] | None = None


class Usage(Part, frozen=True, kw_only=True):
    """What a model call cost. `cost_usd` is a decimal string, or None where the price is unknown."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: str | None = None
