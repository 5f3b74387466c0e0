"""Why an endpoint gave no answer: a sentence that names the model and what to do, and never a key or a prompt."""

import re
from http import HTTPStatus

import msgspec

from runner.llm.endpoints import Endpoint

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,47}")

OUT_OF_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
FILTERED = frozenset({"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"})
TOO_LONG = re.compile(
    r"context[ _](length|window|size)|maximum context|too (long|large|many tokens)|string_above_max", re.IGNORECASE
)
_PHRASES = {status.value: status.phrase for status in HTTPStatus}

AGAIN = frozenset({408, 409, 425, 429})


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What an endpoint said instead of an answer. `told` is all its words, for looking into and never for showing."""

    status: int
    code: str = ""
    told: str = ""
    wait: float | None = None


class Trouble(Exception):
    """No answer was had. `code` is a word of ActFailed's.

    `again` tells that the same request may be sent once more, after `wait` seconds where the endpoint says so;
    `elsewhere` that another endpoint may give what this one did not. `said` is what the endpoint answered, if it did.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        again: bool = False,
        elsewhere: bool = False,
        wait: float | None = None,
        said: Said | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.again = again
        self.elsewhere = elsewhere
        self.wait = wait
        self.said = said


def model_in_words(endpoint: Endpoint) -> str:
    """For the beginning of a sentence."""
    also = "" if endpoint.model == endpoint.name else f"{endpoint.model}, "
    return f'The model "{endpoint.name}" ({also}{endpoint.host})'


def refused(endpoint: Endpoint, said: Said) -> Trouble:
    """The trouble that a status other than 200, or an error in mid stream, is."""
    model, status, code = model_in_words(endpoint), said.status, said.code
    word = f"{status}, {code}" if _WORD.fullmatch(code) else str(status)
    if code in OUT_OF_CREDIT or status == 402:
        text = f"{model} has no credit left ({word}). Top up the account, or choose another model."
        return Trouble("model_refused", text, elsewhere=True, said=said)
    if code in FILTERED:
        text = f"{model} will not answer this: its content filter took offence ({word}). Say the task in other words."
        return Trouble("model_declined", text, said=said)
    if status in (401, 403):
        text = f"{model} refused the key of its settings ({word}). Set a valid one that may use this model."
        return Trouble("model_refused", text, elsewhere=True, said=said)
    if status == 404:
        text = f"{model} is not known there ({word}). Check the model's name and the base URL in its settings."
        return Trouble("model_refused", text, elsewhere=True, said=said)
    if status == 429:
        text = f"{model} takes no more calls for now ({word}). Try later, run fewer tasks at once, or set a fallback."
        return Trouble("model_rate_limited", text, again=True, elsewhere=True, wait=said.wait, said=said)
    if status >= 500 or status in AGAIN:
        text = f"{model} does not work at present ({word}). Try later, or set a fallback."
        return Trouble("model_unavailable", text, again=True, elsewhere=True, wait=said.wait, said=said)
    if status == 413 or TOO_LONG.search(f"{code} {said.told}"):
        text = f"{model} cannot take in so much at once ({word}). Use a model with a larger context."
        return Trouble("model_too_long", text, said=said)
    if 300 <= status < 400:
        text = f"{model} is not where its base URL points ({word}). Set the address that it answers at itself."
        return Trouble("model_refused", text, said=said)
    reason = _PHRASES.get(status, "no HTTP status")
    text = f"{model} did not take the request ({word}: {reason}). Check its settings: is it a chat model?"
    return Trouble("model_refused", text, said=said)


def unreachable(endpoint: Endpoint) -> Trouble:
    """Nobody is there."""
    text = f"{model_in_words(endpoint)} cannot be reached. Check the base URL in its settings, and the network."
    return Trouble("model_unreachable", text, again=True, elsewhere=True)


def broken_off(endpoint: Endpoint) -> Trouble:
    """It began to answer."""
    text = f"{model_in_words(endpoint)} broke off in the middle of its answer. Try again, or set a fallback."
    return Trouble("model_unreachable", text, again=True, elsewhere=True)


def silent(endpoint: Endpoint) -> Trouble:
    """It took the request, and then nothing came."""
    text = (
        f"{model_in_words(endpoint)} said nothing for {endpoint.quiet_seconds:g} seconds. Try later, or set a fallback."
    )
    return Trouble("model_timeout", text, again=True, elsewhere=True)


def too_slow(endpoint: Endpoint) -> Trouble:
    """All the time of a call has passed."""
    text = f"{model_in_words(endpoint)} gave no answer within {endpoint.call_seconds:g} seconds. "
    return Trouble("model_timeout", f"{text}Allow it more time, or set a fallback.", elsewhere=True)


def crowded(endpoint: Endpoint) -> Trouble:
    """Others were asking all the time."""
    text = f"{model_in_words(endpoint)} had no free place within {endpoint.call_seconds:g} seconds. "
    return Trouble("model_rate_limited", f"{text}Run fewer tasks at once, or allow it more calls.", elsewhere=True)


def no_answer(endpoint: Endpoint) -> Trouble:
    """Something else than a chat completion came."""
    text = f"{model_in_words(endpoint)} answers, but not as chat completions do. Check the base URL in its settings."
    return Trouble("model_refused", text, elsewhere=True)


def unsendable(endpoint: Endpoint) -> Trouble:
    """A header cannot carry what is to stand in it."""
    text = f"{model_in_words(endpoint)} cannot be asked: its key or its headers hold characters that cannot be sent. "
    return Trouble("model_refused", f"{text}Set them in plain ASCII.", elsewhere=True)


def no_way(endpoint: Endpoint) -> Trouble:
    """The environment names a proxy that is none."""
    text = f"{model_in_words(endpoint)} cannot be asked: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or NO_PROXY of the "
    text += "environment cannot be used. Name an http or https proxy there (socks is not one), or none."
    return Trouble("model_unreachable", text, elsewhere=True)


def untrusting(endpoint: Endpoint) -> Trouble:
    """The environment names certificates that are none."""
    text = f"{model_in_words(endpoint)} cannot be asked: the certificates that SSL_CERT_FILE or SSL_CERT_DIR of the "
    return Trouble("model_unreachable", f"{text}environment names cannot be read.", elsewhere=True)
