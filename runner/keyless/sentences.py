"""The table of sentences that act: one row a form, tried from the top. Those that look are in readings.py. Pure."""

import re

import msgspec

from runner.keyless import values
from runner.keyless.clauses import Unclear
from runner.keyless.filling import INTO, TYPE, field, fields, fill_in, secret, select_several, set_text, type_into
from runner.keyless.forms import Found, form
from runner.keyless.keys import AMBIGUOUS, keys
from runner.keyless.lists import NAMES
from runner.vocabulary import (
    Check,
    Clear,
    Click,
    Drag,
    GoBack,
    GoForward,
    Hover,
    Input,
    Navigate,
    Press,
    Reload,
    Scroll,
    Select,
    SwitchTab,
    Upload,
)

KEY_PHRASE = re.compile(
    r'(?:the )?(?:"(?P<quoted>[0-9]+)"|(?P<plain>[^"]{1,40}?))(?P<named> keys?)?(?: (?:in|on|inside) (?P<target>.+))?',
    re.IGNORECASE,
)
CLICKABLE = re.compile(r'"| (?:button|link|icon|tab|option)(?!\S)', re.IGNORECASE)


def navigate(found: Found) -> Navigate:
    return Navigate(url=values.url(found.loose("url").removeprefix("<").removesuffix(">")))


def open_named(found: Found) -> Navigate:
    """A quoted name that is no address is that of something on the page."""
    try:
        return navigate(found)
    except Unclear:
        name = found.loose("url")
        if not name.strip() or re.search(r"[:/.@]", name):
            raise
        raise Unclear(f'it is no URL; write open the "{name}" section, tab or menu, or click "{name}"') from None


def press(found: Found) -> Press | Click:
    """`press Enter` is a key; `press "Save"` and `press the Save button` are clicks."""
    phrase = found.word("all")
    part = found.within("all", KEY_PHRASE)
    quoted = part.text("quoted") if part else ""
    named = bool(part and part.word("named"))
    if quoted and not named and (quoted.lower() in AMBIGUOUS or len(quoted) == 1):
        raise Unclear(f'it may be a key or a button; write press the {quoted} key, or click "{quoted}"')
    chord = keys(quoted or part.word("plain")) if part else ""
    if part and chord:
        return Press(keys=chord, target=part.query() if part.word("target") else None)
    if named or not CLICKABLE.search(phrase):
        raise Unclear('it is no key; write press Enter or press Control+A, and for a button click "Save"')
    return Click(target=found.query("all"))


def upload(found: Found) -> Upload:
    """Where a file goes is a file field, whichever word for a field was used."""
    target = found.query()
    plain = msgspec.structs.replace(target, kind="") if target.kind in ("field", "box") else target
    return Upload(path=found.name("file"), target=plain)


def choose(found: Found) -> Check:
    """What is chosen without a list to choose from is a radio button."""
    if of := re.fullmatch(r"(?P<option>.+?) as (?P<field>[^\"]+)", said := found.said("target")):
        option = of["option"].strip('"')
        name = said.replace('"', "")
        raise Unclear(f'write select "{option}" from "{of["field"]}", or if it is one button, choose "{name}"')  # noqa: S608 - no SQL
    target = found.query()
    return Check(target=target if target.kind else msgspec.structs.replace(target, kind="radio"))


def select_alone(found: Found) -> Check:
    target = found.query()
    if target.kind not in ("radio", "checkbox", "switch"):
        raise Unclear(
            'say from which field, as in select "Large" from "Size"; for a radio button write choose "Large", '
            "and for a tab click it"
        )
    return Check(target=target)


def scroll_along(found: Found) -> Scroll:
    direction = found.word("direction").lower()
    return Scroll(direction={"end": "bottom", "start": "top", "beginning": "top"}.get(direction, direction))


def tab_number(found: Found) -> SwitchTab:
    if found.word("ordinal"):
        return SwitchTab(number=values.ordinal(found.word("ordinal")))
    return SwitchTab(number=values.counted(found.word("number")))


CLICK = r"(?:click|tap)(?: on)?"
TO_TAB = "(?:switch|go|change)(?: back)? to"
PAGE = r"(?: of the page)?"

ACTING = (
    form(
        'switch to tab 2, to the last tab, to tab "title"', "switch to the last tab", TO_TAB,
        (r"(?:the )?tab (?:number )?(?P<number>[0-9]{1,4})", rf"(?:the )?(?P<ordinal>{values.ORDINAL}) tab"),
        tab_number,
    ),
    form(
        "", 'switch to tab "Invoice"', TO_TAB,
        (r'(?:the )?tab (?:named |called |titled )?"title"', r'(?:the )?"title" tab'),
        lambda found: SwitchTab(text=found.name("title")),
    ),
    form(
        "scroll down, up, to the top, to the bottom", "scroll to the bottom", "scroll|go",
        (r"(?:down )?to (?:the )?(?:very )?(?P<direction>top|bottom|end|start|beginning)" + PAGE,),
        scroll_along,
    ),
    form(
        "", "scroll down", "scroll",
        r"(?:the page )?(?P<direction>down|up)(?: the page| (?:by )?(?:a|one) (?:page|screen))?",
        scroll_along,
    ),
    form(
        'scroll to "name"', 'scroll to the "Reviews" heading', "scroll",
        (r"(?:down |up )?(?:to|until) {target}", r"{target} into view"),
        lambda found: Scroll(target=found.query()),
    ),
    form(
        "go back", "go back", "go back|navigate back", ("", r"(?:to the previous page|(?:a|one) page)"),
        lambda _: GoBack(),
    ),
    form("go forward", "go forward", "go forward|navigate forward", ("", r"(?:a|one) page"), lambda _: GoForward()),
    form("reload", "reload the page", "reload|refresh", ("", "(?:the |this )?page"), lambda _: Reload()),
    form(
        'double-click "name"', 'double-click the "Report" icon', r"double[- ]?click(?: on)?", "{target}",
        lambda found: Click(target=found.query(), count=2),
    ),
    form(
        'right-click "name"', 'right-click "photo.png"', r"right[- ]?click(?: on)?", "{target}",
        lambda found: Click(target=found.query(), button="right"),
    ),
    form(
        'click "name"', 'click the "Delete" button in the row of "Bob"', CLICK, "{target}",
        lambda found: tuple(Click(target=target) for target in found.queries()),
    ),
    form("press a key or chord", 'press Enter in "Search"', "press|hit", "(?P<all>.+)", press),
    form(
        'hover over "name"', 'hover over "Account"', r"hover(?: over| on)?|move the mouse (?:over|onto|on|to)",
        "{target}",
        lambda found: Hover(target=found.query()),
    ),
    form(
        'type the secret "name" into "field"', 'type the secret "password" into "Password"', TYPE,
        (rf'(?:the )?secret "name" {INTO} {{target}}', rf"(?:the )?secret (?P<bare>[\w.-]+) {INTO} {{target}}"),
        lambda found: Input(text=secret(found), target=field(found)),
    ),
    form(
        "", 'fill in "Password" with the secret "password"', "fill in|fill out|fill",
        ('{target} with (?:the )?secret "name"', r"{target} with (?:the )?secret (?P<bare>[\w.-]+)"),
        lambda found: Input(text=secret(found), target=field(found)),
    ),
    form(
        "", 'type the secret "password"', TYPE, ('(?:the )?secret "name"', r"(?:the )?secret (?P<bare>[\w.-]+)"),
        lambda found: Input(text=secret(found)),
    ),
    form(
        'type "text" into "field"', 'type "Ann" into "First name"', TYPE,
        rf'(?P<all>(?:the text )?"text" {INTO} {{target}})',
        type_into,
    ),
    form(
        'fill in "field" with "text"', 'fill in "First name" with "Ann"', "fill in|fill out|fill",
        '(?P<all>{target} with (?:the text )?"text")',
        fill_in,
    ),
    form(
        'set "field" to "text"', 'set "Quantity" to "3"', "set", '{target} to (?:the text )?"text"',
        set_text,
    ),
    form(
        'type "text" (where the focus is)', 'type "hello"', TYPE, '(?:the text )?"text"',
        lambda found: Input(text=found.text("text")),
    ),
    form(
        'clear "field"', 'clear the "Search" field', "clear|empty", "{target}",
        lambda found: tuple(Clear(target=target) for target in fields(found)),
    ),
    form(
        'select "option" from "field"', 'select "Large" from the "Size" dropdown', "select|pick|choose",
        r'(?:the )?(?:option )?"option"(?: option)? (?:from|in|for) {target}',
        lambda found: Select(option=found.text("option"), target=field(found)),
    ),
    form(
        'select "option" and "option" from "field"', 'select "Olives" and "Onions" from "Toppings"',
        "select|pick|choose", rf"(?:the )?(?:options )?(?P<options>{NAMES})(?: options)? (?:from|in|for) {{target}}",
        select_several,
    ),
    form('choose "radio button"', 'choose "Express delivery"', "choose", "{target}", choose),
    form("", 'select the "Express delivery" radio button', "select|pick", "{target}", select_alone),
    form(
        'uncheck "name"', 'uncheck "Newsletter"', "uncheck|untick|turn off|switch off", "{target}",
        lambda found: tuple(Check(target=target, checked=False) for target in found.queries()),
    ),
    form(
        'upload "file" to "field"', 'upload "cv.pdf" to "Attachment"', "upload|attach",
        '(?:the )?(?:file )?"file" (?:into|in|to) {target}',
        upload,
    ),
    form(
        'drag "name" to "name"', 'drag "Draft" to "Published"', "drag(?: and drop)?",
        "{source}(?: and drop it)? (?:to|onto|on to|on|into|over) {target}",
        lambda found: Drag(source=found.query("source"), target=found.query()),
    ),
)  # fmt: skip

# Tried last, because any word may be meant as a URL.
OPENING = (
    form("", 'open "example.com"', "open", r'(?P<url>"[0-9]+")', open_named),
    form(
        "go to, open, visit URL", "go to example.com", "(?:(?:go|navigate|browse) to|open|visit):?",
        r"(?:the )?(?:(?:page|url|address|website|web page|site)(?: at)?:? )?(?P<url>.+)",
        navigate,
    ),
)  # fmt: skip
