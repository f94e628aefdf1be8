import json

import pytest

from ledger.errors import LedgerError
from ledger.evaluation.flagged_lines import write_flagged, write_kept

OUTPUT = ["gut", "schlecht", "gut", "leer"]
SOURCE = ["good", "bad", "good", "empty"]
LINES = {"TXT001": [1], "TXT006": [3], "TXT010": [1]}


def test_flagged_lines_are_numbered_from_one_with_all_their_codes(tmp_path):
    write_flagged(tmp_path / "flagged.jsonl", LINES, OUTPUT, SOURCE)
    rows = [json.loads(row) for row in (tmp_path / "flagged.jsonl").read_text().splitlines()]
    assert rows == [
        {"line": 2, "codes": ["TXT001", "TXT010"], "source": "bad", "output": "schlecht"},
        {"line": 4, "codes": ["TXT006"], "source": "empty", "output": "leer"},
    ]


@pytest.mark.parametrize(
    ("codes", "kept"),
    [(("TXT001", "TXT006"), ["gut", "gut"]), (("TXT006",), ["gut", "schlecht", "gut"]), ((), OUTPUT)],
)
def test_the_kept_pair_has_equal_line_counts(tmp_path, codes, kept):
    result = write_kept(tmp_path / "clean", LINES, OUTPUT, SOURCE, codes)
    output, source = (tmp_path / f"clean.{name}" for name in ("output", "source"))
    assert output.read_text().splitlines() == kept
    assert len(source.read_text().splitlines()) == len(kept) == result.kept
    assert result.dropped == len(OUTPUT) - len(kept)
    assert result.by_code == {code: len(LINES[code]) for code in codes}


def test_without_a_source_there_is_one_file(tmp_path):
    result = write_kept(tmp_path / "clean.de", LINES, OUTPUT, None, ["TXT006"])
    assert result.files == (str(tmp_path / "clean.de.output"),)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(LedgerError, match="nowhere"):
        write_kept(tmp_path / "nowhere" / "clean", LINES, OUTPUT, SOURCE, ["TXT006"])
