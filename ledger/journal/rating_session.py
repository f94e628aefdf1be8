"""A person's judgements of sampled lines, stored one by one, so rating can be interrupted and resumed."""

import random
from dataclasses import dataclass
from pathlib import Path

import orjson

from ledger.errors import LedgerError
from ledger.journal.annotations import JUDGEMENTS, Judgement


def draw(run: str, of: int, lines: int) -> list[int]:
    """The lines to judge (from 1), drawn without replacement; the run's id seeds the generator.

    The order is random as well, so the lines judged before an interruption are also a random sample.
    """
    return random.Random(run).sample(range(1, of + 1), min(lines, of))


@dataclass(frozen=True, slots=True)
class JudgementFile:
    """One person's judgements of one run, a JSON line for each; the last judgement of a line counts."""

    path: Path

    def judged(self) -> dict[int, Judgement]:
        """Line number to judgement, in the order of judging. Raises LedgerError on a file of another kind."""
        found: dict[int, Judgement] = {}
        for line, judgement in self._rows():
            found.pop(line, None)
            if judgement is not None:
                found[line] = judgement
        return found

    def judge(self, line: int, judgement: Judgement | None) -> None:
        """Store one judgement; None withdraws the line's judgement."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(orjson.dumps([line, judgement]) + b"\n")

    def close(self) -> None:
        """Delete the file, once the judgements are in the journal."""
        self.path.unlink(missing_ok=True)

    def _rows(self) -> list[tuple[int, Judgement | None]]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        rows = []
        for text in data.split(b"\n")[:-1]:  # a line without a newline was cut off while being written
            try:
                line, judgement = orjson.loads(text)
            except ValueError as error:
                raise self._malformed() from error
            if not isinstance(line, int) or judgement not in (*JUDGEMENTS, None):
                raise self._malformed()
            rows.append((line, judgement))
        return rows

    def _malformed(self) -> LedgerError:
        return LedgerError(f"{self.path} does not hold judgements", hint="move it away, then start again")
