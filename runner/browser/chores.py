"""The table of acts that ordinary web chores need beside clicks and keys."""

from collections.abc import Awaitable, Callable
from typing import Any

from runner.browser import disclosures, probing, setting, several
from runner.browser.resolve import Handle, Scene
from runner.vocabulary import Action, Expand, Extract, LookFor, Select, SetValue, Verify

CHORES: dict[type[Action], Callable[[Scene, Any, Handle], Awaitable[str]]] = {
    Select: several.choose,
    SetValue: setting.set_value,
    Expand: disclosures.expand,
    LookFor: probing.look_for,
    Verify: probing.verify,
    Extract: probing.read,
}
