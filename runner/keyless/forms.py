"""What one row of the table of sentence forms is, and how it reads a clause. Pure.

In a pattern, `"text"` is a quoted text of that name and `{target}` an element phrase; the rest is a regular expression
over single spaces. Each pattern has at most two open-ended parts, so that no clause takes long to refuse.
"""

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from runner.keyless import lists
from runner.keyless.clauses import Clause, Unclear
from runner.keyless.phrases import element
from runner.vocabulary import Action, AnyAction, Query


class Found:
    """A clause that fits a pattern: its parts by name."""

    def __init__(self, match: re.Match[str], literals: tuple[str, ...]) -> None:
        self._match = match
        self._literals = literals

    def word(self, name: str) -> str:
        """A part as it stands, quoted texts as numbers; empty if it is not there."""
        return self._match.groupdict().get(name) or ""

    def has(self, *names: str) -> bool:
        """Whether one of the parts is there, be it empty."""
        return any(self._match.groupdict().get(name) is not None for name in names)

    def text(self, name: str) -> str:
        """What a quoted part says; empty if it is not there."""
        number = self.word(name)
        return self._literals[int(number)] if number else ""

    def name(self, name: str) -> str:
        """A quoted part that must say something. Raises Unclear."""
        if not self.text(name).strip():
            raise Unclear("the quotes are empty")
        return self.text(name)

    def said(self, name: str) -> str:
        """A part as it was said, quoted texts in quotes."""
        return re.sub(r'"([0-9]+)"', lambda quoted: f'"{self._literals[int(quoted[1])]}"', self.word(name))

    def loose(self, name: str) -> str:
        """A part that may stand in quotes or not."""
        quoted = re.fullmatch(r'"([0-9]+)"', self.word(name))
        return self._literals[int(quoted[1])] if quoted else self.word(name)

    def within(self, name: str, pattern: re.Pattern[str]) -> "Found | None":
        """A part read further, or None if it does not fit."""
        match = pattern.fullmatch(self.word(name))
        return Found(match, self._literals) if match else None

    def query(self, name: str = "target") -> Query:
        """The element that a part names. Raises Unclear."""
        return element(self.word(name), self._literals)

    def queries(self, name: str = "target") -> tuple[Query, ...]:
        """The elements that a part names, one or a list. Raises Unclear."""
        return lists.elements(self.word(name), self._literals)

    def things(self, name: str = "target", *, single: bool = False) -> Query | None:
        """What a part names in the plural, or with `single` in the singular too, or None. Raises Unclear."""
        return lists.things(self.word(name), self._literals, single=single)

    def names(self, name: str) -> tuple[str, ...]:
        """The quoted texts of a part, each of which must say something. Raises Unclear."""
        return lists.names(self.word(name), self._literals)

    def pairs(self, name: str, pattern: re.Pattern[str]) -> "list[Found] | None":
        """A part that is one thing of the pattern after another, or None."""
        word, found = self.word(name), []
        position = 0
        while match := pattern.match(word, position):
            found.append(Found(match, self._literals))
            position = match.end()
        return found if len(found) > 1 and position == len(word) else None


Build: TypeAlias = Callable[[Found], AnyAction | tuple[AnyAction, ...]]
"""Makes the action of a clause, or one for each thing that it lists."""


class Form(msgspec.Struct, frozen=True):
    """One way to say one action, or one of each thing in a list.

    `shape` is the form as people read it, `example` a sentence of it. `verbs` open it (a regular expression); what
    follows them fits one of `patterns`. `build` makes the action, or raises Unclear.
    """

    shape: str
    example: str
    verbs: str
    patterns: tuple[re.Pattern[str], ...]
    build: Build

    def read(self, clause: Clause) -> Sequence[AnyAction]:
        """The actions, none if the clause is not of this form. Raises Unclear if it is, but cannot be."""
        for pattern in self.patterns:
            if match := pattern.fullmatch(clause.words):
                built = self.build(Found(match, clause.literals))
                return (built,) if isinstance(built, Action) else built
        return ()


def form(shape: str, example: str, verbs: str, rests: str | tuple[str, ...], build: Build) -> Form:
    """A row of the table. An empty rest is a sentence of the verbs alone."""
    several = (rests,) if isinstance(rests, str) else rests
    return Form(shape, example, verbs, tuple(_compiled(verbs, rest) for rest in several), build)


def _compiled(verbs: str, rest: str) -> re.Pattern[str]:
    rest = re.sub(r'"([a-z]+)"', r'"(?P<\1>[0-9]+)"', rest)
    rest = re.sub(r"\{([a-z]+)\}", r"(?P<\1>.+?)", rest)
    return re.compile(f"(?:{verbs})" + (f" {rest}" if rest else ""), re.IGNORECASE)
