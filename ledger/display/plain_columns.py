"""Plain columns for long lists. Knows how wide East Asian text is, and spares the import of rich's tables.

Reports and single runs are drawn in `ledger.display.tables`.
"""

from collections.abc import Sequence
from itertools import zip_longest

from rich.cells import cell_len, set_cell_size

GAP = 2


def columns(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """The rows as lines of at most `width` cells (or one cell per column, if that is more).

    Every column is as wide as its widest cell; the last one takes what is left, cut with an ellipsis.
    """
    widths = [max(map(cell_len, cells)) for cells in zip_longest(*rows, fillvalue="")][:-1]
    left = max(width - sum(widths) - GAP * len(widths), 1)
    return [_line(row, [*widths, left]) for row in rows]


def fit(text: str, width: int) -> str:
    """`text` in at most `width` cells, cut with an ellipsis where it is longer."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, width - 1).rstrip()}…"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    *cells, last = zip(row, widths, strict=False)
    padded = [text + " " * (width - cell_len(text)) for text, width in cells]
    return (" " * GAP).join([*padded, fit(*last)]).rstrip()
