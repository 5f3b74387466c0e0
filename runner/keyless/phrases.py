"""Reads how an element is called: an article, an ordinal, a kind, a name, then where it is. Pure and linear.

A name needs no quotes where it is plain that it is all name: `click Save`, `the Save button`, `into Email`.
"""

import re

import msgspec

from runner.keyless.clauses import Unclear
from runner.keyless.values import ORDINAL, counted, ordinal
from runner.vocabulary import Query

# The kinds that a query may have, and the words for each. The kind itself is always one of its words.
KINDS = {
    "button": ("button",),
    "link": ("link", "hyperlink"),
    "field": ("field", "text field", "input field", "input", "input box", "text box", "textbox", "text area",
              "textarea"),
    "box": ("box",),
    "dropdown": ("dropdown", "drop-down", "dropdown menu", "drop-down menu", "dropdown list", "drop-down list",
                 "select box", "combobox", "combo box", "listbox", "list box"),
    "checkbox": ("checkbox", "check box", "tick box"),
    "radio": ("radio", "radio button"),
    "switch": ("switch", "toggle"),
    "slider": ("slider",),
    "option": ("option",),
    "tab": ("tab",),
    "menu": ("menu",),
    "menu item": ("menu item", "menuitem"),
    "heading": ("heading", "headline"),
    "image": ("image", "picture"),
    "icon": ("icon",),
    "table": ("table",),
    "row": ("row", "table row"),
    "cell": ("cell", "table cell"),
    "list": ("list",),
    "list item": ("list item",),
    "paragraph": ("paragraph",),
    "text": ("text", "label"),
    "dialog": ("dialog", "modal", "popup"),
    "form": ("form",),
    "section": ("section", "region", "area", "panel", "group", "card", "sidebar", "toolbar", "navigation"),
}  # fmt: skip
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}
# Without an article these end a phrase as kinds (`click Save button`); others may belong to the name (`click Add row`).
PLAIN_KINDS = {"button", "link", "field", "box", "dropdown", "checkbox", "radio", "switch"}


def _any(words: list[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


KIND = rf"(?:{_any(list(KIND_OF))})(?![\w-])"
ARTICLE = r"(?:(?P<article>the|a|an|this|that) )?"
ORDER = rf"(?:(?P<ordinal>{ORDINAL}) )?"
COUNT = r"(?: (?:number |no\. ?|# ?)(?P<count>[0-9]{1,4})(?!\w))?"
CALLED = r"(?:named|called|labell?ed|titled|saying|of|for|with|containing|with the (?:text|name|label|title)|that says)"
QUOTED = re.compile(
    rf'{ARTICLE}{ORDER}(?:(?P<before>{KIND}) (?:{CALLED} )?)?"(?P<name>[0-9]+)"(?: (?P<after>{KIND}))?{COUNT}',
    re.IGNORECASE,
)
NAMELESS = re.compile(rf"{ARTICLE}{ORDER}(?P<before>{KIND}){COUNT}", re.IGNORECASE)
PLAIN = re.compile(rf"{ARTICLE}(?P<name>.+?)(?: (?P<after>{KIND}))?", re.IGNORECASE)

IN = r"(?:in|within|inside|on|from|of)"
ROWS = r"(?:table row|row|list item|item|card|entry|line)"
HOLDS = r"(?:of|for|with|containing|that (?:contains|has|says|holds)|named|called|labell?ed)"
PLACES = r"(?:section|region|area|panel|group|form|dialog|modal|popup|card|sidebar|toolbar|navigation|menu|list|table)"
SCOPES = (
    ("column", r'(?:in|from|of) (?:the )?"(?P<name>[0-9]+)" column'),
    ("column", r'(?:in|from|of) (?:the )?column (?:(?:named|called|labell?ed|titled|of) )?"(?P<name>[0-9]+)"'),
    ("row", rf'{IN} (?:the )?{ROWS} (?:{HOLDS} )?(?:the text )?"(?P<name>[0-9]+)"'),
    ("row", rf'{IN} (?:the )?"(?P<name>[0-9]+)" {ROWS}'),
    ("within", rf'{IN} (?:the )?{PLACES} (?:(?:named|called|labell?ed|titled) )?"(?P<name>[0-9]+)"'),
    ("within", rf'{IN} (?:the )?"(?P<name>[0-9]+)" {PLACES}'),
    ("within", r'(?:in|within|inside) (?:the )?"(?P<name>[0-9]+)"'),
    ("above", rf'above (?:the )?(?:{KIND} )?"(?P<name>[0-9]+)"(?: {KIND})?'),
    ("below", rf'(?:below|beneath|underneath) (?:the )?(?:{KIND} )?"(?P<name>[0-9]+)"(?: {KIND})?'),
    ("under", rf'under (?:the )?(?:{KIND} )?"(?P<name>[0-9]+)"(?: {KIND})?'),
    ("left_of", rf'(?:to the )?left of (?:the )?(?:{KIND} )?"(?P<name>[0-9]+)"(?: {KIND})?'),
    ("right_of", rf'(?:to the )?right of (?:the )?(?:{KIND} )?"(?P<name>[0-9]+)"(?: {KIND})?'),
    ("near", rf'(?:near|next to|beside|close to) (?:the )?(?:{KIND} )?"(?P<name>[0-9]+)"(?: {KIND})?'),
)
TAILS = tuple((scope, re.compile(rf",? {pattern}(?![^\s,])", re.IGNORECASE)) for scope, pattern in SCOPES)

# Words that a name without quotes cannot have: they say that more is meant than a name.
NOT_A_NAME = re.compile(
    r"[\"“”„«»`,:;()]"
    r"|^(?:all|any|both|each|every|everything|it|something|them|this|that|one|here|there|some|whichever)\b"
    r"|(?<![\w-])(?:if|unless|again|twice|times|when|until|while|whenever|which|whose|who|where|because|or|and|but|with|without|near|within"
    r"|inside|beside|next to|(?:in|of) row|row (?:of|with|for|containing)"
    r"|(?:in|of|on|from|to|at|for) (?:the|each|every|all|any|this|that))(?![\w-])",
    re.IGNORECASE,
)
QUOTE_IT = 'put the name in quotes, as in "Save"'


def element(words: str, literals: tuple[str, ...]) -> Query:
    """The element that the whole phrase names. Raises Unclear."""
    head, end = _head(words, literals)
    scopes: dict[str, str] = {}
    while end < len(words):
        scope, name, end = _tail(words, end, literals)
        if scope in scopes:
            raise Unclear(f"it says {scope} twice; one place of a kind is enough")
        scopes[scope] = name
    if "under" in scopes:  # what is under a header is in its column
        scopes["column" if head.kind == "cell" or "row" in scopes else "below"] = scopes.pop("under")
    return msgspec.structs.replace(head, **scopes)


def _head(words: str, literals: tuple[str, ...]) -> tuple[Query, int]:
    """What stands before the places, and where it ends."""
    if match := QUOTED.match(words):
        if match["before"] and match["after"]:
            raise Unclear("it names two kinds of element; one is enough")
        kind = KIND_OF[(match["before"] or match["after"] or "").lower()] if match["before"] or match["after"] else ""
        return Query(text=_name(match, literals), kind=kind, ordinal=_which(match)), match.end()
    match = NAMELESS.match(words)
    if match and (match["article"] or match["ordinal"] or match["count"]) and _ends_head(words, match.end()):
        return Query(kind=KIND_OF[match["before"].lower()], ordinal=_which(match)), match.end()
    end = min((tail.start() for _, pattern in TAILS if (tail := pattern.search(words))), default=len(words))
    return _plain(words[:end]), end


def _plain(words: str) -> Query:
    """A name without quotes, where it is plain that it is all name."""
    match = PLAIN.fullmatch(words) if len(words) <= 80 else None
    if not match:
        raise Unclear(QUOTE_IT)
    name, kind = match["name"], KIND_OF.get((match["after"] or "").lower(), "")
    if kind and not match["article"] and kind not in PLAIN_KINDS:
        name, kind = f"{name} {match['after']}", ""
    first = NAMELESS.match(name)
    leads = first is not None and first.end() < len(name) and not kind
    counts = re.match(rf"{ORDINAL}(?!\S)", name, re.IGNORECASE)
    if NOT_A_NAME.search(name) or leads or counts or len(name.split()) > 6:
        raise Unclear(QUOTE_IT)
    return Query(text=name, kind=kind)


def _ends_head(words: str, end: int) -> bool:
    return end == len(words) or any(pattern.match(words, end) for _, pattern in TAILS)


def _tail(words: str, start: int, literals: tuple[str, ...]) -> tuple[str, str, int]:
    for scope, pattern in TAILS:
        if match := pattern.match(words, start):
            return scope, _name(match, literals), match.end()
    raise Unclear('after the name only a place can follow: in the row of "Bob", within "Billing" or near "Total"')


def _name(match: re.Match[str], literals: tuple[str, ...]) -> str:
    text = literals[int(match["name"])]
    if not text.strip():
        raise Unclear("the quotes around a name are empty")
    return text


def _which(match: re.Match[str]) -> int:
    if match["ordinal"] and match["count"]:
        raise Unclear("it counts twice; one number is enough")
    return counted(match["count"]) if match["count"] else ordinal(match["ordinal"] or "")
