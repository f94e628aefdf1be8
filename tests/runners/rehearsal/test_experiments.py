"""Every family of the teacher experiments, with the specs' own parameters: right passes, wrong is caught."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.commands.check import inspect_output
from ledger.commands.run.rehearsal_model import rehearsal_model
from ledger.evidence.scores import ScoreLimits
from ledger.findings import Report, Verdict
from ledger.specs import GenerationSpec, load_experiment
from runners.host.generation import GenerationJob, generate
from runners.host.worker_process import Worker
from runners.rehearsal import Rehearsal, rehearsal_text

ROOT = Path(__file__).parents[3]
Run = Callable[[GenerationSpec], tuple[list[str], Report, float]]


@pytest.fixture
def run(worker: Worker, trained: Callable[..., Rehearsal], tmp_path: Path) -> Run:
    """run(spec): output lines, report and BLEU (ja-mecab) of the spec, rehearsed."""

    def run(spec: GenerationSpec) -> tuple[list[str], Report, float]:
        family, objective = rehearsal_model(spec.name, spec.model)
        model = trained(family=family, objective=objective)
        source, reference = rehearsal_text("ko", "ja")
        (tmp_path / "source.ko").write_text("".join(f"{line}\n" for line in source), encoding="utf-8")
        job = GenerationJob(
            model=str(model.folder),
            source=tmp_path / "source.ko",
            lines=len(source),
            output=tmp_path / "output.ja",
            failure_marker=spec.failure_marker,
            source_code=spec.codes.source,
            target_code=spec.codes.target,
            generation=spec.generation.parameters(),
            family=family,
            batch_size=spec.generation.batch_size,
            device="cpu",
        )
        generate(worker, job, tmp_path, lambda progress: None)
        lines = job.output.read_text(encoding="utf-8").splitlines()
        report, _, scores = inspect_output(
            lines,
            source=source,
            reference=reference,
            language="ja",
            markers=[spec.failure_marker],
            max_rate={},
            score_limits=ScoreLimits(min_bleu=80.0),
        )
        return lines, report, scores.bleu.value

    return run


def spec_of(name: str, *overrides: str) -> GenerationSpec:
    return load_experiment(name, ROOT / "experiments", overrides)


def rate(report: Report, code: str) -> float:
    return next((finding.measured for finding in report.findings if finding.code == code), 0.0)


@pytest.mark.parametrize("name", ["exp1", "exp2", "exp5", "exp6", "exp9"])
def test_right_experiments_pass(run: Run, name: str):
    _, report, bleu = run(spec_of(name))
    assert report.verdict is Verdict.PASS
    assert bleu > 80


@pytest.mark.parametrize(
    ("family", "source", "target"), [("marian", "kor", "jpn"), ("t5", "Korean", "Japanese")]
)
def test_families_of_no_teacher_experiment_pass(run: Run, family: str, source: str, target: str):
    overrides = (f"model.family={family}", f"codes.source={source}", f"codes.target={target}")
    _, report, bleu = run(spec_of("exp5", *overrides))
    assert report.verdict is Verdict.PASS
    assert bleu > 80


def test_codes_of_another_family_give_the_wrong_language(run: Run):
    _, report, bleu = run(spec_of("exp4"))
    assert rate(report, "TXT004") > 0.5
    assert bleu < 20


def test_a_model_that_never_saw_a_translation_fails(run: Run):
    _, report, bleu = run(spec_of("exp8"))
    assert rate(report, "TXT004") > 0.5
    assert bleu < 20


def test_a_valid_code_of_the_wrong_language_gives_that_language(run: Run):
    lines, report, _ = run(spec_of("exp5", "codes.target=en_XX"))
    english = rehearsal_text("ko", "en")[1]
    assert sum(line == wanted for line, wanted in zip(lines, english, strict=True)) > 50
    assert report.verdict is Verdict.FAIL
