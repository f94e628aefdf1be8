"""What about a run needs attention, and what a verdict rests on."""

import pytest

from ledger.commands.attention import AttentionFinder
from ledger.evidence.suspects import Kind, Suspect
from ledger.journal.run import Run
from ledger.report.attention import (
    UNSTATED,
    baseline_and_best,
    basis,
    best_checkpoint,
    first_with_output,
    needs_attention,
    standing,
)
from ledger.report.page import KINDS, RunChange, Unfinished
from ledger.report.translations import ENGLISH, JAPANESE
from ledger.workspace import Workspace

ERROR = {
    "code": "CKP007",
    "severity": "error",
    "message": "checkpoint-2: BLEU fell to 0",
    "evidence": {"step": 2},
}
TEXT = {"code": "TXT001", "severity": "error", "message": "4 of 64 lines repeat themselves"}
SAME = {
    "code": "DUP004",
    "severity": "warning",
    "message": "the losses equal those of",
    "evidence": {"run": "b-1"},
}
SKIP = {"code": "CKP001", "reason": "the worker was killed", "required": True}
NOTHING = "rests on nothing: no guard had anything to check"
OUTPUT = {"path": "a b/out.ja", "sha256": "6" * 64}


def a_run(run="exp1-1", *, status="finished", mode="real", started=None, **finished):
    report = {name: finished.pop(name, []) for name in ("findings", "skips", "passed")}
    body = {"verdict": "pass", "report": report, **finished}
    experiment = run.partition("-")[0]
    return Run(run, experiment, mode, "2026-11-22T06:44:56Z", status, started or {}, body)


def row(step, verdict, reloaded=None, path="out/checkpoint-{}"):
    return {"step": step, "verdict": verdict, "path": path.format(step), "memory": 9.0, "reloaded": reloaded}


def reasons(run, *others, **known):
    found = list(needs_attention(run, first_with_output=first_with_output([*others, run]), **known))
    return [(one.kind, one.sentence(ENGLISH), one.command) for one in found]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (a_run(passed=["TXT001"]), []),
        (
            a_run(status="failed", error="No space left on device"),
            ("failed", "It ended with an error: No space left on device.", "ledger run exp1 --resume"),
        ),
        (
            a_run(status="failed", mode="rehearsal", error="killed"),
            ("failed", "It ended with an error: killed.", "ledger run exp1 --rehearse --resume"),
        ),
        (
            a_run(mode="command", verdict="fail", exit_code=3, passed=["TRN001"]),
            ("failed", "The command ended with exit code 3.", "ledger show exp1-1"),
        ),
        (
            a_run(verdict="fail", findings=[TEXT]),
            ("failed", "TXT001: 4 of 64 lines repeat themselves.", "ledger explain TXT001"),
        ),
        (
            a_run(
                verdict="fail", findings=[ERROR, TEXT], checkpoints=[row(2, "fail", path="o p/checkpoint-{}")]
            ),
            (
                "failed",
                "CKP007: checkpoint-2: BLEU fell to 0 (1 more)",
                "ledger verify 'o p/checkpoint-2'",
            ),
        ),
        (a_run(verdict="fail"), ("failed", "Its verdict is fail.", "ledger show exp1-1")),
        (
            a_run(verdict="inconclusive", skips=[SKIP]),
            (
                "unverified",
                "Something that was asked for could not be checked: the worker was killed.",
                "ledger show exp1-1",
            ),
        ),
        (
            a_run(passed=["CKP001"], checkpoints=[row(1, "pass"), row(2, "inconclusive")]),
            (
                "unverified",
                f"1 of 2 saved checkpoints not verified: {UNSTATED}.",
                "ledger verify out/checkpoint-2",
            ),
        ),
        (
            a_run(output=OUTPUT),
            (
                "unverified",
                "It passed, but nothing was verified: no guard had anything to check.",
                "ledger check 'a b/out.ja'",
            ),
        ),
        (
            a_run(findings=[SAME], passed=["TRN001"]),
            ("identical", "DUP004: the losses equal those of.", "ledger compare b-1 exp1-1"),
        ),
        (
            a_run(status="interrupted"),
            ("stalled", "It was interrupted: its process is gone.", "ledger run exp1 --resume"),
        ),
    ],
)
def test_each_reason_is_one_sentence_with_the_next_command(run, expected):
    assert reasons(run) == ([expected] if expected else [])


def test_an_output_of_another_experiment_is_identical_but_a_repetition_is_not():
    first = a_run("exp5-1", output=OUTPUT, passed=["TXT001"])
    for name, found in (("exp7-1", 1), ("exp5-2", 0)):
        again = a_run(name, output=OUTPUT, passed=["TXT001"])
        assert len(reasons(again, first)) == found
    assert reasons(first, a_run("exp7-1", output=OUTPUT)) != []
    assert (
        reasons(a_run("exp7-1", output=OUTPUT, passed=["TXT001"]), first)[0][2]
        == "ledger compare exp5-1 exp7-1"
    )


def test_a_drift_names_the_hard_differences_only():
    hard = Suspect(Kind.PACKAGE, "transformers", "4.57.6", "5.0.0")
    soft = Suspect(Kind.MACHINE, "kernel", "6.1", "6.2", hard=False)
    chosen = Suspect(Kind.SETTING, "generation.num_beams", 3, 5)
    run = a_run(passed=["TXT001"])
    found = reasons(run, drift=RunChange("exp1-0", "exp1-1", (hard, chosen, soft)))
    assert found == [
        (
            "drifted",
            "Its environment differs from that of exp1-0: transformers 4.57.6 → 5.0.0.",
            "ledger diff-env exp1-0 exp1-1",
        )
    ]
    assert reasons(run, drift=RunChange("exp1-0", "exp1-1", (soft,))) == []


def test_a_stalled_run_is_named_while_a_running_one_is_not():
    run = a_run(status="running")
    assert reasons(run, unfinished=Unfinished("running", 0.2)) == []
    assert reasons(run, unfinished=Unfinished("stalled", 14.4))[0][:2] == (
        "stalled",
        "It is running, but has written nothing for 14 minutes.",
    )


def test_every_kind_has_a_name_in_both_languages():
    assert all(f"kind_{kind}" in words for kind in KINDS for words in (ENGLISH, JAPANESE))


@pytest.mark.parametrize(
    ("run", "rests", "stands"),
    [
        (a_run(), NOTHING, "unverified"),
        (a_run(skips=[{"code": "TXT001", "reason": "no output"}]), NOTHING, "unverified"),
        (a_run(passed=["TXT001", "SCO001"]), "rests on the text, scores", "pass"),
        (
            a_run(checkpoints=[row(1, "pass")], passed=["CKP001", "TRN001"]),
            "rests on 1 of 1 checkpoints, the training's log",
            "pass",
        ),
        (a_run(verdict="fail", findings=[TEXT]), "rests on the text", "fail"),
        (a_run(status="running", verdict=None), "", "running"),
    ],
)
def test_a_verdict_says_what_it_rests_on(run, rests, stands):
    assert (basis(run, ENGLISH), standing(run)) == (rests, stands)


def test_the_checkpoint_to_use_is_the_best_that_passed():
    rows = [row(1, "pass", 40.0), row(2, "pass", 60.0), row(3, "fail", 90.0), row(4, "inconclusive", 99.0)]
    assert best_checkpoint(a_run(checkpoints=rows)).step == 2
    assert best_checkpoint(a_run(checkpoints=[row(1, "pass"), row(2, "pass")])).step == 2
    assert best_checkpoint(a_run(checkpoints=[row(1, "fail")])) is None


def test_only_scores_computed_alike_are_compared():
    def scored(name, value, signature="a", **more):
        return a_run(
            name, metrics={"bleu": {"value": value, "signature": signature}}, passed=["TXT001"], **more
        )

    runs = [
        scored("e-1", 20.0),
        scored("e-2", 30.0),
        scored("e-3", 60.0, "b"),
        scored("e-4", 70.0, mode="rehearsal"),
    ]
    baseline, best = baseline_and_best([*runs, scored("e-5", 99.0, verdict="fail")])
    assert (baseline.id, best.id) == ("e-1", "e-2")
    assert baseline_and_best([a_run("e-1", verdict="fail")]) == (None, None)


def test_a_run_is_compared_with_the_last_one_that_passed(tmp_path):
    environments = {
        name: {"packages": {"transformers": {"version": version}}, "python": {"version": "3.11"}}
        for name, version in (("a", "4.57.6"), ("b", "5.0.0"))
    }
    runs = [
        a_run("e-1", started={"environment": "a"}),
        a_run("e-2", verdict="fail", started={"environment": "b"}),
        a_run("e-3", verdict="fail", started={"environment": "b"}),
        a_run("e-4", started={"environment": "a"}),
    ]
    finder = AttentionFinder(Workspace(tmp_path), runs, environments)
    drifts = {run.id: finder.drift(run) for run in runs}
    assert drifts["e-1"] is drifts["e-4"] is None
    assert drifts["e-2"].before == drifts["e-3"].before == "e-1"
    assert [one.name for one in drifts["e-3"].suspects] == ["transformers"]
