from dataclasses import replace

import pytest

from guards.checkpoint.behaviour import unfit_tokenizer as guard
from ledger.evidence.snapshot import Snapshot
from ledger.findings import Severity

# entries, rows, and what is reported of a checkpoint without evidence
SIZES = [
    (412, 412, None),
    (412, 415, Severity.WARNING),  # three tokens were added
    (412, 420, Severity.WARNING),
    (412, 416, None),  # padded to 8 or more
    (412, 448, None),  # to 64
    (400, 480, Severity.WARNING),  # a multiple of 32, but more than padding adds
    (32_100, 32_128, None),  # T5
    (250_100, 250_112, None),  # mT5
    (128_104, 128_112, None),  # M2M100
    (256_204, 256_206, None),  # NLLB-200
    (250_054, 250_054, None),  # mBART-50
    (50_265, 50_264, Severity.WARNING),  # BART for CNN: an unused token has no row
    (400, 9, Severity.ERROR),  # the id 41 has none
]


def sized(good, entries, rows):
    return replace(good, tokenizer=replace(good.tokenizer, size=entries, rows=rows))


@pytest.mark.parametrize(("entries", "rows", "severity"), SIZES)
def test_the_embedding_has_a_row_for_each_entry_or_is_padded(good, entries, rows, severity):
    found = list(guard.inspect(Snapshot(), sized(good, entries, rows)))
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_sizes_that_are_those_of_the_save_are_not_reported(good):
    assert list(guard.inspect(sized(good, 412, 415), sized(good, 412, 415))) == []
    assert list(guard.inspect(sized(good, 415, 415), sized(good, 412, 415)))


@pytest.mark.parametrize("disagreements", [None, ()])
def test_tokenizers_that_agree_or_cannot_be_compared_pass(good, disagreements):
    tokenizer = replace(good.tokenizer, disagreements=disagreements)
    assert list(guard.inspect(good, replace(good, tokenizer=tokenizer))) == []


def test_tokenizers_that_disagree_are_a_warning(good):
    tokenizer = replace(good.tokenizer, disagreements=("'a' gives [1] and [2]", "b", "c"))
    (finding,) = guard.inspect(good, replace(good, tokenizer=tokenizer))
    assert finding.severity is Severity.WARNING
    assert finding.message == "the slow and the fast tokenizer differ: 'a' gives [1] and [2]; b; and 1 more"


@pytest.mark.parametrize("had_one", [True, False])
def test_without_a_tokenizer_it_is_required_only_where_there_was_one(good, had_one):
    """A forecaster has none, and is verified without."""
    expected = good if had_one else replace(good, tokenizer=None)
    actual = replace(good, tokenizer=None, unseen={"tokenizer": "it reads no text"})
    (skip,) = guard.inspect(expected, actual)
    assert (skip.reason, skip.required) == ("it reads no text", had_one)
