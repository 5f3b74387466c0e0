"""What the tape says was done in a task, and whether a rebuilt browser can honestly go on from there. Pure.

Going on in a new browser means: cookies and storage from the vault, the last URL, and again the page-local acts done
since the last navigation. In the same browser, with its pages as they were, what has ended is done. In neither is an
act that may have had an effect repeated silently.
"""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import msgspec

from eventstore import events as e
from eventstore.answers import VALUED
from eventstore.machine import Hold
from runner.model import PastAct, PastStep, Spent
from runner.remembered import Allowed, Question, Repeat, Return
from runner.vocabulary import Effect

BY_ADDRESS = frozenset({"navigate", "back", "forward", "reload"})
"""What people do that opens a page as its address alone says."""

MOST_BY_HAND = 20
"""Of what people did after one step, as a model is told."""

MAKING = frozenset({"write_file", "save_as_pdf", "screenshot"})
"""Acts that make files."""


class Past:
    """The steps so far, folded from a task's events in order. `open` holds the ended acts of the step under way.

    `used_ms` is the time that they took, `lost` the cause of the last RunnerLost, `browser` names the browser of its
    own in which the task last started. `question` is the last one that no act has taken in yet, `answers` are those
    that were, by their ids, where they brought a value. `hands` counts what people did in the browser, `files` are
    those that the task produced, by name, older ones count too in what was `downloaded_bytes` and `made_bytes`. `spent`
    is what its model calls came to, and `allowed` from where on its limits count. `through` tells that nothing has
    begun since the last step was taken.
    """

    def __init__(self) -> None:
        self.steps: list[PastStep] = []
        self._started: dict[int, e.ActionStarted] = {}
        self.open: list[PastAct] = []
        self.used_ms = 0
        self.lost = ""
        self.browser = ""
        self.question: Question | None = None
        self.answers: list[str] = []
        self.hands = 0
        self.files: dict[str, e.File] = {}
        self.downloaded_bytes = 0
        self.made_bytes = 0
        self.spent = Spent()
        self.allowed = Allowed()
        self.through = False
        self._opening = ""
        self._undone: tuple[PastStep, list[Repeat]] | None = None
        self._failed = ""
        self._url = ""
        self._repeat: list[Repeat] = []
        self._lasting = 0
        self._since = ""
        self._uncertain = ""

    def note(self, events: Iterable[e.Event]) -> None:
        """Fold more events."""
        for event in events:
            match event:
                case e.TaskClaimed():
                    self._opening = ""
                case e.BrowserOpened(browser=browser):
                    self._opening = browser
                case e.TaskStarted():
                    if self._opening and self._opening == self.browser:
                        self._go_on()
                    self.browser, self._undone = self._opening, None
                case e.StepStarted():
                    self._started, self.open, self._undone, self.through = {}, [], None, False
                case e.ActionStarted(index=index):
                    self._started[index] = event
                case e.ActionEnded(index=index) if index in self._started:
                    self._act(self._started[index], event)
                case e.StepTaken():
                    self._taken(event)
                case e.StepInterrupted(number=number, uncertain=uncertain):
                    self._interrupted(number, uncertain)
                case e.RunnerLost(cause=cause):
                    self.lost = cause
                case e.FileProduced(file=file):
                    self.files[file.name] = file
                    self._produced(file.size)
                case e.HumanActed():
                    self._touched(event)
                case e.CostRecorded() | e.TaskPaused():
                    self._spend(event)
                case _:
                    self._ask(event)

    def way_back(self) -> Return:
        """How a new browser gets to where the old one was."""
        return Return(
            url=self._url,
            repeat=tuple(self._repeat),
            lasting=self._lasting,
            hands=self.hands,
            obstacle=self._uncertain or self._since,
            doubt=self._uncertain or self._failed,
        )

    @property
    def fresh(self) -> bool:
        """Whether the last step did what may be about to have an effect still."""
        return any(act.effect == Effect.LASTING for act in self.steps[-1].acts) if self.steps else False

    def _produced(self, size: int) -> None:
        """By the act that is under way, or by a page."""
        if self._started and self._started[max(self._started)].name in MAKING:
            self.made_bytes += size
        else:
            self.downloaded_bytes += size

    def _taken(self, taken: e.StepTaken) -> None:
        self.used_ms += taken.duration_ms
        step = PastStep(
            number=taken.number,
            acts=tuple(self.open),
            dropped=taken.dropped,
            evaluation=taken.evaluation,
            memory=taken.memory,
            next_goal=taken.next_goal,
            saw=taken.saw,
        )
        self.steps.append(step)
        self._started, self.open, self.through = {}, [], True

    def _spend(self, event: e.CostRecorded | e.TaskPaused) -> None:
        match event:
            case e.CostRecorded(usage=usage):
                self.spent = spent(self.spent, usage)
            case e.TaskPaused(cause=Hold.BUDGET):
                self.allowed = Allowed(steps=len(self.steps), spent=self.spent)

    def _ask(self, event: e.Event) -> None:
        """What became of a question."""
        question = self.question
        match event:
            case e.InputRequested(request=request, kind=kind, prompt=prompt):
                self.question = Question(request=request, kind=kind, prompt=prompt)
            case e.InputProvided(request=request) if question and question.request == request:
                self.question = msgspec.structs.replace(question, answered=True)
            case e.InputExpired(request=request) if question and question.request == request:
                self.question = msgspec.structs.replace(question, expired=True)

    def _asked(self, *, ok: bool) -> None:
        """An act has taken the answer in, or the lack of one."""
        question, self.question = self.question, None
        if ok and question and question.kind in VALUED:
            self.answers.append(question.request)

    def _touched(self, acted: e.HumanActed) -> None:
        """What a person did to a page is gone with its browser, and nobody can do it again."""
        self.hands += 1
        if self.steps and len(self.steps[-1].by_hand) < MOST_BY_HAND:
            told = (*self.steps[-1].by_hand, f'{{"{acted.name}":{acted.params}}}')
            self.steps[-1] = msgspec.structs.replace(self.steps[-1], by_hand=told)
        if acted.name in BY_ADDRESS or page_of(acted.url) != page_of(self._url):
            self._repeat, self._since = [], ""
        elif acted.name != "wheel":
            self._since = (
                "Since its last page was opened a person has driven the browser; what he did to the page is gone with "
                "the browser, and it is not done again."
            )
        self._url = acted.url or self._url

    def _act(self, started: e.ActionStarted, ended: e.ActionEnded) -> None:
        if started.name == "ask":
            self._asked(ok=ended.ok)
        self.open.append(
            PastAct(
                name=started.name,
                params=started.params,
                ok=ended.ok,
                effect=started.effect,
                result=ended.result,
                error=ended.error,
                url=ended.url,
                moved=ended.moved,
            )
        )
        if started.effect == Effect.LASTING:
            self._lasting = started.step
            if not ended.ok:
                self._failed = f"{started.params} has failed, and may have had an effect all the same: {ended.error}"
        if started.effect == Effect.NAVIGATION or page_of(ended.url) != page_of(self._url):
            self._repeat, self._since = [], ""
        elif started.effect == Effect.LOCAL and ended.ok:
            targets = started.target, started.onto
            repeat = Repeat(step=len(self.steps), index=started.index, params=started.params, targets=targets)
            self._repeat.append(repeat)
        elif started.effect == Effect.LASTING:
            self._since = (
                f"Since its last page was opened the task has {ended.result or started.params}; "
                "what that did to the page is gone with the browser, and it is not done again."
            )
        self._url = ended.url

    def _interrupted(self, number: int, uncertain: tuple[int, ...]) -> None:
        """Acts that ended stay done; one that did not end is told as such, and is an obstacle if it may have lasted."""
        for index in uncertain:
            started = self._started.get(index)
            if started is None:
                continue
            doubt = "It was interrupted; nobody can say whether it took effect."
            self.open.append(
                PastAct(name=started.name, params=started.params, ok=False, effect=started.effect, error=doubt)
            )
            if started.effect == Effect.LASTING:
                self._uncertain = (
                    f"{started.params} was under way; nobody can say whether it took effect, and it is not done again."
                )
        if any(act.effect == Effect.LASTING or (act.effect == Effect.FILE and act.ok) for act in self.open):
            self.steps.append(PastStep(number=number, acts=tuple(self.open)))
        else:  # it will be done again as a whole, unless its browser is still there
            self._undone = PastStep(number=number, acts=tuple(self.open)), self._repeat
            self._repeat = [repeat for repeat in self._repeat if repeat.step < len(self.steps)]
        self._started, self.open = {}, []

    def _go_on(self) -> None:
        """The task has its browser back as it was: what ended in the interrupted step is done."""
        if self._undone and any(act.ok for act in self._undone[0].acts):
            step, self._repeat = self._undone
            self.steps.append(step)


def spent(before: Spent, usage: e.Usage) -> Spent:
    """With one more call; a cost that is unknown, or no number, counts for nothing."""
    try:
        cost = Decimal(usage.cost_usd or 0)
    except InvalidOperation:
        cost = Decimal()
    return Spent(
        tokens=before.tokens + usage.input_tokens + usage.output_tokens,
        cost_usd=before.cost_usd + (cost if cost.is_finite() else 0),
    )


def page_of(url: str) -> str:
    """The URL without its fragment: a jump inside a page is no navigation."""
    return url.partition("#")[0]
