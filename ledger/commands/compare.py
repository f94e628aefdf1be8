"""`ledger compare A B`: two runs, experiments or output files compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from guards.text.failed import DEFAULT_MARKERS
from guards.text.form import normalized
from guards.text.scan import scan
from ledger.commands.recorded_texts import read_data, read_output
from ledger.commands.run.training_health import inspect_identity
from ledger.environments.diff.from_journal import environments, side_of_run
from ledger.environments.diff.ranking import suspects
from ledger.errors import UsageError
from ledger.evaluation.comparison import Comparison, LineChange, Side, line_changes
from ledger.evaluation.normalized_scores import normalized_statistics
from ledger.evaluation.significance import paired_statistics, paired_test_of_means, paired_tests_of
from ledger.evidence import Unobserved
from ledger.evidence.metrics import PairedTest
from ledger.evidence.suspects import Suspect
from ledger.journal.run import Run
from ledger.journal.runs import find, load_named
from ledger.journal.store import Entry
from ledger.models.languages import language_of
from ledger.utils.mapping_diff import Difference, differences
from ledger.utils.textfiles import read_lines
from ledger.workspace import Workspace

if TYPE_CHECKING:
    from ledger.commands.comet import Scorer

Lines = Sequence[str]
Text = Lines | Unobserved
CAUTIONS = {
    "rehearsal": "{} is a rehearsal: it says nothing about the real model.",
    "imported": "{} was not observed here: its numbers are what somebody wrote down.",
}


@dataclass(frozen=True, slots=True)
class CompareRequest:
    """The arguments. Source, reference and language default to the runs' own."""

    baseline: str
    candidate: str
    source: Path | None = None
    reference: Path | None = None
    language: str | None = None
    comet: "Scorer | None" = None


@dataclass(frozen=True, slots=True)
class Material:
    """The inputs of one side."""

    name: str
    output: Text
    source: Text
    reference: Text
    language: str | None
    run: Run | None = None


def compare(workspace: Workspace | None, request: CompareRequest) -> Comparison:
    """Compare the candidate with the baseline as far as the available texts allow.

    Without a workspace only files can be compared. Raises UsageError for a name that is neither a file nor a
    run, LedgerError for a file that cannot be read.
    """
    named = [one for one in (request.baseline, request.candidate) if not Path(one).is_file()]
    runs, entries = load_named(workspace, named) if workspace else ([], [])
    old, new = (_material(workspace, runs, name, request) for name in (request.baseline, request.candidate))
    if old.name == new.name:
        raise UsageError(f"both sides are {old.name}", hint="name two runs, experiments or files")
    texts = _compare_texts(old, new, request.comet)
    return Comparison(
        baseline=_side(old),
        candidate=_side(new),
        lines=texts.lines,
        identical=texts.identical,
        tests=texts.tests,
        normalized=texts.normalized,
        changes=texts.changes,
        params=_params(old, new),
        suspects=_suspects(entries, old, new),
        same_training=_same_training(old, new),
    )


def _material(
    workspace: Workspace | None, runs: Sequence[Run], name: str, request: CompareRequest
) -> Material:
    """The file of that name, else the run, else the experiment's latest run."""
    source = read_lines(request.source) if request.source else None
    reference = read_lines(request.reference) if request.reference else None
    if Path(name).is_file():
        return Material(
            name=name,
            output=read_lines(name),
            source=source or Unobserved("no source is named (--source)"),
            reference=reference or Unobserved("no reference is named (--reference)"),
            language=request.language,
        )
    if workspace is None:
        raise UsageError(
            f"there is no file {name}", hint="runs are only known inside a repository with a ledger"
        )
    run = find(runs, name)
    return Material(
        name=run.id,
        output=read_output(workspace, run),
        source=source or read_data(workspace, run, "source"),
        reference=reference or read_data(workspace, run, "reference"),
        language=request.language or run.target_language,
        run=run,
    )


@dataclass(frozen=True, slots=True)
class TextComparison:
    """The result of comparing two outputs line by line; empty where that is not possible."""

    tests: tuple[PairedTest, ...] | Unobserved
    normalized: tuple[PairedTest, ...] = ()
    changes: tuple[LineChange, ...] = ()
    lines: int = 0
    identical: int | None = None


def _compare_texts(old: Material, new: Material, scorer: "Scorer | None") -> TextComparison:
    baseline, candidate = old.output, new.output
    if isinstance(baseline, Unobserved):
        return TextComparison(baseline)
    if isinstance(candidate, Unobserved):
        return TextComparison(candidate)
    if reason := _other_source(old, new, len(baseline), len(candidate)):
        return TextComparison(Unobserved(reason))
    identical = sum(one == other for one, other in zip(baseline, candidate, strict=True))
    reference = _reference(old, new)
    language = old.language or new.language
    if new.language and language and language_of(new.language) != language_of(language):
        other = Unobserved(f"one is in {language} and the other in {new.language}")
        return TextComparison(other, lines=len(baseline), identical=identical)
    if isinstance(reference, Unobserved):
        return TextComparison(reference, lines=len(baseline), identical=identical)
    if language is None:
        missing = Unobserved("no language is named (--lang), so BLEU has no tokenizer")
        return TextComparison(missing, lines=len(baseline), identical=identical)
    source = None if isinstance(old.source, Unobserved) else old.source
    sides = paired_statistics(baseline, candidate, reference, language)
    normal = normalized_statistics(sides, (baseline, candidate), (reference,), normalized)
    return TextComparison(
        tests=(
            *paired_tests_of(*sides),
            *_comet_test(scorer, (baseline, candidate), source, reference),
        ),
        normalized=paired_tests_of(*normal) if normal else (),
        changes=line_changes(baseline, candidate, reference, source),
        lines=len(baseline),
        identical=identical,
    )


def _comet_test(
    scorer: "Scorer | None", outputs: tuple[Lines, Lines], source: Lines | None, reference: Lines
) -> Iterator[PairedTest]:
    if scorer is None:
        return
    if source is None:
        raise UsageError("--comet needs the source", hint="give --source")
    result = scorer(source, reference, outputs)
    baseline, candidate = result.scores
    yield paired_test_of_means("COMET", baseline, candidate, result.signature)


def _other_source(old: Material, new: Material, baseline: int, candidate: int) -> str:
    """Why line n of one output does not correspond to line n of the other; empty where it does."""
    if baseline != candidate:
        return f"the outputs have {baseline:,} and {candidate:,} lines"
    known = [side.source for side in (old, new) if not isinstance(side.source, Unobserved)]
    if len(known) == 2 and list(known[0]) != list(known[1]):
        return "they translate different sources"
    return ""


def _reference(old: Material, new: Material) -> Text:
    """The common reference, or the only one that is known."""
    known = [side.reference for side in (old, new) if not isinstance(side.reference, Unobserved)]
    if not known:
        return old.reference
    if len(known) == 2 and list(known[0]) != list(known[1]):
        return Unobserved("they have different references")
    return known[0]


def _side(material: Material) -> Side:
    run = material.run
    caution = ""
    if run is not None and run.mode in CAUTIONS:
        caution = CAUTIONS[run.mode].format(run.id)
    return Side(
        name=material.name,
        experiment=run.experiment if run else None,
        rates=_rates(material),
        metrics=run.metrics if run else {},
        caution=caution,
    )


def _rates(material: Material) -> dict[str, float]:
    """The share of lines that each text guard flags, as recorded where the output is not available."""
    if isinstance(material.output, Unobserved):
        return material.run.rates if material.run else {}
    lines = len(material.output)
    source, reference = (
        None if isinstance(text, Unobserved) or not text or len(text) != lines else text
        for text in (material.source, material.reference)
    )
    scanned = scan(
        material.output,
        source=source,
        reference=reference,
        language=material.language,
        markers=_markers(material),
    )
    return scanned.rates


def _markers(material: Material) -> Sequence[str]:
    stated = material.run.spec.get("failure_marker") if material.run else None
    return [stated] if stated else DEFAULT_MARKERS


def _params(old: Material, new: Material) -> tuple[Difference, ...]:
    """The differences between the two specs."""
    if old.run is None or new.run is None:
        return ()
    return tuple(differences(old.run.spec, new.run.spec))


def _same_training(old: Material, new: Material) -> str:
    """DUP004 of the two: that they are one training, and which stated settings differ; else empty."""
    if old.run is None or new.run is None:
        return ""
    report = inspect_identity(new.run.training_identity(), [old.run.training_identity()])
    return "; ".join(f"{one.code}: {one.message}." for one in report.findings)


def _suspects(entries: Sequence[Entry], old: Material, new: Material) -> tuple[Suspect, ...] | Unobserved:
    """Differences of environment and effective configuration, most suspicious first."""
    if old.run is None or new.run is None:
        return Unobserved("a file does not record its environment")
    facts = environments(entries)
    return tuple(suspects(side_of_run(old.run, facts), side_of_run(new.run, facts)))
