"""ENV005: with every default filled in, the two sides have other settings."""

from collections.abc import Iterator

from guards.environment.formatting import finding_of
from guards.guard import Explanation
from ledger.environments.diff.settings import settings
from ledger.evidence.environment import EnvironmentSide
from ledger.findings import Finding, Skip

CODE = "ENV005"
TITLE = "the effective configuration differs"
READS = (EnvironmentSide, EnvironmentSide)
EXPLANATION = Explanation(
    means="A setting of the model, its generation, its tokenizer or its training has another value on one "
    "side, once every default is filled in. Those that no spec sets changed on their own, with a version.",
    matters="A changed default is in no list of packages. transformers 5.0.0 changed use_cache, report_to, "
    "forced_eos_token_id, what tie_word_embeddings means for Marian, and more.",
    do="Write the value that you want into the spec: then no version changes it. A difference is a suspect, "
    "not a cause: use_cache, which was once blamed for a broken checkpoint, changes speed and not the text.",
)


def inspect(expected: EnvironmentSide, actual: EnvironmentSide) -> Iterator[Finding | Skip]:
    """One finding for all of them; a skip where a side has no effective configuration."""
    for side in (expected, actual):
        if side.settings is None:
            yield Skip(CODE, side.why_unknown("settings"))
            return
    yield from finding_of(CODE, "effective settings", settings(expected, actual))
