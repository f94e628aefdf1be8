"""What a model's name reveals: whether it was trained to translate, and its size. Tables; nothing is fetched.

A name that is not in the table counts as usable: the guards check what the model really writes.
"""

import re

from ledger.evidence.preflight import ModelKind

# The last part of a hub name or folder, in full (a suffix such as -cnn or -finetuned-ko-ja names another
# model), and what its makers trained it on, by their papers and model cards.
_PRETRAINED_ONLY: tuple[tuple[str, str], ...] = (
    (r"mbart-large-cc25", "mBART-cc25 learned only to restore noised text, one language at a time"),
    (r"mbart-large-50", "mBART-50 without a suffix learned only to restore noised text"),
    (r"u?mt5-(small|base|large|xl|xxl)", "mT5 learned only to fill spans cut out of mC4"),
    (r"byt5-(small|base|large|xl|xxl)", "ByT5 learned only to fill spans cut out of mC4"),
    (r"t5-v1_1-(small|base|large|xl|xxl)", "T5 1.1 learned only to fill spans cut out of C4"),
    (r"t5-efficient-[a-z]+(-[a-z]{2}\d+)*", "T5-Efficient learned only to fill spans cut out of C4"),
    (r"bart-(base|large)", "BART without a suffix learned only to restore noised English text"),
    (r"bart-(base|large)-japanese", "this BART learned only to restore noised Japanese text"),
    (r"kobart(-base-v[12])?", "KoBART learned only to restore noised Korean text"),
)


def model_kind(name: str) -> ModelKind:
    """What is known about the model called `name`: a hub name (`google/mt5-base`) or a folder.

    >>> model_kind("facebook/mbart-large-cc25").pretrained_only
    True
    >>> model_kind("facebook/mbart-large-50-many-to-many-mmt").pretrained_only
    False
    """
    last = re.split(r"[/\\]", name.strip().rstrip("/\\"))[-1].lower()
    for pattern, why in _PRETRAINED_ONLY:
        if re.fullmatch(pattern, last):
            return ModelKind(name, pretrained_only=True, why=why)
    return ModelKind(name, pretrained_only=False)


# Parameter counts of models whose name does not give them, from their model cards.
_SIZES: tuple[tuple[str, int], ...] = ((r"mbart-large-(cc25|50).*", 611_000_000), (r"opus-mt-.*", 77_000_000))
_UNITS = {"m": 10**6, "b": 10**9}


def parameters(name: str) -> int | None:
    """The approximate number of parameters of the model called `name`, if its name gives it; else None.

    >>> parameters("facebook/nllb-200-3.3B"), parameters("facebook/mbart-large-cc25"), parameters("mine")
    (3300000000, 611000000, None)
    """
    last = re.split(r"[/\\]", name.strip().rstrip("/\\"))[-1].lower()
    size = re.search(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)([mb])(?![a-z0-9])", last.replace("_", "-"))
    if size:
        return int(float(size[1]) * _UNITS[size[2]])
    return next((known for pattern, known in _SIZES if re.fullmatch(pattern, last)), None)
