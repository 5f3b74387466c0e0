"""The secrets of one task at hand: where each may be typed, and its value at the moment of typing. No I/O."""

import re
from collections.abc import Mapping, Sequence

from eventstore.events import TaskCreated
from eventstore.secrets import Secret, Secrets
from runner.egress.addresses import EVERYTHING, LOOPBACK, PRIVATE, address_of, canonical, within
from runner.egress.rules import Rules, is_local, split
from runner.keyless.grammar import parse
from runner.masking import Mask
from runner.placeholders import filled
from runner.vocabulary import ActFailed, Navigate

_URL = re.compile(r"https?://[^\s\"'<>`]+", re.IGNORECASE)


class Wallet:
    """`allowed` are the task's allowed domains. Without them a secret goes only to the hosts that the task names."""

    def __init__(
        self,
        secrets: Secrets | None = None,
        *,
        allowed: Sequence[str] = (),
        named: Sequence[str] = (),
        before: Mapping[str, str] | None = None,
    ) -> None:
        """`before` are secrets of earlier tasks in the same browser: masked, and typed by nobody."""
        own = {secret.reveal() for secret in (secrets or {}).values()}
        self._before = {name: value for name, value in (before or {}).items() if value not in own}
        self.mask = Mask({name: Secret(value) for name, value in self._before.items()} | dict(secrets or {}))
        self._secrets = dict(secrets or {})
        self._allowed = tuple(allowed)
        self._domains = self._allowed or tuple(named)

    @property
    def names(self) -> frozenset[str]:
        """What there is, by name."""
        return frozenset(self._secrets)

    @property
    def remembered(self) -> dict[str, str]:
        """All that a later task in the same browser must not show, under names of their own."""
        values = dict(self._before)
        for name, secret in self._secrets.items():
            numbered = (f"{name} (before{f' {number}' if number else ''})" for number in range(len(values) + 1))
            values[next(each for each in numbered if each not in values)] = secret.reveal()
        return values

    def learn(self, name: str, secret: Secret) -> None:
        """One more, from now on: a person's answer. A secret of that name stays hidden, and is typed no more."""
        if before := self._secrets.get(name):
            self._before[f"{name} (before)"] = before.reveal()
            self.mask.learn(f"{name} (before)", before)
        self._secrets[name] = secret
        self.mask.learn(name, secret)

    def host(self, name: str, url: str) -> str:
        """The host of a document at `url`, into which the secret may be typed. Raises ActFailed: secret_refused."""
        parts = split(url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise _refused(name, "its field is in a frame without an address of its own")
        host = canonical(parts.hostname)
        rules = Rules(allowed_domains=self._domains, private=EVERYTHING)
        if not self._domains or rules.refusal(parts.scheme, host, parts.port):
            where = f"only on {', '.join(self._domains)}" if self._domains else "nowhere: the task names no page"
            also = "" if self._allowed else "; name others in the task's allowed domains"
            raise _refused(name, f"its field is on {host}, and it may be typed {where}{also}")
        if parts.scheme == "http" and not _near(host) and not self._named_exactly(host):
            raise _refused(name, f"{host} would get it unencrypted; name that host in the task's allowed domains")
        return host

    def filled(self, text: str) -> str:
        """The text with the values in place of the placeholders: for the hands alone, at the last moment."""
        return filled(text, lambda name: self._secrets[name].reveal())

    def _named_exactly(self, host: str) -> bool:
        return host in {canonical(_host(domain)) for domain in self._allowed}


def wallet_of(
    created: TaskCreated,
    secrets: Secrets,
    before: Mapping[str, str] | None = None,
    *,
    played: Sequence[TaskCreated] = (),
) -> Wallet:
    """The wallet of a task; `before` are secrets of earlier tasks in its session.

    `played` are the tasks whose acts it does again, and those whose acts they did: what they name it names too.
    """
    hosts = dict.fromkeys(host for each in (created, *played) for host in named(each))
    return Wallet(secrets, allowed=created.allowed_domains, named=tuple(hosts), before=before)


def named(created: TaskCreated) -> tuple[str, ...]:
    """The hosts, with the ports where they say one, of the start URL and of what it opens by its words and inputs."""
    try:
        actions = [sentence.action for sentence in parse(created.instruction)]
        urls = [action.url for action in actions if isinstance(action, Navigate)]
    except ActFailed:  # it is not for the model that reads plain sentences
        urls = _URL.findall(created.instruction)
    start = created.start_url
    inputs = created.replay.inputs.items() if created.replay else ()
    urls += [new for old, new in inputs if _URL.fullmatch(old) and _URL.fullmatch(new)]
    return tuple(dict.fromkeys(filter(None, map(_host_and_port, [start if "://" in start else f"//{start}", *urls]))))


def _host_and_port(url: str) -> str:
    parts = split(url)
    if parts is None or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port}" if parts.port else host


def _host(domain: str) -> str:
    parts = split(f"//{domain}")
    return (parts.hostname or "") if parts else ""


def _near(host: str) -> bool:
    """Whether what is sent there stays on this machine or its own network, as far as the address tells."""
    address = address_of(host)
    return is_local(host) or (address is not None and within(address, LOOPBACK + PRIVATE))


def _refused(name: str, why: str) -> ActFailed:
    return ActFailed("secret_refused", f'The secret "{name}" is not typed: {why}.')
