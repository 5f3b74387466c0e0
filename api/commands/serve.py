"""`serve`: run the service until it is told to end."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from api import model_environment
from api.client import UNSUCCESSFUL, UNUSABLE
from api.commands.common import Json, complain, say, say_json
from api.environment import injected, load
from api.models import Models
from api.settings import Settings
from eventstore.errors import Broken, CannotOpen

OURS = "TAPEWRIGHT_URL"
"""Read by the commands that call a service, and no setting of the service."""


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes any free one.", show_default="8000")] = None,
    data: Annotated[Path | None, typer.Option(help="The directory of the tape and all else.")] = None,
    as_json: Json = False,
) -> None:
    """Run the service. The first start makes an API key and prints it, once."""
    # Here and not above: the browser's library is heavy, and every other command starts in half the time without it.
    from api import serving
    from api.wiring import open_service

    environ = {name: value for name, value in os.environ.items() if name != OURS}
    try:
        settings = load(environ, host=host, port=port, data_dir=data)
        if ignored := injected(environ):
            complain(f"Not read, for they come from Kubernetes and are no settings: {', '.join(ignored)}.")
        models = model_environment.load(settings, environ)
        serving.run(
            settings,
            on_ready=lambda url, new_key: announce(settings, models, url, new_key, as_json=as_json),
            opened=partial(open_service, configured=models),
        )
    except CannotOpen as error:
        complain(str(error))
        raise typer.Exit(UNUSABLE) from error
    except Broken as error:
        complain(f"The log has failed, and the service has ended: {error}")
        raise typer.Exit(UNSUCCESSFUL) from error


def announce(settings: Settings, models: Models, url: str, new_key: str | None, *, as_json: bool) -> None:
    """Say where it listens, where the data is, which models there are, and the fresh key: in a line of its own."""
    if as_json:
        say_json({"url": url, "data": str(settings.data_dir), "api_key": new_key, "models": models.names()})
        return
    out = Console(highlight=False, markup=False, soft_wrap=True)
    if new_key:
        out.print("\nThis is your API key. It is shown this once and cannot be read again:\n", style="bold yellow")
        out.print(f"TAPEWRIGHT_API_KEY={new_key}\n", style="bold")
    say(f"Tapewright listens on {url}")
    say(f"Its data is in {settings.data_dir}")
    say(f"Its models are {models.told()}; tasks that name none get {models.default}")
