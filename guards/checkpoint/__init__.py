"""Guards on a checkpoint: its files, its tensors and behaviour once reloaded, its origin, claimed scores."""

from guards.checkpoint.behaviour import (
    changed_generation_config,
    changed_logits,
    changed_text,
    changed_tokenizer,
    score_collapse,
    unfit_tokenizer,
)
from guards.checkpoint.files import conflicting_files, incomplete_files, unsafe_files
from guards.checkpoint.origin import (
    doubtful_score,
    foreign_run,
    foreign_tokenizer,
    incomplete_resume,
    inconsistent_step,
    other_environment,
    other_evaluation,
    step_beyond_run,
    unsigned_score,
    wrong_best,
)
from guards.checkpoint.tensors import (
    changed_tensors,
    mismatched_keys,
    non_finite_tensors,
    unlike_file,
    unmoved_weights,
    unsaved_parameters,
)
from guards.guard import Guard

FILES: tuple[Guard, ...] = (incomplete_files, unsafe_files)
RELOADED: tuple[Guard, ...] = (
    mismatched_keys,
    non_finite_tensors,
    changed_tensors,
    changed_logits,
    changed_text,
    changed_tokenizer,
    changed_generation_config,
    score_collapse,
    other_environment,
)
LINEAGE: tuple[Guard, ...] = (step_beyond_run, foreign_run, inconsistent_step, foreign_tokenizer)
CLAIMS: tuple[Guard, ...] = (doubtful_score, unsigned_score)
# Faults that need no evidence of the save.
UNRECORDED: tuple[Guard, ...] = (conflicting_files, unlike_file, unfit_tokenizer)
TRAINED: tuple[Guard, ...] = (
    unsaved_parameters,
    unmoved_weights,
    other_evaluation,
    wrong_best,
    incomplete_resume,
)
GUARDS: tuple[Guard, ...] = FILES + RELOADED + LINEAGE + CLAIMS + UNRECORDED + TRAINED
