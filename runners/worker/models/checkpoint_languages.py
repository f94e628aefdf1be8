"""Which languages a model is asked for: one decision for runs, preflight, `verify` and attached trainings.

A code that somebody wrote is never rewritten. Where nobody wrote one, it is what the checkpoint states
itself, and only where that states nothing the tokenizer's own spelling of the text's language.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from runners.worker.models.families import Family, code_token, known_codes

SCRIPT = re.compile(r"[-_]([A-Z][a-z]{3})(?=$|[-_])")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is known of one side: the `code` that somebody wrote, and the `names` of the text's language.

    `names`: the language as it was written, then its ISO 639 codes, and its script where that is known.
    """

    code: str | None = None
    names: tuple[str, ...] = ()


def choose_source(family: Family | None, tokenizer: Any, wish: Wish) -> str | None:
    """The source code; None leaves the tokenizer as it is."""
    if wish.code is not None or family is None or not family.has_source:
        return wish.code
    known = known_codes(family, tokenizer)
    # `src_lang` has a default that nobody chose (en_XX); only what the folder states counts.
    stated = getattr(tokenizer, "init_kwargs", {}).get("src_lang")
    return stated if stated in known else spelled(known, wish.names)


def choose_target(family: Family | None, configs: Iterable[Any], tokenizer: Any, wish: Wish) -> str | None:
    """The target code; None where the model needs none, or nothing says which.

    `configs`: the model's generation config, then its config. What these begin each translation with comes
    first, then the tokenizer's own spelling of the language, if there is just one (`ja_XX` for `ja`). The
    tokenizer's `tgt_lang` comes last: it is the last language that it encoded, and `generate` ignores it.
    """
    if wish.code is not None or family is None or not family.has_codes:
        return wish.code
    known = known_codes(family, tokenizer)
    stated = _stated(family, configs, tokenizer, known)
    code = stated or spelled(known, wish.names)
    if code is not None:
        return code
    last = getattr(tokenizer, "tgt_lang", None)
    candidates = known if not wish.names else same_language(known, wish.names)
    return last if last in candidates else None


def spelled(known: Sequence[str], names: Sequence[str]) -> str | None:
    """The tokenizer's own spelling of a language, if there is just one."""
    if names and names[0] in known:
        return names[0]
    candidates = same_language(known, names)
    return candidates[0] if len(candidates) == 1 else None


def same_language(known: Sequence[str], names: Sequence[str]) -> list[str]:
    """The codes of a language; of its script (`zh_Hant`), where both sides name one."""
    wanted = {name.lower() for name in names}
    found = [code for code in known if re.split(r"[-_]", code)[0].lower() in wanted]
    scripts = {script[1] for name in names if (script := SCRIPT.search(name))}
    return [code for code in found if not scripts or not (own := SCRIPT.search(code)) or own[1] in scripts]


def _stated(family: Family, configs: Iterable[Any], tokenizer: Any, known: Sequence[str]) -> str | None:
    if family.target in ("tag", "prefix"):
        return None
    codes = {tokenizer.convert_tokens_to_ids(code_token(family, code)): code for code in known}
    ids = (getattr(config, family.target, None) for config in configs)
    return next((codes[number] for number in ids if number in codes), None)
