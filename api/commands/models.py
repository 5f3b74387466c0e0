"""`models`: which models a service has."""

from rich.text import Text

from api.client import connect
from api.commands.common import LOCAL, Json, Key, Url, finish, say_json, show_table, table
from api.tape_models import ModelList, ModelView
from api.text import plain

PICTURES = {True: "yes", False: "no", None: "not known"}


def models(url: Url = LOCAL, key: Key = "", as_json: Json = False) -> None:
    """List the models that tasks may name, the default first."""
    finish(_models(url, key, as_json=as_json))


async def _models(url: str, key: str, *, as_json: bool) -> None:
    async with connect(url, key) as client:
        found = await client.get("/api/tape/models", ModelList)
    if as_json:
        say_json(found)
        return
    grid = table("name", "provider", "pictures", "")
    for model in found.models:
        grid.add_row(Text(plain(model.name)), Text(plain(model.provider)), PICTURES[model.vision], Text(_notes(model)))
    for name, stands_for in found.aliases.items():
        grid.add_row(Text(plain(name)), "", "", Text(f"stands for {plain(stands_for)}"))
    show_table(grid)


def _notes(model: ModelView) -> str:
    notes = ["default"] if model.default else []
    notes += [f"falls back to {plain(model.fallback)}"] if model.fallback else []
    return ", ".join(notes)
