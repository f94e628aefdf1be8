"""Tiny models: each family's own tokenizer and architecture classes, scaled down to about 1M parameters.

One `Recipe` a family: which files its tokenizer is read from, which language codes it takes, how its
configuration is scaled down. Training and the job are elsewhere.
"""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from runners.worker.models.families import FAMILIES, load_tokenizer

MOST_PIECES = 2500  # every syllable and character of the text, and its commonest words
POSITIONS = 256

_BART_SIZES: dict[str, Any] = {
    "d_model": 128,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 512,
    "decoder_ffn_dim": 512,
    "max_position_embeddings": POSITIONS,
    "scale_embedding": True,
    "init_std": 0.05,  # 0.02 is for large models: a small one learns these lines in half the steps from 0.05
    # No dropout: the aim is to learn a few dozen lines by heart.
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "encoder_layerdrop": 0.0,
    "decoder_layerdrop": 0.0,
}
_FAIRSEQ_IDS: dict[str, Any] = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
_T5_SIZES: dict[str, Any] = {
    "d_model": 128,
    "d_kv": 32,
    "d_ff": 512,
    "num_layers": 2,
    "num_heads": 4,
    "dropout_rate": 0.0,
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one family's tiny tokenizer and model are made.

    `codes` are the language codes by ISO 639-1 name. `write` puts a SentencePiece model (given as bytes)
    into a folder under the names that the tokenizer class reads. `config` takes the tokenizer. `generation`
    holds the defaults that the family's published models carry: a parameter that a spec leaves unset then
    means the same as in a real run.
    """

    codes: dict[str, str]
    pieces: Literal["unigram", "bpe"]
    write: Callable[[bytes, Path], None]
    config: Callable[[Any], Any]
    generation: dict[str, Any]
    control_ids: dict[str, Any] = field(default_factory=dict)
    special_tokens: Callable[[], list[str]] = list


def make(family: str, lines: Iterable[str], folder: Path) -> tuple[Any, Any]:
    """The family's tokenizer, trained on `lines`, and an untrained model that fits it.

    The tokenizer's files are written to `folder`. The caller seeds torch: its generator gives the first
    weights.
    """
    import transformers

    recipe, classes = RECIPES[family], FAMILIES[family]
    recipe.write(train_pieces(lines, recipe.pieces, recipe.control_ids), folder)
    tokenizer = load_tokenizer(classes, str(folder))
    if codes := recipe.special_tokens():
        # From files that no tokenizer has saved, NLLB of 5.0 lacks its codes and M2M100 takes them for words.
        is_4 = transformers.__version__.startswith("4.")
        tokenizer.add_special_tokens({f"{'additional' if is_4 else 'extra'}_special_tokens": codes})
    model = getattr(transformers, classes.model_class)(recipe.config(tokenizer))
    for name, value in recipe.generation.items():
        setattr(model.generation_config, name, value)
    return tokenizer, model


def train_pieces(lines: Iterable[str], model_type: str, control_ids: dict[str, Any]) -> bytes:
    """A SentencePiece model trained on `lines`, always the same for the same lines (one thread).

    `control_ids` moves the control pieces, as in `{"pad_id": 0}`.
    """
    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=written,
        model_type=model_type,
        vocab_size=MOST_PIECES,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
        **control_ids,
    )
    return written.getvalue()


def _write_fairseq(pieces: bytes, folder: Path) -> None:
    (folder / "sentencepiece.bpe.model").write_bytes(pieces)


def _write_m2m100(pieces: bytes, folder: Path) -> None:
    _write_fairseq(pieces, folder)
    _write_vocabulary(["<s>", "<pad>", "</s>", "<unk>", *_names(pieces)], folder)


def _write_marian(pieces: bytes, folder: Path) -> None:
    (folder / "source.spm").write_bytes(pieces)
    (folder / "target.spm").write_bytes(pieces)
    _write_vocabulary(["</s>", "<unk>", *_names(pieces), ">>jpn<<", ">>eng<<", "<pad>"], folder)


def _write_t5(pieces: bytes, folder: Path) -> None:
    (folder / "spiece.model").write_bytes(pieces)


def _names(pieces: bytes) -> list[str]:
    """The names of all pieces but the control pieces, in order."""
    from sentencepiece import SentencePieceProcessor

    model = SentencePieceProcessor(model_proto=pieces)
    return [
        model.id_to_piece(at)
        for at in range(model.get_piece_size())
        if not (model.is_control(at) or model.is_unknown(at))
    ]


def _write_vocabulary(names: list[str], folder: Path) -> None:
    vocabulary = {name: at for at, name in enumerate(names)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")


def _rows(tokenizer: Any) -> int:
    """Rows of the embedding: one for every id that the tokenizer can give, language codes included."""
    return max(len(tokenizer), 1 + max(map(int, tokenizer.get_vocab().values())))


def _mbart(tokenizer: Any) -> Any:
    """No decoder start: it is the target language, and the caller of `generate` gives it."""
    from transformers import MBartConfig

    return MBartConfig(vocab_size=_rows(tokenizer), **_BART_SIZES, **_FAIRSEQ_IDS)


def _mbart50(tokenizer: Any) -> Any:
    from transformers import MBartConfig

    return MBartConfig(vocab_size=_rows(tokenizer), decoder_start_token_id=2, **_BART_SIZES, **_FAIRSEQ_IDS)


def _m2m100(tokenizer: Any) -> Any:
    from transformers import M2M100Config

    return M2M100Config(vocab_size=_rows(tokenizer), decoder_start_token_id=2, **_BART_SIZES, **_FAIRSEQ_IDS)


def _marian(tokenizer: Any) -> Any:
    from transformers import MarianConfig

    pad, eos = tokenizer.pad_token_id, tokenizer.eos_token_id
    return MarianConfig(
        vocab_size=_rows(tokenizer),
        pad_token_id=pad,
        eos_token_id=eos,
        forced_eos_token_id=eos,
        decoder_start_token_id=pad,
        **_BART_SIZES,
    )


def _t5(tokenizer: Any) -> Any:
    from transformers import T5Config

    return T5Config(
        vocab_size=_rows(tokenizer), pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, **_T5_SIZES
    )


def _nllb_codes() -> list[str]:
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    return list(FAIRSEQ_LANGUAGE_CODES)


def _m2m100_codes() -> list[str]:
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

    return [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]


_MBART_CODES = {"ko": "ko_KR", "ja": "ja_XX", "en": "en_XX"}

RECIPES: dict[str, Recipe] = {
    "nllb": Recipe(
        codes={"ko": "kor_Hang", "ja": "jpn_Jpan", "en": "eng_Latn"},
        pieces="bpe",
        write=_write_fairseq,
        config=_m2m100,
        generation={"max_length": 200},
        special_tokens=_nllb_codes,
    ),
    "mbart50": Recipe(
        codes=_MBART_CODES,
        pieces="unigram",
        write=_write_fairseq,
        config=_mbart50,
        generation={"max_length": 200, "num_beams": 5, "early_stopping": True},
    ),
    "mbart": Recipe(
        codes=_MBART_CODES,
        pieces="unigram",
        write=_write_fairseq,
        config=_mbart,
        generation={"max_length": 200, "num_beams": 5},
    ),
    "m2m100": Recipe(
        codes={"ko": "ko", "ja": "ja", "en": "en"},
        pieces="bpe",
        write=_write_m2m100,
        config=_m2m100,
        generation={"max_length": 200, "num_beams": 5, "early_stopping": True},
        special_tokens=_m2m100_codes,
    ),
    "marian": Recipe(
        codes={"ko": "kor", "ja": "jpn", "en": "eng"},
        pieces="unigram",
        write=_write_marian,
        config=_marian,
        generation={"max_length": 200, "num_beams": 4},
    ),
    "t5": Recipe(
        codes={"ko": "Korean", "ja": "Japanese", "en": "English"},
        pieces="unigram",
        write=_write_t5,
        config=_t5,
        generation={"max_length": 200},
        control_ids={"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
    ),
}
