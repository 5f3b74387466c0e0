"""How figures are printed: columns, medians, and how far apart the single runs were."""

from collections.abc import Sequence
from statistics import median


def table(rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns as wide as their widest cell; the first row is the head."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def spread(values: Sequence[float]) -> str:
    """The noise: how far the lowest and the highest run lie from the median, in per cent of it."""
    middle = median(values)
    return f"-{(middle - min(values)) / middle:.0%} +{(max(values) - middle) / middle:.0%}"
