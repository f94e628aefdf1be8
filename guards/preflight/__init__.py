"""Guards that check a run before it starts: language codes, disk, git, the model's name, memory, leaks."""

from guards.guard import Guard
from guards.preflight import (
    insufficient_disk,
    insufficient_memory,
    leaked_lines,
    pretrained_only_model,
    uncommitted_changes,
    unknown_language_codes,
)

GUARDS: tuple[Guard, ...] = (
    unknown_language_codes,
    insufficient_disk,
    uncommitted_changes,
    pretrained_only_model,
    insufficient_memory,
    leaked_lines,
)
