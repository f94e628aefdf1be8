"""A person's judgement of sampled lines, kept as it is given, so that it can be stopped and gone on with."""

import random
from dataclasses import dataclass
from pathlib import Path

import orjson

from ledger.errors import LedgerError
from ledger.journal.annotations import JUDGEMENTS, Judgement


def draw(run: str, of: int, lines: int) -> list[int]:
    """Which lines (from 1) are judged: drawn without replacement, in an order that the run's id decides.

    The order is random as well, so those that were judged before a stop are a random sample too.
    """
    return random.Random(run).sample(range(1, of + 1), min(lines, of))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One person's judgements of one run: a JSON line for each answer, of which a line's last one counts."""

    path: Path

    def judged(self) -> dict[int, Judgement]:
        """Line number to judgement, in the order of judging. Raises LedgerError on a foreign file."""
        found: dict[int, Judgement] = {}
        for line, judgement in self._rows():
            found.pop(line, None)
            if judgement is not None:
                found[line] = judgement
        return found

    def judge(self, line: int, judgement: Judgement | None) -> None:
        """Keep one answer, at once; None takes the line's answer back."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(orjson.dumps([line, judgement]) + b"\n")

    def close(self) -> None:
        """The answers are on the record: what comes next begins anew."""
        self.path.unlink(missing_ok=True)

    def _rows(self) -> list[tuple[int, Judgement | None]]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        rows = []
        for text in data.split(b"\n")[:-1]:  # what has no line end was cut while it was written
            try:
                line, judgement = orjson.loads(text)
            except ValueError as error:
                raise self._foreign() from error
            if not isinstance(line, int) or judgement not in (*JUDGEMENTS, None):
                raise self._foreign()
            rows.append((line, judgement))
        return rows

    def _foreign(self) -> LedgerError:
        return LedgerError(f"{self.path} holds no judgements", hint="move it away, then begin again")
