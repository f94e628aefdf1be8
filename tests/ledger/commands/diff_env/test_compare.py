"""The case that `ledger diff-env` is for, from end to end: a Marian with separate embeddings and a tied head
is good under transformers 4.57.6, and the same checkpoint is not under 5.0.0.

Needs both environments; the second one is not built here: it takes minutes and 1.1 GiB.
"""

import pytest

from ledger.commands.diff_env.bisect import Bisection, Mixtures, Search, Trial
from ledger.environments.lockfile import find
from ledger.evidence.suspects import Change, Kind, Suspect
from ledger.findings import Finding, Report, Severity, Verdict
from ledger.workspace import Workspace
from runners.environments.build import built, default_cache

UNTIED = """
extends: exp10
model:
  config: {share_encoder_decoder_embeddings: false, tie_word_embeddings: true}
output: models/untied
"""


@pytest.fixture
def both_environments():
    lockfiles = Workspace.find().lockfiles
    for name in ("mt-4.57.6", "mt-5.0.0"):
        if built(find(name, lockfiles), default_cache()) is None:
            pytest.skip(f"{name} is not built here; build it with: ledger env build {name}")


def rows(document):
    return {one["name"]: (one["before"], one["after"]) for one in document["suspects"] if one["hard"]}


def effective(repository):
    """Both lockfiles' defaults, as a training with a tied head on separate embeddings meets them."""
    (repository.root / "experiments" / "untied.yaml").write_text(UNTIED)
    told = repository.json(
        "diff-env", "mt-4.57.6", "mt-5.0.0", "--effective", "--experiment", "untied", exits=1
    )
    changed = rows(told)
    assert changed["MarianMTModel.config (untied).tie_word_embeddings"] == (True, False)
    assert changed["MarianMTModel.generate (untied).forced_eos_token_id"] == (0, None)
    assert changed["Seq2SeqTrainingArguments.use_cache"] == (None, False)
    assert changed["Seq2SeqTrainingArguments.report_to"] == ("all", "none")
    assert changed["GenerationConfig.max_length"] == (20, None)
    return told


def test_defaults_that_changed_are_shown_without_any_run(both_environments, repository):
    effective(repository)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_good_run_against_its_checkpoint_that_another_version_spoils(
    both_environments, repository, monkeypatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (repository.root / "experiments" / "untied.yaml").write_text(UNTIED)
    good = repository.json("run", "untied", "--rehearse")
    checkpoint = good["checkpoints"][-1]["path"]
    bad = repository.json("verify", checkpoint, "--env", "mt-5.0.0", exits=1)

    for named in (checkpoint, bad["checkpoints"][0]["entry"][len("sha256:") :][:12]):
        found = repository.json("diff-env", good["run"], named, exits=1)
        assert (
            found["suspects"][0].items()
            >= {
                "name": "transformers",
                "before": "4.57.6",
                "after": "5.0.0",
                "imported": True,
            }.items()
        )
        assert rows(found)["model.tie_word_embeddings"] == (True, False)
        assert rows(found)["training.use_cache"] == (None, False)
        assert rows(found)["model.forced_eos_token_id"] == (0, None)
        (tie,) = [one for one in found["suspects"] if one["name"] == "model.tie_word_embeddings"]
        assert tie["chosen"] == "overridden"

    assert effective(repository)["imports_of"] == good["run"]


A, B = (Trial(f"all of {name}", (), verdict) for name, verdict in (("A", Verdict.PASS), ("B", Verdict.FAIL)))
GROUP = ("transformers", "huggingface-hub", "requests", "httpx")
CURED = Trial("B with 4 as in A", GROUP, Verdict.PASS)
STILL = Trial("B with 4 as in A", GROUP, Verdict.FAIL)
BROKEN = Trial("A with 1 as in B", ("numpy",), None, problem="no space left")
NAMED = "transformers, huggingface-hub, requests and 1 more that can only change together with them"


@pytest.mark.parametrize(
    ("a", "b", "trials", "cause", "cured", "answer"),
    [
        (A, B, (), (GROUP,), CURED, f"decided by {NAMED}: with A's versions, it passes under B"),
        (
            A,
            B,
            (BROKEN,),
            (("tqdm",), ("numpy",)),
            CURED,
            "decided by tqdm and numpy together: with A's versions, it passes under B; "
            "1 mixture could not be tested",
        ),
        (
            A,
            B,
            (),
            (("tqdm",),),
            STILL,
            "decided by tqdm: with A's versions, it still fails under B, so other packages break it too",
        ),
        (
            A,
            B,
            (),
            (("tqdm",),),
            BROKEN,
            "decided by tqdm: with A's versions, B could not be tested (no space left)",
        ),
        (A, B, (), (), None, "no package that can be tested decides: the other differences do"),
        (A, BROKEN, (), (), None, "there is nothing to decide: pass under A, no space left under B"),
        (A, A, (), (), None, "there is nothing to decide: pass under A, pass under B"),
        (B, B, (), (), None, "there is nothing to decide: fail under A, fail under B"),
        (BROKEN, B, (), (), None, "there is nothing to decide: no space left under A, fail under B"),
    ],
)
def test_a_bisection_answers_in_one_sentence(a, b, trials, cause, cured, answer):
    assert Bisection("checkpoint-90, reloaded", a, b, trials, cause, cured).answer == answer


def suspect(name):
    return Suspect(Kind.PACKAGE, name, "1", "2", Change.MAJOR)


@pytest.mark.parametrize(
    ("breaks", "cause", "cured"),
    [
        ({"c"}, [("c",)], Verdict.PASS),
        ({"b", "d"}, [("b",), ("d",)], Verdict.PASS),
        ({"f"}, [("f",)], Verdict.PASS),  # no hard suspect
    ],
)
def test_a_search_finds_the_packages_that_break_it_together(breaks, cause, cured):
    groups = tuple(frozenset(one) for one in "abcdef")

    def judge(reverted):
        broken = breaks.isdisjoint(reverted)
        return Report((Finding("CKP005", Severity.ERROR, "broken"),) if broken else ())

    search = Search(judge, Mixtures(groups, lambda reverted: reverted), [suspect(one) for one in "abcde"])
    assert search.find() == [frozenset(one) for (one,) in cause]
    assert search.cure(search.find()).verdict is cured
