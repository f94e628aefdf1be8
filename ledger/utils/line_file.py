"""Lines of a large text file, read as they are needed: a list of them takes several times the file's size."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from ledger.utils.textfiles import LINE_END, read_lines

LARGE = 64 * 1024 * 1024  # bytes; the lines of a smaller file are held in memory
BLOCK = 1024 * 1024  # bytes, more where a single line is longer


def open_lines(path: Path | str) -> Sequence[str]:
    """The lines of a UTF-8 file, as `read_lines` gives them, without holding those of a large file in memory.

    Raises LedgerError as `read_lines` does.
    """
    path = Path(path)
    if path.is_file() and path.stat().st_size >= LARGE:
        return LineFile(path)
    return read_lines(path)


class LineFile(Sequence[str]):
    """The lines of a UTF-8 file that does not change. They are read in blocks, and the last one is kept."""

    def __init__(self, path: Path) -> None:
        """Look for the lines. Raises LedgerError if the file is not UTF-8."""
        self._path = path
        self._held: tuple[int, list[str]] = (-1, [])
        self._places, self._numbers = [0], [0]  # of each block: its first byte, and its first line
        try:
            for data in self._blocks():
                lines = _lines(data, is_first=len(self._places) == 1)
                self._places.append(self._places[-1] + len(data))
                self._numbers.append(self._numbers[-1] + len(lines))
        except UnicodeDecodeError:
            read_lines(path)  # names the line and the encoding
            raise

    def __len__(self) -> int:
        """The number of lines."""
        return self._numbers[-1]

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """One line, or a list of some."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._range(start, stop)
            return [self[line] for line in range(start, stop, step)]
        line = range(len(self))[index]
        number = bisect_right(self._numbers, line) - 1
        return self._block(number)[line - self._numbers[number]]

    def __iter__(self) -> Iterator[str]:
        """All lines, block by block."""
        for number in range(len(self._numbers) - 1):
            yield from self._block(number)

    def _range(self, start: int, stop: int) -> list[str]:
        lines: list[str] = []
        while start + len(lines) < stop:
            line = start + len(lines)
            number = bisect_right(self._numbers, line) - 1
            first = self._numbers[number]
            lines += self._block(number)[line - first : stop - first]
        return lines

    def _block(self, number: int) -> list[str]:
        if self._held[0] != number:
            with self._path.open("rb") as file:
                file.seek(self._places[number])
                data = file.read(self._places[number + 1] - self._places[number])
            self._held = (number, _lines(data, is_first=number == 0))
        return self._held[1]

    def _blocks(self) -> Iterator[bytes]:
        """The file in parts that end with a line."""
        with self._path.open("rb") as file:
            while data := file.read(BLOCK):
                yield data + file.readline()


def _lines(data: bytes, *, is_first: bool) -> list[str]:
    """The lines of a part of a file, as `read_lines` divides a whole one."""
    text = data.decode("utf-8-sig" if is_first else "utf-8")
    lines = LINE_END.split(text) if "\r" in text else text.split("\n")
    return lines if lines[-1] else lines[:-1]
