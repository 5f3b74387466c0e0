"""Values inside events. As with events: add a field with a default; never rename, retype or remove one."""

import msgspec


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A value inside an event."""


class Limits(Part, frozen=True, kw_only=True):
    """How far a task may go. Seconds; paused time eats none of them.

    `max_tokens` counts those of all model calls, in and out; `max_cost_usd` is a decimal string of US dollars; 0 and
    empty do not limit. `breach` says what follows when steps, tokens or cost are used up: `stop` fails the task,
    `pause` parks it, and whoever resumes it allows as much again.
    """

    max_steps: int = 75
    task_seconds: float = 3600.0
    step_seconds: float = 180.0
    action_seconds: float = 10.0
    max_tokens: int = 0
    max_cost_usd: str = ""
    breach: str = "stop"


class Agent(Part, frozen=True, kw_only=True):
    """What the client chose about the model. A model that cannot do what is chosen here leaves it out.

    `flash` asks for acts without evaluation and goal, `thinking` for thoughts before them; `thinking_level` is how much
    it may think by itself: minimal, low, medium, high, or empty for as much as it will. `vision` is `on`, `off` or
    `auto`; `highlight` draws boxes around what can be acted on into the pictures that the model gets. `extension` is
    added to the system prompt. With `judge` a model judges the outcome: `judge_llm` (empty: the task's own), which is
    told `ground_truth`.
    """

    flash: bool = False
    thinking: bool = False
    thinking_level: str = ""
    vision: str = "auto"
    highlight: bool = False
    extension: str = ""
    judge: bool = False
    ground_truth: str = ""
    judge_llm: str = ""


class Replay(Part, frozen=True, kw_only=True):
    """The recorded acts of another task that this one plays before it does anything else.

    `task` is its id; `until` the number of the last step that is played, 0 for all. `inputs` puts other texts in the
    place of those that were typed: each key is the text as the tape has it. `then` tells what follows: `end`, or
    `model`, which goes on with this task's instruction; with `rescue` a model is asked where an act cannot be played.
    """

    task: str
    until: int = 0
    inputs: dict[str, str] = {}
    then: str = "end"
    rescue: bool = False

    @property
    def alone(self) -> bool:
        """Whether no model has a part in it."""
        return self.then != "model" and not self.rescue


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
    `box` is (x, y, width, height) in CSS pixels of the viewport. Where the selector has to count, `among` is how many
    look the same, and `row` begins what its row, list item or card says.
    """

    selector: str
    role: str = ""
    name: str = ""
    frame: str = ""
    box: tuple[int, int, int, int] | None = None
    row: str = ""
    among: int = 0


class Usage(Part, frozen=True, kw_only=True):
    """What a model call cost. `cost_usd` is a decimal string, or None where the price is unknown.

    `cached_tokens` are those of the input that the endpoint had from before.
    """

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: str | None = None
    cached_tokens: int = 0
