import pytest

from guards.training import family_not_improved
from ledger.evidence.metrics import FamilyLimits, MetricFamily
from ledger.findings import Skip

# What the T5 log states of version 56, and a version whose time frames all correlate negatively.
V56 = {"M1": 0.002563, "M5": -0.007802, "M15": 0.021975, "M30": 0.035845, "H1": 0.033896, "H4": -0.002577}
ALL_NEGATIVE = {
    "M1": -0.011,
    "M5": -0.018,
    "M15": -0.004,
    "M30": -0.021,
    "H1": -0.009,
    "H4": -0.030,
}


def family(values, run="t5-v56-0a1b2c", count=5000, signature="pearson"):
    return MetricFamily(run, "correlation", values, dict.fromkeys(values, count), signature)


def look(before, after, **limits):
    parent = family(before) if before is not None else None
    return list(family_not_improved.inspect(FamilyLimits(parent, **limits), after))


def test_no_improvement_is_reported_with_every_value():
    (finding,) = look(V56, family(ALL_NEGATIVE, "t5-v57-0a1b2c"))
    assert finding.message.startswith(
        "the correlation improved over t5-v56-0a1b2c in 0 of 6 members (M1 0.0026 -> -0.0110, "
    )
    assert (finding.measured, finding.threshold) == (0.0, 0.5)
    # 0.0568 apart over 5,000 windows each is more than chance, 0.0102 is not.
    assert finding.evidence["worse_beyond_chance"] == ["M30", "H1"]
    assert finding.message.endswith("; worse by more than chance: M30, H1")


def test_over_few_windows_nothing_is_beyond_chance():
    parent = family(V56, count=100)
    (finding,) = family_not_improved.inspect(FamilyLimits(parent), family(ALL_NEGATIVE, count=100))
    assert finding.message.endswith("; worse by more than chance: none")


def better(names):
    return {name: value + (0.01 if name in names else -0.01) for name, value in V56.items()}


@pytest.mark.parametrize(
    ("improved", "least", "flagged"),
    [
        (["M1", "M5", "M15", "M30", "H1"], 0.5, False),
        (["M1", "M5", "M15"], 0.5, False),  # half is not fewer than half
        (["M1", "M5"], 0.5, True),
        (["M1", "M5"], 0.3, False),
        (["M1", "M5", "M15", "M30", "H1"], 1.0, True),
    ],
)
def test_the_share_decides(improved, least, flagged):
    assert bool(look(V56, family(better(improved)), min_improved=least)) is flagged


def test_a_member_without_a_finite_value_on_both_sides_is_not_counted():
    before, after = V56 | {"M1": float("nan")}, better(V56) | {"H4": float("nan")}
    assert family_not_improved.shared_members(family(before), family(after)).keys() == {
        "M5",
        "M15",
        "M30",
        "H1",
    }
    assert look(before, family(after)) == []


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (None, V56, "it has no parent run to compare with"),
        ({"D1": 0.1}, V56, "t5-v56-0a1b2c measured none of the same members"),
    ],
)
def test_nothing_to_compare_with_is_a_skip(before, after, reason):
    (skip,) = look(before, family(after))
    assert isinstance(skip, Skip)
    assert skip.reason == reason


def test_a_different_signature_is_reported():
    (finding,) = look(V56, family(ALL_NEGATIVE, signature="pearson|window:32"))
    assert finding.evidence["same_signature"] is False
