"""Words for elements: what a user calls a kind, which roles that means, and what a role is called in a sentence."""

from collections.abc import Sequence

FIELDS = ("textbox", "searchbox", "combobox", "spinbutton", "slider")
ROLES: dict[str, tuple[str, ...]] = {
    "button": ("button",),
    "link": ("link",),
    "field": FIELDS,
    "input": FIELDS,
    "box": (*FIELDS, "checkbox"),
    "text field": FIELDS,
    "text box": FIELDS,
    "textbox": FIELDS,
    "text area": ("textbox",),
    "textarea": ("textbox",),
    "search": ("searchbox", "textbox", "combobox"),
    "search box": ("searchbox", "textbox", "combobox"),
    "search field": ("searchbox", "textbox", "combobox"),
    "searchbox": ("searchbox", "textbox", "combobox"),
    "checkbox": ("checkbox", "switch", "menuitemcheckbox"),
    "check box": ("checkbox", "switch", "menuitemcheckbox"),
    "switch": ("switch", "checkbox", "button"),
    "toggle": ("switch", "checkbox", "button"),
    "radio": ("radio", "menuitemradio"),
    "radio button": ("radio", "menuitemradio"),
    "drop-down": ("combobox", "listbox", "button"),
    "dropdown": ("combobox", "listbox", "button"),
    "select": ("combobox", "listbox", "button"),
    "list": ("list", "combobox", "listbox"),
    "menu": ("menu", "combobox", "listbox", "button"),
    "combobox": ("combobox",),
    "listbox": ("listbox", "combobox"),
    "slider": ("slider",),
    "option": ("option", "menuitem", "menuitemradio", "treeitem", "radio"),
    "choice": ("option", "menuitem", "menuitemradio", "treeitem"),
    "tab": ("tab",),
    "menu item": ("menuitem", "menuitemcheckbox", "menuitemradio", "option"),
    "menuitem": ("menuitem", "menuitemcheckbox", "menuitemradio", "option"),
    "item": ("listitem", "menuitem", "option", "treeitem"),
    "list item": ("listitem", "option", "treeitem"),
    "heading": ("heading",),
    "title": ("heading",),
    "image": ("img",),
    "picture": ("img",),
    "icon": ("icon",),
    "row": ("row",),
    "cell": ("cell", "gridcell", "columnheader", "rowheader"),
    "table": ("table", "grid", "treegrid"),
    "paragraph": ("paragraph",),
    "dialog": ("dialog", "alertdialog"),
    "form": ("form",),
    "section": (
        "region",
        "group",
        "form",
        "dialog",
        "alertdialog",
        "navigation",
        "complementary",
        "article",
        "toolbar",
    ),
    "file": ("file",),
    "file field": ("file",),
}
WORDS = {
    "textbox": "field",
    "searchbox": "search field",
    "spinbutton": "number field",
    "combobox": "drop-down",
    "listbox": "list",
    "img": "image",
    "menuitem": "menu item",
    "listitem": "list item",
    "file": "file field",
    "columnheader": "column header",
}
PLAIN = {"a": "text", "span": "text", "div": "text", "p": "text", "label": "label", "svg": "image"}


def word(role: str, tag: str) -> str:
    """What an element of that role is called in a sentence."""
    return WORDS.get(role) or role or PLAIN.get(tag, tag or "element")


def listing(parts: Sequence[str]) -> str:
    """Comma-separated."""
    return ", ".join(parts)
