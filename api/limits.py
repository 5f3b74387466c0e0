"""How often somebody may ask. In memory, of bounded size; what is forgotten was at rest."""

import ipaddress
from collections.abc import Callable
from time import monotonic

BURST_SECONDS = 2.0
"""A burst may be as large as what is allowed in this time."""

FAILURES = 10.0
"""Requests a second that may come without a good key from one address; none is too many for a person."""

POLLS = 0.2
"""So much of its requests a second may be polls; who polls more often has each answer a little later."""

POLLS_BURST_SECONDS, POLLS_LATE_SECONDS = 0.5, 1.0
"""How much may come at once, and how late an answer may be for it at most."""

REMEMBERED = 10_000


class Rate:
    """At most so many requests a second of everyone, after a burst.

    One number for each: when what was asked would be paid off at that rate (the generic cell rate algorithm). Who has
    paid off everything is as good as unknown, and is forgotten first.
    """

    def __init__(
        self, per_second: float, *, remember: int = REMEMBERED, clock: Callable[[], float] = monotonic
    ) -> None:
        self._interval = 1 / per_second
        self._span = max(BURST_SECONDS, self._interval)
        self._remember = remember
        self._clock = clock
        self._due: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def take(self, who: str, cost: float = 1.0) -> float:
        """Count a request: 0.0 when it may pass, else in how many seconds it may; then it is not counted."""
        now = self._clock()
        due = self._due.get(who, now)
        if due < now:
            due = now
        due += self._interval * cost
        wait = due - now - self._span
        if wait > 1e-9:  # not for the last digit of a float
            return wait
        self._due[who] = due
        if len(self._due) > self._remember:
            self._forget(now)
        return 0.0

    def pace(self, who: str) -> float:
        """Count a request, and say in how many seconds its answer is due: at once, unless they come too thick."""
        now = self._clock()
        due = max(self._due.get(who, now), now) + self._interval
        late = due - now - POLLS_BURST_SECONDS
        if late < POLLS_LATE_SECONDS:
            self._due[who] = due
            if len(self._due) > self._remember:
                self._forget(now)
        return min(max(late, 0.0), POLLS_LATE_SECONDS)

    def _forget(self, now: float) -> None:
        """Those at rest; if there are none, the half that was seen first is let off what it owes."""
        owing = {who: due for who, due in self._due.items() if due > now}
        if len(owing) > self._remember // 2:
            owing = dict(list(owing.items())[-(self._remember // 2) :])
        self._due = owing


def network(address: str | None) -> str:
    """Whom an address stands for: itself, or its /64, of which anybody has as many addresses as he likes."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return address or ""
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.IPv6Network((parsed, 64), strict=False))
    return str(parsed)
