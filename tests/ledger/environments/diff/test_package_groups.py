import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.environments.diff.package_groups import changed, groups, mixed

BEFORE = {"transformers": "4.57.6", "huggingface-hub": "0.36.2", "requests": "2.34.2", "numpy": "2.4.6"}
AFTER = {"transformers": "5.0.0", "huggingface-hub": "1.33.0", "httpx": "0.28.1", "numpy": "2.5.0"}
REQUIRES = {
    ("transformers", "4.57.6"): [
        "huggingface-hub<1.0,>=0.34",
        "requests",
        "numpy>=1.17",
        'torch; extra == "t"',
    ],
    ("transformers", "5.0.0"): ["huggingface_hub>=1.3,<2", "numpy>=1.17", "no requirement !"],
    ("huggingface-hub", "0.36.2"): ["requests"],
    ("huggingface-hub", "1.33.0"): ["httpx<1"],
}
TOGETHER = frozenset(("transformers", "huggingface-hub", "requests", "httpx"))


def test_what_require_each_other_is_put_back_together_and_the_rest_alone():
    assert groups(BEFORE, AFTER, REQUIRES) == [TOGETHER, frozenset(("numpy",))]


def test_the_group_that_is_put_back_is_as_before_and_the_rest_as_after():
    assert mixed(frozenset(("numpy",)), BEFORE, AFTER) == {**AFTER, "numpy": "2.4.6"}
    assert mixed(TOGETHER, BEFORE, AFTER) == {**BEFORE, "numpy": "2.5.0"}


def test_without_requirements_each_package_is_a_group():
    assert [len(group) for group in groups(BEFORE, AFTER, {})] == [1] * 5


NAMES = st.sampled_from("abcde")
VERSIONS = st.dictionaries(NAMES, st.sampled_from(["1", "2", "3"]))


@pytest.mark.filterwarnings("error")
@given(VERSIONS, VERSIONS, st.data())
def test_each_changed_package_is_in_one_group_and_no_mixture_breaks_what_held(before, after, data):
    # Requirements that both sides meet, as a resolver has made them.
    requires = {}
    for versions in (before, after):
        for name, version in versions.items():
            others = data.draw(st.sets(st.sampled_from(sorted(versions))))
            requires.setdefault((name, version), [])
            if before.get(name) != after.get(name):
                requires[name, version] = [f"{other}=={versions[other]}" for other in sorted(others)]
    found = groups(before, after, requires)
    assert sorted(name for group in found for name in group) == sorted(changed(before, after))
    for group in found:
        versions = mixed(group, before, after)
        for name, version in versions.items():
            for line in requires.get((name, version), ()):
                other, _, wanted = line.partition("==")
                assert versions.get(other) == wanted
