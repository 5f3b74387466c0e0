"""What is typed or chosen, and into which fields: one text, or a text for each field. Pure."""

import re

from runner.keyless.clauses import Unclear
from runner.keyless.forms import Found
from runner.keyless.lists import AND
from runner.placeholders import names, placeholder
from runner.vocabulary import Input, Query, Select, SetValue

TYPE = "(?:type|enter|write|input|put|fill in|fill)"
INTO = "(?:into|in to|in|to|for|on)"
TYPED = re.compile(
    rf'(?:the text )?"(?P<text>[0-9]+)" {INTO} (?P<target>.+?)(?:{AND}(?=(?:the text )?"[0-9]+" {INTO} )|\Z)',
    re.IGNORECASE,
)
FILLED = re.compile(rf'(?P<target>.+?) with (?:the text )?"(?P<text>[0-9]+)"(?:{AND}|\Z)', re.IGNORECASE)


def fields(found: Found) -> tuple[Query, ...]:
    """The fields that are to be filled; a place alone is none."""
    targets = found.queries()
    if any(target.kind in ("row", "list item", "section", "dialog", "form", "table") for target in targets):
        raise Unclear('name the field and then its place, as in "Amount" in the row of "Bob"')
    return targets


def field(found: Found) -> Query:
    """The one field that is to be filled."""
    first, *more = fields(found)
    if more:
        raise Unclear("it names several fields; write a sentence for each")
    return first


def type_into(found: Found) -> tuple[Input, ...]:
    """One text into one field or several, or a text for each field."""
    each = found.pairs("all", TYPED) or [found]
    return tuple(Input(text=part.text("text"), target=target) for part in each for target in fields(part))


def fill_in(found: Found) -> tuple[Input, ...]:
    """The same, with the fields first."""
    each = found.pairs("all", FILLED) or [found]
    return tuple(Input(text=part.text("text"), target=target) for part in each for target in fields(part))


def set_text(found: Found) -> Input | SetValue:
    """Into a field, or from a list: which of them it is shows on the page. A secret is only ever typed."""
    text, target = found.text("text"), field(found)
    return Input(text=text, target=target) if names(text) else SetValue(value=text, what="text", target=target)


def select_several(found: Found) -> Select:
    """All of them at once: a list that takes several forgets those chosen one by one."""
    first, *more = found.names("options")
    return Select(option=first, more=tuple(more), target=field(found))


def secret(found: Found) -> str:
    """The placeholder of the secret that is named. Raises Unclear."""
    name = found.name("name") if found.word("name") else found.word("bare")
    if names(placeholder(name)) != [name]:
        raise Unclear("the name of a secret has at most 100 characters, none of them < or >")
    return placeholder(name)
