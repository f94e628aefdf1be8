"""Numeric series from CSV files: one column, checked number by number."""

import csv
import math
from array import array
from pathlib import Path

from ledger.errors import LedgerError

SHAPE = "a series is a UTF-8 CSV file with a header, then one row a bar, oldest first"


def read_column(path: Path, column: str) -> "array[float]":
    """The numbers of the column called `column`, in the order of the rows.

    Raises LedgerError, with the line, for a file that cannot be read, is not UTF-8, has no such column, or
    holds anything there that is no finite number.
    """
    values = array("d")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            place = _place(next(rows, []), column, path)
            for row in rows:
                if row:  # the csv module gives an empty line as no cells at all
                    values.append(_number(row, place, path, rows.line_num))
    except OSError as error:
        raise LedgerError(f"{path.name} cannot be read: {error.strerror}", hint=SHAPE) from error
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path.name} is not UTF-8", hint=SHAPE) from error
    except csv.Error as error:
        raise LedgerError(f"{path.name}, line {rows.line_num}: {error}", hint=SHAPE) from error
    return values


def _place(header: list[str], column: str, path: Path) -> int:
    names = [name.strip() for name in header]
    if names.count(column) != 1:
        how = "two columns" if column in names else "no column"
        there = f"its header is: {', '.join(names)[:200]}" if names else "it is empty"
        raise LedgerError(f"{path.name} has {how} {column!r}: {there}", hint="name it in data.column")
    return names.index(column)


def _number(row: list[str], place: int, path: Path, line: int) -> float:
    try:
        value = float(row[place])
    except (IndexError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        said = repr(row[place][:40]) if place < len(row) else "nothing"
        raise LedgerError(
            f"{path.name}, line {line}: {said} is no number", hint="fill the gap, or leave the row out"
        )
    return value
