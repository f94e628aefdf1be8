"""Any changed byte, and any removed, duplicated or moved line, is reported with its line number."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guards.guard import inspect
from guards.journal import GUARDS
from ledger.evidence import Evidence
from ledger.evidence.journal import JournalHeads
from ledger.findings import Severity
from ledger.journal.audit import read_lines
from ledger.journal.store import newest, parse, seal

BODIES = (
    {"run": "exp7-3fa91c", "experiment": "exp7", "metrics": {"bleu": {"value": 1e-7, "scale": [0, 100]}}},
    {"run": "exp5-000001", "why": 'said "no", {"id":"sha256:x"}\n', "spec": {"id": "번역", "parents": []}},
    {},
)


def grow(shape):
    """A journal's lines; each number says how many of the heads the next entry leaves out (a branch)."""
    entries = []
    for number, left_out in enumerate(shape):
        heads = newest(entries)
        parents = heads[min(left_out, max(len(heads) - 1, 0)) :] or heads
        if left_out and len(entries) > 1:
            parents = entries[-2].parents  # a sibling of the entry before the last
        entries.append(seal("measured", {**BODIES[number % 3], "n": number}, parents))
    return [entry.line for entry in entries]


journals = st.lists(st.integers(0, 1), min_size=1, max_size=7).map(grow)


def joined(lines):
    return b"".join(line + b"\n" for line in lines)


def first_bad(data, heads):
    """The number of the first line that a warning or an error names; None if all is well."""
    report = inspect(GUARDS, Evidence(JournalHeads(heads)), Evidence(read_lines(data)))
    return min((f.evidence["line"] for f in report.findings if f.severity > Severity.INFO), default=None)


def heads_of(lines):
    return dict.fromkeys(newest(parse(line) for line in lines), "noted")


@settings(max_examples=60)
@given(journals)
def test_an_intact_journal_passes(lines):
    assert first_bad(joined(lines), heads_of(lines)) is None


@settings(max_examples=60)
@given(journals, st.data())
def test_any_changed_byte(lines, data):
    whole = joined(lines)
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
    assert first_bad(changed, heads_of(lines)) == whole[:place].count(b"\n") + 1


def test_every_byte_of_one_line():
    """Not a sample: each byte of the envelope and the body, with each of a few neighbours."""
    lines = grow([0, 0, 0])
    whole, heads = joined(lines), heads_of(lines)
    for place in range(len(lines[0]) + 1, len(lines[0]) + len(lines[1]) + 2):
        for byte in {whole[place] ^ 1, whole[place] ^ 0x20, ord("0"), ord("\n")} - {whole[place]}:
            assert first_bad(whole[:place] + bytes([byte]) + whole[place + 1 :], heads) == 2, (place, byte)


@settings(max_examples=60)
@given(journals, st.data())
def test_any_removed_line(lines, data):
    gone = data.draw(st.integers(0, len(lines) - 1))
    rest = lines[:gone] + lines[gone + 1 :]
    identity = parse(lines[gone]).id
    children = [number for number, line in enumerate(rest, 1) if identity in parse(line).parents]
    assert first_bad(joined(rest), heads_of(lines)) == (children or [len(lines)])[0]


@settings(max_examples=60)
@given(journals, st.data())
def test_any_duplicated_line(lines, data):
    one = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(one + 1, len(lines)))
    assert first_bad(joined([*lines[:place], lines[one], *lines[place:]]), heads_of(lines)) == place + 1


@settings(max_examples=60)
@given(journals.filter(lambda lines: any(parse(line).parents for line in lines)), st.data())
def test_any_line_moved_before_one_that_it_names(lines, data):
    moved = data.draw(st.sampled_from([place for place, line in enumerate(lines) if parse(line).parents]))
    ids = [parse(line).id for line in lines]
    parent = min(ids.index(parent) for parent in parse(lines[moved]).parents)
    place = data.draw(st.integers(0, parent))
    rest = lines[:moved] + lines[moved + 1 :]
    assert first_bad(joined([*rest[:place], lines[moved], *rest[place:]]), heads_of(lines)) == place + 1


@settings(max_examples=60)
@given(journals.filter(lambda lines: len(lines) > 2), st.data())
def test_a_changed_line_with_a_new_digest_orphans_its_children(lines, data):
    one = data.draw(st.integers(0, len(lines) - 2))
    old = parse(lines[one])
    new = seal(old.kind, {**old.body, "n": 99}, old.parents)
    changed = [*lines[:one], new.line, *lines[one + 1 :]]
    children = [number for number, line in enumerate(lines, 1) if old.id in parse(line).parents]
    assert first_bad(joined(changed), heads_of(lines)) == (children or [len(lines) + 1])[0]


@pytest.mark.parametrize(
    ("rewrite", "code"),
    [
        (lambda line: line.replace(b":", b": ", 1), "JRN001"),
        (lambda line: line + b"\r", "JRN001"),
        (lambda line: b'{"v":1,' + line[1:].replace(b',"v":1}', b"}"), "JRN001"),
        (lambda line: b"<<<<<<< HEAD", "JRN006"),
        (lambda line: b"", "JRN006"),
        (lambda line: b"[1]", "JRN006"),
        (lambda line: line.replace(b'"n":1', b'"n":1' + b"0" * 17), "JRN001"),
        (lambda line: line.replace(b'"n":1', b'"n":1' + b"0" * 400), "JRN006"),
        (lambda line: b'{"a":' * 2000, "JRN006"),
    ],
)
def test_reformatted_content_is_altered_and_other_content_is_not_an_entry(rewrite, code):
    lines = grow([0, 0, 0])
    changed = joined([lines[0], rewrite(lines[1]), lines[2]])
    report = inspect(GUARDS, Evidence(JournalHeads({})), Evidence(read_lines(changed)))
    assert next(f.code for f in report.findings if f.evidence["line"] == 2) == code
