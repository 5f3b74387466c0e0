"""Every setting of the service: one field each, with its bounds and what to say of it. `environment.py` reads them."""

import os
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from eventstore.secrets import Secret
from eventstore.space import RESERVE


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "tapewright"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may choose. The description of a field is what the README and the error messages say of it."""

    data_dir: Annotated[
        Path, Meta(description="the directory of the tape, the screenshots and the vault; created when it is missing")
    ] = msgspec.field(default_factory=_default_data_dir)
    host: Annotated[str, Meta(min_length=1, description="the address to listen on")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="the port, 0 to 65535; 0 takes any free one")] = 8000
    api_key: Annotated[
        str | None,
        Meta(description="a key that clients may use, 16 characters at least; without it the first start makes one"),
    ] = None
    public_url: Annotated[
        str | None,
        Meta(description="the URL under which clients reach the service, http or https, for links in answers"),
    ] = None
    vault_key: Annotated[
        Secret | None,
        Meta(description="the key of the vault: 32 bytes as 64 hex digits or base64; without it one is made beside it"),
    ] = None
    max_concurrent: Annotated[int, Meta(ge=0, le=256, description="how many tasks run at once, 0 to 256")] = 4
    max_browsers: Annotated[
        int, Meta(ge=0, le=64, description="how many browsers clients may drive by themselves at once, 0 to 64")
    ] = 4
    screenshots: Annotated[bool, Meta(description="whether every step keeps a picture of the page, true or false")] = (
        True
    )
    recordings: Annotated[
        Literal["asked", "all", "off"],
        Meta(
            description="of which tasks there is a video: those that ask for one (asked), all, or none (off); videos"
            " need the extra recordings"
        ),
    ] = "asked"
    browser: Annotated[
        str | None,
        Meta(description="the Chrome or Chromium to run, or the URL of a remote one; without it one is looked for"),
    ] = None
    allow_private: Annotated[
        str,
        Meta(
            description="what pages may reach beside the public network: loopback, private, all, or networks such as"
            " 10.1.0.0/16, separated by commas"
        ),
    ] = ""
    isolation: Annotated[
        Literal["context", "browser"],
        Meta(
            description="context: tasks share a browser; browser: each has one of its own, which outlives the service"
        ),
    ] = "context"
    browser_grace: Annotated[
        float,
        Meta(gt=0, le=86400, description="how long a browser of its own waits for the service to return, in seconds"),
    ] = 60.0
    proxies: Annotated[
        Secret | None,
        Meta(
            description="the HTTP proxies that tasks leave through by country, such as us=http://user:password@host:3128,"
            " with commas between"
        ),
    ] = None
    headless: Annotated[bool, Meta(description="whether the browser runs without a window, true or false")] = True
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="how much is logged: debug, info, warning or error"),
    ] = "info"
    max_body_bytes: Annotated[
        int, Meta(ge=1024, le=1 << 30, description="the largest request body in bytes, 1024 at least")
    ] = 1 << 20
    cors_origins: Annotated[
        str,
        Meta(
            pattern=r"^\s*(https?://[^/\s,*]+/?\s*(,\s*https?://[^/\s,*]+/?\s*)*)?$",
            description="origins whose web pages may call the API, exact, with commas between; without it none may",
        ),
    ] = ""
    max_connections: Annotated[
        int,
        Meta(
            ge=16,
            le=100_000,
            description="how many connections may be open at once, 16 at least; half as many event streams for one key",
        ),
    ] = 4_096
    rate_limit: Annotated[
        float,
        Meta(
            ge=0,
            le=1_000_000,
            description="how many requests a second one key may make, and twice as many in a burst; 0: any number",
        ),
    ] = 1_000.0
    action_seconds: Annotated[
        float, Meta(gt=0, le=3600, description="how long one act in the browser may take, in seconds")
    ] = 10.0
    step_seconds: Annotated[float, Meta(gt=0, le=86400, description="how long one step may take, in seconds")] = 180.0
    task_seconds: Annotated[
        float, Meta(gt=0, le=604800, description="how long a task may run, in seconds; paused time does not count")
    ] = 3600.0
    input_seconds: Annotated[
        float,
        Meta(gt=0, le=2592000, description="how long a task waits for a person's answer to its question, in seconds"),
    ] = 3600.0
    max_attempts: Annotated[
        int,
        Meta(ge=1, le=1000, description="how many attempts at a task may be lost in a row without a step, 1 to 1000"),
    ] = 3
    paused_browser_grace: Annotated[
        float, Meta(gt=0, le=604800, description="how long a paused task keeps its browser, in seconds")
    ] = 1800.0
    session_idle: Annotated[
        float,
        Meta(gt=0, le=604800, description="how long a session keeps its browser open after a task, in seconds"),
    ] = 900.0
    session_seconds: Annotated[
        float,
        Meta(ge=0, le=31536000, description="how long a session for several tasks lives, in seconds; 0: for ever"),
    ] = 86400.0
    max_idle_sessions: Annotated[
        int,
        Meta(ge=0, le=256, description="how many sessions may keep their browsers open between tasks, 0 to 256"),
    ] = 8
    missed_runs: Annotated[
        Literal["once", "skip"],
        Meta(
            description="of a schedule's runs that were due while the service was down, once: the last one is made up"
            " for; skip: none"
        ),
    ] = "once"
    models: Annotated[
        Path | None,
        Meta(
            description="the table of models, a TOML file; without it there are those that the environment has keys for"
        ),
    ] = None
    model: Annotated[
        str | None,
        Meta(
            description="the model of tasks that name none, such as gpt-4.1, ollama:qwen3:8b or instructions; without"
            " it the first of the table, or instructions",
        ),
    ] = None
    model_aliases: Annotated[
        str,
        Meta(
            pattern=r"^\s*([^\s,=]+=[^\s,=]+\s*(,\s*[^\s,=]+=[^\s,=]+\s*)*)?$",
            description="what other models are called for, such as gpt-4.1=instructions, with commas between; *=… is"
            " for any other name",
        ),
    ] = ""
    max_tokens: Annotated[
        int,
        Meta(ge=0, le=1 << 40, description="how many tokens models may use for one task, in and out; 0: any number"),
    ] = 0
    max_cost_usd: Annotated[
        float, Meta(ge=0, le=1e6, description="what models may cost for one task, in US dollars; 0: any amount")
    ] = 0.0
    on_limit: Annotated[
        Literal["stop", "pause"],
        Meta(
            description="of a task that has used up its steps, tokens or cost, stop: it fails; pause: it waits, and to"
            " resume it allows as much again"
        ),
    ] = "stop"
    budget_usd: Annotated[
        float, Meta(ge=0, le=1e9, description="the balance that clients are told, in US dollars; nothing is charged")
    ] = 50.0
    disk_reserve: Annotated[
        int,
        Meta(ge=0, description="how many bytes must be free on the disk for new tasks and pictures; the rest run on"),
    ] = RESERVE
    keep_screenshots_days: Annotated[
        float,
        Meta(ge=0, le=36500, description="for how many days after the end of a task its pictures stay; 0: for ever"),
    ] = 30.0
    keep_files_days: Annotated[
        float,
        Meta(
            ge=0,
            le=36500,
            description="for how many days the files of a task stay after its end, and uploads that no task names;"
            " 0: for ever",
        ),
    ] = 30.0
    keep_recordings_days: Annotated[
        float,
        Meta(ge=0, le=36500, description="for how many days after the end of a task its videos stay; 0: for ever"),
    ] = 30.0
    uploads_bytes: Annotated[
        int, Meta(ge=0, description="how many bytes of uploaded files one project may keep; 0: it may upload none")
    ] = 1 << 30
    downloads_bytes: Annotated[
        int, Meta(ge=0, description="how many bytes one task may download as files; 0: it may download none")
    ] = 100 * 1024 * 1024
    keep_tasks_days: Annotated[
        float,
        Meta(ge=0, le=36500, description="after how many days an ended task is redacted, 0 for never"),
    ] = 0.0
    durability: Annotated[
        Literal["full", "normal"],
        Meta(
            description="full: an answer means that the event outlives a power cut; normal: that it outlives a crash",
        ),
    ] = "full"
