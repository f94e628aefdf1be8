"""How a model of each family is made from scratch: its tokenizer's files and its configuration, in one table.

Trainings from scratch take sizes and vocabulary from their spec; rehearsals scale both down to about 1M
parameters.
"""

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

_FAIRSEQ_IDS: Mapping[str, int] = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
_MBART_CODES = {"ko": "ko_KR", "ja": "ja_XX", "en": "en_XX"}


@dataclass(frozen=True, slots=True)
class ModelRecipe:
    """How one family's tokenizer and model are made.

    `write` puts a SentencePiece model (as bytes) into a folder under the names that the tokenizer class
    reads, given the language codes of the vocabulary. `config` takes the tokenizer and the sizes.
    Rehearsals use the rest: the kind of SentencePiece model, language codes by ISO 639-1 name, the generation
    defaults of the family's published models (a parameter that a spec leaves unset then means the same as in
    a real run), control pieces, and additional special tokens.
    """

    write: Callable[[bytes, Path, Sequence[str]], None]
    config: Callable[[Any, Mapping[str, Any]], Any]
    pieces: Literal["unigram", "bpe"]
    codes: Mapping[str, str]
    generation: Mapping[str, Any]
    control_ids: Mapping[str, int] = field(default_factory=dict)
    special_tokens: Callable[[], list[str]] = list


def train_pieces(lines: Iterable[str], size: int, **options: Any) -> bytes:
    """A SentencePiece model of at most `size` pieces, the same one for the same lines (one thread)."""
    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=written,
        vocab_size=size,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    return written.getvalue()


def _write_fairseq(pieces: bytes, folder: Path, _codes: Sequence[str]) -> None:
    (folder / "sentencepiece.bpe.model").write_bytes(pieces)


def _write_m2m100(pieces: bytes, folder: Path, codes: Sequence[str]) -> None:
    _write_fairseq(pieces, folder, codes)
    _write_vocabulary(["<s>", "<pad>", "</s>", "<unk>", *_names(pieces)], folder)


def _write_marian(pieces: bytes, folder: Path, codes: Sequence[str]) -> None:
    """One vocabulary for both sides, in Marian's order: end first, padding last."""
    for side in ("source.spm", "target.spm"):
        (folder / side).write_bytes(pieces)
    tags = (f">>{code}<<" for code in codes)
    _write_vocabulary(["</s>", "<unk>", *_names(pieces), *tags, "<pad>"], folder)


def _write_t5(pieces: bytes, folder: Path, _codes: Sequence[str]) -> None:
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


def _write_vocabulary(names: Sequence[str], folder: Path) -> None:
    vocabulary = {name: at for at, name in enumerate(names)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")


def _rows(tokenizer: Any) -> int:
    """Rows of the embedding: one for every id that the tokenizer can give, language codes included."""
    return max(len(tokenizer), 1 + max(map(int, tokenizer.get_vocab().values())))


def _mbart(tokenizer: Any, sizes: Mapping[str, Any], **ids: int) -> Any:
    """Without a decoder start token: it is the target language, which the caller of `generate` passes."""
    from transformers import MBartConfig

    known = {key: value for key, value in sizes.items() if key != "share_encoder_decoder_embeddings"}
    return MBartConfig(vocab_size=_rows(tokenizer), scale_embedding=True, **_FAIRSEQ_IDS, **ids, **known)


def _mbart50(tokenizer: Any, sizes: Mapping[str, Any]) -> Any:
    return _mbart(tokenizer, sizes, decoder_start_token_id=2)


def _m2m100(tokenizer: Any, sizes: Mapping[str, Any]) -> Any:
    from transformers import M2M100Config

    ids = {**_FAIRSEQ_IDS, "decoder_start_token_id": 2}
    return M2M100Config(vocab_size=_rows(tokenizer), scale_embedding=True, **ids, **sizes)


def _marian(tokenizer: Any, sizes: Mapping[str, Any]) -> Any:
    from transformers import MarianConfig

    pad, eos = tokenizer.pad_token_id, tokenizer.eos_token_id
    return MarianConfig(
        vocab_size=_rows(tokenizer),
        pad_token_id=pad,
        eos_token_id=eos,
        forced_eos_token_id=eos,
        decoder_start_token_id=pad,
        scale_embedding=True,
        **sizes,
    )


def _t5(tokenizer: Any, sizes: Mapping[str, Any]) -> Any:
    from transformers import T5Config

    ids = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    return T5Config(vocab_size=_rows(tokenizer), **ids, **sizes)


def _nllb_codes() -> list[str]:
    from transformers.models.nllb.tokenization_nllb import FAIRSEQ_LANGUAGE_CODES

    return list(FAIRSEQ_LANGUAGE_CODES)


def _m2m100_codes() -> list[str]:
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES

    return [f"__{code}__" for code in FAIRSEQ_LANGUAGE_CODES["m2m100"]]


RECIPES: dict[str, ModelRecipe] = {
    "nllb": ModelRecipe(
        write=_write_fairseq,
        config=_m2m100,
        pieces="bpe",
        codes={"ko": "kor_Hang", "ja": "jpn_Jpan", "en": "eng_Latn"},
        generation={"max_length": 200},
        special_tokens=_nllb_codes,
    ),
    "mbart50": ModelRecipe(
        write=_write_fairseq,
        config=_mbart50,
        pieces="unigram",
        codes=_MBART_CODES,
        generation={"max_length": 200, "num_beams": 5, "early_stopping": True},
    ),
    "mbart": ModelRecipe(
        write=_write_fairseq,
        config=_mbart,
        pieces="unigram",
        codes=_MBART_CODES,
        generation={"max_length": 200, "num_beams": 5},
    ),
    "m2m100": ModelRecipe(
        write=_write_m2m100,
        config=_m2m100,
        pieces="bpe",
        codes={"ko": "ko", "ja": "ja", "en": "en"},
        generation={"max_length": 200, "num_beams": 5, "early_stopping": True},
        special_tokens=_m2m100_codes,
    ),
    "marian": ModelRecipe(
        write=_write_marian,
        config=_marian,
        pieces="unigram",
        codes={"ko": "kor", "ja": "jpn", "en": "eng"},
        generation={"max_length": 200, "num_beams": 4},
    ),
    "t5": ModelRecipe(
        write=_write_t5,
        config=_t5,
        pieces="unigram",
        codes={"ko": "Korean", "ja": "Japanese", "en": "English"},
        generation={"max_length": 200},
        control_ids={"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
    ),
}
