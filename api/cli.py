"""The command line: which commands there are. Each is a file or a function in `commands/`."""

from importlib.metadata import version as version_of

import typer

from api.commands import answer, diff, keys, models, removals, rerun, run, serve, show, tape, tasks, verify, webhooks
from api.commands.common import EXIT_CODES, Json, say, say_json
from api.demo import demo

PROGRAM = "tapewright"


def version(as_json: Json = False) -> None:
    """Print the version."""
    number = version_of(PROGRAM)
    if as_json:
        say_json({"name": PROGRAM, "version": number})
    else:
        say(f"{PROGRAM} {number}")


def assemble() -> typer.Typer:
    """The command line with all its commands, in the order in which people need them."""
    app = typer.Typer(
        name=PROGRAM,
        help="A self-hosted service for browser-agent tasks whose state is its audit log.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in (
        serve.serve,
        run.run,
        rerun.rerun,
        rerun.fork,
        tasks.tasks,
        show.show,
        diff.diff,
        tasks.pause,
        tasks.resume,
        tasks.stop,
        answer.answer,
        models.models,
        tape.tail,
        verify.verify,
        verify.accept_loss,
        removals.prune,
        removals.redact,
        demo.demo,
        version,
    ):
        app.command()(command)
    app.add_typer(keys.app, name="keys")
    app.add_typer(webhooks.app, name="webhooks")
    return app


def main() -> None:
    """The console script `tapewright`."""
    assemble()(prog_name=PROGRAM)


if __name__ == "__main__":
    main()
