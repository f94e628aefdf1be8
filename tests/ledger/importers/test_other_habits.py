"""Ten logs of other habits, in the manner of public ones: what is read of each, or why it is refused."""

import json
from math import isnan
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.importers import markdown_log
from ledger.importers.markdown_log.other_habits import read_runs

DATA = Path(__file__).parents[2] / "data" / "markdown"

# By log and run: outcome, model, settings, scores. NaN is "nan".
LOGS = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", LOGS)
def test_runs_settings_and_results_of_logs_of_other_habits(name):
    claimed = markdown_log.read(DATA / f"{name}.md")
    assert claimed.log is None, "nothing is compared, so there is no contradiction"
    found = {
        run.experiment: [
            run.outcome,
            run.model,
            dict(run.params),
            {key: "nan" if isnan(value) else value for key, value in run.metrics.items()},
        ]
        for run in claimed.runs
    }
    assert found == LOGS[name]


def test_prose_that_mentions_scores_is_no_run():
    with pytest.raises(LedgerError, match="has a name and a score"):
        markdown_log.read(DATA / "en-prose.md")


def test_the_steps_of_a_model_card_are_series():
    (run,) = markdown_log.read(DATA / "en-card.md").runs
    assert [(point.step, point.value) for point in run.series["bleu"]] == [(500, 15.2), (1000, 21.3)]
    assert isnan(run.series["validation_loss"][-1].value)


def test_a_table_and_a_heading_of_one_log_are_runs_of_their_own():
    text = "## Experiment 1: A\n- BLEU: 20\n\n| Run | BLEU |\n|---|---|\n| x | 3 |\n"
    assert [run.experiment for run in read_runs(text)] == ["Experiment 1: A", "x"]


TEXT = st.text(st.sampled_from("#-*|: \n`=BLEU21.3,%()runlr結果상태ü"), max_size=200)


@settings(max_examples=100)
@given(TEXT)
def test_any_text_is_read_or_has_no_runs(text):
    for run in read_runs(text):
        assert run.experiment
