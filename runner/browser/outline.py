"""What was seen, as text: numbers for what can be acted on, marks for what is new, cut around the viewport. Pure."""

from collections.abc import Sequence, Set
from itertools import pairwise

import msgspec

from runner.masking import Mask

MOST_CHARACTERS = 40_000
LINE_CHARACTERS = 2_000
NAME_CHARACTERS = 200
VALUE_CHARACTERS = 1_000
NOTE_CHARACTERS = 200
"""Kept free for the notes that tell what is not shown."""

Box = tuple[int, int, int, int]
"""x, y, width and height in CSS pixels."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """One thing of one frame, as its script tells it. `box` is seen from the frame's own viewport.

    `key` names the element as long as its document lives, 0 for a text. `acts` tells that it can be acted on, `frame`
    that it holds one; `quiet` that it was too far away to be listed the last time.
    """

    depth: int
    key: int
    role: str
    name: str = ""
    notes: str = ""
    value: str = ""
    acts: bool = False
    frame: bool = False
    quiet: bool = False
    box: Box = (0, 0, 0, 0)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line and how far it lies from the viewport, in pixels; 0 for one that is in it."""

    depth: int
    text: str
    away: float = 0.0


def line(row: Row, mask: Mask, *, number: int = 0, new: bool = False) -> str:
    """Such as `- *[7] button "Save" [disabled]`, without indentation."""
    value = cut(row.value, VALUE_CHARACTERS, mask)
    if row.role == "text":
        return f"- {'*' * new}text: {value}"
    index = f"[{number}] " if number else ""
    name = f" {quoted(cut(row.name, NAME_CHARACTERS, mask))}" if row.name else ""
    text = f"- {'*' * new}{index}{row.role}{name}{row.notes}{f': {value}' if value else ''}"
    return cut(text, LINE_CHARACTERS, mask)


def quoted(name: str) -> str:
    """In double quotes, with those inside escaped."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def cut(text: str, most: int, mask: Mask) -> str:
    """One line of at most so many characters. Masks before it cuts: half of a secret's value would not be found."""
    end = min(len(text), most)
    if mask and len(text) > most:
        end = min((start for start, stop, _ in mask.spans(text) if start < end < stop), default=end)
    shortened = text[:end] + "…" * (end < len(text))
    return " ".join(mask.text(shortened).splitlines())


def whole(text: str) -> str:
    """Without halves of signs: a page may cut them in two, and none can be told to anybody."""
    return text.encode(errors="replace").decode()


class Marks:
    """Numbers that stay with their elements, and what was there at the last look."""

    def __init__(self, most: int = 50_000) -> None:
        self._numbers: dict[tuple[int, int], int] = {}
        self._next = 1
        self._most = most
        self._shown: Set[object] = frozenset()
        self._looked = False

    def number(self, frame: int, key: int) -> int:
        """The short reference of the element with this key in this document."""
        known = self._numbers.get((frame, key))
        if known is None:
            known = self._numbers[frame, key] = self._next
            self._next += 1
        return known

    def new(self, frame: int, row: Row) -> bool:
        """Whether it was not there at the last look. At the first one nothing is new."""
        return self._looked and not row.quiet and sign(frame, row) not in self._shown

    def looked(self, shown: Set[object], acting: Set[tuple[int, int]]) -> None:
        """These were there. Numbers of what is gone are forgotten only when there are very many."""
        self._shown, self._looked = shown, True
        if len(self._numbers) > self._most:
            self._numbers = {key: number for key, number in self._numbers.items() if key in acting}


def sign(frame: int, row: Row) -> object:
    """What tells whether a row was there before: its element, and the words of what only says something."""
    return (frame, row.key) if row.acts else (frame, row.key, hash(row.value))


def distance(box: Box, height: int) -> float:
    """How far a box lies above or below a viewport of this height."""
    return max(0.0, float(box[1] - height), float(-(box[1] + box[3])))


def capped(lines: Sequence[Line], most: int = MOST_CHARACTERS) -> str:
    """At most so many characters of whole lines: what lies nearest to the viewport, each with the lines it is under."""
    if sum(size(each) for each in lines) <= most:
        return "\n".join(shown(each) for each in lines)
    parents = over(lines)
    kept: set[int] = set()
    left = most - NOTE_CHARACTERS * 2
    for at in sorted(range(len(lines)), key=lambda index: (lines[index].away, index)):
        wanted = [at]
        while (above := parents[wanted[-1]]) >= 0 and above not in kept:
            wanted.append(above)
        if at in kept:
            continue
        cost = sum(size(lines[index]) for index in wanted)
        if cost > left:
            break
        kept.update(wanted)
        left -= cost
    return told(lines, sorted(kept), most)


def told(lines: Sequence[Line], kept: Sequence[int], most: int) -> str:
    """The lines that are kept, with notes where others are cut; without these notes where they would be too many."""
    if not kept:
        return f"({counted(len(lines))} not shown)"
    middle = [index for index in kept if not lines[index].away] or kept
    pivot = middle[len(middle) // 2]
    out = list[str]()
    for before, after in pairwise([-1, *kept, len(lines)]):
        if missing := after - before - 1:
            out.append(f"({counted(missing)} {'above' if after <= pivot else 'below'} not shown)")
        if after < len(lines):
            out.append(shown(lines[after]))
    text = "\n".join(out)
    if len(text) <= most:
        return text
    return "\n".join([f"({counted(len(lines) - len(kept))} not shown)", *(shown(lines[index]) for index in kept)])


def counted(lines: int) -> str:
    """Such as `1 line` or `2,000 lines`."""
    return f"{lines:,} line{'' if lines == 1 else 's'}"


def over(lines: Sequence[Line]) -> list[int]:
    """For each line the index of the one that it is under, -1 for none."""
    parents, open_at = list[int](), list[int]()
    for at, each in enumerate(lines):
        while open_at and lines[open_at[-1]].depth >= each.depth:
            open_at.pop()
        parents.append(open_at[-1] if open_at else -1)
        open_at.append(at)
    return parents


def size(each: Line) -> int:
    """Its characters, with indentation and end."""
    return len(each.text) + 2 * each.depth + 1


def shown(each: Line) -> str:
    """With its indentation."""
    return f"{'  ' * each.depth}{each.text}"
