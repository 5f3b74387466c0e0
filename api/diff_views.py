"""The words and shapes of a comparison of two runs."""

from collections.abc import Sequence

import msgspec

from projections.compared import Difference
from projections.runs import Step


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the runs. `end` is finished, failed, stopped, or empty; `output` is the message of one that failed.

    `rerun_of` or `forked_from` is the id of the task whose acts it plays.
    """

    id: str
    task: str
    llm: str
    state: str
    end: str
    success: bool | None
    output: str
    duration_ms: int | None
    rerun_of: str = ""
    forked_from: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that belong together, or one that a run has alone. `picture` is the share of pixels that differ.

    It is null where there are not two pictures (any more) that could be compared in time; it counts for nothing, as
    carets and clocks differ always.
    """

    a: Step | None
    b: Step | None
    differences: Sequence[Difference]
    picture: float | None = None


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """Both runs. Whether they `differ` in anything that matters; `first` says in words where, empty where they do not.

    `cut` tells that one has more steps or events than are compared.
    """

    a: Side
    b: Side
    differ: bool
    first: str
    steps: Sequence[Row]
    end: Sequence[Difference]
    cut: bool = False
