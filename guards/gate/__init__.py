"""Guards on what a branch would bring: specs, environments, scores, open findings and claims."""

from guards.gate import broken_bump, open_finding, spec_without_run, worse_score, wrong_claim
from guards.guard import Guard

GUARDS: tuple[Guard, ...] = (spec_without_run, broken_bump, worse_score, open_finding, wrong_claim)
