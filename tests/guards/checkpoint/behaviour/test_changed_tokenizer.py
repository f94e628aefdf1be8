from dataclasses import replace

import pytest

from guards.checkpoint.behaviour import changed_tokenizer as guard
from ledger.findings import Severity


@pytest.mark.parametrize(
    ("parts", "reported"),
    [
        ({}, None),
        ({"name": "MarianTokenizerFast"}, None),
        ({"special": {"eos": 0, "pad": 31999, "mask": 7}}, None),
        ({"codes": {">>jpn<<": 9, ">>kor<<": 10}}, None),
        (
            {"ids": {"こんにちは": (7, 41, 0), "Hello, world!": (5, 6, 0)}},
            "'こんにちは' gives 7, 41, 0 and gave 41, 7, 0",
        ),
        ({"special": {"eos": 0, "mask": None}}, "the special token pad is gone and was 31999"),
        ({"codes": {">>jpn<<": 3}}, "the code >>jpn<< is 3 and was 9"),
        (
            {"codes": {}, "size": 2500},
            "the code >>jpn<< is gone and was 9 (2,500 entries in the vocabulary, 32,000 at the save)",
        ),
    ],
)
def test_every_id_counts(good, parts, reported):
    after = replace(good, tokenizer=replace(good.tokenizer, **parts))
    found = list(guard.inspect(good, after))
    assert [(one.severity, one.message) for one in found] == (
        [(Severity.ERROR, reported)] if reported else []
    )


def test_another_size_alone_is_a_warning(good):
    (finding,) = guard.inspect(good, replace(good, tokenizer=replace(good.tokenizer, size=32001)))
    assert finding.severity is Severity.WARNING
    assert (finding.measured, finding.threshold) == (32001, 32000)


def test_many_differences_are_counted(good):
    codes = {f"code{n}": n for n in range(50)}
    before = replace(good, tokenizer=replace(good.tokenizer, codes=codes))
    (finding,) = guard.inspect(before, replace(good, tokenizer=replace(good.tokenizer, codes={})))
    assert finding.message.endswith("; and 47 more")
    assert len(finding.evidence["differences"]) == 50


def test_long_rows_of_ids_are_cut(good):
    sentence = {"long": tuple(range(40))}
    before = replace(good, tokenizer=replace(good.tokenizer, ids=sentence))
    after = replace(good, tokenizer=replace(good.tokenizer, ids={"long": tuple(range(1, 41))}))
    (finding,) = guard.inspect(before, after)
    assert finding.message == "'long' gives 1, 2, 3, 4, 5, 6, 7, 8, ... and gave 0, 1, 2, 3, 4, 5, 6, 7, ..."


def with_calls(good, **ids):
    return replace(good, tokenizer=replace(good.tokenizer, calls=ids))


def test_a_whole_call_with_other_special_tokens_is_reported(good):
    """The same sentence with the language code at its end instead of its start."""
    (finding,) = guard.inspect(with_calls(good, line=(9, 41, 2)), with_calls(good, line=(41, 2, 9)))
    assert finding.severity is Severity.ERROR
    assert finding.message == "'line' in a whole call gives 41, 2, 9 and gave 9, 41, 2"


def test_evidence_without_calls_is_compared_as_before(good):
    assert list(guard.inspect(good, with_calls(good, line=(41, 2, 9)))) == []


@pytest.mark.parametrize(
    ("before", "after", "reported"),
    [
        (None, None, None),
        (None, "{{ a }}", None),
        ("{{ a }}", "{{ a }}", None),
        ("{{ a }}", None, "the chat template is lost"),
        ("{{ a }}", "{{ b }}", "the chat template differs from that of the save"),
    ],
)
def test_the_chat_template_of_the_save_is_expected(good, before, after, reported):
    expected, actual = (
        replace(good, tokenizer=replace(good.tokenizer, template=one)) for one in (before, after)
    )
    found = [(one.severity, one.message) for one in guard.inspect(expected, actual)]
    assert found == ([(Severity.WARNING, reported)] if reported else [])
