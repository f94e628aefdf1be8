"""`ledger compare` on files; for runs, see the tests of each kind of run."""

import unicodedata
from pathlib import Path

import pytest
from sacrebleu.metrics.bleu import BLEU

from runners.rehearsal.text import pairs

LINES = 400
SOURCE, REFERENCE = zip(*((one.ko, one.ja) for one in pairs(LINES)), strict=True)


def broken(every: int) -> list[str]:
    """The reference with one line in `every` replaced by the output of a model that repeats itself."""
    return ["I I I I I I I I I I" if n % every == 0 else line for n, line in enumerate(REFERENCE)]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"in.ko": SOURCE, "ref.ja": REFERENCE, "short.ja": REFERENCE[:3]}
    for name, lines in {**texts, "a.ja": broken(50), "b.ja": broken(8)}.items():
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


TEXTS = ("--source", "in.ko", "--reference", "ref.ja", "--lang", "ja")


def test_two_files_with_known_damage(ledger) -> None:
    done = ledger("compare", "a.ja", "b.ja", *TEXTS, "--json")
    assert done.code == 0, done.err
    found = done.document
    worse, other = broken(8), broken(50)
    assert found["identical"] == sum(one == two for one, two in zip(worse, other, strict=True))
    assert found["baseline"]["rates"]["TXT001"] == pytest.approx(sum("I I" in x for x in other) / LINES)
    assert found["candidate"]["rates"]["TXT001"] == pytest.approx(sum("I I" in x for x in worse) / LINES)
    bleu = found["tests"][0]
    plain = [BLEU(tokenize="ja-mecab").corpus_score(side, [REFERENCE]).score for side in (other, worse)]
    assert [bleu["baseline"]["value"], bleu["candidate"]["value"]] == pytest.approx(plain)
    assert bleu["difference"] == pytest.approx(plain[1] - plain[0])
    assert bleu["significant"]
    assert all(line["candidate"].startswith("I I") for line in found["worsened"])
    assert any("a.ja is better than b.ja" in sentence for sentence in found["conclusions"])


def test_an_output_in_another_unicode_form_is_not_called_worse(ledger, tmp_path: Path) -> None:
    """b.ja is a.ja with decomposed kana and half-width letters: only the form differs."""
    half = {chr(ord(c) + 0xFEE0): c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"}
    other = [unicodedata.normalize("NFD", "".join(half.get(c, c) for c in line)) for line in broken(50)]
    (tmp_path / "b.ja").write_text("".join(f"{line}\n" for line in other), encoding="utf-8")
    found = ledger("compare", "a.ja", "b.ja", *TEXTS, "--json").document
    assert [test["significant"] for test in found["tests"]] == [True, True]
    assert [test["difference"] for test in found["normalized_tests"]] == [0, 0]
    assert found["normalized_tests"][0]["signature"].startswith("BLEU|nrefs:1|")
    assert "norm:NFKC" in found["normalized_tests"][0]["signature"]
    said = " ".join(found["conclusions"])
    assert "is better than" not in said
    assert "BLEU above b.ja" in said
    assert "this does not make it better" in said
    shown = ledger("compare", "a.ja", "b.ja", *TEXTS).out
    assert "BLEU, normalized" in shown
    checked = ledger("check", "b.ja", *TEXTS, "--json").document
    assert checked["normalized_scores"]["bleu"]["value"] > checked["scores"]["bleu"]["value"] + 10
    assert ledger("check", "a.ja", *TEXTS, "--json").document["normalized_scores"] is None
    assert "with Unicode form normalized" in ledger("check", "b.ja", *TEXTS).out


def test_a_table_fits_80_columns_and_markdown_has_one_table_per_section(ledger) -> None:
    from rich.cells import cell_len

    table = ledger("compare", "a.ja", "b.ja", *TEXTS).out
    assert max(cell_len(line) for line in table.splitlines()) <= 80
    markdown = ledger("compare", "a.ja", "b.ja", *TEXTS, "--markdown", "--lines", "1").out
    assert markdown.startswith("## b.ja compared with a.ja")
    assert markdown.count("| --- |") >= 3


def test_without_a_reference_neither_is_called_better(ledger) -> None:
    found = ledger("compare", "a.ja", "b.ja", "--lang", "ja", "--json").document
    assert found["tests"] == {"unobserved": "no reference is named (--reference)"}
    assert found["identical"] > 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("a.ja", "nowhere"), 2, "no file nowhere"),
        (("a.ja", "a.ja"), 2, "both sides are a.ja"),
        (("a.ja", "b.ja", "--json", "--markdown"), 2, "exclude each other"),
        (("a.ja", "b.ja", "--reference", "gone"), 3, "file not found: gone"),
        (("a.ja", "b.ja", "--reference", "short.ja", "--lang", "ja"), 3, "the reference 3"),
    ],
)
def test_what_cannot_be_compared(ledger, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = ledger("compare", *arguments)
    assert (done.code, says in done.err) == (code, True), done.err


def test_outputs_of_different_lengths_are_not_paired(ledger) -> None:
    found = ledger("compare", "a.ja", "short.ja", "--lang", "ja", "--json").document
    assert found["tests"] == {"unobserved": f"the outputs have {LINES} and 3 lines"}


def test_equal_outputs_are_identical_and_no_significance_is_claimed(ledger) -> None:
    Path("same.ja").write_bytes(Path("a.ja").read_bytes())
    table = ledger("compare", "a.ja", "same.ja", *TEXTS).out
    assert [line.split()[4:] for line in table.splitlines() if line.startswith(("BLEU ", "chrF2++ "))] == [
        ["identical", "-"],
        ["identical", "-"],
    ]
    found = ledger("compare", "a.ja", "same.ja", *TEXTS, "--json").document
    assert {(test["p_value"], test["significant"]) for test in found["tests"]} == {(1.0, False)}
    assert found["conclusions"][0].startswith("All 400 lines of the outputs are identical")
