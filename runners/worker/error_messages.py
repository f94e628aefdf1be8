"""What an exception means: the plain message for the user, and whether the machine was short of memory.

Libraries report the same trouble as different classes from version to version, so texts are looked at too.
"""

import errno
import pickle
from collections.abc import Iterator

from runners.worker.errors import JobError

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NO_SPACE_WORDS = ("no space left", "disk quota exceeded", "os error 27", "os error 28", "os error 122")
MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory")
# After one of these every further call on the device fails: going on would mark good lines as failed.
DEVICE_WORDS = ("cuda error", "device-side assert", "cublas_status", "cudnn_status")
OFFLINE_WORDS = ("couldn't connect", "offline mode", "connection error", "max retries", "name resolution")
NOT_FOUND_WORDS = (
    "not a valid model identifier",
    "404 client error",
    "repository not found",
    "401 client error",
)
NEWER_TOKENIZER_WORDS = ("'list' object has no attribute 'keys'",)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a smaller batch may help."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and _says(error, MEMORY_WORDS)


def is_lasting(error: BaseException) -> bool:
    """Whether every further line would fail for the same reason: no space, or a broken device."""
    if isinstance(error, JobError) or _no_space(error):
        return True
    return isinstance(error, RuntimeError) and _says(error, DEVICE_WORDS) and not is_out_of_memory(error)


def explain(error: BaseException) -> JobError:
    """The error as a user should read it; an unknown one keeps its own words."""
    if isinstance(error, JobError):
        return error
    if any(_no_space(cause) for cause in _chain(error)):
        return JobError(
            "no space", "no space left to write", "free some, then repeat the command with --resume"
        )
    if any(isinstance(cause, pickle.UnpicklingError) for cause in _chain(error)) or _says(
        error, ("weights only load failed", "weights_only")
    ):
        return JobError(
            "unsafe weights",
            "the model's weights are a pickle that holds more than tensors: loading it could run code",
            "convert it to safetensors where you trust it, or take the model from another source",
        )
    if type(error).__name__ == "SafetensorError":
        return JobError(
            "broken weights", f"the weights file is broken: {error}", "download or save the model again"
        )
    if isinstance(error, ModuleNotFoundError):
        message = f"the experiment's environment has no package {error.name}"
        return JobError("missing package", message, "name a lockfile that pins it, under environment")
    if is_out_of_memory(error):
        return JobError(
            "out of memory",
            f"not enough memory: {_first_line(error)}",
            "choose a smaller model or dtype: float16",
        )
    return _explain_by_words(error)


def _explain_by_words(error: BaseException) -> JobError:
    if _says(error, OFFLINE_WORDS):
        hint = "check the network, or name a folder that holds the model"
        return JobError("offline", f"the model hub cannot be reached: {_first_line(error)}", hint)
    if _says(error, NOT_FOUND_WORDS):
        hint = "check its name on huggingface.co; a private one needs `hf auth login`"
        return JobError("model not found", _first_line(error), hint)
    if _says(error, NEWER_TOKENIZER_WORDS):
        message = "the tokenizer was saved by transformers 5, which this older transformers cannot read"
        return JobError(
            "newer tokenizer", message, "run in an environment with transformers 5, or save it again"
        )
    if isinstance(error, RuntimeError) and _says(error, DEVICE_WORDS):
        hint = "repeat the command with --resume: what was finished is kept"
        return JobError("device failed", f"the device failed: {_first_line(error)}", hint)
    return JobError("failed", f"{type(error).__name__}: {_first_line(error)}", "")


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    texts = [str(cause).lower() for cause in _chain(error)]
    return any(word in text for word in words for text in texts)


def _no_space(error: BaseException) -> bool:
    by_number = isinstance(error, OSError) and error.errno in NO_SPACE
    may_say_so = isinstance(error, (OSError, RuntimeError)) or type(error).__name__ == "SafetensorError"
    return by_number or (may_say_so and _says(error, NO_SPACE_WORDS))


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
