"""ENV005: with every default filled in, the settings of the two sides differ."""

from collections.abc import Iterator

from guards.environment.formatting import inspect_part
from guards.guard import Explanation
from ledger.environments.diff.settings import settings
from ledger.evidence.environment import EnvironmentSide
from ledger.findings import Finding, Skip

CODE = "ENV005"
TITLE = "the effective configuration differs"
READS = (EnvironmentSide, EnvironmentSide)
EXPLANATION = Explanation(
    means="A setting of the model, its generation, its tokenizer or its training differs between the two "
    "sides once every default is filled in. If no spec sets it, it changed with a package version.",
    matters="A list of packages does not show a changed default. transformers 5.0.0 changed use_cache, "
    "report_to, forced_eos_token_id, the meaning of tie_word_embeddings for Marian, and more.",
    do="Set the value that you want in the spec, so that no version changes it. A difference is a suspect, "
    "not a cause: use_cache, once blamed for a broken checkpoint, changes speed and not the text.",
)


def inspect(expected: EnvironmentSide, actual: EnvironmentSide) -> Iterator[Finding | Skip]:
    """One finding for all differences; a skip if a side has no effective configuration."""
    yield from inspect_part(CODE, "effective settings", "settings", settings, (expected, actual))
