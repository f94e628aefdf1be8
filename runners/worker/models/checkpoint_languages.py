"""Which target language a reloaded model is asked for: its own, unless somebody names a code."""

from collections.abc import Sequence
from typing import Any

from runners.worker.errors import JobError
from runners.worker.models.families import Family, code_id, code_token, known_codes


def check_code(family: Family, tokenizer: Any, code: str) -> None:
    """Raises JobError for a code that somebody wrote and that the tokenizer does not know."""
    if not family.has_codes or code_id(family, tokenizer, code) != tokenizer.unk_token_id:
        return
    known = known_codes(family, tokenizer)
    start = code.strip("_<>").lower()[:2]
    likely = [one for one in known if one.lower().startswith(start)] or list(known)
    raise JobError(
        "unknown code",
        f"the tokenizer does not know the language code {code}",
        f"it knows {', '.join(likely[:5])}" if likely else "it knows no language codes: give none",
    )


def target_code(
    family: Family | None, model: Any, tokenizer: Any, language: str | None, spellings: Sequence[str]
) -> str | None:
    """The code to ask for where nobody named one; None where the model needs none.

    What the model's generation config says comes first. Where it says nothing, it is the tokenizer's own
    spelling of `language`, if there is just one (`ja_XX` for `ja`), else its `tgt_lang`: that names the last
    language that it encoded, and `generate` ignores it. `spellings` are the ISO 639 codes of `language`.
    """
    if family is None or not family.has_codes:
        return None
    known = known_codes(family, tokenizer)
    if family.target != "tag" and _states_a_language(family, model, tokenizer, known):
        return None
    if language in known:
        return language
    wanted = {spelling.lower() for spelling in spellings}
    candidates = [code for code in known if code.replace("-", "_").split("_")[0].lower() in wanted]
    if len(candidates) == 1:
        return candidates[0]
    stated = getattr(tokenizer, "tgt_lang", None)
    return stated if stated in (candidates if language else known) else None


def _states_a_language(family: Family, model: Any, tokenizer: Any, known: Sequence[str]) -> bool:
    """Whether the model's own settings begin each translation with the token of a language."""
    own = [getattr(config, family.target, None) for config in (model.generation_config, model.config)]
    ids = {tokenizer.convert_tokens_to_ids(code_token(family, code)) for code in known}
    return any(number in ids for number in own if number is not None)
