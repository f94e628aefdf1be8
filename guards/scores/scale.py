"""A limit that was probably meant for another scale: scores are 0-100 here, and 0-1 in some other tools."""

from collections.abc import Iterator

from ledger.findings import Finding, Severity


def off_scale(code: str, name: str, limit: float) -> Iterator[Finding]:
    """A warning about a limit between 0 and 1, which nearly every output passes."""
    if 0 < limit < 1:
        message = (
            f"the limit of {limit:g} is on the scale of 0 to 100: for {limit:g} of 1 set {100 * limit:g}"
        )
        yield Finding(code, Severity.WARNING, f"{name}: {message}", measured=limit, threshold=1)
