"""The table of model families: which concrete classes load one, and how it is given its languages.

Here goes whatever differs from family to family, and from transformers 4.57 to 5.x. Classes are always
concrete: AutoTokenizer of 5.0 makes a saved mBART-50 or NLLB tokenizer one that ignores `src_lang`.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from runners.worker.errors import JobError

Target = Literal["forced_bos_token_id", "decoder_start_token_id", "tag", "prefix"]


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of translation model.

    `model_type` is what config.json says. `code_token` turns a language code into the token that stands for
    it. `target` is how the model is given the target language: by a generation parameter, by a tag that is
    itself a token, or by words before the source. `has_source`: the encoder's input carries the source
    language.
    """

    name: str
    model_type: str
    model_class: str
    tokenizer_class: str
    target: Target
    has_source: bool = True
    code_token: str = "{}"

    @property
    def has_codes(self) -> bool:
        """Whether languages are tokens of the vocabulary, which can then be looked up."""
        return self.target != "prefix"


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("nllb", "m2m_100", "M2M100ForConditionalGeneration", "NllbTokenizer", "forced_bos_token_id"),
        Family(
            "mbart50", "mbart", "MBartForConditionalGeneration", "MBart50Tokenizer", "forced_bos_token_id"
        ),
        Family("mbart", "mbart", "MBartForConditionalGeneration", "MBartTokenizer", "decoder_start_token_id"),
        Family(
            "m2m100",
            "m2m_100",
            "M2M100ForConditionalGeneration",
            "M2M100Tokenizer",
            "forced_bos_token_id",
            code_token="__{}__",
        ),
        Family(
            "marian",
            "marian",
            "MarianMTModel",
            "MarianTokenizer",
            "tag",
            has_source=False,
            code_token=">>{}<<",
        ),
        Family("t5", "t5", "T5ForConditionalGeneration", "T5Tokenizer", "prefix", has_source=False),
    )
}


def infer_family(model: str) -> Family:
    """The family of a model folder or hub name, from its config.json and the tokenizer class it names.

    Raises JobError when there is no config.json to read, or it is of no family in the table.
    """
    config = read_json(model, "config.json")
    named = read_json(model, "tokenizer_config.json").get("tokenizer_class") or config.get("tokenizer_class")
    kind = config.get("model_type")
    candidates = [family for family in FAMILIES.values() if family.model_type == kind]
    if not candidates:
        raise JobError(
            "unknown family",
            f"{model} is a {kind or 'nameless'} model, which is of no family known here",
            f"the families are {', '.join(FAMILIES)}: name one in the spec if it is one of them",
        )
    by_class = [family for family in candidates if family.tokenizer_class == str(named).removesuffix("Fast")]
    # Hub folders that name no tokenizer class: facebook/m2m100_418M and facebook/mbart-large-cc25.
    return by_class[0] if by_class else candidates[-1]


def load_tokenizer(family: Family, model: str) -> Any:
    """The family's tokenizer from a folder or hub name.

    The fast class where there is one: the only kind that 5.x has, and what 4.57 gives those who ask for none.
    """
    import transformers

    name = family.tokenizer_class
    tokenizer_class = getattr(transformers, f"{name}Fast", None) or getattr(transformers, name)
    return tokenizer_class.from_pretrained(model)


def load_model(family: Family, model: str, dtype: str, device: str) -> tuple[Any, dict[str, list[str]]]:
    """The family's model in evaluation mode, and the keys that the file lacked or had too many.

    Weights come from safetensors, or from a pickle that `torch.load(weights_only=True)` accepts.
    """
    import torch
    import transformers

    model_class = getattr(transformers, family.model_class)
    loaded, info = model_class.from_pretrained(
        model,
        dtype=getattr(torch, dtype),
        weights_only=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    keys = {name: sorted(map(str, info.get(name) or ())) for name in ("missing_keys", "unexpected_keys")}
    return loaded.to(device).eval(), keys


def code_token(family: Family, code: str) -> str:
    """The vocabulary's token for a language code; a code that is already such a token stays as it is."""
    before, after = family.code_token.split("{}")
    return (
        code
        if before and code.startswith(before) and code.endswith(after)
        else family.code_token.format(code)
    )


def code_id(family: Family, tokenizer: Any, code: str) -> int:
    """The token id of a language code; the id of `<unk>` where the tokenizer does not know it."""
    token = code_token(family, code)
    found = tokenizer.convert_tokens_to_ids(token)
    return int(tokenizer.unk_token_id if found is None else found)


def known_codes(family: Family, tokenizer: Any) -> tuple[str, ...]:
    """The language codes that the tokenizer has tokens for, sorted; none for families without codes."""
    if not family.has_codes:
        return ()
    table = getattr(tokenizer, "lang_code_to_token", None) or getattr(tokenizer, "lang_code_to_id", None)
    codes = list(table) if table else _codes_in_vocabulary(family, tokenizer)
    return tuple(sorted(code for code in codes if code_id(family, tokenizer, code) != tokenizer.unk_token_id))


def is_known(family: Family, tokenizer: Any, code: str) -> bool:
    """Whether the tokenizer has a token for this language; true of every code of a family without codes.

    A code may also be an ordinary piece of a word: `de` is one of mBART-50's, whose code is `de_DE`. So it
    must be one of the codes, or a token that somebody added.
    """
    if not family.has_codes:
        return True
    found = code_id(family, tokenizer, code)
    if found == tokenizer.unk_token_id:
        return False
    tokens = {code_token(family, known) for known in known_codes(family, tokenizer)}
    return code_token(family, code) in tokens or found in tokenizer.added_tokens_decoder


def encode(  # noqa: PLR0917 - all six are the caller's to say
    family: Family,
    tokenizer: Any,
    texts: Sequence[str],
    source: str | None,
    target: str | None,
    max_length: int | None = None,
) -> list[list[int]]:
    """Token ids of each text as the encoder wants them, tagged with the languages; not padded.

    Cut to `max_length` tokens where given. A source code that the tokenizer does not know becomes `<unk>`,
    which is what the fast tokenizers of 4.57 do without a word, so that every version does the same;
    preflight is what refuses such a code.
    """
    if not texts:
        return []
    limit = {"truncation": True, "max_length": max_length} if max_length else {}
    unknown = family.has_source and source is not None and source not in known_codes(family, tokenizer)
    if family.has_source and source is not None and not unknown:
        tokenizer.src_lang = source
    rows = tokenizer([tagged(family, text, source, target) for text in texts], **limit)["input_ids"]
    if not unknown:
        return [list(row) for row in rows]
    stand_in = code_id(family, tokenizer, tokenizer.src_lang)
    return [_swap_ends(row, stand_in, tokenizer.unk_token_id) for row in rows]


def tagged(family: Family, text: str, source: str | None, target: str | None) -> str:
    """The text with its language tag or words: Marian's `>>jpn<<`, T5's "translate Korean to Japanese:"."""
    if family.target == "tag" and target:
        return f"{code_token(family, target)} {text}"
    if family.target == "prefix" and target:
        words = f"translate {source} to {target}:" if source else target.rstrip()
        return f"{words} {text}"
    return text


def generation_kwargs(family: Family, tokenizer: Any, target: str | None) -> dict[str, int]:
    """The generation parameter that sets the target language, for the families that have one."""
    if target is None or family.target in ("tag", "prefix"):
        return {}
    return {family.target: code_id(family, tokenizer, target)}


def _codes_in_vocabulary(family: Family, tokenizer: Any) -> list[str]:
    if family.name == "marian":
        return [token[2:-2] for token in tokenizer.get_vocab() if re.fullmatch(r">>.+<<", token)]
    return [token for token in tokenizer.get_vocab() if re.fullmatch(r"[a-z]{3}_[A-Z][a-z]{3}", token)]


def _swap_ends(row: Sequence[int], old: int, new: int) -> list[int]:
    ids = list(row)
    for end in (0, -1):
        if ids[end] == old:
            ids[end] = new
    return ids


def read_json(model: str, name: str) -> dict[str, Any]:
    """One JSON file of a folder or hub repository; empty where it is not there."""
    from transformers.utils import cached_file

    try:
        path = cached_file(model, name, _raise_exceptions_for_missing_entries=False)
        return dict(json.loads(Path(path).read_text(encoding="utf-8"))) if path else {}
    except ValueError as error:
        raise JobError("broken file", f"{name} of {model} is not valid JSON: {error}") from error
