"""Numeric series from CSV files: one column, checked number by number."""

import csv
import io
import math
from array import array
from pathlib import Path

from ledger.errors import LedgerError
from ledger.utils.regular_file import open_regular

SHAPE = "a series is a UTF-8 CSV file with a header and one row per bar, oldest first"


def read_column(path: Path, column: str) -> "array[float]":
    """The numbers of the column called `column`, in the order of the rows.

    Raises LedgerError, with the line number, if the file cannot be read, is not UTF-8, lacks the column, or
    has anything but finite numbers in it.
    """
    values = array("d")
    try:
        with io.TextIOWrapper(open_regular(path), encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            place = _place(next(rows, []), column, path)
            for row in rows:
                if row:  # the csv module returns no cells for an empty line
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
        header_shown = f"its header is: {', '.join(names)[:200]}" if names else "it is empty"
        raise LedgerError(f"{path.name} has {how} {column!r}: {header_shown}", hint="set data.column")
    return names.index(column)


def _number(row: list[str], place: int, path: Path, line: int) -> float:
    try:
        value = float(row[place])
    except (IndexError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        shown = repr(row[place][:40]) if place < len(row) else "a missing value"
        raise LedgerError(
            f"{path.name}, line {line}: {shown} is not a number", hint="fill the gap, or leave the row out"
        )
    return value
