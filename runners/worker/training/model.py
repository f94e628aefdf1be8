"""What a training starts from: tokenizer and model, made from scratch or loaded from a folder or hub name."""

import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runners.worker.errors import JobError
from runners.worker.models import families, loading
from runners.worker.models.families import FAMILIES, Family

SENTENCES_FOR_PIECES = 1_000_000  # drawn from the text where it has more: SentencePiece keeps them in memory
LONGEST_OUTPUT = 200  # tokens; the library's own default is 20, which cuts every third sentence


@dataclass(frozen=True, slots=True)
class ModelRecipe:
    """How one family is made from scratch: its SentencePiece files, and its config for a tokenizer."""

    write: Callable[[bytes, Path, Sequence[str]], None]
    config: Callable[[Any, Mapping[str, Any]], Any]


def prepare(job: Mapping[str, Any], lines: Iterable[str]) -> tuple[Family, Any, Any]:
    """Family, tokenizer and model that the job names; `lines` are what a new vocabulary is made of.

    A vocabulary that is in `tokenizer` already is taken from there: a resumed run must not make another.
    """
    wanted = job["model"]
    family, tokenizer = prepare_tokenizer(job, lines)
    if wanted["name"] is None:
        return family, tokenizer, _model(family, wanted, tokenizer)
    loading.check_weights(wanted["name"])
    model, keys = families.load_model(family, wanted["name"], "float32", "cpu")
    if lost := len(keys["missing_keys"]):
        message = f"{wanted['name']} lacks {lost} tensors, which start from random values"
        raise JobError("missing weights", message, "name a folder or hub model whose weights are all there")
    return family, tokenizer, model


def prepare_tokenizer(job: Mapping[str, Any], lines: Iterable[str]) -> tuple[Family, Any]:
    """Family and tokenizer alone; one that is made is kept in `tokenizer` for the training."""
    wanted = job["model"]
    if wanted["name"] is not None:
        family = loading.find_family(wanted["family"], wanted["name"])
        return family, families.load_tokenizer(family, wanted["name"])
    family = FAMILIES[wanted["family"]]
    return family, _tokenizer(family, job, lines, Path(job["tokenizer"]))


def train_pieces(lines: Iterable[str], size: int) -> bytes:
    """A SentencePiece unigram model of at most `size` pieces, the same one for the same lines."""
    import sentencepiece

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=written,
        model_type="unigram",
        vocab_size=size,
        hard_vocab_limit=False,
        character_coverage=0.9995,  # SentencePiece's own advice for Japanese
        input_sentence_size=SENTENCES_FOR_PIECES,
        shuffle_input_sentence=True,
        num_threads=1,
        minloglevel=2,
    )
    return written.getvalue()


def _tokenizer(family: Family, job: Mapping[str, Any], lines: Iterable[str], folder: Path) -> Any:
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".tokenizer-", dir=folder.parent))
        try:
            codes = [job["target_code"]] if job["target_code"] else []
            ORIGINS[family.name].write(train_pieces(lines, job["model"]["vocab_size"]), partial, codes)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    tokenizer = families.load_tokenizer(family, str(folder))
    tokenizer.model_max_length = job["model"]["config"]["max_position_embeddings"]
    return tokenizer


def _model(family: Family, wanted: Mapping[str, Any], tokenizer: Any) -> Any:
    import transformers

    model = getattr(transformers, family.model_class)(
        ORIGINS[family.name].config(tokenizer, wanted["config"])
    )
    model.generation_config.max_length = min(LONGEST_OUTPUT, wanted["config"]["max_position_embeddings"])
    return model


def _write_marian(pieces: bytes, folder: Path, codes: Sequence[str]) -> None:
    """One vocabulary for both sides, in the order of Marian's own: end first, padding last."""
    from sentencepiece import SentencePieceProcessor

    for side in ("source.spm", "target.spm"):
        (folder / side).write_bytes(pieces)
    read = SentencePieceProcessor(model_proto=pieces)
    ordinary = [
        read.id_to_piece(at)
        for at in range(read.get_piece_size())
        if not (read.is_control(at) or read.is_unknown(at))
    ]
    names = ["</s>", "<unk>", *ordinary, *(f">>{code}<<" for code in codes), "<pad>"]
    vocabulary = json.dumps({name: at for at, name in enumerate(names)}, ensure_ascii=False)
    (folder / "vocab.json").write_text(vocabulary, encoding="utf-8")


def _write_mbart50(pieces: bytes, folder: Path, _codes: Sequence[str]) -> None:
    (folder / "sentencepiece.bpe.model").write_bytes(pieces)


def _marian(tokenizer: Any, sizes: Mapping[str, Any]) -> Any:
    from transformers import MarianConfig

    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    return MarianConfig(
        vocab_size=_rows(tokenizer),
        pad_token_id=pad,
        eos_token_id=end,
        forced_eos_token_id=end,
        decoder_start_token_id=pad,
        scale_embedding=True,
        **sizes,
    )


def _mbart50(tokenizer: Any, sizes: Mapping[str, Any]) -> Any:
    from transformers import MBartConfig

    ids = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
    known = {key: value for key, value in sizes.items() if key != "share_encoder_decoder_embeddings"}
    return MBartConfig(vocab_size=_rows(tokenizer), scale_embedding=True, **ids, **known)


def _rows(tokenizer: Any) -> int:
    """Rows of the embedding: one for every id that the tokenizer can give, language codes included."""
    return max(len(tokenizer), 1 + max(map(int, tokenizer.get_vocab().values())))


ORIGINS = {"marian": ModelRecipe(_write_marian, _marian), "mbart50": ModelRecipe(_write_mbart50, _mbart50)}
