from hypothesis import given
from hypothesis import strategies as st

from ledger.environments.diff.delta_debugging import minimal_cause


def test_a_pair_that_only_breaks_together_is_found_in_few_tests():
    tests = []

    def fails(subset):
        tests.append(subset)
        return {3, 12} <= {*subset}

    assert minimal_cause(range(16), fails) == [3, 12]
    assert len(tests) < 40


def test_a_single_cause_takes_about_two_tests_for_each_halving():
    tests = []

    def fails(subset):
        tests.append(subset)
        return 37 in subset

    assert minimal_cause(range(64), fails) == [37]
    assert len(tests) <= 12


CAUSES = st.lists(st.sets(st.integers(0, 9), min_size=1, max_size=3), min_size=1, max_size=3)


@given(causes=CAUSES, untestable=st.sets(st.integers(0, 9), max_size=1))
def test_the_result_fails_and_needs_each_of_its_changes(causes, untestable):
    def fails(subset):
        # A change that cannot be tested alone, such as a package that no index has.
        return {*subset} != untestable and any(cause <= {*subset} for cause in causes)

    tested = []
    found = minimal_cause(range(10), lambda subset: tested.append(tuple(subset)) or fails(subset))
    assert fails(found)
    assert not any(len(found) > 1 and fails([x for x in found if x != one]) for one in found)
    assert len(tested) == len({*tested})
