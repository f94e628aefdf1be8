import io

from rich.console import Console

from ledger.display.results import (
    checkpoints_table,
    explanation,
    family_table,
    pairs,
    samples_table,
    scores_lines,
)
from ledger.evaluation.scoring import score
from ledger.evidence.text import Flagged, LineSample, TextEvidence


def drawn(renderable, width=80):
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(renderable)
    return out.getvalue()


def test_samples_name_line_source_and_output():
    flagged = {
        "TXT006": Flagged(1, (LineSample(1234, "", "막 하려던 참이었어요"),)),
        "TXT001": Flagged(9, (LineSample(2, "♪" * 300, None),)),
        "TXT002": Flagged(0),
    }
    rows = drawn(samples_table(TextEvidence(2000, flagged))).splitlines()
    assert rows[0].split() == ["guard", "line", "source", "output"]
    assert rows[1].split()[:2] == ["TXT001", "2"]
    assert "…" in rows[1], "a long line is cut, not wrapped"
    assert rows[2].split() == ["TXT006", "1,234", "막", "하려던", "참이었어요", "(empty)"]
    assert len(rows) == 3


def test_markup_in_an_output_is_text():
    evidence = TextEvidence(1, {"TXT001": Flagged(1, (LineSample(1, "[bold]x[/bold]", "[red]"),))})
    assert "[bold]x[/bold]" in drawn(samples_table(evidence))


def test_scores_come_with_scale_signature_and_token_counts():
    shown = drawn(scores_lines(score(["これは猫です。"], ["これは犬です。"], "ja")), width=200)
    rows = shown.splitlines()
    assert rows[0].startswith("BLEU ")
    assert rows[0].endswith(" of 100")
    assert rows[1].startswith("BLEU|nrefs:1|")
    assert rows[3].startswith("chrF2++|nrefs:1|")
    assert rows[4] == "5 output tokens, 5 in the reference; brevity penalty 1.000"


def test_explanation_has_its_sections_in_order():
    shown = drawn(explanation("X001  a title", {"One": "first", "Two": "second"}))
    assert [line.strip() for line in shown.splitlines()] == [
        "X001  a title",
        "",
        "One",
        "first",
        "",
        "Two",
        "second",
    ]


def test_pairs_are_in_two_columns():
    assert drawn(pairs([("a", "one"), ("long", "two")])).splitlines()[0].rstrip() == "a     one"


def test_a_family_stands_in_its_own_order_beside_its_parent():
    members = [
        {"name": "M30", "value": 0.035845, "count": 5000, "parent": None},
        {"name": "H1", "value": None, "count": 5000, "parent": -0.025368},
    ]
    against = {"run": "t5-v55-0a1b2c", "improved": 0, "of": 0}
    rows = drawn(family_table({"name": "correlation", "members": members, "parent": against}))
    assert [line.split() for line in rows.splitlines()] == [
        ["correlation"],
        ["this", "run", "parent", "windows"],
        ["M30", "+0.0358", "-", "5,000"],
        ["H1", "-", "-0.0254", "5,000"],
    ]
    alone = drawn(family_table({"name": "correlation", "members": members}))
    assert "parent" not in alone


def test_saves_without_a_bleu_have_no_columns_for_it():
    row = {"step": 60, "verdict": "pass", "save_seconds": 0.1, "evidence_seconds": 0.2}
    textless = drawn(checkpoints_table([{**row, "memory": None, "reloaded": None}]))
    assert "BLEU" not in textless
    one_sided = drawn(checkpoints_table([{**row, "memory": 33.03, "reloaded": None}]))
    assert "BLEU in memory" in one_sided
    assert "BLEU reloaded" not in one_sided


def test_checkpoints_have_names_and_name_their_equals():
    row = {"verdict": "pass", "save_seconds": 0.1, "evidence_seconds": 0.2, "memory": None, "reloaded": None}
    paths = {"out/checkpoint-100": "sha256:a", "out/checkpoint-150": "sha256:b", "out/final": "sha256:a"}
    rows = [{**row, "step": 150, "path": path, "tensors": weights} for path, weights in paths.items()]
    drawn_rows = [line.split()[:3] for line in drawn(checkpoints_table(rows)).splitlines()[-3:]]
    assert [one[0] for one in drawn_rows] == ["checkpoint-100", "checkpoint-150", "final"]
    assert drawn_rows[2][1:] == ["(=", "checkpoint-100)"]
    two = [{**row, "step": 0, "path": f"{place}/model"} for place in ("one", "two")]
    text = drawn(checkpoints_table(two))
    assert "one/model" in text
    assert "two/model" in text
