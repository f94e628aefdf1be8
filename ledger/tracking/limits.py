"""What MLflow accepts as a key and as a value, and how ours are made to fit. Pure.

The numbers are those of `mlflow.utils.validation` in 3.17; a test compares them with the installed MLflow.
"""

import hashlib
import posixpath
import re
from collections.abc import Mapping

KEY_LENGTH = 250
PARAM_LENGTH = 6000
TAG_LENGTH = 8000
PARAMS_PER_BATCH = 100
METRICS_PER_BATCH = 1000
DATASET_DIGEST_LENGTH = 36

_REFUSED_IN_KEYS = re.compile(r"[^/\w.\- :]")


def fit_key(key: str) -> str:
    """A key that MLflow accepts as the name of a param, metric or tag.

    Characters that it refuses become `_`; a key that is not a normalized path (`a//b`, `../a`) has its
    slashes and leading dots replaced; a key that is too long is cut and ends in a digest.
    """
    fitted = _REFUSED_IN_KEYS.sub("_", key) or "_"
    if posixpath.normpath(fitted) != fitted or fitted.startswith(("/", "..")) or fitted == ".":
        fitted = "_" + fitted.replace("/", "_").lstrip("._")
    if len(fitted) > KEY_LENGTH:
        fitted = f"{fitted[: KEY_LENGTH - 9]}_{_short_digest(key)}"
    return fitted


def fit_value(value: str, limit: int) -> str:
    """The value, cut to `limit` characters with a note of how long it was."""
    if len(value) <= limit:
        return value
    note = f"… [cut: {len(value)} characters]"
    return value[: limit - len(note)] + note


def fit_items(items: Mapping[str, str], limit: int) -> dict[str, str]:
    """All keys and values made to fit. Two keys that become the same name stay distinct."""
    fitted: dict[str, str] = {}
    for key, value in items.items():
        name = fit_key(key)
        if name in fitted:
            name = f"{name[: KEY_LENGTH - 9]}_{_short_digest(key)}"
        fitted[name] = fit_value(value, limit)
    return fitted


def _short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
