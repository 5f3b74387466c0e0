"""Everything that can happen to a task, in any order: the rules of a Hypothesis state machine around a `World`.

`play` makes the same moves from a string of bytes, which costs Hypothesis one draw and so allows for many more runs.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.world import INTENTIONS, RUNNERS, Together, Wish, World

ASKED = sorted(INTENTIONS)
CAUSES = ("crash", "shutdown")
EFFECTS = ("park", "unpark", "stopped", "exhaust")
PEOPLE = ("provide", "take", "give_back", "expire")
WORK = (
    *("next", "next", "next", "next", "navigation_blocked", "secret_used", "cost_recorded", "judgement_recorded"),
    *("finished", "failed"),
)
LATE = (
    *("started", "step_started", "action_started", "action_ended", "step_taken", "secret_used"),
    *("paused", "resumed", "stopped", "finished", "failed", "cost_recorded", "judgement_recorded"),
)
OUTSIDERS = (*ASKED, *PEOPLE, "claim", "lose")
ALL = (*OUTSIDERS, "next", "next", "finished", *EFFECTS, "question", "human_acts")

Picked = TypeVar("Picked")

WHO = st.integers(0, 1)
RUNNER = st.sampled_from(RUNNERS)
WHICH = st.integers(0, 63)


class Everything(RuleBasedStateMachine):
    """A task that is created, claimed, worked on, paused, resumed, stopped, lost, restarted; retries and latecomers."""

    world: World

    def together(self, order: int) -> Together:
        """How several run at once; `order` has a bit for each moment, that says whose it is."""
        raise NotImplementedError

    def reopened(self) -> None:
        """The service is killed and started again on the same tape."""
        raise NotImplementedError

    @property
    def working(self) -> bool:
        """Whether a runner holds the task, and has started it."""
        return self.world.working and self.world.reference.phase != "claimed"

    @initialize()
    def begin(self) -> None:
        self.create("d", 0)

    @rule(digest=st.sampled_from("de"), who=WHO)
    def create(self, digest: str, who: int) -> None:
        self.world.do(self.world.create(digest), who)

    @rule(intention=st.sampled_from(ASKED), who=WHO)
    def ask(self, intention: str, who: int) -> None:
        self.world.do(self.world.ask(intention), who)

    @precondition(lambda self: self.world.sent)
    @rule(which=WHICH, who=WHO)
    def ask_again(self, which: int, who: int) -> None:
        """The same command, at once or after many others."""
        self.world.do(_pick(self.world.sent, which), who)

    @rule(runner=RUNNER, who=WHO)
    def claim(self, runner: str, who: int) -> None:
        self.world.do(self.world.claim(runner), who)

    @precondition(lambda self: self.world.working)
    @rule(fact=st.sampled_from(WORK), who=WHO)
    def work(self, fact: str, who: int) -> None:
        self.world.do(self.world.work(fact), who)

    @precondition(lambda self: self.world.working)
    @rule(count=st.integers(2, 8), who=WHO)
    def work_on(self, count: int, who: int) -> None:
        for _ in range(count):
            self.work("next", who)

    @precondition(lambda self: self.working)
    @rule(effect=st.sampled_from(EFFECTS), who=WHO)
    def take_effect(self, effect: str, who: int) -> None:
        self.world.do(self.world.effect(effect, self.world.reference.runner), who)

    @precondition(lambda self: self.working)
    @rule(who=WHO)
    def question(self, who: int) -> None:
        """The task asks a person."""
        self.world.do(self.world.question(self.world.reference.runner), who)

    @rule(what=st.sampled_from(PEOPLE), which=st.integers(0, 2), who=WHO)
    def person(self, what: str, which: int, who: int) -> None:
        self.world.do(self.world.person(what, which), who)

    @precondition(lambda self: self.working)
    @rule(who=WHO)
    def act_by_hand(self, who: int) -> None:
        self.world.do(self.world.human_acts(self.world.reference.runner), who)

    @rule(cause=st.sampled_from(CAUSES), who=WHO)
    def lose(self, cause: str, who: int) -> None:
        """It crashed, or its service ended."""
        self.world.do(self.world.lose(self.world.reference.runner, cause), who)

    @rule(runner=RUNNER, who=WHO)
    def lose_anyone(self, runner: str, who: int) -> None:
        """One that does not hold the task cannot lose it."""
        self.world.do(self.world.lose(runner, "crash"), who)

    @precondition(lambda self: self.world.late)
    @rule(fact=st.sampled_from(LATE), which=WHICH, who=WHO)
    def come_late(self, fact: str, which: int, who: int) -> None:
        """A runner that was declared lost wakes up and goes on."""
        self.world.do(self.world.fact(fact, _pick(self.world.late, which)), who)

    @precondition(lambda self: self.world.late)
    @rule(effect=st.sampled_from(EFFECTS), which=WHICH, who=WHO)
    def take_effect_late(self, effect: str, which: int, who: int) -> None:
        self.world.do(self.world.effect(effect, _pick(self.world.late, which)), who)

    @precondition(lambda self: self.world.late)
    @rule(asks=st.booleans(), which=WHICH, who=WHO)
    def help_late(self, asks: bool, which: int, who: int) -> None:
        runner = _pick(self.world.late, which)
        self.world.do(self.world.question(runner) if asks else self.world.human_acts(runner), who)

    @rule(one=st.sampled_from(OUTSIDERS), other=st.sampled_from(ALL), order=st.integers(0, 2**12 - 1), runner=RUNNER)
    def race(self, one: str, other: str, order: int, runner: str) -> None:
        """Somebody from outside, and anybody, at the same time."""
        self.world.at_once(self.together(order), self._wish(one, RUNNERS[0]), self._wish(other, runner))

    @rule()
    def restart(self) -> None:
        self.reopened()

    @rule(who=WHO)
    def redact(self, who: int) -> None:
        """Only what has ended can be."""
        self.world.do(self.world.redact(), who)
        self.world.blank()

    def _wish(self, name: str, runner: str) -> Wish:
        world, holder = self.world, self.world.reference.runner
        if name == "claim":
            return world.claim(runner)
        if name in PEOPLE:
            return world.person(name, 0)
        if name == "lose" or (name not in INTENTIONS and not self.working):
            return world.lose(holder or runner, "crash")
        if name in INTENTIONS:
            return world.ask(name)
        if name in ("question", "human_acts"):
            wish: Wish = getattr(world, name)(holder)
            return wish
        return world.effect(name, holder) if name in EFFECTS else world.work(name)


def play(machine: Everything, program: bytes) -> None:
    """Three bytes a move; one that cannot be made now is left out."""
    machine.begin()
    for at in range(0, len(program) - 2, 3):
        move, a, b = program[at : at + 3]
        try:
            _MOVES[move % len(_MOVES)](machine, a, b)
        except AssertionError:
            note(" · ".join(machine.world.done))
            raise


def _pick(of: Sequence[Picked], number: int) -> Picked:
    return of[number % len(of)]


def _work(machine: Everything, a: int, b: int) -> None:
    if machine.world.working and a & 1:
        machine.work_on(2 + a % 7, b & 1)
    elif machine.world.working:
        machine.work(_pick(WORK, a >> 1), b & 1)


def _take_effect(machine: Everything, a: int, b: int) -> None:
    if machine.working:
        machine.take_effect(_pick(EFFECTS, a), b & 1)


def _ask(machine: Everything, a: int, b: int) -> None:
    if machine.world.sent and a % 3 == 0:
        machine.ask_again(b >> 1, b & 1)
    else:
        machine.ask(_pick(ASKED, a >> 2), b & 1)


def _race(machine: Everything, a: int, b: int) -> None:
    machine.race(_pick(OUTSIDERS, a), _pick(ALL, a // len(OUTSIDERS)), b << 3 | a & 7, _pick(RUNNERS, b))


def _come_late(machine: Everything, a: int, b: int) -> None:
    if machine.world.late and a & 1:
        machine.take_effect_late(_pick(EFFECTS, a >> 1), b >> 1, b & 1)
    elif machine.world.late and a & 2:
        machine.help_late(bool(a & 4), b >> 1, b & 1)
    elif machine.world.late:
        machine.come_late(_pick(LATE, a >> 2), b >> 1, b & 1)


def _help(machine: Everything, a: int, b: int) -> None:
    model = machine.world.reference
    if machine.working and not model.waits and a % 3:
        machine.question(b & 1)
    elif machine.working and model.controlled and a & 1:
        machine.act_by_hand(b & 1)
    else:
        machine.person(_pick(PEOPLE, a >> 1), int(b > 200), b & 1)


def _lose(machine: Everything, a: int, b: int) -> None:
    if a & 7:
        machine.lose(_pick(CAUSES, a), b & 1)
    else:
        machine.lose_anyone(_pick(RUNNERS, a >> 3), b & 1)


def _rarely(machine: Everything, a: int, b: int) -> None:
    if a & 1:
        machine.restart()
    elif a & 2:
        machine.redact(b & 1)
    else:
        machine.create(_pick("de", a >> 2), b & 1)


def _claim(machine: Everything, a: int, b: int) -> None:
    machine.claim(_pick(RUNNERS, a), b & 1)


# What happens often in a task's life stands here more than once, so that lives become long.
_MOVES: Sequence[Callable[[Everything, int, int], None]] = (
    *[_work] * 6,
    *[_ask] * 4,
    *[_claim] * 4,
    *[_take_effect] * 2,
    *[_help] * 2,
    *[_race] * 2,
    *[_lose, _come_late, _rarely],
)
