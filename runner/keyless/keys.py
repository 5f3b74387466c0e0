"""The names that people give to keys, and Playwright's names for them. Pure."""

import re

MODIFIERS = {
    "ctrl": "Control", "control": "Control", "shift": "Shift", "alt": "Alt", "option": "Alt", "opt": "Alt",
    "meta": "Meta", "cmd": "Meta", "command": "Meta", "⌘": "Meta", "win": "Meta", "windows": "Meta", "super": "Meta",
}  # fmt: skip
KEYS = {
    "enter": "Enter", "return": "Enter", "tab": "Tab", "escape": "Escape", "esc": "Escape", "space": "Space",
    "spacebar": "Space", "space bar": "Space", "backspace": "Backspace", "delete": "Delete", "del": "Delete",
    "insert": "Insert", "ins": "Insert", "home": "Home", "end": "End", "plus": "+", "minus": "-",
    "pageup": "PageUp", "page up": "PageUp", "pgup": "PageUp",
    "pagedown": "PageDown", "page down": "PageDown", "pgdn": "PageDown", "pgdown": "PageDown",
    "arrowup": "ArrowUp", "arrow up": "ArrowUp", "up arrow": "ArrowUp", "up": "ArrowUp",
    "arrowdown": "ArrowDown", "arrow down": "ArrowDown", "down arrow": "ArrowDown", "down": "ArrowDown",
    "arrowleft": "ArrowLeft", "arrow left": "ArrowLeft", "left arrow": "ArrowLeft", "left": "ArrowLeft",
    "arrowright": "ArrowRight", "arrow right": "ArrowRight", "right arrow": "ArrowRight", "right": "ArrowRight",
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
}  # fmt: skip
# In quotes these may as well be the name of a button.
AMBIGUOUS = frozenset({"delete", "insert", "home", "end"})
LONGEST = 40


def keys(text: str) -> str:
    """A key or a chord in Playwright's spelling, or empty if it is none.

    A letter in a chord is the one that a keyboard gives: Ctrl+A is `Control+a`, and Ctrl+Shift+A is `Control+Shift+A`.
    """
    chord = re.sub(r" ?\+ ?", "+", text.strip()) if len(text) <= LONGEST else ""
    if re.match(rf"(?:{'|'.join(MODIFIERS)})-\S", chord, re.IGNORECASE):
        chord = re.sub(r"-(?=.)", "+", chord)
    *before, key = ["+"] if chord == "+" else _split(chord)
    modifiers = [MODIFIERS.get(name.lower(), "") for name in before]
    if not all(modifiers) or len(set(modifiers)) < len(modifiers):
        return ""
    named = KEYS.get(key.lower()) or MODIFIERS.get(key.lower(), "")
    if not named and len(key) == 1 and key.isprintable() and not key.isspace():
        named = key if not modifiers else key.upper() if "Shift" in modifiers else key.lower()
    return "+".join([*modifiers, named]) if named else ""


def _split(chord: str) -> list[str]:
    """`Control++` is Control and the plus key."""
    return [*chord[:-2].split("+"), "+"] if chord.endswith("++") else chord.split("+")
