"""The validation lines that are in the training text: real files, small ones, and any."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.commands.run.training import leaks
from ledger.commands.run.training.leaks import find_leaks
from ledger.evidence.preflight import LeakedLines
from runners.worker.messages import TextFiles

TRAIN = [
    ("Das Haus ist groß.", "The house is big."),
    ("Seite 3 von 10", "Page 3 of 10"),
    ("Ja.", "Yes."),
    ("", ""),
    ("ＡＢＣ ｶﾞ", "abc ガ"),
]


def files(folder: Path, name: str, pairs, ending="\n") -> TextFiles:
    paths = [folder / f"{name}.{side}" for side in ("source", "target")]
    for path, lines in zip(paths, zip(*pairs, strict=True), strict=True):
        path.write_text("".join(line + ending for line in lines), encoding="utf-8", newline="")
    return TextFiles(*paths, len(pairs))


def compare(train, validation, **options) -> LeakedLines:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        return find_leaks(files(root, "train", train, **options), files(root, "validation", validation))


@pytest.mark.parametrize(
    ("pair", "kind"),
    [
        (("Das Haus ist groß.", "The house is big."), "exact"),
        (("  Ja. ", "Yes."), "exact"),
        (("das haus ist GROß!", "The house is big"), "near"),
        (("Seite 7 von 12", "Page 7 of 12"), "near"),
        (("ABC ガ", "ＡＢＣ ｶﾞ"), "near"),
        (("Das Haus ist groß.", "That house is large."), "source"),
        (("So ist es.", "Yes."), "target"),
        (("Das Haus ist groß.", "Yes."), "source"),
        (("das haus ist groß", "A house."), None),
        (("Ganz anders", "Quite different"), None),
        (("", ""), None),
        (("3 10", "3 10"), None),
    ],
)
def test_the_kind_of_a_leak(pair, kind):
    found = compare(TRAIN, [pair, ("Etwas", "Something")])
    assert found.count == (kind is not None)
    assert kind is None or getattr(found, kind) == 1


def test_long_lines_are_counted_apart_and_examples_have_both_numbers(monkeypatch):
    monkeypatch.setattr(leaks, "CHUNK", 2)
    long = ("Ein ganzer Satz, der nicht zufällig zweimal vorkommt.", "A sentence that does not recur.")
    other = ("Noch ein ganzer Satz, der nicht zufällig vorkommt.", "Another sentence that does not recur.")
    found = compare([*TRAIN, long, other], [("Ja.", "Yes."), long, (other[0], "Else"), ("Neu", "New")])
    assert found == LeakedLines(
        exact=2, source=1, long_pairs=1, long_sources=1, examples=((1, 3), (2, 6), (3, 7))
    )


def test_line_ends_and_a_byte_order_mark_are_not_text(tmp_path):
    train = files(tmp_path, "train", [("\ufeffJa.", "Yes."), ("a\u2028b", "c")], ending="\r\n")
    assert find_leaks(train, files(tmp_path, "validation", [("a\u2028b", "c"), ("Ja.", "Yes.")])).exact == 2


PAIRS = st.lists(st.tuples(st.text("aAb1. がｶ", max_size=4), st.text("xX2, 한", max_size=4)), min_size=1)


@given(PAIRS, PAIRS, PAIRS)
def test_more_training_text_never_leaks_less_and_all_of_it_leaks_exactly(train, validation, more):
    before, after = compare(train, validation), compare(train + more, validation)
    assert before.count <= after.count <= len(validation)
    assert before.exact <= after.exact
    filled = [pair for pair in validation if pair[0].strip() and pair[1].strip()]
    assert compare(validation, validation).exact == len(filled)
