import pytest

from guards.preflight import leaked_lines
from ledger.evidence.preflight import HeldOutText, LeakedLines
from ledger.findings import Severity

HELD_OUT = HeldOutText("data/validation.ko", 1000)
NOTE, WARNING, ERROR = Severity.INFO, Severity.WARNING, Severity.ERROR


@pytest.mark.parametrize(
    ("leaked", "severity", "measured", "limit"),
    [
        pytest.param(LeakedLines(exact=1), NOTE, 0.001, 0.2, id="one short line"),
        pytest.param(LeakedLines(exact=20, long_pairs=20), NOTE, 0.02, 0.2, id="at the limit"),
        pytest.param(LeakedLines(exact=21, long_pairs=21), ERROR, 0.021, 0.02, id="above it"),
        pytest.param(LeakedLines(near=21, long_pairs=21), ERROR, 0.021, 0.02, id="nearly the same"),
        pytest.param(LeakedLines(exact=150, near=50), NOTE, 0.2, 0.2, id="short lines"),
        pytest.param(LeakedLines(exact=150, near=51), ERROR, 0.201, 0.2, id="very many short lines"),
        pytest.param(LeakedLines(source=340, long_sources=100), NOTE, 0, 0.2, id="short sources"),
        pytest.param(LeakedLines(source=340, long_sources=101), WARNING, 0.101, 0.1, id="sources"),
        pytest.param(LeakedLines(target=1000), NOTE, 0, 0.2, id="targets alone say little"),
    ],
)
def test_the_limits(leaked, severity, measured, limit):
    (finding,) = leaked_lines.inspect(HELD_OUT, leaked)
    assert (finding.severity, finding.measured, finding.threshold) == (severity, measured, limit)


def test_no_leaked_line_passes():
    assert list(leaked_lines.inspect(HELD_OUT, LeakedLines())) == []


def test_the_message_names_the_kinds_and_some_lines():
    leaked = LeakedLines(30, 4, 2, 0, long_pairs=33, examples=((7, 90), (8, 91), (9, 12), (11, 3)))
    (finding,) = leaked_lines.inspect(HELD_OUT, leaked)
    assert finding.message == (
        "36 of 1,000 lines of data/validation.ko are in the training text (3.60%): 30 with the same "
        "translation, 4 with nearly the same translation, 2 only the source; such as line 7 (line 90), "
        "line 8 (line 91), line 9 (line 12) and 1 more"
    )
