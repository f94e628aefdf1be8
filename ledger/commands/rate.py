"""`ledger rate RUN`: a person judges sampled lines; the shares are recorded once all are judged."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.commands.recorded_texts import read_data, read_output
from ledger.errors import LedgerError
from ledger.evidence import Unobserved
from ledger.git import status
from ledger.journal.annotations import JUDGEMENTS, RATING, Judgement, Rating, ratings
from ledger.journal.rating_session import JudgementFile, draw
from ledger.journal.run import Run
from ledger.journal.runs import find_run
from ledger.journal.store import open_journal
from ledger.utils.plural import count
from ledger.workspace import Workspace


@dataclass(frozen=True, slots=True)
class RatedLine:
    """One line to judge; source and reference are None where they are not available."""

    number: int
    source: str | None
    output: str
    reference: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """The lines of one run to judge, and the judgements so far."""

    workspace: Workspace
    run: Run
    who: str
    of: int
    lines: tuple[RatedLine, ...]
    sheet: JudgementFile

    @property
    def answers(self) -> dict[int, Judgement]:
        """The judgements so far of the lines to judge."""
        drawn = {line.number for line in self.lines}
        return {number: answer for number, answer in self.sheet.judged().items() if number in drawn}

    @property
    def left(self) -> list[RatedLine]:
        """The lines that are not judged yet."""
        done = self.answers
        return [line for line in self.lines if line.number not in done]

    def record(self) -> Rating:
        """Record the judgements. Raises LedgerError while lines are left."""
        answers = self.answers
        if len(answers) < len(self.lines):
            left = count(len(self.lines) - len(answers), "line")
            raise LedgerError(f"{left} still to judge", hint="judge them first")
        counted = Counter(answers.values())
        counts = {name: counted[name] for name in JUDGEMENTS}
        body = {"run": self.run.id, "experiment": self.run.experiment, "who": self.who, "of": self.of}
        judged = [[line.number, answers[line.number]] for line in self.lines]
        assert self.run.output, "its lines were read"
        journal = open_journal(self.workspace, self.run.mode)
        entry = journal.append(
            RATING, {**body, "counts": counts, "judged": judged, "output": self.run.output.sha256}
        )
        self.sheet.close()
        return next(one for one in ratings([entry]))


def open_session(workspace: Workspace, name: str, lines: int) -> Session:
    """Start or resume judging a run's output. Raises LedgerError where that is not available."""
    run = find_run(workspace, name)
    output = read_output(workspace, run)
    if isinstance(output, Unobserved):
        raise LedgerError(
            f"there is nothing to judge: {output.reason}", hint="judge a run whose output is available"
        )
    source, reference = (_aligned(workspace, run, role, len(output)) for role in ("source", "reference"))
    drawn = [
        RatedLine(
            number=number,
            source=source[number - 1] if source else None,
            output=output[number - 1],
            reference=reference[number - 1] if reference else None,
        )
        for number in draw(run.id, len(output), lines)
    ]
    who = status.user_name(workspace.root)
    sheet = JudgementFile(workspace.private / "ratings" / f"{run.id}.jsonl")
    return Session(workspace, run, who, len(output), tuple(drawn), sheet)


def _aligned(workspace: Workspace, run: Run, role: str, lines: int) -> Sequence[str] | None:
    text = read_data(workspace, run, role)
    return text if not isinstance(text, Unobserved) and len(text) == lines else None
