"""Comparison of two outputs by every digest that both sides have."""

from collections.abc import Mapping

from ledger.evidence.identity import RunIdentity


def same_output(a: RunIdentity, b: RunIdentity) -> bool | None:
    """Whether two outputs are byte-identical; None if no algorithm was used on both."""
    shared = a.output.keys() & b.output.keys()
    return all(a.output[name] == b.output[name] for name in shared) if shared else None


def digest_shown(output: Mapping[str, str]) -> str:
    """One digest to print, after its algorithm: MD5 if there is one, since people compare files by it."""
    name = "md5" if "md5" in output else min(output)
    value = output[name]
    return value if ":" in value else f"{name}:{value}"


def algorithm_shown(output: Mapping[str, str]) -> str:
    """The algorithm of `digest_shown`, as people write it."""
    return digest_shown(output).split(":")[0].upper()
