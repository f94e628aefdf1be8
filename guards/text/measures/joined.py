"""Many lines as one text and one array of character codes, for work on all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint32]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Joined:
    """At least one line, each ended by a line feed in `text`.

    `codes` has one element per character of `text`; `starts` has the index of each line's first one, `ends`
    that of its line feed.
    """

    lines: Sequence[str]
    text: str
    codes: Codes
    starts: Places
    ends: Places

    @classmethod
    def of(cls, lines: Sequence[str]) -> "Joined":
        """Lay out the lines."""
        text = "\n".join(lines) + "\n"
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        stops = np.cumsum(np.fromiter(map(len, lines), dtype=np.intp, count=len(lines)) + 1)
        return cls(lines, text, codes, np.append(0, stops[:-1]), stops - 1)

    @property
    def sizes(self) -> Places:
        """The number of characters of each line."""
        return self.ends - self.starts

    def lines_at(self, places: Places) -> Places:
        """The index of the line at each place in `text`."""
        return np.searchsorted(self.starts, places, side="right") - 1
