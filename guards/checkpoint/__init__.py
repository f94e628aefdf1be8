"""Guards on a checkpoint: its files, what they hold once reloaded, where it is from, what is claimed."""

from guards.checkpoint import (
    claimed_score,
    complete_files,
    finite,
    keys,
    own_run,
    own_tokenizer,
    recorded_step,
    safe_files,
    same_environment,
    same_generation_config,
    same_logits,
    same_tensors,
    same_text,
    same_tokenizer,
    score_collapse,
    signed_score,
    told_step,
)
from guards.guard import Guard

FILES: tuple[Guard, ...] = (complete_files, safe_files)
RELOADED: tuple[Guard, ...] = (
    keys,
    finite,
    same_tensors,
    same_logits,
    same_text,
    same_tokenizer,
    same_generation_config,
    score_collapse,
    same_environment,
)
LINEAGE: tuple[Guard, ...] = (recorded_step, own_run, told_step, own_tokenizer)
CLAIMS: tuple[Guard, ...] = (claimed_score, signed_score)
GUARDS: tuple[Guard, ...] = FILES + RELOADED + LINEAGE + CLAIMS
