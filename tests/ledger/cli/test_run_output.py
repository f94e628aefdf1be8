"""What `ledger run` prints: the verdict first and last, what needs attention, and the rest counted."""

import io

import pytest
from rich.console import Console

from ledger.cli.run import TerminalReporter, _human, _human_command
from ledger.commands.run.command.command import RecordedCommand
from ledger.commands.run.generation import GenerationOutcome
from ledger.commands.run.training.task import TrainingOutcome
from ledger.evidence.text import LineSample
from ledger.findings import Finding, Report, Severity, Skip

PASSED = ("TXT001", "TXT002", "PRE001")
UNASKED = Skip("SCO001", "no limit is set")
ASKED = Skip("CKP006", "the logits could not be read", required=True)
UNVERIFIED = Skip("CKP001", "checkpoint-30: it was overwritten by a later save before it could be verified")
ERROR = Finding("CKP003", Severity.ERROR, "checkpoint-30: 2 tensors newly initialised")
ROW = {"step": 30, "path": "out/checkpoint-30", "memory": 10.0, "reloaded": 0.0, "verdict": "fail"}
TRAINED = {"checkpoints": [ROW], "output": {"path": "out"}}


def printed(parts, width=80):
    stream = io.StringIO()
    Console(file=stream, width=width).print(*parts, sep="\n")
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def outcome(kind, report, **more):
    known = {"experiment": "exp7", "mode": "rehearsal", "run": "exp7-0a1b2c", "seconds": 9.0}
    return kind(**known, report=report, **more)


def test_the_verdict_is_first_and_last_and_what_passed_is_counted():
    report = Report((ERROR,), (UNASKED, ASKED, UNVERIFIED), PASSED)
    lines = printed(_human(outcome(TrainingOutcome, report, recorded=TRAINED), verbose=False))
    assert lines[0] == lines[-1] == "FAIL  rehearsal exp7-0a1b2c in 9 s: CKP003"
    text = "\n".join(lines)
    assert text.index("needs attention") < text.index("checkpoint-30    30")
    for part in ("CKP003  error", "the logits could not be read", "it was overwritten by a later save"):
        assert part in text
    assert "3 guards passed, 1 guard had nothing to check (-v lists them)" in lines
    assert "no limit is set" not in text
    assert "TXT002" not in text
    assert "A rehearsal: a tiny model overfitted these few lines." in text


def test_verbose_lists_every_guard():
    report = Report((), (UNASKED,), PASSED)
    lines = printed(_human(outcome(TrainingOutcome, report, recorded=TRAINED), verbose=True))
    text = "\n".join(lines)
    assert "no limit is set" in text
    assert "TXT001, TXT002, PRE001" in text
    assert "-v lists them" not in text


def test_without_anything_to_look_at_there_is_no_empty_table():
    recorded = {"output": {"path": "out.ja"}}
    samples = (LineSample(1, "가", "か"),)
    done = outcome(GenerationOutcome, Report(passed=PASSED), recorded=recorded, samples=samples)
    lines = printed(_human(done, verbose=False))
    assert lines[0] == lines[-1] == "PASS  rehearsal exp7-0a1b2c in 9 s"
    assert "needs attention" not in lines
    assert "output: out.ja" in lines


@pytest.mark.parametrize(
    ("report", "checkpoints", "wanted"),
    [
        (Report(), [], []),
        (Report(skips=(UNVERIFIED,)), [], ["needs attention", "it was overwritten"]),
        (Report((ERROR,), (UNASKED,), PASSED), [ROW], ["CKP003", "checkpoint-30    30", "3 guards passed"]),
    ],
)
def test_a_command_prints_only_what_was_found(report, checkpoints, wanted):
    done = RecordedCommand("train-1", "train", 0, 1.0, report, {"checkpoints": checkpoints})
    text = "\n".join(printed(_human_command(done, verbose=False)))
    assert all(part in text for part in wanted)
    assert bool(text.strip()) == bool(wanted)


def test_without_a_terminal_checkpoints_are_lines_and_the_first_one_comes_at_once(capsys):
    reporter = TerminalReporter()
    with reporter.working("exp7"):
        assert capsys.readouterr().err == "exp7: preparing\n"
        reporter.checkpoint(["checkpoint-30  FAIL", "  CKP003 2 tensors newly initialised"])
    assert capsys.readouterr().err == "checkpoint-30  FAIL\n  CKP003 2 tensors newly initialised\n"
