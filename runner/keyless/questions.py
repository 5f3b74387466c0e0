"""The table of sentences that ask a person, and that use what he answered. Pure."""

import re

from eventstore.answers import VALUED, answer_name
from runner.keyless.clauses import Unclear
from runner.keyless.filling import INTO, TYPE, field
from runner.keyless.forms import Found, form
from runner.placeholders import placeholder
from runner.vocabulary import ActFailed, AnyAction, Ask, Input

ME = r"(?:me|us|the user|a (?:person|human)|(?:some|any)(?:body|one))"
OF_CODES = re.compile(r"\b(?:code|pin|otp|tan|password|passcode|passphrase|token)s?\b", re.IGNORECASE)
LONGEST_PROMPT = 1_000


class Answered(Input, frozen=True, kw_only=True):
    """Type the answer to the question before; which one that is, `meant` knows."""

    text: str = ""


def ask(found: Found) -> Ask:
    """What is asked for that sounds like a code is one: it is not shown while it is typed."""
    prompt = found.name("quoted") if found.word("quoted") else found.said("prompt")
    if len(prompt) > LONGEST_PROMPT:
        raise Unclear(f"a question may have at most {LONGEST_PROMPT} characters")
    return Ask(prompt=prompt, kind="code" if OF_CODES.search(prompt) else "text")


def confirm(found: Found) -> Ask:
    return Ask(prompt=found.name("quoted") if found.word("quoted") else found.said("prompt"), kind="confirm")


def captcha(_found: Found) -> Ask:
    return Ask(prompt="Solve the captcha", kind="captcha")


def meant(action: AnyAction, asked: int) -> AnyAction:
    """The action after so many questions that bring a value: the answer is the last one. Raises ActFailed."""
    if not isinstance(action, Answered):
        return action
    if not asked:
        hint = "nothing is asked for before it; write ask for the code, or ask: What is the code?"
        raise ActFailed("unreadable", hint)
    return Input(text=placeholder(answer_name(asked)), target=action.target)


def brings_value(action: AnyAction) -> bool:
    """Whether the action is a question whose answer can be typed."""
    return isinstance(action, Ask) and action.kind in VALUED


ANSWER = r"(?:the |my )?answer"
CAPTCHA = r"(?:the |a |this )?captcha"

ASKING = (
    form(
        'ask me to confirm "what"', 'ask me to confirm "Delete everything"', "ask",
        (rf'{ME} to confirm:? "quoted"', rf"{ME} to confirm:? (?P<prompt>.+)"),
        confirm,
    ),
    form(
        "wait for me to solve the captcha", "wait for me to solve the captcha", "wait|ask",
        (rf"(?:for |until )?{ME}(?: to| has| have)? solved? {CAPTCHA}",),
        captcha,
    ),
    form(
        "ask for something, ask: question", "ask for the code sent by SMS", "ask",
        (
            rf'(?:{ME}:? )?"quoted"',
            rf"(?:{ME} )?for (?P<prompt>.+)",
        ),
        ask,
    ),
    form("", "ask: What is the code?", rf"ask(?: {ME})?:", (r'"quoted"', r"(?P<prompt>.+)"), ask),
    form(
        'type the answer into "field"', 'type the answer into "Code"', TYPE, (rf"{ANSWER} {INTO} {{target}}",),
        lambda found: Answered(target=field(found)),
    ),
    form(
        "", 'fill in "Code" with the answer', "fill in|fill out|fill", (rf"{{target}} with {ANSWER}",),
        lambda found: Answered(target=field(found)),
    ),
    form("", "type the answer", TYPE, (ANSWER,), lambda _: Answered()),
)  # fmt: skip
