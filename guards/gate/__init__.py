"""Guards on the changes of a branch: specs, environments, scores, open findings and claims in documents."""

from guards.gate import (
    breaking_lockfile_change,
    open_finding,
    spec_without_run,
    worse_score,
    wrong_document_number,
)
from guards.guard import Guard

GUARDS: tuple[Guard, ...] = (
    spec_without_run,
    breaking_lockfile_change,
    worse_score,
    open_finding,
    wrong_document_number,
)
