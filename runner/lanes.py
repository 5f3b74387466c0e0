"""Whose turn it is to be told: lanes (one webhook, one task) in the order in which they came, each one at a time.

A webhook has a few deliveries under way and no more; where an address did not answer lately there is a smaller room of
its own. So whoever hangs keeps nobody waiting but itself. Nothing here waits: `now` is an argument.
"""

import heapq
from collections import OrderedDict, deque
from itertools import count

EACH = 8
"""Deliveries under way for one webhook at most."""

ROOM, DOUBTFUL_ROOM = 128, 32
"""Deliveries under way for addresses that answer, and for those whose last answer was none or no success."""

DOUBTED = 1_000


class Lane:
    """One webhook's deliveries of one task (or of its tests). `since`: from that position on something may be owed.

    `more` tells that there was news while it was under way; `owed` is how much was owed when it was last looked at.
    """

    __slots__ = ("busy", "doubtful", "due", "gone", "hook", "more", "origin", "owed", "since", "task")

    def __init__(self, hook: str, task: str, origin: str, since: int) -> None:
        self.hook, self.task, self.origin, self.since = hook, task, origin, since
        self.busy = self.more = self.doubtful = self.gone = False
        self.due = 0
        self.owed = 1


class Lanes:
    """All lanes in which something may be owed."""

    def __init__(self) -> None:
        self._lanes: dict[str, dict[str, Lane]] = {}
        self._ready: tuple[deque[Lane], deque[Lane]] = (deque(), deque())
        self._busy = [0, 0]
        self._busy_of: dict[str, int] = {}
        self._held: dict[str, deque[Lane]] = {}
        self._later: list[tuple[int, int, Lane]] = []
        self._order = count()
        self._doubted: OrderedDict[str, None] = OrderedDict()

    def of(self, hook: str) -> int:
        """How many lanes the webhook has."""
        return len(self._lanes.get(hook, ()))

    @property
    def owed(self) -> int:
        """How many deliveries are known to be owed."""
        return sum(lane.owed for lanes in self._lanes.values() for lane in lanes.values())

    def oldest(self) -> int | None:
        """The first position of which something may be owed in a lane."""
        return min((lane.since for lanes in self._lanes.values() for lane in lanes.values()), default=None)

    def has(self, hook: str, task: str) -> bool:
        """Whether there is such a lane."""
        return task in self._lanes.get(hook, ())

    def offer(self, hook: str, task: str, origin: str, since: int) -> None:
        """There is news for this lane: it is looked at as soon as its turn comes, though it waited for later."""
        lane = self._lanes.setdefault(hook, {}).get(task)
        if lane is None:
            lane = self._lanes[hook][task] = Lane(hook, task, origin, since)
            self._get_ready(lane)
            return
        lane.more = True
        lane.owed += 1
        if lane.due:
            lane.due = 0
            self._get_ready(lane)

    def take(self, now: int) -> Lane | None:
        """The next lane whose turn it is, which is busy from now on; None when nobody may begin."""
        while self._later and self._later[0][0] <= now:
            due, _, lane = heapq.heappop(self._later)
            if lane.due == due and not lane.gone:  # else it was called earlier
                lane.due = 0
                self._get_ready(lane)
        for doubtful, room in enumerate((ROOM, DOUBTFUL_ROOM)):
            ready = self._ready[doubtful]
            while ready and self._busy[doubtful] < room:
                lane = ready.popleft()
                if lane.gone:
                    continue
                if self._busy_of.get(lane.hook, 0) >= EACH:
                    self._held.setdefault(lane.hook, deque()).append(lane)
                    continue
                lane.busy, lane.doubtful, lane.more = True, bool(doubtful), False
                self._busy[doubtful] += 1
                self._busy_of[lane.hook] = self._busy_of.get(lane.hook, 0) + 1
                return lane
        return None

    def next_due(self) -> int | None:
        """When a lane that waits will be ready."""
        return self._later[0][0] if self._later else None

    def put_back(self, lane: Lane, due: int = 0) -> None:
        """It is not busy any more, and has something to deliver: now, or when it is due."""
        self._rest(lane)
        if lane.gone:
            return
        if due and not lane.more:
            lane.due = due
            heapq.heappush(self._later, (due, next(self._order), lane))
        else:
            self._get_ready(lane)

    def drop(self, lane: Lane) -> None:
        """It is not busy any more, and nothing is owed in it; but what came meanwhile is looked at."""
        if lane.more:
            self.put_back(lane)
            return
        self._rest(lane)
        if not lane.gone:
            lanes = self._lanes[lane.hook]
            del lanes[lane.task]
            if not lanes:
                del self._lanes[lane.hook]

    def forget(self, hook: str) -> None:
        """The webhook is told nothing more. What is under way comes back, to `put_back` or `drop`."""
        for lane in self._lanes.pop(hook, {}).values():
            lane.gone = True
        self._held.pop(hook, None)

    def doubt(self, origin: str, *, answered: bool) -> None:
        """How an address did."""
        if answered:
            self._doubted.pop(origin, None)
            return
        self._doubted[origin] = None
        self._doubted.move_to_end(origin)
        if len(self._doubted) > DOUBTED:
            self._doubted.popitem(last=False)

    def _get_ready(self, lane: Lane) -> None:
        self._ready[lane.origin in self._doubted].append(lane)

    def _rest(self, lane: Lane) -> None:
        lane.busy = False
        self._busy[lane.doubtful] -= 1
        left = self._busy_of[lane.hook] - 1
        if left:
            self._busy_of[lane.hook] = left
        else:
            del self._busy_of[lane.hook]
        held = self._held.get(lane.hook)
        if held:
            self._get_ready(held.popleft())
            if not held:
                del self._held[lane.hook]
