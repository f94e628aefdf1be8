"""Guards on what can be known before anything is paid for: codes, disk, git, the model's name, memory."""

from guards.guard import Guard
from guards.preflight import device_memory, disk_space, language_codes, model_kind, uncommitted_changes

GUARDS: tuple[Guard, ...] = (language_codes, disk_space, uncommitted_changes, model_kind, device_memory)
